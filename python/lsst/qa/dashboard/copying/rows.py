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

"""The rows of a run as files."""

from __future__ import annotations

__all__ = ["FORMATS", "rows_of"]

import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import sqlalchemy

from ...results import GATHERED_SCHEMA
from ...store import query

FORMATS = ("parquet", "csv")
"""Formats in which they are written; also the ends of the files' names."""

_AT_ONCE = 10_000


def rows_of(engine: sqlalchemy.Engine, run_id: int) -> dict[str, bytes]:
    """Write all rows of a run, with those of single detectors.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    run_id : `int`
        Number of the run.

    Returns
    -------
    files : `dict` [`str`, `bytes`]
        By `FORMATS`; with the columns of a gathered table.
    """
    schema = pa.schema([(field.name, _plain(field.type)) for field in GATHERED_SCHEMA])
    parquet, text = io.BytesIO(), io.BytesIO()
    with (
        pyarrow.parquet.ParquetWriter(parquet, schema) as columns,
        pyarrow.csv.CSVWriter(text, schema) as lines,
    ):
        for piece in _pieces(engine, run_id, schema):
            columns.write_table(piece)
            lines.write_table(piece)
    return dict(zip(FORMATS, (parquet.getvalue(), text.getvalue())))


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _pieces(engine: sqlalchemy.Engine, run_id: int, schema: pa.Schema) -> Iterator[pa.Table]:
    after = None
    while found := query.measurements(engine, run_id=run_id, detector_rows=True, limit=_AT_ONCE, after=after):
        held = [pa.array([getattr(row, field.name) for row in found], field.type) for field in schema]
        yield pa.Table.from_arrays(held, schema=schema)
        after = found[-1].cursor
