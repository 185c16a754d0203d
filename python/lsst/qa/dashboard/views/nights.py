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

"""Nights: visits against metrics, as in an operator's log."""

from __future__ import annotations

__all__ = ["VIEW", "data", "table"]

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy
from starlette.requests import Request
from starlette.responses import Response

from ...errors import UnknownNameError
from ...judge.verdicts import judge
from ...metric import Spec
from ...store import nights, query
from .. import arrange
from ..links import split_twin
from ..site import Data, Site, View
from ..text import finite

_SIGMA = 1.4826
_TINTS = 4
_NOTHING: Data = {"judged": 0, "missed": []}
_ENOUGH = 5  # values whose scatter says what is unusual


def table(values: Iterable[Mapping[str, Any]], specs: Mapping[str, tuple[Spec, ...]]) -> Data:
    """Arrange a night's values by visit and metric.

    Parameters
    ----------
    values : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        As of `lsst.qa.store.nights.night_values`.
    specs : `~collections.abc.Mapping` [`str`, `tuple` [`Spec`, ...]]
        Thresholds by metric.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``metrics`` with their units, those with a threshold first, and
        ``visits``, the latest first, each with its ``cells`` by metric:
        value, error, state, and ``away``, by how many robust standard
        deviations it lies from the night's median in its band; `None` for
        fewer than five visits. ``judged`` is the number of values with a
        threshold, ``missed`` the metrics that miss theirs, with the number of
        ``visits`` where they do, the most first.
    """
    visits: dict[int, Data] = {}
    units: dict[str, str] = {}
    by_band: dict[tuple[str, str | None], list[float]] = {}
    for row in values:
        held = visits.setdefault(
            row["visit"],
            {
                "visit": row["visit"],
                **{name: row[name] for name in ("band", "physical_filter", "obs_time")},
                "cells": {},
            },
        )
        value = math.nan if row["value"] is None else row["value"]
        error = math.nan if row["error"] is None else row["error"]
        verdict = judge(value, error, row["band"], specs.get(row["metric"], ()))
        units[row["metric"]] = row["unit"]
        held["cells"][row["metric"]] = {
            **{name: finite(number) for name, number in (("value", value), ("error", error))},
            **{name: row[name] for name in ("n", "status", "message")},
            "state": verdict.state,
        }
    for held in visits.values():
        for metric, cell in held["cells"].items():
            if cell["value"] is not None:
                by_band.setdefault((metric, held["band"]), []).append(cell["value"])
    middles = {
        key: (statistics.median(held), _spread(held)) for key, held in by_band.items() if len(held) >= _ENOUGH
    }
    for held in visits.values():
        for metric, cell in held["cells"].items():
            cell["away"] = _away(cell["value"], middles.get((metric, held["band"])))
    states = [(name, cell["state"]) for held in visits.values() for name, cell in held["cells"].items()]
    missed = Counter(name for name, state in states if state == "fail")
    order = sorted(units, key=lambda name: (not specs.get(name), "." in name, arrange.natural_key(name)))
    return {
        "metrics": [{"name": name, "unit": units[name]} for name in order],
        "judged": sum(state in ("pass", "fail") for _, state in states),
        "missed": [{"metric": name, "visits": number} for name, number in missed.most_common()],
        "visits": sorted(visits.values(), key=lambda held: (str(held["obs_time"] or ""), held["visit"]))[
            ::-1
        ],
    }


def _spread(values: list[float]) -> float:
    middle = statistics.median(values)
    return _SIGMA * statistics.median(abs(value - middle) for value in values)


def _away(value: float | None, middle: tuple[float, float] | None) -> float | None:
    if value is None or middle is None or not middle[1] > 0.0:
        return None
    return (value - middle[0]) / middle[1]


def data(engine: sqlalchemy.Engine, day_obs: int | None = None, instrument: str | None = None) -> Data:
    """Return a night's visits, and the nights around it.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    day_obs : `int`, optional
        The night; the last one if absent.
    instrument : `str`, optional
        The instrument; the first of the night if absent.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``nights`` to choose from; ``day_obs`` and ``instrument``, `None`
        where there is no night at all; ``metrics`` and ``visits``, as of
        `table`.

    Raises
    ------
    UnknownNameError
        Raised if nothing was measured of that night.
    """
    listed = nights.list_nights(engine)
    if day_obs is not None and all(one.day_obs != day_obs for one in listed):
        around = nights.list_nights(engine, 1, day_obs + 1)
        if not around or around[0].day_obs != day_obs:
            raise UnknownNameError("night", str(day_obs), [str(one.day_obs) for one in listed])
        listed = [*around, *listed]
    offered = [{**one._asdict(), "bands": list(one.bands)} for one in listed]
    if not listed:
        return {"nights": [], "day_obs": None, "instrument": None, "metrics": [], "visits": [], **_NOTHING}
    day = listed[0].day_obs if day_obs is None else day_obs
    instruments = [one.instrument for one in listed if one.day_obs == day]
    if instrument is not None and instrument not in instruments:
        raise UnknownNameError(f"instrument in night {day} named", instrument, instruments)
    chosen = instruments[0] if instrument is None else instrument
    values = nights.night_values(engine, day, chosen)
    return {
        "nights": offered,
        "day_obs": day,
        "instrument": chosen,
        **table(values, query.specifications(engine)),
    }


def tint(away: float | None) -> str:
    """Name the style of a cell by how far it is from the others.

    Parameters
    ----------
    away : `float` or `None`
        In robust standard deviations.

    Returns
    -------
    style : `str`
        "" for what is as usual, else as in "high-2" or "low-3".
    """
    if away is None or abs(away) < 2.0:
        return ""
    strength = min(int(abs(away)) - 1, _TINTS)
    return f"{'high' if away > 0.0 else 'low'}-{strength}"


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """
    site.templates.filters["tint"] = tint

    @site.route("/nights", "/nights.json")
    def latest(request: Request, instrument: str | None = None) -> Response:
        return site.show(request, VIEW, data(site.engine, None, instrument))

    @site.route("/nights/{path:path}")
    def night(request: Request, path: str, instrument: str | None = None) -> Response:
        name, _ = split_twin(path)
        if not (name.isascii() and name.isdigit() and len(name) == 8):
            raise UnknownNameError("night", name, [])
        return site.show(request, VIEW, data(site.engine, int(name), instrument))


VIEW = View("nights", add, label="Nights")
