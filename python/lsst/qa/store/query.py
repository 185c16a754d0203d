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

"""Questions to the metrics database."""

from __future__ import annotations

__all__ = [
    "complete_runs",
    "fetch_measurements",
    "get_metric",
    "get_run",
    "history",
    "latest_runs",
    "measurements",
    "metric_names",
    "observation_series",
    "run_summary",
    "select_measurements",
    "specifications",
]

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ..errors import InputError
from .database import tables
from .definitions import get_metric, metric_names, specifications
from .records import Measurement, Point, Run, Summary
from .summaries import SUMMARY_COLUMNS, grouped, summarize


def latest_runs(engine: sa.Engine, limit: int = 20) -> list[Run]:
    """List the latest runs.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    limit : `int`, optional
        The most runs to return.

    Returns
    -------
    runs : `list` [`Run`]
        The newest first, by start; without their packages.
    """
    run = tables().run
    newest = sa.select(run).order_by(_time(run).desc(), run.c.run_id.desc()).limit(limit)
    with engine.connect() as connection:
        return complete_runs(connection, connection.execute(newest).mappings().all())


def get_run(engine: sa.Engine, name_or_uuid: str) -> Run | None:
    """Look a run up.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    name_or_uuid : `str`
        Name of the RUN collection, or the identifier of the run.

    Returns
    -------
    run : `Run` or `None`
        The run with its packages; `None` if it is not in the database.
    """
    run, package = tables().run, tables().run_package
    matches = sa.or_(run.c.name == name_or_uuid, run.c.uuid == name_or_uuid.lower())
    chosen = sa.select(run).where(matches).order_by(run.c.name != name_or_uuid).limit(1)
    with engine.connect() as connection:
        found = complete_runs(connection, connection.execute(chosen).mappings().all())
        if not found:
            return None
        versions = sa.select(package.c.name, package.c.version).where(package.c.run_id == found[0].run_id)
        rows = connection.execute(versions.order_by(package.c.name)).all()
    return dataclasses.replace(found[0], packages={name: version for name, version in rows})


def run_summary(engine: sa.Engine, run_id: int) -> list[Summary]:
    """Summarize a run, metric by metric and band by band.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    run_id : `int`
        Number of the run.

    Returns
    -------
    summaries : `list` [`Summary`]
        By metric and band, of the rows of whole visits and tracts; bins
        are left out.
    """
    metric, dataset = tables().metric, tables().dataset
    chosen = _whole(metric.c.name).where(dataset.c.run_id == run_id)
    with engine.connect() as connection:
        groups = grouped(connection.execute(chosen))
    signs = {name: {spec.op for spec in specs} for name, specs in specifications(engine).items()}
    better = {name: ops == {">="} for name, ops in signs.items() if len(ops) == 1}
    return [summarize(name, band, rows, better.get(name)) for (name, band), rows in groups.items()]


def measurements(
    engine: sa.Engine,
    *,
    run_id: int | None = None,
    metric: str | None = None,
    band: str | None = None,
    detector_rows: bool = False,
    status: str | None = None,
    limit: int = 1000,
    after: str | None = None,
) -> list[Measurement]:
    """List measurements as they were loaded.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    run_id : `int`, optional
        Number of the run.
    metric : `str`, optional
        Name of the metric.
    band : `str`, optional
        Band.
    detector_rows : `bool`, optional
        Include the rows of single detectors.
    status : `str`, optional
        One of `lsst.qa.results.STATUSES`.
    limit : `int`, optional
        The most rows to return.
    after : `str`, optional
        ``cursor`` of the last row of the page before this one.

    Returns
    -------
    measurements : `list` [`Measurement`]
        In the order of datasets and of their rows.

    Raises
    ------
    InputError
        Raised if ``after`` is not the cursor of a row.
    """
    rows, dataset = tables().measurement, tables().dataset
    chosen = select_measurements(metric, band, run_id).order_by(rows.c.dataset_id, rows.c.row_number)
    if not detector_rows:
        chosen = chosen.where(rows.c.detector.is_(None))
    if status is not None:
        chosen = chosen.where(rows.c.status == status)
    if status == "failed":
        chosen = chosen.where(dataset.c.n_failed > 0)
    if after is not None:
        chosen = chosen.where(sa.tuple_(rows.c.dataset_id, rows.c.row_number) > sa.tuple_(*_place(after)))
    return fetch_measurements(engine, chosen.limit(limit))


def observation_series(
    engine: sa.Engine,
    metric: str,
    band: str | None = None,
    run_id: int | None = None,
    limit: int = 10_000,
) -> list[Measurement]:
    """List the measurements of a metric by the time of observation.

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
    limit : `int`, optional
        The most rows to return: the latest ones.

    Returns
    -------
    measurements : `list` [`Measurement`]
        Rows of whole visits that have a time, the earliest first.
    """
    rows = tables().measurement
    chosen = (
        select_measurements(metric, band, run_id)
        .where(rows.c.detector.is_(None), rows.c.bin_low.is_(None), rows.c.bin_high.is_(None))
        .where(rows.c.obs_time.is_not(None))
        .order_by(rows.c.obs_time.desc(), rows.c.dataset_id.desc(), rows.c.row_number.desc())
        .limit(limit)
    )
    return fetch_measurements(engine, chosen)[::-1]


def history(engine: sa.Engine, metric: str, band: str | None = None) -> list[Point]:
    """Follow a metric over the runs.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    metric : `str`
        Name of the metric.
    band : `str`, optional
        Band; without it all.

    Returns
    -------
    points : `list` [`Point`]
        One per run and band, summarized as in `run_summary`; ordered by the
        time of the run, then by band.
    """
    run, definition, rows = tables().run, tables().metric, tables().measurement
    chosen = _whole(tables().dataset.c.run_id).where(definition.c.name == metric)
    if band is not None:
        chosen = chosen.where(rows.c.band == band)
    with engine.connect() as connection:
        groups = grouped(connection.execute(chosen))
        times = sa.select(run.c.run_id, run.c.name, _time(run))
        runs = {number: (name, time) for number, name, time in connection.execute(times)}
    points = []
    for (number, _), members in groups.items():
        s = summarize(metric, members[0][0], members)
        points.append(Point(number, *runs[number], s.band, s.value, s.error, s.n, s.n_rows, s.status))
    return sorted(points, key=lambda point: (point.run_time, point.run_id))


def _time(run: sa.Table) -> sa.ColumnElement[Any]:
    return sa.func.coalesce(run.c.started, run.c.loaded_at)


def _joined() -> sa.Join:
    metric, dataset, rows = tables().metric, tables().dataset, tables().measurement
    with_dataset = rows.join(dataset, rows.c.dataset_id == dataset.c.dataset_id)
    return with_dataset.join(metric, rows.c.metric_id == metric.c.metric_id)


def _whole(owner: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Select what `summarize` needs of whole visits and tracts."""
    rows = tables().measurement
    return (
        sa.select(owner, *(rows.c[name] for name in SUMMARY_COLUMNS))
        .select_from(_joined())
        .where(rows.c.detector.is_(None), rows.c.bin_low.is_(None), rows.c.bin_high.is_(None))
    )


def select_measurements(
    metric: str | None = None, band: str | None = None, run_id: int | None = None
) -> sa.Select[Any]:
    """Select the fields of `Measurement`, first its place.

    Parameters
    ----------
    metric, band : `str` or `None`
        Name of the metric, and band; `None` for all.
    run_id : `int` or `None`
        Number of the run; `None` for all.

    Returns
    -------
    select : `sqlalchemy.Select`
        To be narrowed further, and run by `fetch_measurements`.
    """
    run, definition, dataset, rows = tables().run, tables().metric, tables().dataset, tables().measurement
    elsewhere = {
        "metric": definition.c.name,
        "dataset_id": dataset.c.uuid,
        "run": run.c.name,
        "task": dataset.c.task,
        "dataset_type": dataset.c.dataset_type,
        "run_time": _time(run),
    }
    names = [field.name for field in dataclasses.fields(Measurement)][1:]
    fields = [elsewhere[name] if name in elsewhere else rows.c[name] for name in names]
    chosen = sa.select(rows.c.dataset_id, rows.c.row_number, *fields).select_from(_joined().join(run))
    if metric is not None:
        chosen = chosen.where(definition.c.name == metric)
    if band is not None:
        chosen = chosen.where(rows.c.band == band)
    if run_id is not None:
        chosen = chosen.where(dataset.c.run_id == run_id)
    return chosen


def fetch_measurements(engine: sa.Engine, chosen: sa.Select[Any]) -> list[Measurement]:
    """Run what `select_measurements` began.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    chosen : `sqlalchemy.Select`
        The selection.

    Returns
    -------
    measurements : `list` [`Measurement`]
        The rows.
    """
    with engine.connect() as connection:
        return [_measurement(*row) for row in connection.execute(chosen)]


def _measurement(dataset: int, row: int, metric: str, band: str | None, *rest: Any) -> Measurement:
    value, error = (math.nan if number is None else number for number in rest[:2])
    return Measurement(f"{dataset}-{row}", metric, band, value, error, *rest[2:])


def _place(cursor: str) -> tuple[int, int]:
    dataset, _, row = cursor.partition("-")
    if not (dataset.isdecimal() and row.isdecimal()):
        raise InputError(
            f"{cursor!r} is not the cursor of a measurement: expected two numbers, as in '12-34'."
        )
    return int(dataset), int(row)


def complete_runs(connection: sa.Connection, found: Sequence[sa.RowMapping]) -> list[Run]:
    """Add to rows of the run table what their datasets say.

    Parameters
    ----------
    connection : `sqlalchemy.Connection`
        A metrics database.
    found : `~collections.abc.Sequence` [`sqlalchemy.RowMapping`]
        Rows of the run table.

    Returns
    -------
    runs : `list` [`Run`]
        In the same order; without their packages.
    """
    dataset = tables().dataset
    mine = dataset.c.run_id.in_([row["run_id"] for row in found])
    sums = [sa.func.coalesce(sa.func.sum(column), 0) for column in (dataset.c.n_rows, dataset.c.n_failed)]
    counting = sa.select(dataset.c.run_id, sa.func.count(), *sums).where(mine).group_by(dataset.c.run_id)
    counts = {row[0]: tuple(row[1:]) for row in connection.execute(counting)}
    naming = sa.select(dataset.c.run_id, dataset.c.instrument).where(mine, dataset.c.instrument.is_not(None))
    pairs = sorted(map(tuple, connection.execute(naming.distinct())))
    names = [field.name for field in dataclasses.fields(Run) if field.name in tables().run.c]
    return [
        Run(
            **{name: row[name] for name in names},
            instruments=tuple(instrument for number, instrument in pairs if number == row["run_id"]),
            **dict(zip(("n_datasets", "n_measurements", "n_failed"), counts.get(row["run_id"], (0, 0, 0)))),
        )
        for row in found
    ]
