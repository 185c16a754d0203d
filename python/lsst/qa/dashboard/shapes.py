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

"""Records of the database as plain data for pages and their JSON twins."""

from __future__ import annotations

__all__ = [
    "STATES",
    "Data",
    "counts",
    "definition",
    "found_metric",
    "found_run",
    "point",
    "row",
    "run",
    "taken",
    "verdict",
    "verdicts",
]

import functools
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy

from ..dimensions import DATA_ID
from ..errors import UnknownNameError
from ..judge import verdicts as judging
from ..metric import Spec
from ..store import query, records
from .arrange import band_key, natural_key
from .text import finite

STATES = ("pass", "fail", "unknown", "none")
"""What a verdict may be; "none" where there is no threshold."""

_SUGGESTED = 200
_COUNTS = ("n_ok", "n_empty", "n_undefined", "n_failed")
_SUMMARY = ("metric", "band", "value", "error", "n", "unit", "worst", "n_rows", *_COUNTS, "status", "message")

Data = dict[str, Any]


def taken(held: Any, names: Iterable[str]) -> Data:
    """Return fields of a record.

    Parameters
    ----------
    held : `typing.Any`
        A record of `lsst.qa.store.records`, or the like.
    names : `~collections.abc.Iterable` [`str`]
        The fields.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        Their values; a number that is not finite is `None`.
    """
    values = {name: getattr(held, name) for name in names}
    return {name: finite(value) if isinstance(value, float) else value for name, value in values.items()}


def found_run(engine: sqlalchemy.Engine, name: str) -> records.Run:
    """Look a run up that has to be there.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    name : `str`
        Name or unique identifier of the run.

    Returns
    -------
    run : `lsst.qa.store.records.Run`
        The run.

    Raises
    ------
    UnknownNameError
        Raised if there is no such run.
    """
    held = query.get_run(engine, name)
    if held is None:
        raise UnknownNameError("run", name, [known.name for known in query.latest_runs(engine, _SUGGESTED)])
    return held


def found_metric(engine: sqlalchemy.Engine, name: str) -> records.MetricInfo:
    """Look a metric up that has to be there.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    name : `str`
        Name of the metric.

    Returns
    -------
    info : `lsst.qa.store.records.MetricInfo`
        Its definition.

    Raises
    ------
    UnknownNameError
        Raised if there is no such metric.
    """
    info = query.get_metric(engine, name)
    if info is None:
        raise UnknownNameError("metric", name, query.metric_names(engine))
    return info


def run(held: records.Run) -> Data:
    """Return a run.

    Parameters
    ----------
    held : `lsst.qa.store.records.Run`
        The run.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        Its fields, without its packages.
    """
    names = ("name", "uuid", "collection", "repo", "started", "loaded_at", "n_measurements", "n_failed")
    return {"instruments": list(held.instruments), **taken(held, names)}


def definition(info: records.MetricInfo) -> Data:
    """Return the definition of a metric.

    Parameters
    ----------
    info : `lsst.qa.store.records.MetricInfo`
        The metric.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        Its fields, with its thresholds as ``specs``.
    """
    names = ("name", "table", "unit", "description", "formula", "reference")
    specs = [taken(spec, ("level", "op", "value", "bands", "source")) for spec in info.specs]
    return {**taken(info, names), "specs": specs}


def point(held: records.Point, specs: Iterable[Spec]) -> Data:
    """Return a metric in one run and band, judged.

    Parameters
    ----------
    held : `lsst.qa.store.records.Point`
        The value.
    specs : `~collections.abc.Iterable` [`Spec`]
        Thresholds of the metric.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        Its fields and its verdict.
    """
    judged = judging.judge(held.value, held.error, held.band, tuple(specs))
    return {
        "time": held.run_time,
        "run": held.run,
        "band": held.band,
        "value": finite(held.value),
        "error": finite(held.error),
        "n": held.n,
        "n_rows": held.n_rows,
        "status": held.status,
        "state": judged.state,
        "level": judged.level,
        "threshold": judged.threshold,
        "op": judged.op,
    }


def row(held: records.Measurement, specs: Iterable[Spec]) -> Data:
    """Return a measurement, judged.

    Parameters
    ----------
    held : `lsst.qa.store.records.Measurement`
        The measurement.
    specs : `~collections.abc.Iterable` [`Spec`]
        Thresholds of its metric.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        Its fields and its verdict.
    """
    names = ("band", "value", "error", "n", "unit", "status", "message", *DATA_ID, "obs_time")
    judged = judging.judge(held.value, held.error, held.band, tuple(specs))
    return {**taken(held, names), **verdict(judged)}


def verdict(judged: judging.Verdict) -> Data:
    """Return a verdict.

    Parameters
    ----------
    judged : `lsst.qa.judge.verdicts.Verdict`
        The verdict.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``state``, one of `STATES`, and the threshold.
    """
    return taken(judged, ("state", "level", "threshold", "op"))


def verdicts(
    engine: sqlalchemy.Engine, held: records.Run, specs: Mapping[str, tuple[Spec, ...]]
) -> list[Data]:
    """Return a run's verdicts.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    held : `lsst.qa.store.records.Run`
        The run.
    specs : `~collections.abc.Mapping` [`str`, `tuple` [`Spec`, ...]]
        Thresholds by name of metric.

    Returns
    -------
    cells : `list` [`dict`]
        By metric and band; not to be changed.
    """
    state = (held.uuid, held.loaded_at, held.n_datasets, held.n_measurements)
    return _kept_verdicts(engine, held.run_id, tuple(specs.items()), state)


def counts(cells: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Count verdicts by state.

    Parameters
    ----------
    cells : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        Verdicts.

    Returns
    -------
    counts : `dict` [`str`, `dict` [`str`, `int`]]
        ``counts`` of metrics, and ``variant_counts`` of their variants.
    """
    found = {kind: dict.fromkeys(STATES, 0) for kind in ("counts", "variant_counts")}
    for cell in cells:
        found["variant_counts" if cell["variant"] else "counts"][cell["state"]] += 1
    return found


@functools.lru_cache(maxsize=12)
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
        **taken(summary, _SUMMARY),
        # Another definition is not another requirement.
        "variant": "." in summary.metric,
        **verdict(judged.verdict),
        "levels": {spec.level: spec.value for spec in specs if spec.holds_in(summary.band)},
    }
