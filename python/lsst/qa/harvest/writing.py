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

"""Writing quanta and their logs into the database, each in its last state."""

from __future__ import annotations

__all__ = ["held_quanta", "now", "run_number", "write_quanta"]

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from ..store.bulk import insert_rows
from ..store.database import insert, tables, writing
from ..store.fulltext import texts_indexed
from ..store.insertion import run_ids
from .found import Rows
from .keeper import Kept

_KINDS = {**dict.fromkeys(("attempt", "record_number", "level"), pa.int32()), "time": pa.timestamp("us")}


def run_number(engine: sa.Engine, name: str, repo: str, collection: str) -> int:
    """Return the number of a run, which is added if it is new.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    name : `str`
        Name of the RUN collection.
    repo, collection : `str`
        Where it was found.

    Returns
    -------
    run_id : `int`
        Number of the run in this database.
    """
    with writing(engine) as connection:
        return run_ids(connection, [name], repo, collection)[name]


def held_quanta(engine: sa.Engine, run: str) -> dict[tuple[str, str], str]:
    """List what the database holds of a run.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    run : `str`
        Name of the RUN collection.

    Returns
    -------
    hashes : `dict` [`tuple` [`str`, `str`], `str`]
        Hash of what was read, by task and data ID in words.
    """
    quantum, runs = tables().quantum, tables().run
    chosen = sa.select(quantum.c.task, quantum.c.data_id, quantum.c.content_hash)
    chosen = chosen.join_from(quantum, runs, quantum.c.run_id == runs.c.run_id).where(runs.c.name == run)
    with engine.connect() as connection:
        return {(task, words): content for task, words, content in connection.execute(chosen)}


def write_quanta(engine: sa.Engine, run_id: int, quanta: Sequence[Rows]) -> None:
    """Write quanta in one transaction, in place of what is held of them.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    run_id : `int`
        Number of their run.
    quanta : `~collections.abc.Sequence` [`Rows`]
        The quanta with their log records.
    """
    quantum, record = tables().quantum, tables().log_record
    # All who write lock in this order, which keeps them from waiting for each
    # other in a circle.
    made = sorted(quanta, key=lambda rows: (rows.quantum["task"], rows.quantum["data_id"]))
    with writing(engine) as connection:
        adding = insert(connection, quantum)
        key = ("run_id", "task", "data_id")
        replaced = {c.name: adding.excluded[c.name] for c in quantum.c if c.name not in ("quantum_id", *key)}
        upsert = adding.on_conflict_do_update(index_elements=list(key), set_=replaced)
        returned = connection.execute(
            upsert.returning(quantum.c.task, quantum.c.data_id, quantum.c.quantum_id),
            [{"run_id": run_id, **rows.quantum} for rows in made],
        )
        ids = {(task, words): number for task, words, number in returned}
        connection.execute(sa.delete(record).where(record.c.quantum_id.in_(ids.values())))
        # In the order of time, as far as a batch goes: the latest are found
        # first.
        made.sort(key=lambda rows: rows.quantum["started"] or datetime.datetime.min)
        owners = [ids[rows.quantum["task"], rows.quantum["data_id"]] for rows in made]
        with texts_indexed(connection, record):
            insert_rows(connection, record, _table(owners, made))
        _widen(connection, run_id, [rows.quantum for rows in made])


def now() -> datetime.datetime:
    """Return the time, UTC, without a zone.

    Returns
    -------
    time : `datetime.datetime`
        To the microsecond.
    """
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


def _table(owners: Sequence[int], quanta: Sequence[Rows]) -> pa.Table:
    """Lay the log records of quanta out as their table."""
    columns = list(zip(*(record for rows in quanta for record in rows.records))) or [()] * len(Kept._fields)
    owner = [number for number, rows in zip(owners, quanta) for _ in rows.records]
    arrays = [pa.array(values, _KINDS.get(name, pa.string())) for name, values in zip(Kept._fields, columns)]
    return pa.table([pa.array(owner, pa.int32()), *arrays], names=["quantum_id", *Kept._fields])


def _widen(connection: sa.Connection, run_id: int, quanta: Sequence[Mapping[str, Any]]) -> None:
    """Let the times of the run embrace those of its quanta."""
    run = tables().run
    mine = sa.update(run).where(run.c.run_id == run_id)
    if started := min((row["started"] for row in quanta if row["started"]), default=None):
        connection.execute(mine.where(run.c.started.is_(None)).values(started=started))
    if finished := max((row["finished"] for row in quanta if row["finished"]), default=None):
        earlier = sa.or_(run.c.finished.is_(None), run.c.finished < finished)
        connection.execute(mine.where(earlier).values(finished=finished))
