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

"""Maps of a metric: the sky, the camera, and visits against detectors."""

from __future__ import annotations

__all__ = ["VIEW", "data"]

import statistics
from collections.abc import Iterable
from typing import Any, Literal

import sqlalchemy
from starlette.requests import Request
from starlette.responses import Response

from ...errors import UnknownNameError
from ...store import map_values, query
from ...store.map_values import DetectorValue, PlaceValue
from ...store.regions import Region, regions
from .. import arrange, shapes
from ..charts import maps
from ..links import Links
from ..site import Data, Site, View
from ..text import labelled

Kind = Literal["sky", "camera", "matrix"]

_RUNS = 200
_CELLS = 20_000
_GRID = 0.2  # of a detector whose place is not known


def data(
    engine: sqlalchemy.Engine,
    run: str | None = None,
    metric: str | None = None,
    band: str | None = None,
    kind: str = "sky",
    visit: int | None = None,
) -> Data:
    """Return a metric's values by place.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    run, metric, band : `str`, optional
        The run, the latest with measurements if absent; the metric, the
        first one if absent; the band, all if absent.
    kind : `str`, optional
        "sky", "camera" or "matrix" (visits against detectors).
    visit : `int`, optional
        Only this visit, in the camera.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``runs``, ``metrics`` and ``bands`` to choose from, what is chosen,
        and ``places``: values with their ``data_id`` and ``outline`` where
        that is known; ``unplaced`` is the number of those without;
        ``dropped`` the visits left out of a matrix for want of room.

    Raises
    ------
    UnknownNameError
        Raised if there is no such run, or no such metric in it.
    """
    offered = [held for held in query.latest_runs(engine, _RUNS) if held.n_measurements]
    found: Data = {"runs": [held.name for held in offered], "kind": kind, "visit": visit, "band": band}
    found |= {"run": None, "metric": None, "unit": "", "metrics": [], "bands": []}
    found |= {"places": [], "unplaced": 0, "dropped": 0}
    if run is None and not offered:
        return found
    held = offered[0] if run is None else shapes.found_run(engine, run)
    pairs = map_values.mapped_metrics(engine, held.run_id)
    names = sorted({name for name, _ in pairs}, key=lambda name: ("." in name, arrange.natural_key(name)))
    if metric is not None and metric not in names:
        raise UnknownNameError(f"metric of run {held.name} named", metric, names)
    chosen = metric or next(iter(names), None)
    found |= {"run": held.name, "metric": chosen, "metrics": names}
    if chosen is None:
        return found
    info = query.get_metric(engine, chosen)
    found["unit"] = info.unit if info is not None else ""
    found["bands"] = sorted({of for name, of in pairs if name == chosen}, key=arrange.band_key)
    if kind == "sky":
        places = _on_sky(engine, map_values.place_values(engine, held.run_id, chosen, band))
    else:
        values = map_values.detector_values(engine, held.run_id, chosen, band, visit)
        if kind == "camera":
            places = _in_camera(engine, values, visit)
        else:
            places, found["dropped"] = _matrix(values)
    found["unplaced"] = sum(place["outline"] is None for place in places) if kind == "sky" else 0
    return {**found, "places": places}


def _on_sky(engine: sqlalchemy.Engine, values: Iterable[PlaceValue]) -> list[Data]:
    """Put each value into its patch, tract or visit; the latest one counts."""
    held = {
        (kind, *_owner(one)): one for kind in ("tract", "patch", "visit") for one in regions(engine, kind)
    }
    places: dict[tuple[Any, ...], Data] = {}
    for value in values:
        kind = "patch" if value.patch is not None else "tract" if value.tract is not None else "visit"
        key = (kind, *_owner(value))
        region = held.get(key)
        names = ("instrument", "visit", "skymap", "tract", "patch")
        places.setdefault(
            (*key, value.band),
            {
                "data_id": {name: getattr(value, name) for name in names if getattr(value, name) is not None},
                **shapes.taken(value, ("band", "value", "error", "n", "status", "message")),
                "outline": None if region is None else _unwrapped(region),
            },
        )
    return list(places.values())


def _owner(one: PlaceValue | Region) -> tuple[Any, ...]:
    if one.tract is not None:
        return one.skymap, one.tract, one.patch
    return one.instrument, one.visit


def _unwrapped(region: Region) -> list[list[float]]:
    """Write corners so that none is more than half a turn from the first."""
    first = region.outline[0][0]
    return [[first + (ra - first + 180.0) % 360.0 - 180.0, dec] for ra, dec in region.outline]


def _in_camera(engine: sqlalchemy.Engine, values: list[DetectorValue], visit: int | None) -> list[Data]:
    """Take the median over visits of each detector."""
    by_detector: dict[tuple[str | None, int], list[float]] = {}
    for value in values:
        by_detector.setdefault((value.instrument, value.detector), []).append(value.value)
    held = {(one.instrument, one.detector): one for one in regions(engine, "detector")}
    known = all(key in held for key in by_detector)
    places = []
    for (instrument, detector), numbers in sorted(by_detector.items(), key=str):
        region = held.get((instrument, detector)) if known else None
        data_id = {"instrument": instrument, "detector": detector, "visit": visit}
        places.append(
            {
                "data_id": {name: value for name, value in data_id.items() if value is not None},
                "name": None if region is None else region.name,
                "band": None,
                "value": statistics.median(numbers),
                "error": None,
                "n": len(numbers),
                "outline": _square(detector)
                if region is None
                else [list(corner) for corner in region.outline],
            }
        )
    return places


def _square(detector: int) -> list[list[float]]:
    """Place a detector of a camera without known layout in rows of 18."""
    x, y = _GRID * (detector % 18), -_GRID * (detector // 18)
    side = 0.9 * _GRID
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side]]


def _matrix(values: list[DetectorValue]) -> tuple[list[Data], int]:
    """Give the latest visits that there is room for a row each."""
    visits = sorted({value.visit for value in values if value.visit is not None})
    detectors = len({value.detector for value in values}) or 1
    kept = visits[-max(_CELLS // detectors, 1) :]
    rows = {visit: row for row, visit in enumerate(kept)}
    places = [
        {
            "data_id": {"instrument": value.instrument, "visit": value.visit, "detector": value.detector},
            "detector": value.detector,
            "row": rows[value.visit],
            "band": value.band,
            "value": value.value,
            "error": None,
        }
        for value in values
        if value.visit in rows
    ]
    return places, len(visits) - len(kept)


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """

    @site.route("/maps", "/maps.json")
    def show(
        request: Request,
        run: str | None = None,
        metric: str | None = None,
        band: str | None = None,
        kind: Kind = "sky",
        visit: int | None = None,
    ) -> Response:
        found = data(site.engine, run or None, metric or None, band or None, kind, visit)
        return site.show(request, VIEW, found, lambda held: _charts(held, site.links))


def _charts(shown: Data, links: Links) -> dict[str, str | None]:
    label = labelled(shown["metric"], shown["unit"])
    drawn = []
    for place in shown["places"]:
        data_id = place["data_id"]
        if "visit" in data_id or "tract" in data_id:
            url = links.page("data", run=shown["run"], **data_id)
        else:
            url = links.page(
                "maps", run=shown["run"], metric=shown["metric"], band=shown["band"], kind="matrix"
            )
        drawn.append({**place, "where": arrange.where(data_id), "url": url})
    if shown["kind"] == "matrix":
        return {"map": maps.matrix_chart(drawn, label)}
    placed = [one for one in drawn if one["outline"] is not None]
    if shown["kind"] == "sky":
        return {"map": maps.map_chart(placed, label, "right ascension (deg)", "declination (deg)", True)}
    return {"map": maps.map_chart(placed, label, "in the camera (deg)", "in the camera (deg)", False)}


VIEW = View("maps", add, label="Maps", prepare=maps.describe_usual)
