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

__all__ = ["VIEW", "WHOLE", "data"]

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
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
from ..fields import around, fields_of, grown
from ..links import Links
from ..site import Data, Site, View
from ..text import labelled

Kind = Literal["sky", "camera", "matrix"]

_RUNS = 200
_CELLS = 20_000
_GRID = 0.2  # of a detector whose place is not known
_SEEN = 6.0  # deg of a region on the whole sky
WHOLE = "all"
"""The name of all fields at once."""


def data(
    engine: sqlalchemy.Engine,
    run: str | None = None,
    metric: str | None = None,
    band: str | None = None,
    kind: str = "sky",
    visit: int | None = None,
    field: str | None = None,
) -> Data:
    """Return a metric's values by place.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    run, metric, band : `str`, optional
        The run, the latest with measurements if absent; the metric, the
        first one with a threshold if absent; the band, all if absent.
    kind : `str`, optional
        "sky", "camera" or "matrix" (visits against detectors).
    visit : `int`, optional
        Only this visit, in the camera.
    field : `str`, optional
        Number of a field of the sky, or `WHOLE`; the one with most values if
        absent.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``runs``, ``metrics`` and ``bands`` to choose from, what is chosen,
        and ``places``: values with their ``data_id`` and ``outline`` where
        that is known, and the number of their ``field`` of the sky;
        ``unplaced`` is the number of those without; ``fields`` have the
        middle ``ra`` and ``dec`` in degrees and ``n`` values; ``dropped`` are
        the visits left out of a matrix for want of room.

    Raises
    ------
    UnknownNameError
        Raised if there is no such run, no such metric in it, or no such
        field.
    """
    offered = [held for held in query.latest_runs(engine, _RUNS) if held.n_measurements]
    found: Data = {"runs": [held.name for held in offered], "kind": kind, "visit": visit, "band": band}
    found |= {"run": None, "metric": None, "unit": "", "metrics": [], "bands": []}
    found |= {"places": [], "unplaced": 0, "dropped": 0, "fields": [], "field": None}
    if run is None and not offered:
        return found
    held = offered[0] if run is None else shapes.found_run(engine, run)
    pairs = map_values.mapped_metrics(engine, held.run_id)
    names = sorted({name for name, _ in pairs}, key=lambda name: ("." in name, arrange.natural_key(name)))
    if metric is not None and metric not in names:
        raise UnknownNameError(f"metric of run {held.name} named", metric, names)
    chosen = metric or _usual(names, pairs, query.specifications(engine))
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
    if kind == "sky":
        found |= _fielded(places, field)
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
                "outline": None if region is None else [list(corner) for corner in region.outline],
            },
        )
    return list(places.values())


def _usual(
    names: Sequence[str], pairs: Iterable[tuple[str, str | None]], specs: Mapping[str, Any]
) -> str | None:
    """Choose a metric to begin with: one that is judged, and of bands."""
    banded = {name for name, band in pairs if band is not None}
    return min(names, key=lambda name: (name not in banded, not specs.get(name)), default=None)


def _fielded(places: list[Data], asked: str | None) -> Data:
    """Tell of each place its field, and which of them is shown."""
    fields = fields_of([place["outline"] for place in places])
    for place in places:
        place["field"] = None
    for number, field in enumerate(fields):
        for member in field.members:
            places[member]["field"] = number
            places[member]["outline"] = around(places[member]["outline"], field.ra)
    known = [*(str(number) for number in range(len(fields))), WHOLE]
    if asked is not None and asked not in known:
        raise UnknownNameError("field of this map", asked, known)
    told = [{"ra": one.ra, "dec": one.dec, "n": len(one.members)} for one in fields]
    return {"fields": told, "field": asked or ("0" if fields else None)}


def _owner(one: PlaceValue | Region) -> tuple[Any, ...]:
    if one.tract is not None:
        return one.skymap, one.tract, one.patch
    return one.instrument, one.visit


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
        field: str | None = None,
    ) -> Response:
        found = data(site.engine, run or None, metric or None, band or None, kind, visit, field or None)
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
    if shown["kind"] != "sky":
        return {"map": maps.map_chart(placed, label, "in the camera (deg)", "in the camera (deg)", False)}
    aspect = 1.0
    if shown["field"] == WHOLE:
        aspect = 0.0
        placed = [
            {
                **one,
                "outline": grown(around(one["outline"], 180.0), _SEEN),
            }
            for one in placed
        ]
    elif shown["fields"]:
        placed = [one for one in placed if str(one["field"]) == shown["field"]]
        aspect = max(math.cos(math.radians(shown["fields"][int(shown["field"])]["dec"])), 0.05)
    axes = "right ascension (deg)", "declination (deg)"
    return {"map": maps.map_chart(placed, label, *axes, True, aspect)}


VIEW = View("maps", add, label="Maps", prepare=maps.describe_usual)
