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

"""Engines of SQLite and PostgreSQL, which behave alike."""

from __future__ import annotations

__all__ = ["BEGIN", "SCHEMA", "has_file", "make_engine", "parse", "shown_url"]

import functools
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)

from ..errors import DatabaseError

SCHEMA = "qa"
"""The schema that the tables are in, where a database has schemas."""

BEGIN = "qa_begin"
"""Execution option: the statement that begins a transaction on SQLite."""

_CONNECT_SECONDS = "5"
_BUSY_SECONDS = 60
_CACHE_KIB = 65536


def shown_url(url: sa.URL | str) -> str:
    """Write a URL without the password in it.

    Parameters
    ----------
    url : `sqlalchemy.URL` or `str`
        As for `connect`.

    Returns
    -------
    text : `str`
        The URL with stars instead of the password.
    """
    return (parse(url) if isinstance(url, str) else url).render_as_string(hide_password=True)


def parse(url: str) -> sa.URL:
    """Read the URL of a metrics database.

    Parameters
    ----------
    url : `str`
        SQLAlchemy URL of an SQLite or a PostgreSQL database, or the path of
        an SQLite file.

    Returns
    -------
    url : `sqlalchemy.URL`
        The URL with its driver.

    Raises
    ------
    DatabaseError
        Raised if it is none.
    """
    if "://" not in url and url.strip():
        return sa.URL.create("sqlite", database=url)
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError) as error:
        raise DatabaseError(
            "That is not the URL of a database: expected sqlite:///FILE, "
            "postgresql://USER@HOST/DATABASE, or the path of an SQLite file."
        ) from error
    backend = parsed.drivername.partition("+")[0]
    if backend == "sqlite":
        return parsed.set(drivername="sqlite")
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg2")
    raise DatabaseError(
        f"A metrics database is an SQLite or a PostgreSQL database, not {backend!r}: "
        "expected sqlite:///FILE or postgresql://USER@HOST/DATABASE."
    )


def has_file(url: sa.URL) -> bool:
    """Tell whether the file of a database is there.

    Parameters
    ----------
    url : `sqlalchemy.URL`
        URL of a database.

    Returns
    -------
    there : `bool`
        Also true for a database that is not in a file.
    """
    # SQLite would make an empty file of any name that it is asked to open.
    if url.get_backend_name() != "sqlite" or url.database is None or url.database.startswith("file:"):
        return True
    return Path(url.database).exists()


def make_engine(url: sa.URL) -> sa.Engine:
    """Make an engine, without asking the database for anything.

    Parameters
    ----------
    url : `sqlalchemy.URL`
        URL of a database.

    Returns
    -------
    engine : `sqlalchemy.Engine`
        Engine that raises `~lsst.qa.errors.DatabaseError` when the database
        does not answer, and for statements that it refuses.
    """
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(
            url,
            connect_args={"timeout": _BUSY_SECONDS},
            execution_options={"schema_translate_map": {SCHEMA: None}},
        )
        sa.event.listen(engine, "connect", _configure_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    else:
        settings = {"connect_timeout": _CONNECT_SECONDS, "application_name": "lsst-qa", **url.query}
        try:
            engine = sa.create_engine(url.set(query=settings), pool_pre_ping=True)
        except ModuleNotFoundError as error:
            raise DatabaseError("PostgreSQL needs psycopg2: pip install psycopg2-binary.") from error
    sa.event.listen(engine, "handle_error", functools.partial(_translate_error, url))
    return engine


def _configure_sqlite(connection: Any, record: Any) -> None:
    # The driver's own transactions begin too late to lock: _begin_sqlite
    # begins them.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint={_CACHE_KIB // 4}")  # in pages of 4 KiB


def _begin_sqlite(connection: sa.Connection) -> None:
    if statement := connection.get_execution_options().get(BEGIN, "BEGIN"):
        connection.exec_driver_sql(statement)


def _translate_error(url: sa.URL, context: sa.engine.ExceptionContext) -> DatabaseError | None:
    error = context.sqlalchemy_exception
    # The pool's own test of an idle connection fails by design: it then opens
    # another.
    if (
        context.is_pre_ping
        or not isinstance(error, DBAPIError)
        or isinstance(error, IntegrityError | DataError)
    ):
        return None
    complaint = "does not answer" if isinstance(error, OperationalError | InterfaceError) else "refuses"
    reason = " ".join(str(error.orig).split())
    return DatabaseError(f"The metrics database {shown_url(url)} {complaint}: {reason}")
