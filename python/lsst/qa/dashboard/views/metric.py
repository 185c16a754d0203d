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

"""One metric: its definition, its history over runs, and one run's values."""

from __future__ import annotations

__all__ = ["VIEW", "data"]

import sqlalchemy
from starlette.requests import Request
from starlette.responses import Response

from ...errors import UnknownNameError
from ...judge.change_points import prepare, shifts
from ...metric import Spec
from ...store import query, records
from .. import arrange, shapes
from ..charts import history, rows
from ..links import Links, split_twin
from ..site import Data, Site, View
from . import notes

_ROWS = 2000


def data(engine: sqlalchemy.Engine, name: str, band: str | None = None, in_run: str | None = None) -> Data:
    """Return one metric with its history and the rows of one run.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    name : `str`
        Name of the metric.
    band : `str`, optional
        Keep only this band.
    in_run : `str`, optional
        Run whose rows to return; the latest one with this metric if absent.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``metric`` is its definition; ``bands`` all there are; ``history`` its
        value in each run, judged; ``changes``, the runs since when its level
        or a package is another one; ``run`` and ``rows`` the values of single
        data IDs in one run, judged, at most ``limit`` of them; ``notes``.

    Raises
    ------
    UnknownNameError
        Raised if there is no such metric, or no such run of it.
    """
    info = shapes.found_metric(engine, name)
    points = query.history(engine, name)
    bands = sorted({point.band for point in points}, key=arrange.band_key)
    run_ids = {point.run: point.run_id for point in points}
    chosen = in_run if in_run is not None else next(reversed(run_ids), None)
    if chosen is not None and chosen not in run_ids:
        raise UnknownNameError(f"run with metric {name!r} named", chosen, run_ids)
    held: list[records.Measurement] = []
    if chosen is not None:
        held = query.measurements(engine, run_id=run_ids[chosen], metric=name, band=band, limit=_ROWS)
    return {
        "metric": shapes.definition(info),
        "bands": bands,
        "band": band,
        "history": [shapes.point(point, info.specs) for point in points if band in (None, point.band)],
        "changes": _changes(engine, points, band),
        "run": chosen,
        "limit": _ROWS,
        "rows": [shapes.row(row, info.specs) for row in held],
        "notes": notes.listed(engine, metric=name),
    }


def _changes(engine: sqlalchemy.Engine, points: list[records.Point], band: str | None) -> list[Data]:
    """List the runs with which a level or a package changed, latest first."""
    packages = query.package_changes(engine, [point.run_id for point in points])
    found: dict[int, Data] = {}
    for point in points:
        if point.run_id in packages:
            found[point.run_id] = _change(point, packages)
    for name in dict.fromkeys(point.band for point in points if band in (None, point.band)):
        series = [point for point in points if point.band == name]
        for shift in shifts([point.value for point in series]):
            point = series[shift.place]
            held = found.setdefault(point.run_id, _change(point, packages))
            held["shifts"].append({"band": name, "before": shift.before, "after": shift.after})
    return sorted(found.values(), key=lambda held: held["time"], reverse=True)


def _change(point: records.Point, packages: dict[int, list[records.PackageChange]]) -> Data:
    changed = [one._asdict() for one in packages.get(point.run_id, ())]
    return {"run": point.run, "time": point.run_time, "shifts": [], "packages": changed}


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """

    def show(request: Request, name: str, band: str | None, run: str | None) -> Response:
        shown = data(site.engine, name, band, run)
        return site.show(request, VIEW, shown, lambda held: _charts(held, site.links))

    @site.route("/metric", "/metric.json")
    def metric_by_query(
        request: Request, name: str, band: str | None = None, run: str | None = None
    ) -> Response:
        return show(request, name, band, run)

    @site.route("/metrics/{path:path}")
    def metric(request: Request, path: str, band: str | None = None, run: str | None = None) -> Response:
        return show(request, split_twin(path)[0], band, run)


def _charts(shown: Data, links: Links) -> dict[str, str | None]:
    specs = [Spec(**spec) for spec in shown["metric"]["specs"]]
    # All the levels of all the bands at once would be a thicket.
    band = shown["band"]
    seen = [
        spec for spec in specs if (spec.holds_in(band) if band else spec.level == "design" or not spec.bands)
    ]
    unit = shown["metric"]["unit"]
    label = f"{shown['metric']['name']} ({unit})" if unit else shown["metric"]["name"]
    addresses = {name: links.run(name) for name in {point["run"] for point in shown["history"]}}
    points = [{**point, "url": addresses[point["run"]]} for point in shown["history"]]
    timed = [{**row, "time": row["obs_time"], "where": arrange.where(row)} for row in shown["rows"]]
    return {
        "history": history.history_chart(points, seen, label, shown["changes"]) if points else None,
        "rows": rows.rows_chart(timed, seen, label),
    }


def _prepare() -> None:
    # The first chart would wait a second for Bokeh to be imported.
    history.describe_usual()
    rows.describe_usual()
    prepare()


VIEW = View("metric", add, section="metrics", prepare=_prepare)
