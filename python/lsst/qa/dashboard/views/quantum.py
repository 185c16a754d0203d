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

"""One quantum: how it ended, what it took, its log, and the metrics of what it
worked on.
"""

from __future__ import annotations

__all__ = ["VIEW", "data"]

import dataclasses
from typing import Literal

import sqlalchemy
from starlette.requests import Request
from starlette.responses import Response

from ...errors import UnknownNameError
from ...store import quanta, query
from ...store.execution import LEVELS, Quantum
from .. import shapes
from ..links import split_twin
from ..site import Data, Site, View

Level = Literal["", "DEBUG", "VERBOSE", "INFO", "WARNING", "ERROR", "CRITICAL"]

_RECORDS = 500
_ROWS = 200
_NUMBERS = [field.name for field in dataclasses.fields(Quantum)]


def data(engine: sqlalchemy.Engine, quantum_id: int, level: str = "") -> Data:
    """Return a quantum with its log and metrics.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    quantum_id : `int`
        Number of the quantum.
    level : `str`, optional
        Name of the lowest level of log records.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``quantum``; ``log``, at most ``limit`` records; ``rows``, the
        metrics of what it worked on, judged.

    Raises
    ------
    UnknownNameError
        Raised if there is no such quantum.
    """
    held = quanta.get_quantum(engine, quantum_id)
    if held is None:
        raise UnknownNameError("quantum", str(quantum_id), [])
    specs = query.specifications(engine)
    log = quanta.log_of_quantum(engine, quantum_id, level=LEVELS.get(level, 0), limit=_RECORDS)
    rows = quanta.quantum_measurements(engine, held, _ROWS)
    return {
        "quantum": {**shapes.taken(held, _NUMBERS), "memory_taken": held.memory_taken},
        "level": level,
        "limit": _RECORDS,
        "log": [
            shapes.taken(one, ("attempt", "time", "level", "logger", "message", "exception")) for one in log
        ],
        "rows": [
            {"metric": row.metric, "run": row.run, **shapes.row(row, specs.get(row.metric, ()))}
            for row in rows
        ],
    }


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """

    @site.route("/quanta/{path:path}")
    def quantum(request: Request, path: str, level: Level = "") -> Response:
        name, _ = split_twin(path)
        if not (name.isascii() and name.isdigit() and len(name) < 19):
            raise UnknownNameError("quantum", name, [])
        return site.show(request, VIEW, data(site.engine, int(name), level))


VIEW = View("quantum", add, section="search")
