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

"""Telling whether a database is still what it was."""

from __future__ import annotations

__all__ = ["Watch"]

import threading

import sqlalchemy as sa

from .database import WRITES
from .engines import BEGIN

_COUNTED = f"SELECT has_sequence_privilege(to_regclass('{WRITES}'), 'SELECT')"


class Watch:
    """Knows when anybody has written to a database, without reading it.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    """

    def __init__(self, engine: sa.Engine):
        self._engine = engine
        self._lock = threading.Lock()
        self._connection: sa.Connection | None = None
        self._connected = 0
        self._question = "PRAGMA data_version"
        # It is not the pool's to close while it is held here.
        sa.event.listen(engine, "engine_disposed", self._leave)

    def state(self) -> str:
        """Return a text that is another one after every write.

        Returns
        -------
        state : `str`
            To be compared with what this returned before.

        Raises
        ------
        DatabaseError
            Raised if the database does not answer.
        """
        with self._lock:
            try:
                return self._asked()
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Leave the database."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _leave(self, engine: sa.Engine) -> None:
        with self._lock:
            self.close()

    def _asked(self) -> str:
        if self._connection is None:
            # SQLite counts the writes of others since a connection was made:
            # the connection has to be always the same.
            self._connection = self._engine.connect().execution_options(**{BEGIN: ""})
            self._connected += 1
            if self._engine.dialect.name == "postgresql":
                counted = self._connection.exec_driver_sql(_COUNTED).scalar_one()
                # Else which transactions there are and have been, of all
                # databases of the server.
                snapshot = "SELECT pg_current_snapshot()::text"
                self._question = f"SELECT last_value, is_called FROM {WRITES}" if counted else snapshot
        answer = tuple(self._connection.exec_driver_sql(self._question).one())
        self._connection.rollback()
        return f"{self._connected} {answer}"
