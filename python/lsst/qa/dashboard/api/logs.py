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

"""Log records of quanta."""

from __future__ import annotations

__all__ = ["add"]

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from ...dimensions import DATA_ID
from ...store.search import search_logs
from .. import shapes
from . import models
from .formats import Format, Limit, Number, answer, plain
from .routes import Api


def add(api: Api) -> None:
    """Add the routes of the resource.

    Parameters
    ----------
    api : `Api`
        Takes them.
    """

    @api.listing("/logs", models.LogRecord)
    def list_logs(
        request: Request,
        q: Annotated[str, Query(max_length=1000, description="words to be in the record")] = "",
        level: Annotated[int, Query(ge=0, le=100, description="the lowest level, as logging has it")] = 0,
        run: str | None = None,
        task: str | None = None,
        instrument: str | None = None,
        visit: models.Long | None = None,
        detector: models.Long | None = None,
        tract: models.Long | None = None,
        limit: Limit = 100,
        cursor: Number = None,
        format: Format = "json",
    ) -> Response:
        """List what was logged, the latest harvested first."""
        chosen = {
            "task": task,
            "instrument": instrument,
            "visit": visit,
            "detector": detector,
            "tract": tract,
        }
        if run is not None:
            chosen["run_id"] = shapes.found_run(api.engine, run).run_id
        found = search_logs(api.engine, q, level=level, limit=limit, after=cursor, **chosen)
        rows = []
        for record, quantum in found:
            of = {name: getattr(quantum, name) for name in (*DATA_ID, "run", "task", "status")}
            rows.append(plain(record, models.LogRecord, **of))
        following = str(found[-1].record.record_id) if len(found) == limit else None
        return answer(request, models.LogRecord, rows, format, following)
