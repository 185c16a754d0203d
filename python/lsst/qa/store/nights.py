# This file is part of qa.
#
# Developed for the LSST Data Management System.
# See the COPYRIGHT file at the top-level directory of this distribution
# for details of code ownership.
#
# This program is free software: you can redistribute it and/or modify
# it under the terms of the GNU General Public License as published by
# the Free Software Foundation, either version 3 of the License, or
# (at your option) any later version.
#
# This program is distributed in the hope that it will be useful,
# but WITHOUT ANY WARRANTY; without even the implied warranty of
# MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
# GNU General Public License for more details.
#
# You should have received a copy of the GNU General Public License
# along with this program.  If not, see <https://www.gnu.org/licenses/>.

"""Nights: what was observed on a day of observation, visit by visit."""

from __future__ import annotations

__all__ = ["NightSummary", "last_night", "list_nights", "night_values"]

from typing import Any, NamedTuple

import sqlalchemy as sa

from .database import tables


class NightSummary(NamedTuple):
    """A day of observation with an instrument.

    Attributes
    ----------
    day_obs : `int`
        The day, as in 20261122.
    instrument : `str`
        The instrument.
    visits : `int`
        Number of visits with measurements.
    bands : `tuple` [`str`, ...]
        Their bands, sorted.
    """

    day_obs: int
    instrument: str
    visits: int
    bands: tuple[str, ...]


def list_nights(engine: sa.Engine, limit: int = 30, before: int | None = None) -> list[NightSummary]:
    """List the nights with measurements of visits.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    limit : `int`, optional
        The most days to look at.
    before : `int`, optional
        Only days before this one.

    Returns
    -------
    nights : `list` [`NightSummary`]
        The latest day first.
    """
    days = _days(engine, limit, before)
    return _summaries(engine, days) if days else []


def last_night(engine: sa.Engine) -> dict[str, Any] | None:
    """Tell of the last day with measurements of visits.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.

    Returns
    -------
    night : `dict` or `None`
        ``day_obs``, and by instrument ``visits`` and ``bands``; `None` for
        a database without any.
    """
    found = list_nights(engine, 1)
    if not found:
        return None
    return {
        "day_obs": found[0].day_obs,
        "instruments": [
            {"instrument": one.instrument, "visits": one.visits, "bands": list(one.bands)} for one in found
        ],
    }


def night_values(engine: sa.Engine, day_obs: int, instrument: str) -> list[dict[str, Any]]:
    """List what was measured of the visits of a night.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    day_obs : `int`
        The day.
    instrument : `str`
        The instrument.

    Returns
    -------
    values : `list` [`dict`]
        ``visit``, ``band``, ``physical_filter``, ``obs_time``, ``metric``,
        ``unit``, ``value``, ``error``, ``n``, ``status``, ``message``; of
        whole visits, without bins. Of several runs the latest loaded value
        comes last.
    """
    rows, metric = tables().measurement, tables().metric
    names = (
        "visit",
        "band",
        "physical_filter",
        "obs_time",
        "unit",
        "value",
        "error",
        "n",
        "status",
        "message",
    )
    chosen = (
        sa.select(metric.c.name.label("metric"), *(rows.c[name] for name in names))
        .join(metric, rows.c.metric_id == metric.c.metric_id)
        .where(
            rows.c.day_obs == day_obs,
            rows.c.instrument == instrument,
            rows.c.visit.is_not(None),
            rows.c.detector.is_(None),
            rows.c.bin_low.is_(None),
        )
        .order_by(rows.c.visit, rows.c.dataset_id, rows.c.row_number)
    )
    with engine.connect() as connection:
        return [dict(zip(("metric", *names), row)) for row in connection.execute(chosen).all()]


def _days(engine: sa.Engine, limit: int, before: int | None) -> list[int]:
    """Find the latest days one after the other, each by the index."""
    rows = tables().measurement
    latest = sa.select(sa.func.max(rows.c.day_obs)).where(rows.c.detector.is_(None))
    first = latest if before is None else latest.where(rows.c.day_obs < before)
    found = sa.select(first.scalar_subquery().label("day"), sa.literal(1).label("place"))
    days = found.cte("days", recursive=True)
    earlier = latest.where(rows.c.day_obs < days.c.day).scalar_subquery()
    more = sa.select(earlier, days.c.place + 1).where(days.c.day.is_not(None), days.c.place < limit)
    days = days.union_all(more)
    with engine.connect() as connection:
        return list(connection.execute(sa.select(days.c.day).where(days.c.day.is_not(None))).scalars())


def _summaries(engine: sa.Engine, days: list[int]) -> list[NightSummary]:
    rows = tables().measurement
    chosen = (
        sa.select(rows.c.day_obs, rows.c.instrument, rows.c.visit, rows.c.band)
        .where(rows.c.day_obs.in_(days), rows.c.detector.is_(None), rows.c.visit.is_not(None))
        .distinct()
    )
    found: dict[tuple[int, str], tuple[set[int], set[str]]] = {}
    with engine.connect() as connection:
        for day, instrument, visit, band in connection.execute(chosen).all():
            visits, bands = found.setdefault((day, instrument or ""), (set(), set()))
            visits.add(visit)
            bands.update([band] if band else [])
    latest_first = sorted(found, key=lambda key: (-key[0], key[1]))
    return [NightSummary(*key, len(found[key][0]), tuple(sorted(found[key][1]))) for key in latest_first]
