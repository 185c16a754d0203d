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

"""Rows as JSON, CSV, Parquet or Arrow, page by page."""

from __future__ import annotations

__all__ = [
    "FAULTS",
    "MEDIA",
    "Cursor",
    "Format",
    "Identifier",
    "Limit",
    "Number",
    "answer",
    "documented",
    "plain",
    "table_answer",
]

import datetime
import io
import json
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from fastapi import Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from .. import answers
from ..text import finite
from .models import Fault, Page

Format = Annotated[Literal["json", "csv", "parquet", "arrow"], Query(description="format of the answer")]
Limit = Annotated[int, Query(ge=1, le=10_000, description="the most rows to return")]
_NEXT = "`next` of the page before this one"
Cursor = Annotated[str | None, Query(max_length=200, description=_NEXT)]
Identifier = Annotated[UUID | None, Query(description=_NEXT)]
"""A cursor that identifies a run."""

Number = Annotated[int | None, Query(ge=0, le=2**63 - 1, description=_NEXT)]
"""A cursor that is a number."""

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
"""Media types by format."""

FAULTS: dict[int | str, dict[str, Any]] = {
    status: {"model": Fault, "description": description}
    for status, description in (
        (401, "Who asks is not known"),
        (403, "Who asks may not"),
        (404, "There is no such thing"),
        (413, "The request is too large"),
        (422, "A parameter makes no sense"),
        (429, "Too many requests"),
        (503, "The database does not answer"),
    )
}
"""Errors that any request may meet, for the documentation."""

_ARROW: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    datetime.datetime: pa.timestamp("us", "UTC"),
}


def documented(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Describe the answers of a list, for the documentation.

    Parameters
    ----------
    model : `type` [`pydantic.BaseModel`]
        A row.

    Returns
    -------
    responses : `dict` [`int`, `dict`]
        By HTTP status.
    """
    binary = {"schema": {"type": "string", "format": "binary"}}
    content = {media.partition(";")[0]: binary for media in MEDIA.values()}
    done = {"model": Page[model], "description": "A page of the list", "content": content}  # type: ignore[valid-type]
    return {200: done, **FAULTS}


def plain(held: Any, model: type[BaseModel], **more: Any) -> dict[str, Any]:
    """Return a record as a row.

    Parameters
    ----------
    held : `typing.Any`
        A record, or a mapping.
    model : `type` [`pydantic.BaseModel`]
        Says which fields the row has.
    **more
        Fields that the record lacks.

    Returns
    -------
    row : `dict` [`str`, `typing.Any`]
        Numbers that are not finite are `None`.
    """
    row = {}
    for name in model.model_fields:
        value = (
            more[name] if name in more else held[name] if isinstance(held, Mapping) else getattr(held, name)
        )
        row[name] = finite(value) if isinstance(value, float) else value
    return row


def answer(
    request: Request,
    model: type[BaseModel],
    rows: Sequence[Mapping[str, Any]],
    wanted: Format,
    cursor: str | None = None,
) -> Response:
    """Answer with rows.

    Parameters
    ----------
    request : `starlette.requests.Request`
        The request.
    model : `type` [`pydantic.BaseModel`]
        A row.
    rows : `~collections.abc.Sequence` [`~collections.abc.Mapping`]
        The rows.
    wanted : `str`
        Format.
    cursor : `str`, optional
        Cursor of the next page, where there is one.

    Returns
    -------
    response : `starlette.responses.Response`
        The answer. Where the format has no place for the cursor, a header
        ``Link`` has the address of the next page.
    """
    if wanted == "json":
        return answers.json_answer(request, {"items": rows, "next": cursor})
    response = table_answer(request, _table(model, rows), wanted)
    if cursor is not None:
        # Without the host, which the request alone knows.
        response.headers["Link"] = f'<?{request.url.include_query_params(cursor=cursor).query}>; rel="next"'
    return response


def table_answer(request: Request, table: pa.Table, wanted: str) -> Response:
    """Answer with a table.

    Parameters
    ----------
    request : `starlette.requests.Request`
        The request.
    table : `pyarrow.Table`
        The table.
    wanted : `str`
        One of `MEDIA`.

    Returns
    -------
    response : `starlette.responses.Response`
        The answer.
    """
    stream = io.BytesIO()
    if wanted == "csv":
        pa.csv.write_csv(_flat(table), stream)
    elif wanted == "parquet":
        pa.parquet.write_table(table, stream)
    else:
        with pa.ipc.new_stream(stream, table.schema) as writer:
            writer.write_table(table)
    return answers.bytes_answer(request, stream.getvalue(), MEDIA[wanted])


def _table(model: type[BaseModel], rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Lay rows out as a table, whose columns do not depend on the values."""
    listed = list(rows)
    schema = _schema(model)
    columns = [[row[name] for row in listed] for name in schema.names]
    arrays = []
    for field, column in zip(schema, columns):
        if field.type == pa.string():
            # What has no columns of its own, as thresholds, stays readable.
            column = [v if v is None or isinstance(v, str) else json.dumps(v) for v in column]
        arrays.append(pa.array(column, field.type))
    return pa.table(arrays, schema=schema)


def _schema(model: type[BaseModel]) -> pa.Schema:
    return pa.schema([(name, _arrow_type(field.annotation)) for name, field in model.model_fields.items()])


def _arrow_type(annotation: Any) -> pa.DataType:
    either = typing.get_origin(annotation) in (types.UnionType, typing.Union)
    parts = typing.get_args(annotation) if either else (annotation,)
    kinds = [part for part in parts if part is not type(None)]
    if typing.get_origin(kinds[0]) is Annotated:
        kinds = [typing.get_args(kinds[0])[0]]
    if typing.get_origin(kinds[0]) is list and typing.get_args(kinds[0]) == (str,):
        return pa.list_(pa.string())
    return _ARROW.get(kinds[0], pa.string())


def _flat(table: pa.Table) -> pa.Table:
    """Write lists as text, as CSV has none."""
    for place, field in enumerate(table.schema):
        if pa.types.is_list(field.type) or pa.types.is_struct(field.type):
            texts = [None if value is None else json.dumps(value) for value in table[place].to_pylist()]
            table = table.set_column(place, field.name, pa.array(texts, pa.string()))
    return table
