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

"""Tables in the repositories: where they are, and parts of them."""

from __future__ import annotations

__all__ = ["add"]

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from ...store.stored import list_datasets, pointer, read_part
from .. import answers, shapes
from . import models
from .formats import MEDIA, Format, Limit, Number, answer, plain, table_answer
from .routes import Api

Columns = Annotated[list[str], Query(description="names of columns; all if none is given", max_length=1000)]
TableFormat = Literal["arrow", "parquet", "csv"]
_LARGEST = 2**40


def add(api: Api) -> None:
    """Add the routes of the resource.

    Parameters
    ----------
    api : `Api`
        Takes them.
    """

    @api.listing("/tables", models.Dataset)
    def list_tables(
        request: Request,
        run: str | None = None,
        dataset_type: str | None = None,
        limit: Limit = 1000,
        cursor: Number = None,
        format: Format = "json",
    ) -> Response:
        """List the tables of results that were loaded."""
        run_id = None if run is None else shapes.found_run(api.engine, run).run_id
        found = list_datasets(api.engine, run_id=run_id, dataset_type=dataset_type, limit=limit, after=cursor)
        following = str(found[-1].dataset_id) if len(found) == limit else None
        rows = [plain(held, models.Dataset) for held in found]
        return answer(request, models.Dataset, rows, format, following)

    @api.reading("/tables/{uuid}", {200: {"model": models.Pointer, "description": "Where the table is"}})
    def show_table(request: Request, uuid: UUID, run: str | None = None) -> Response:
        """Tell where a table is and what it has: one that was loaded, or any
        other in the repository that a run was loaded from.
        """
        return answers.json_answer(request, plain(pointer(api.engine, str(uuid), run), models.Pointer))

    binary = {"schema": {"type": "string", "format": "binary"}}
    content = {media.partition(";")[0]: binary for media in MEDIA.values()}

    @api.reading("/tables/{uuid}/rows", {200: {"description": "The rows", "content": content}})
    def read_rows(
        request: Request,
        uuid: UUID,
        run: str | None = None,
        column: Columns = [],  # noqa: B006
        offset: Annotated[int, Query(ge=0, le=_LARGEST)] = 0,
        limit: Annotated[int, Query(ge=1, le=1_000_000)] = 1000,
        format: TableFormat = "arrow",
    ) -> Response:
        """Read rows of some columns of a table."""
        return table_answer(request, read_part(api.engine, str(uuid), run, column, offset, limit), format)
