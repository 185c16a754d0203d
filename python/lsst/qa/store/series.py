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

"""A metric over time in as many steps as can be seen."""

from __future__ import annotations

__all__ = ["MOST", "Pixel", "pixels", "run_pixels"]

import datetime
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa

from .database import tables
from .runs import history

MOST = 4000
"""The most steps of all bands together."""

_Time = datetime.datetime


class Pixel(NamedTuple):
    """The values of one stretch of time.

    Attributes
    ----------
    band : `str` or `None`
        Band.
    start, end : `datetime.datetime`
        The stretch; UTC, without a zone.
    n : `int`
        Number of values.
    min, max, mean : `float` or `None`
        Of the values; `None` where there is none.
    """

    band: str | None
    start: _Time
    end: _Time
    n: int
    min: float | None
    max: float | None
    mean: float | None


def pixels(
    engine: sa.Engine,
    metric: str,
    band: str | None = None,
    run_id: int | None = None,
    since: _Time | None = None,
    until: _Time | None = None,
    width: int = 1000,
) -> list[Pixel]:
    """Follow a metric over the time of observation.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    metric : `str`
        Name of the metric.
    band : `str`, optional
        Band; without it all.
    run_id : `int`, optional
        Number of the run; without it all.
    since, until : `datetime.datetime`, optional
        Only values from this time on, and up to that; UTC, without a zone.
    width : `int`, optional
        The most stretches of time, fewer where there are so many bands that
        they would be more than `MOST`.

    Returns
    -------
    pixels : `list` [`Pixel`]
        Of whole visits, by band and time; stretches without a measurement
        are left out.
    """
    rows, dataset, definition = tables().measurement, tables().dataset, tables().metric
    time = rows.c.obs_time
    found = rows.join(definition, rows.c.metric_id == definition.c.metric_id)
    conditions = [definition.c.name == metric, time.is_not(None)]
    conditions += [rows.c[name].is_(None) for name in ("detector", "bin_low", "bin_high")]
    if band is not None:
        conditions.append(rows.c.band == band)
    if run_id is not None:
        found = found.join(dataset, rows.c.dataset_id == dataset.c.dataset_id)
        conditions.append(dataset.c.run_id == run_id)
    conditions += [time >= since] if since is not None else []
    conditions += [time <= until] if until is not None else []
    with engine.connect() as connection:
        span = sa.select(sa.func.min(time), sa.func.max(time), sa.func.count(rows.c.band.distinct()))
        first, last, bands = connection.execute(span.select_from(found).where(*conditions)).one()
        if first is None:
            return []
        step = _step(first, last, bands, width)
        # The place in time, in the words of the database.
        seconds = (
            (sa.func.julianday(time) - sa.func.julianday(sa.bindparam("first", first))) * 86400.0
            if engine.dialect.name == "sqlite"
            else sa.extract("epoch", time - sa.bindparam("first", first))
        )
        place = sa.cast(sa.func.floor(seconds / step), sa.Integer).label("place")
        value = rows.c.value
        sums = (sa.func.count(value), sa.func.min(value), sa.func.max(value), sa.func.avg(value))
        asked = sa.select(rows.c.band, place, *sums).select_from(found).where(*conditions)
        binned = connection.execute(asked.group_by(rows.c.band, sa.text("place"))).all()
    return _pixels(binned, first, step)


def run_pixels(
    engine: sa.Engine,
    metric: str,
    band: str | None = None,
    since: _Time | None = None,
    until: _Time | None = None,
    width: int = 1000,
) -> list[Pixel]:
    """Follow a metric over runs.

    Parameters
    ----------
    engine, metric, band, since, until, width
        As for `pixels`, of the time of the run.

    Returns
    -------
    pixels : `list` [`Pixel`]
        Of the summaries of runs.
    """
    points = [
        point
        for point in history(engine, metric, band)
        if (since is None or point.run_time >= since) and (until is None or point.run_time <= until)
    ]
    if not points:
        return []
    first, last = points[0].run_time, points[-1].run_time
    step = _step(first, last, len({point.band for point in points}), width)
    held: dict[tuple[str | None, int], list[float]] = {}
    for point in points:
        place = math.floor((point.run_time - first).total_seconds() / step)
        values = held.setdefault((point.band, place), [])
        if math.isfinite(point.value):
            values.append(point.value)
    binned = [
        (*key, len(v), min(v, default=None), max(v, default=None), sum(v) / len(v) if v else None)
        for key, v in held.items()
    ]
    return _pixels(binned, first, step)


def _step(first: _Time, last: _Time, bands: int, width: int) -> float:
    """Return the length of a stretch in s: the last time is in the last."""
    number = max(min(width, MOST // max(bands, 1)), 1)
    return max((last - first).total_seconds(), 1e-6) * (1.0 + 1e-9) / number + 1e-6


def _pixels(binned: Iterable[Any], first: _Time, step: float) -> list[Pixel]:
    length = datetime.timedelta(seconds=step)
    ordered = sorted(binned, key=lambda row: (row[0] or "", row[1]))
    return [
        Pixel(band, first + place * length, first + (place + 1) * length, *numbers)
        for band, place, *numbers in ordered
    ]
