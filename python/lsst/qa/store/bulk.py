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

"""Writing many rows at once, from tables of Arrow."""

from __future__ import annotations

__all__ = ["insert_rows"]

import contextlib
import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import sqlalchemy as sa

from ..errors import DatabaseError
from .database import shown_url

_ROWS = 50_000  # at a time: as text, or as objects of Python, they take much memory


def insert_rows(connection: sa.Connection, table: sa.Table, rows: pa.Table) -> None:
    """Insert rows into a table.

    Parameters
    ----------
    connection : `sqlalchemy.Connection`
        Connection in a transaction of `lsst.qa.store.database.writing`.
    table : `sqlalchemy.Table`
        One of the tables.
    rows : `pyarrow.Table`
        Columns of the table, by their names; one that the database numbers
        itself may be absent.
    """
    if not rows.num_rows:
        return
    # Columns without any value are left out: parameters cost more than
    # anything else here.
    names = [column.name for column in table.columns if column.name in rows.column_names]
    columns = [name for name in names if rows[name].null_count < rows.num_rows]
    insert = _copy_into_postgresql if connection.dialect.name == "postgresql" else _insert_into_sqlite
    chosen = rows.select(columns)
    for start in range(0, rows.num_rows, _ROWS):
        insert(connection, table, chosen.slice(start, _ROWS))


def _copy_into_postgresql(connection: sa.Connection, table: sa.Table, rows: pa.Table) -> None:
    name = connection.dialect.identifier_preparer.format_table(table)
    # Texts are quoted and nulls are not, which keeps an empty text apart
    # from none.
    options = pa.csv.WriteOptions(include_header=False, quoting_style="needed")
    buffer = io.BytesIO()
    pa.csv.write_csv(rows, buffer, options)
    buffer.seek(0)
    statement = f"COPY {name} ({', '.join(rows.column_names)}) FROM STDIN (FORMAT csv)"
    with _cursor(connection, table) as cursor:
        cursor.copy_expert(statement, buffer)


def _insert_into_sqlite(connection: sa.Connection, table: sa.Table, rows: pa.Table) -> None:
    marks = ", ".join("?" * rows.num_columns)
    statement = f"INSERT INTO {table.name} ({', '.join(rows.column_names)}) VALUES ({marks})"
    with _cursor(connection, table) as cursor:
        # One row at a time: SQLAlchemy would want a list of them.
        cursor.executemany(statement, zip(*(_python_values(column) for column in rows.columns)))


@contextlib.contextmanager
def _cursor(connection: sa.Connection, table: sa.Table) -> Iterator[Any]:
    """Make a cursor of the driver's, and tell what goes wrong as SQLAlchemy
    does elsewhere, which has no part in it.
    """
    cursor = connection.connection.cursor()
    try:
        yield cursor
    except connection.dialect.loaded_dbapi.Error as error:
        raise DatabaseError(
            f"The metrics database {shown_url(connection.engine.url)} refuses {table.name} rows: {error}"
        ) from error
    finally:
        cursor.close()


def _python_values(column: pa.ChunkedArray) -> Sequence[Any]:
    """Turn a column into what SQLite takes, much faster than Arrow does."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.string())
    if pa.types.is_string(column.type):
        coded = column.combine_chunks().dictionary_encode()
        words = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
        return words[pc.fill_null(coded.indices, len(words) - 1).to_numpy()].tolist()
    if not column.null_count:
        return column.to_numpy().tolist()
    values = pc.fill_null(column, 0).to_numpy().astype(object)
    values[column.is_null().to_numpy()] = None
    return values.tolist()
