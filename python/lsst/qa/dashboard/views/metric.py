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

__all__ = ["ALL", "VIEW", "data"]

import itertools
from collections.abc import Mapping

import sqlalchemy
from starlette.requests import Request
from starlette.responses import Response

from ...errors import UnknownNameError
from ...judge.change_points import shifts
from ...metric import Spec
from ...store import query, records
from ...store.series import pixels
from .. import arrange, shapes
from ..charts import course, history, rows
from ..links import Links, split_twin
from ..site import Data, Site, View
from ..text import change, labelled
from . import notes

_ROWS = 2000
_STRETCHES = 250
_RUNS = 1000
_TOLD = 4
ALL = "all"
"""The name of all datasets at once."""


def data(
    engine: sqlalchemy.Engine,
    name: str,
    band: str | None = None,
    in_run: str | None = None,
    dataset: str | None = None,
    instrument: str | None = None,
) -> Data:
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
    dataset : `str`, optional
        Keep only runs of this dataset, as `arrange.dataset_of` names it, or
        those of `ALL`; if absent that of the run.
    instrument : `str`, optional
        Keep only runs with measurements of this instrument.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``metric`` is its definition; ``bands``, ``datasets`` and
        ``instruments`` all there are, and the ``dataset`` and ``instrument``
        that are chosen; ``history`` its value in each run, judged;
        ``changes``, the runs since when its level or a package is another
        one; ``run`` and ``rows`` the values of single data IDs in one run,
        judged, at most ``limit`` of them; of as many, ``course`` has all by
        stretches of observation time; ``notes``, of the metric and of the
        runs of its history.

    Raises
    ------
    UnknownNameError
        Raised if there is no such metric, or no such run, dataset or
        instrument of it.
    """
    info = shapes.found_metric(engine, name)
    points = query.history(engine, name)
    run_ids = {point.run: point.run_id for point in points}
    kinds = {run: arrange.dataset_of(run) for run in run_ids}
    seen_by = {run.name: run.instruments for run in query.latest_runs(engine, _RUNS)}
    offered = list(dict.fromkeys(reversed(kinds.values())))
    instruments = sorted({one for run in run_ids for one in seen_by.get(run, ())})
    for what, asked, known in (
        (f"run with metric {name!r}", in_run, run_ids),
        (f"dataset with metric {name!r}", dataset, (*offered, ALL)),
        (f"instrument with metric {name!r}", instrument, instruments),
    ):
        if asked is not None and asked not in known:
            raise UnknownNameError(f"{what} named", asked, known)
    if dataset is None and kinds:
        dataset = kinds[in_run if in_run is not None else next(reversed(kinds))]
    points = [
        point
        for point in points
        if (dataset in (ALL, kinds[point.run]) or point.run == in_run)
        and (instrument is None or instrument in seen_by.get(point.run, ()))
    ]
    shown = list(dict.fromkeys(point.run for point in points))
    chosen = in_run if in_run is not None else next(reversed(shown), None)
    held: list[records.Measurement] = []
    if chosen is not None:
        held = query.measurements(engine, run_id=run_ids[chosen], metric=name, band=band, limit=_ROWS)
    stretches = []
    if chosen is not None and len(held) >= _ROWS:
        stretches = [one._asdict() for one in pixels(engine, name, band, run_ids[chosen], width=_STRETCHES)]
    return {
        "metric": shapes.definition(info),
        "bands": sorted({point.band for point in points}, key=arrange.band_key),
        "band": band,
        "datasets": offered,
        "dataset": dataset,
        "instruments": instruments,
        "instrument": instrument,
        "history": [shapes.point(point, info.specs) for point in points if band in (None, point.band)],
        "changes": _changes(engine, points, band, kinds),
        "run": chosen,
        "limit": _ROWS,
        "course": stretches,
        "rows": [shapes.row(row, info.specs) for row in held],
        "notes": notes.on_metric(engine, name, shown),
    }


def _changes(
    engine: sqlalchemy.Engine, points: list[records.Point], band: str | None, kinds: Mapping[str, str]
) -> list[Data]:
    """List the runs with which a level or a package changed, latest first."""
    found: list[Data] = []
    # A run of another dataset is no run before.
    for kind in dict.fromkeys(kinds[point.run] for point in points):
        alike = [point for point in points if kinds[point.run] == kind]
        packages = query.package_changes(engine, [point.run_id for point in alike])
        found += _changes_of(alike, band, packages)
    return sorted(found, key=lambda held: held["time"], reverse=True)


def _changes_of(
    points: list[records.Point], band: str | None, packages: dict[int, list[records.PackageChange]]
) -> list[Data]:
    """List the changes within one dataset."""
    runs = {point.run_id: point for point in points}
    held: dict[int, Data] = {
        number: {"run": point.run, "time": point.run_time, "before": None, "shifts": [], "packages": []}
        for number, point in runs.items()
    }
    for before, after in itertools.pairwise(runs):
        held[after]["before"] = runs[before].run
        held[after]["packages"] = [one._asdict() for one in packages.get(after, ())]
    for name in dict.fromkeys(point.band for point in points if band in (None, point.band)):
        series = [point for point in points if point.band == name]
        for shift in shifts([point.value for point in series]):
            levels = {"band": name, "before": shift.before, "after": shift.after}
            held[series[shift.place].run_id]["shifts"].append(levels)
    return [one for one in held.values() if one["shifts"] or one["packages"]]


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """

    def show(request: Request, name: str, *asked: str | None) -> Response:
        shown = data(site.engine, name, *asked)
        return site.show(request, VIEW, shown, lambda held: _charts(held, site.links))

    @site.route("/metric", "/metric.json")
    def metric_by_query(
        request: Request,
        name: str,
        band: str | None = None,
        run: str | None = None,
        dataset: str | None = None,
        instrument: str | None = None,
    ) -> Response:
        return show(request, name, band, run, dataset, instrument)

    @site.route("/metrics/{path:path}")
    def metric(
        request: Request,
        path: str,
        band: str | None = None,
        run: str | None = None,
        dataset: str | None = None,
        instrument: str | None = None,
    ) -> Response:
        return show(request, split_twin(path)[0], band, run, dataset, instrument)


def _charts(shown: Data, links: Links) -> dict[str, str | None]:
    name, band = shown["metric"]["name"], shown["band"]
    specs = [Spec(**spec) for spec in shown["metric"]["specs"]]
    # All the levels of all the bands at once would be a thicket.
    seen = [
        spec for spec in specs if (spec.holds_in(band) if band else spec.level == "design" or not spec.bands)
    ]
    label = labelled(name, shown["metric"]["unit"])
    addresses = {run: links.run(run) for run in {point["run"] for point in shown["history"]}}
    points = [{**point, "url": addresses[point["run"]]} for point in shown["history"]]
    changes = [
        {
            **one,
            "told": _told(one),
            "url": links.page("compare", before=one["before"], after=one["run"], metric=name),
        }
        for one in shown["changes"]
    ]
    times = {point["run"]: point["time"] for point in points}
    noted = [
        {"time": times[note["about"]["run"]], "told": f"{note['author']}: {note['text']}", "url": "#notes"}
        for note in shown["notes"]
        if note["about"].get("run") in times
    ]
    timed = [
        {
            **row,
            "time": row["obs_time"],
            "where": arrange.where(row),
            "url": links.page("data", run=shown["run"], **arrange.place(row)),
        }
        for row in shown["rows"]
    ]
    lined = shown["dataset"] != ALL
    return {
        "history": history.history_chart(points, seen, label, changes, noted, lined) if points else None,
        "rows": rows.rows_chart(timed, seen, label)
        if not shown["course"]
        else course.course_chart(shown["course"], seen, label),
    }


def _told(changed: Data) -> str:
    """Say in a line what changed with a run."""
    levels = [
        " ".join(filter(None, (one["band"], change(one["before"], one["after"]))))
        for one in changed["shifts"]
    ]
    packages = [
        f"{one['package']} {one['before'] or '–'} → {one['after'] or '–'}" for one in changed["packages"]
    ]
    more = [f"and {len(packages) - _TOLD} more packages"] if len(packages) > _TOLD else []
    return "; ".join([*levels, *packages[:_TOLD], *more])


def _prepare() -> None:
    # The first chart would wait a second for Bokeh to be imported.
    history.describe_usual()
    rows.describe_usual()


VIEW = View("metric", add, section="metrics", prepare=_prepare)
