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

"""Opening the metrics database, whose tables a Felis schema describes."""

from __future__ import annotations

__all__ = [
    "DEFAULT_URL",
    "SCHEMA_FILE",
    "WRITES",
    "Tables",
    "connect",
    "exists",
    "insert",
    "shown_url",
    "tables",
    "writing",
]

import contextlib
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from ..errors import DatabaseError
from .described import described
from .engines import BEGIN, SCHEMA, has_file, make_engine, parse, shown_url
from .fulltext import SEVERE, TEXTS, index_texts

DEFAULT_URL = "sqlite:///qa-metrics.sqlite3"

SCHEMA_FILE = Path(__file__).with_name("schema.yaml")

_CREATION_LOCK = 0x7161  # any number that no other application takes as its advisory lock


WRITES = f"{SCHEMA}.writes"
"""Sequence that counts what was written into a database of PostgreSQL, whose
own counts are of all databases of a server."""

# After the write, so that whoever sees another number sees what was written;
# in no transaction that others would have to wait for. A database of an
# earlier version has none.
_COUNT_WRITE = f"""
    SELECT nextval(counted) FROM (SELECT to_regclass('{WRITES}') AS counted) AS held
    WHERE has_sequence_privilege(counted, 'USAGE')
"""

# What SQLAlchemy tells of tables takes many questions, and this is all that is
# asked for.
_COLUMNS = {
    "sqlite": """
        SELECT held.name, field.name FROM sqlite_master AS held, pragma_table_xinfo(held.name) AS field
        WHERE held.type = 'table' AND held.name NOT LIKE 'sqlite~_%' ESCAPE '~'
    """,
    "postgresql": f"""
        SELECT held.relname, field.attname FROM pg_attribute AS field
        JOIN pg_class AS held ON held.oid = field.attrelid
        JOIN pg_namespace AS space ON space.oid = held.relnamespace
        WHERE space.nspname = '{SCHEMA}' AND held.relkind IN ('r', 'p')
        AND field.attnum > 0 AND NOT field.attisdropped
    """,
}


class Tables(NamedTuple):
    """The tables of the metrics database, as its Felis schema has them."""

    run: sa.Table
    run_package: sa.Table
    metric: sa.Table
    specification: sa.Table
    dataset: sa.Table
    measurement: sa.Table
    publication: sa.Table
    job: sa.Table
    job_log: sa.Table
    worker: sa.Table
    quantum: sa.Table
    log_record: sa.Table
    run_total: sa.Table
    run_summary: sa.Table
    annotation: sa.Table
    region: sa.Table


@functools.cache
def tables() -> Tables:
    """Return the tables, for statements on any engine of `connect`.

    Returns
    -------
    tables : `Tables`
        SQLAlchemy tables, built from `SCHEMA_FILE`.
    """
    built = described(SCHEMA_FILE).tables
    found = Tables(*(built[f"{SCHEMA}.{name}"] for name in Tables._fields))
    # Only as "integer" is a key of SQLite what its rows are numbered by.
    found.log_record.c.record_id.type = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    for name in TEXTS:
        index_texts(getattr(found, name))
    return found


def connect(url: str, create: bool = False) -> sa.Engine:
    """Open a metrics database.

    Parameters
    ----------
    url : `str`
        SQLAlchemy URL of an SQLite or a PostgreSQL database, or the path of
        an SQLite file.
    create : `bool`, optional
        Make the database file and the tables that it lacks.

    Returns
    -------
    engine : `sqlalchemy.Engine`
        Engine whose connections answer; the tables are in place.

    Raises
    ------
    DatabaseError
        Raised if the URL is none, if the database does not answer within
        some seconds, or if it holds no metrics database of this schema.
        The engine raises the same later, when the database stops answering.
    """
    target = parse(url)
    if not create and not has_file(target):
        raise DatabaseError(f"There is no metrics database {target.database!r}; 'lsst-qa load' makes one.")
    engine = make_engine(target)
    try:
        if create:
            _make(engine)
        _require_tables(engine, target)
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextlib.contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a transaction that writes.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.

    Yields
    ------
    connection : `sqlalchemy.Connection`
        Connection in a transaction; committed at the end, rolled back on an
        exception.
    """
    # On SQLite a transaction that reads first and writes later fails at once
    # if another wrote meanwhile.
    with engine.connect().execution_options(**{BEGIN: "BEGIN IMMEDIATE"}) as connection:
        with connection.begin():
            yield connection
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(_COUNT_WRITE)
            connection.commit()


def exists(url: str) -> bool:
    """Tell whether there is a metrics database, of any version, at a URL.

    Parameters
    ----------
    url : `str`
        As for `connect`.

    Returns
    -------
    there : `bool`
        Whether the database has one of the tables.

    Raises
    ------
    DatabaseError
        Raised if the URL is none, or if the database does not answer.
    """
    target = parse(url)
    if not has_file(target):
        return False
    engine = make_engine(target)
    try:
        return bool(_columns(engine).keys() & set(Tables._fields))
    finally:
        engine.dispose()


def insert(connection: sa.Connection, table: sa.Table) -> Any:
    """Return an insertion that can say what to do with rows already there.

    Parameters
    ----------
    connection : `sqlalchemy.Connection`
        Connection that will execute it.
    table : `sqlalchemy.Table`
        One of the tables.

    Returns
    -------
    insertion : `sqlalchemy.Insert`
        Statement of the database's own dialect; both dialects have
        ``on_conflict_do_nothing`` and ``on_conflict_do_update``.
    """
    # Each is imported with the engine of its database, and the other never.
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def _complete(declared: Tables, dialect: str) -> None:
    """Say of tables to be made what Felis has no words for."""
    # Stored in the order of the key, rows need no second index for it; and
    # indexes of the rows without detector, one in some hundred, cost next to
    # nothing to keep.
    if dialect == "sqlite":
        declared.measurement.dialect_options[dialect]["with_rowid"] = False
    for index in declared.measurement.indexes:
        index.dialect_options[dialect]["where"] = declared.measurement.c.detector.is_(None)
    severe = next(index for index in declared.log_record.indexes if index.name == "log_record_severe")
    level = declared.log_record.c.level
    severe.dialect_options[dialect]["where"] = level >= sa.literal_column(str(SEVERE))


def _make(engine: sa.Engine) -> None:
    declared = tables()
    _complete(declared, engine.dialect.name)
    if engine.dialect.name == "sqlite":
        # Readers and a writer at the same time; a property of the file, which
        # cannot change in a transaction.
        with engine.connect().execution_options(**{BEGIN: ""}) as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CREATION_LOCK)))
            connection.execute(sa.schema.CreateSchema(SCHEMA, if_not_exists=True))
            connection.exec_driver_sql(f"CREATE SEQUENCE IF NOT EXISTS {WRITES}")
        declared.run.metadata.create_all(connection)


def _require_tables(engine: sa.Engine, url: sa.URL) -> None:
    found = _columns(engine)
    faults = []
    for table in tables():
        if table.name not in found:
            faults.append(f"no table {table.name}")
        elif missing := sorted({column.name for column in table.columns} - found[table.name]):
            faults.append(f"no column {', '.join(missing)} in table {table.name}")
    if faults:
        held = f"tables {', '.join(sorted(found))}" if found else "no tables"
        raise DatabaseError(
            f"{shown_url(url)} is not a metrics database of this version: {'; '.join(faults)}; "
            f"it holds {held}. 'lsst-qa load' makes tables that are missing."
        )


def _columns(engine: sa.Engine) -> dict[str, set[str]]:
    """Return the names of the columns of each table."""
    found: dict[str, set[str]] = {}
    with engine.connect() as connection:
        for table, column in connection.exec_driver_sql(_COLUMNS[engine.dialect.name]):
            found.setdefault(table, set()).add(column)
    return found
