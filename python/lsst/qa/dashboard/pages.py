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

"""What each page shows, as plain data, which its JSON twin shows as it is."""

from __future__ import annotations

__all__ = ["STATES", "landing", "metric", "metrics", "run", "runs"]

import functools
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy

from ..errors import UnknownNameError
from ..judge import verdicts as judging
from ..metric import Spec
from ..results import DATA_ID
from ..store import query, records
from .arrange import band_key, natural_key
from .text import finite

STATES = ("pass", "fail", "unknown", "none")

_LATEST = 7
_LISTED = 200
_ROWS = 2000
_COUNTS = ("n_ok", "n_empty", "n_undefined", "n_failed")
_SUMMARY = ("metric", "band", "value", "error", "n", "unit", "worst", "n_rows", *_COUNTS, "status", "message")

Data = dict[str, Any]


def landing(engine: sqlalchemy.Engine) -> Data:
    """Return the latest runs with their verdicts.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``runs``, latest first: each with ``counts`` of verdicts by state, in
        ``variant_counts`` those of variants, and its ``verdicts`` by a
        threshold.
    """
    specs = query.specifications(engine)
    shown = []
    for held in query.latest_runs(engine, _LATEST):
        cells = _verdicts(engine, held, specs)
        judged = [cell for cell in cells if cell["state"] != "none"]
        shown.append({**_run(held), **_counts(cells), "verdicts": judged})
    return {"runs": shown}


def runs(engine: sqlalchemy.Engine) -> Data:
    """Return the list of runs.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``runs``, latest first, at most ``limit`` of them.
    """
    return {"limit": _LISTED, "runs": [_run(held) for held in query.latest_runs(engine, _LISTED)]}


def run(engine: sqlalchemy.Engine, name: str, state: str | None = None) -> Data:
    """Return one run, judged.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    name : `str`
        Name or unique identifier of the run.
    state : `str`, optional
        Keep only the verdicts in this one of `STATES`.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``run`` with its ``packages``, ``counts`` and ``variant_counts`` of
        all its verdicts by state, the ``state`` asked for, and ``verdicts``.

    Raises
    ------
    UnknownNameError
        Raised if there is no such run.
    """
    held = query.get_run(engine, name)
    if held is None:
        raise UnknownNameError("run", name, [known.name for known in query.latest_runs(engine, _LISTED)])
    cells = _verdicts(engine, held, query.specifications(engine))
    return {
        "run": {**_run(held), "packages": dict(sorted(held.packages.items()))},
        **_counts(cells),
        "state": state,
        "verdicts": [cell for cell in cells if state in (None, cell["state"])],
    }


def metrics(engine: sqlalchemy.Engine) -> Data:
    """Return the list of metrics.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``metrics``, by name, with their definitions and thresholds.
    """
    names = sorted(query.metric_names(engine), key=natural_key)
    found = [query.get_metric(engine, name) for name in names]
    return {"metrics": [_definition(held) for held in found if held is not None]}


def metric(engine: sqlalchemy.Engine, name: str, band: str | None = None, in_run: str | None = None) -> Data:
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
        value in each run, judged; ``run`` and ``rows`` the values of single
        data IDs in one run, judged, at most ``limit`` of them.

    Raises
    ------
    UnknownNameError
        Raised if there is no such metric, or no such run of it.
    """
    info = query.get_metric(engine, name)
    if info is None:
        raise UnknownNameError("metric", name, query.metric_names(engine))
    points = query.history(engine, name)
    bands = sorted({point.band for point in points}, key=band_key)
    run_ids = {point.run: point.run_id for point in points}
    chosen = in_run if in_run is not None else next(reversed(run_ids), None)
    if chosen is not None and chosen not in run_ids:
        raise UnknownNameError(f"run with metric {name!r} named", chosen, run_ids)
    rows: list[records.Measurement] = []
    if chosen is not None:
        rows = query.measurements(engine, run_id=run_ids[chosen], metric=name, band=band, limit=_ROWS)
    return {
        "metric": _definition(info),
        "bands": bands,
        "band": band,
        "history": [_point(point, info.specs) for point in points if band in (None, point.band)],
        "run": chosen,
        "limit": _ROWS,
        "rows": [_row(row, info.specs) for row in rows],
    }


def _verdicts(
    engine: sqlalchemy.Engine, held: records.Run, specs: Mapping[str, tuple[Spec, ...]]
) -> list[Data]:
    """Return a run's verdicts by metric and band; not to be changed."""
    state = (held.uuid, held.loaded_at, held.n_datasets, held.n_measurements)
    return _kept_verdicts(engine, held.run_id, tuple(specs.items()), state)


@functools.lru_cache(maxsize=64)
def _kept_verdicts(
    engine: sqlalchemy.Engine, run_id: int, specs: tuple[tuple[str, tuple[Spec, ...]], ...], state: object
) -> list[Data]:
    """Judge a run once, until it or the thresholds are other ones."""
    specs_of = dict(specs)
    judged = judging.verdicts(query.run_summary(engine, run_id), lambda name: specs_of.get(name, ()))
    cells = [_cell(one, specs_of.get(one.summary.metric, ())) for one in judged]
    return sorted(cells, key=lambda cell: (natural_key(cell["metric"]), band_key(cell["band"])))


def _cell(judged: judging.Judged, specs: Iterable[Spec]) -> Data:
    summary = judged.summary
    return {
        **_taken(summary, _SUMMARY),
        # Another definition is not another requirement.
        "variant": "." in summary.metric,
        **_verdict(judged.verdict),
        "levels": {spec.level: spec.value for spec in specs if spec.holds_in(summary.band)},
    }


def _verdict(verdict: judging.Verdict) -> Data:
    return _taken(verdict, ("state", "level", "threshold", "op"))


def _taken(held: Any, names: Iterable[str]) -> Data:
    """Return fields of a record; a number that is not finite is `None`."""
    values = {name: getattr(held, name) for name in names}
    return {name: finite(value) if isinstance(value, float) else value for name, value in values.items()}


def _counts(cells: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    counts = {kind: dict.fromkeys(STATES, 0) for kind in ("counts", "variant_counts")}
    for cell in cells:
        counts["variant_counts" if cell["variant"] else "counts"][cell["state"]] += 1
    return counts


def _run(held: records.Run) -> Data:
    names = ("name", "uuid", "collection", "repo", "started", "loaded_at", "n_measurements", "n_failed")
    return {"instruments": list(held.instruments), **_taken(held, names)}


def _definition(info: records.MetricInfo) -> Data:
    names = ("name", "table", "unit", "description", "formula", "reference")
    specs = [_taken(spec, ("level", "op", "value", "bands", "source")) for spec in info.specs]
    return {**_taken(info, names), "specs": specs}


def _point(point: records.Point, specs: Iterable[Spec]) -> Data:
    names = ("run", "band", "value", "error", "n", "n_rows", "status")
    verdict = judging.judge(point.value, point.error, point.band, tuple(specs))
    return {"time": point.run_time, **_taken(point, names), **_verdict(verdict)}


def _row(row: records.Measurement, specs: Iterable[Spec]) -> Data:
    names = ("band", "value", "error", "n", "unit", "status", "message", *DATA_ID, "obs_time")
    verdict = judging.judge(row.value, row.error, row.band, tuple(specs))
    return {**_taken(row, names), **_verdict(verdict)}
