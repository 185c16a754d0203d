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

"""Questions about quanta: what ran, what failed, what it took, and its log."""

from __future__ import annotations

__all__ = [
    "LARGEST",
    "chosen_quanta",
    "execution_summary",
    "get_quantum",
    "log_of_quantum",
    "measurement_quanta",
    "quanta",
    "quantum_measurements",
    "select_quanta",
    "select_records",
]

import dataclasses
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from ..dimensions import DATA_ID
from ..errors import InputError
from .database import tables
from .execution import STATES, LogRecord, Quantum, TaskExecution
from .query import fetch_measurements, select_measurements
from .records import Measurement

LARGEST = 2**63 - 1
"""The largest whole number that a database holds."""


def get_quantum(engine: sa.Engine, quantum_id: int) -> Quantum | None:
    """Look a quantum up.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    quantum_id : `int`
        Number of the quantum.

    Returns
    -------
    quantum : `Quantum` or `None`
        `None` if it is not in the database.
    """
    chosen = select_quanta().where(tables().quantum.c.quantum_id == quantum_id)
    with engine.connect() as connection:
        found = connection.execute(chosen).first()
    return None if found is None else Quantum(*found)


def quanta(
    engine: sa.Engine,
    *,
    run_id: int | None = None,
    task: str | None = None,
    status: str | None = None,
    limit: int = 1000,
    after: int | None = None,
    **data_id: Any,
) -> list[Quantum]:
    """List quanta.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    run_id : `int`, optional
        Number of the run.
    task : `str`, optional
        Label of the task.
    status : `str`, optional
        One of `STATES`.
    limit : `int`, optional
        The most quanta to return.
    after : `int`, optional
        ``quantum_id`` of the last quantum of the page before this one.
    **data_id
        What the data ID must be, of `lsst.qa.results.DATA_ID` and the band.

    Returns
    -------
    quanta : `list` [`Quantum`]
        In the order of harvest.

    Raises
    ------
    InputError
        Raised if there is no such status or dimension.
    """
    quantum = tables().quantum
    chosen = select_quanta().order_by(quantum.c.quantum_id).limit(limit)
    if strange := sorted(set(data_id) - {"band", *DATA_ID}):
        raise InputError(f"Not of a data ID: {', '.join(strange)}. Those are band, {', '.join(DATA_ID)}.")
    if status is not None and status not in STATES:
        raise InputError(f"A quantum is {', '.join(STATES)}; not {status!r}.")
    wanted = {"run_id": run_id, "task": task, "status": status, **data_id}
    chosen = chosen.where(*chosen_quanta(wanted))
    if after is not None:
        chosen = chosen.where(quantum.c.quantum_id > after)
    with engine.connect() as connection:
        return [Quantum(*row) for row in connection.execute(chosen)]


def execution_summary(engine: sa.Engine, run_id: int) -> list[TaskExecution]:
    """Sum up what a run took, task by task.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    run_id : `int`
        Number of the run.

    Returns
    -------
    summary : `list` [`TaskExecution`]
        By label of the task.
    """
    q = tables().quantum.c
    n_of = {
        state: sa.func.coalesce(sa.func.sum(sa.case((q.status == state, 1), else_=0)), 0) for state in STATES
    }
    chosen = (
        sa.select(
            q.task,
            sa.func.count(),
            n_of["succeeded"],
            n_of["failed"],
            n_of["blocked"],
            n_of["aborted"] + n_of["unknown"],
            sa.func.coalesce(sa.func.sum(q.wall), 0.0),
            sa.func.coalesce(sa.func.sum(q.cpu), 0.0),
            sa.func.max(q.memory),
            sa.func.max(q.memory - q.memory_before),
            sa.func.max(q.memory_budget),
            sa.func.min(q.started),
            sa.func.max(q.finished),
            sa.func.sum(q.n_records),
            sa.func.sum(q.n_below + q.n_over),
        )
        .where(q.run_id == run_id)
        .group_by(q.task)
        .order_by(q.task)
    )
    with engine.connect() as connection:
        return [TaskExecution(*row) for row in connection.execute(chosen)]


def log_of_quantum(
    engine: sa.Engine,
    quantum_id: int,
    *,
    level: int = 0,
    limit: int = 1000,
    after: LogRecord | None = None,
) -> list[LogRecord]:
    """List what a quantum logged.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    quantum_id : `int`
        Number of the quantum.
    level : `int`, optional
        The lowest level to return.
    limit : `int`, optional
        The most records to return.
    after : `LogRecord`, optional
        Last record of the page before this one.

    Returns
    -------
    records : `list` [`LogRecord`]
        Attempt by attempt, in the order of the log. What the policy of the
        harvest left out is counted in `Quantum`.
    """
    r = tables().log_record.c
    place = (r.attempt, r.record_number)
    chosen = select_records().where(r.quantum_id == quantum_id, r.level >= level).order_by(*place)
    if after is not None:
        chosen = chosen.where(sa.tuple_(*place) > sa.tuple_(after.attempt, after.record_number))
    with engine.connect() as connection:
        return [LogRecord(*row) for row in connection.execute(chosen.limit(limit))]


def quantum_measurements(engine: sa.Engine, quantum: Quantum, limit: int = 1000) -> list[Measurement]:
    """List the measurements of what a quantum worked on.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    quantum : `Quantum`
        The quantum.
    limit : `int`, optional
        The most rows to return.

    Returns
    -------
    measurements : `list` [`Measurement`]
        Those of its visit, exposure or tract in any run, those of its own
        task first; where it worked on a detector or patch, the rows of that
        alone and of the whole. Nothing for a quantum with none of these.
    """
    rows, dataset = tables().measurement, tables().dataset
    data_id = {name: value for name in DATA_ID if (value := getattr(quantum, name)) is not None}
    places = [name for name in ("visit", "exposure", "tract") if name in data_id]
    if not places:
        return []
    chosen = select_measurements().where(*(rows.c[name] == data_id[name] for name in places))
    for name in ("instrument", "skymap", "patch"):
        if name in data_id:
            chosen = chosen.where(sa.or_(rows.c[name] == data_id[name], rows.c[name].is_(None)))
    own = sa.and_(dataset.c.run_id == quantum.run_id, dataset.c.task == quantum.task)
    order = (sa.case((own, 0), else_=1), rows.c.dataset_id.desc(), rows.c.row_number)
    whole = chosen.where(rows.c.detector.is_(None)).order_by(*order).limit(limit)
    found = fetch_measurements(engine, whole)
    if quantum.detector is None or len(found) == limit:
        return found
    # Rows of detectors have no index: they are looked for in the datasets
    # that have a row of the whole.
    uuids = {measurement.dataset_id for measurement in found}
    alone = chosen.where(rows.c.detector == quantum.detector, dataset.c.uuid.in_(uuids)).order_by(*order)
    found += fetch_measurements(engine, alone.limit(limit - len(found)))
    return sorted(found, key=lambda row: (row.task, row.run) != (quantum.task, quantum.run))


def measurement_quanta(engine: sa.Engine, measurement: Measurement, limit: int = 100) -> list[Quantum]:
    """List the quanta that worked on what a measurement is of.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    measurement : `Measurement`
        The measurement.
    limit : `int`, optional
        The most quanta to return.

    Returns
    -------
    quanta : `list` [`Quantum`]
        The one that made it first, then those of its visit, exposure or
        tract (of its detector or patch and of the whole), the latest first.
    """
    q = tables().quantum.c
    data_id = {name: value for name in DATA_ID if (value := getattr(measurement, name)) is not None}
    made = sa.and_(q.task == measurement.task, tables().run.c.name == measurement.run)
    places = [name for name in ("visit", "exposure", "tract") if name in data_id]
    same = sa.and_(*(q[name] == data_id[name] for name in places)) if places else made
    chosen = select_quanta().where(same)
    for name in ("instrument", "skymap", "detector", "patch"):
        if name in data_id:
            chosen = chosen.where(sa.or_(q[name] == data_id[name], q[name].is_(None)))
    order = (sa.case((made, 0), else_=1), q.quantum_id.desc())
    with engine.connect() as connection:
        return [Quantum(*row) for row in connection.execute(chosen.order_by(*order).limit(limit))]


def chosen_quanta(wanted: Mapping[str, Any]) -> list[sa.ColumnElement[bool]]:
    """Say what quanta must be.

    Parameters
    ----------
    wanted : `~collections.abc.Mapping` [`str`, `typing.Any`]
        Values by column of the table of quanta; `None` for any.

    Returns
    -------
    conditions : `list` [`sqlalchemy.ColumnElement`]
        For a where clause.

    Raises
    ------
    InputError
        Raised for a value that no database holds in such a column.
    """
    columns = tables().quantum.c
    conditions = []
    for name, value in wanted.items():
        if value is None:
            continue
        if columns[name].type.python_type is int:
            if not isinstance(value, int) or abs(value) > LARGEST:
                raise InputError(f"{name} is a whole number of at most {LARGEST}, not {value!r}.")
        elif not isinstance(value, str) or "\0" in value:
            raise InputError(f"{name} is a text, not {value!r}.")
        conditions.append(columns[name] == value)
    return conditions


def select_quanta() -> sa.Select[Any]:
    """Select the fields of `Quantum`.

    Returns
    -------
    select : `sqlalchemy.Select`
        Of quanta joined to their runs, to be narrowed further.
    """
    quantum, run = tables().quantum, tables().run
    names = [field.name for field in dataclasses.fields(Quantum)]
    fields = [run.c.name if name == "run" else quantum.c[name] for name in names]
    return sa.select(*fields).join_from(quantum, run, quantum.c.run_id == run.c.run_id)


def select_records() -> sa.Select[Any]:
    """Select the fields of `LogRecord`.

    Returns
    -------
    select : `sqlalchemy.Select`
        To be narrowed further.
    """
    return sa.select(*(tables().log_record.c[field.name] for field in dataclasses.fields(LogRecord)))
