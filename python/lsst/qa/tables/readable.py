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

"""What a table looks like to its readers, and tables that are in memory."""

from __future__ import annotations

__all__ = ["BATCH_ROWS", "InMemory", "Readable", "from_arrow", "from_astropy", "from_columns", "from_pandas"]

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from ..errors import InputError
from ..pieces import Coded

BATCH_ROWS = 1 << 16
"""Rows read at a time: some MB, whatever the size of the file's row groups."""


class Readable(Protocol):
    """A table that can be read in pieces.

    Attributes
    ----------
    name : `str`
        What to call it in messages.
    units : `dict` [`str`, `str`]
        Unit of each of its columns, "" where not stated.
    n_rows : `int`
        Number of rows.
    texts : `frozenset` [`str`]
        Columns that hold text.
    """

    name: str
    units: dict[str, str]
    n_rows: int
    texts: frozenset[str]

    def pieces(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Read columns, some rows at a time.

        Parameters
        ----------
        names : `~collections.abc.Sequence` [`str`]
            Columns to read.

        Yields
        ------
        piece : `dict` [`str`, `numpy.ndarray`]
            The columns of the next rows.
        """
        ...


class InMemory:
    """A table whose columns are arrays.

    Parameters
    ----------
    columns : `~collections.abc.Mapping` [`str`, `numpy.ndarray`]
        Its columns, of one length.
    units : `~collections.abc.Mapping` [`str`, `str`]
        Their units; absent for none.
    name : `str`
        What to call it in messages.
    """

    def __init__(self, columns: Mapping[str, np.ndarray], units: Mapping[str, str], name: str):
        self.name = name
        self.units = {column: units.get(column, "") for column in columns}
        self._columns = columns
        self.texts = frozenset(column for column, values in columns.items() if _is_text(values))
        lengths = {column: len(values) for column, values in columns.items()}
        if len(set(lengths.values())) > 1:
            raise InputError(f"The columns of {name} differ in length: {lengths}.")
        self.n_rows = next(iter(lengths.values()), 0)

    def pieces(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Hand the columns over, all rows at once: they are in memory already.

        Parameters
        ----------
        names : `~collections.abc.Sequence` [`str`]
            Columns to read.

        Yields
        ------
        piece : `dict` [`str`, `numpy.ndarray`]
            The columns.
        """
        yield {name: self._columns[name] for name in names}


def from_columns(columns: Mapping[str, Any], name: str = "the table") -> InMemory:
    """Make a readable table of anything that has arrays by name.

    Parameters
    ----------
    columns : `~collections.abc.Mapping`
        Arrays, or what `numpy.asarray` takes.
    name : `str`, optional
        What to call it in messages.

    Returns
    -------
    table : `InMemory`
        The table.
    """
    return InMemory({key: np.asarray(values) for key, values in columns.items()}, {}, name)


def from_arrow(table: pa.Table, name: str = "the table") -> InMemory:
    """Make a readable table of an Arrow table.

    Parameters
    ----------
    table : `pyarrow.Table`
        The table.
    name : `str`, optional
        What to call it in messages.

    Returns
    -------
    table : `InMemory`
        The table; columns are converted when they are read.
    """
    return InMemory(_Lazy(table), arrow_units(table.schema), name)


def from_pandas(frame: Any, name: str = "the table") -> InMemory:
    """Make a readable table of a data frame.

    Parameters
    ----------
    frame : `pandas.DataFrame`
        The table; its index is no column of it.
    name : `str`, optional
        What to call it in messages.

    Returns
    -------
    table : `InMemory`
        The table; missing numbers are NaN, missing flags unknown.
    """
    columns: dict[str, pa.Array] = {}
    for key, series in frame.items():
        plain = isinstance(series.dtype, np.dtype) and series.dtype.kind != "O"
        with contextlib.suppress(pa.ArrowException):  # of mixed objects, which no metric takes
            columns[str(key)] = pa.array(series.to_numpy() if plain else series, from_pandas=not plain)
    return from_arrow(pa.table(columns), name)


def from_astropy(table: Any, name: str = "the table") -> InMemory:
    """Make a readable table of an Astropy table.

    Parameters
    ----------
    table : `astropy.table.Table`
        The table.
    name : `str`, optional
        What to call it in messages.

    Returns
    -------
    table : `InMemory`
        The table; masked numbers are NaN, masked flags unknown.
    """
    # Times and coordinates are objects, which no metric takes.
    plain = [key for key in table.colnames if hasattr(table[key], "dtype") and table[key].ndim == 1]
    units = {key: str(table[key].unit) for key in plain if getattr(table[key], "unit", None) is not None}
    return InMemory({key: _unmasked(table[key]) for key in plain}, units, name)


def as_numpy(column: pa.ChunkedArray | pa.Array) -> np.ndarray | Coded:
    """Turn an Arrow column into an array.

    Parameters
    ----------
    column : `pyarrow.Array` or `pyarrow.ChunkedArray`
        The column.

    Returns
    -------
    values : `numpy.ndarray` or `Coded`
        Null numbers are NaN, flags with nulls objects; text is numbered.
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if arrow_text(column.type):
        return _arrow_coded(column)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_boolean(column.type) and not column.null_count:
        return _bits(column, 1)
    if pa.types.is_floating(column.type) or (pa.types.is_integer(column.type) and not column.null_count):
        values = _plain(column)
        return np.where(_bits(column, 0), values, np.nan) if column.null_count else values
    return column.to_numpy(zero_copy_only=False)


def _plain(column: pa.Array) -> np.ndarray:
    """Look at the numbers of a column, whatever they are where it is null."""
    if not len(column):
        return np.zeros(0, dtype=column.type.to_pandas_dtype())
    values = np.frombuffer(column.buffers()[1], dtype=column.type.to_pandas_dtype())
    return values[column.offset : column.offset + len(column)]


def _bits(column: pa.Array, buffer: int) -> np.ndarray:
    """Unpack a buffer of bits: what is not null, 0, or flags, 1."""
    if not len(column):
        return np.zeros(0, dtype=bool)
    packed, first = np.frombuffer(column.buffers()[buffer], dtype=np.uint8), column.offset
    begin, end = first // 8, (first + len(column) + 7) // 8
    bits = np.unpackbits(packed[begin:end], bitorder="little")
    return bits[first % 8 : first % 8 + len(column)].view(bool)


def arrow_units(schema: pa.Schema) -> dict[str, str]:
    """Collect the units that an Arrow schema states.

    Parameters
    ----------
    schema : `pyarrow.Schema`
        The schema of a table or of a Parquet file.

    Returns
    -------
    units : `dict` [`str`, `str`]
        Unit of each column, "" where not stated: that of the field, as the
        middleware writes it, or that of Astropy's header.
    """
    units = {field.name: (field.metadata or {}).get(b"unit", b"").decode() for field in schema}
    if header := (schema.metadata or {}).get(b"table_meta_yaml"):
        from astropy.table import meta  # only for a table that Astropy wrote

        for column in meta.get_header_from_yaml(header.decode().split("\n"))["datatype"]:
            if column.get("unit") and not units.get(column["name"], "-"):
                units[column["name"]] = str(column["unit"])
    return units


class _Lazy(Mapping[str, Any]):
    """The columns of an Arrow table, converted when they are asked for."""

    def __init__(self, table: pa.Table):
        self._table = table

    def __getitem__(self, name: str) -> Any:
        return as_numpy(self._table[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._table.column_names)

    def __len__(self) -> int:
        return self._table.num_columns

    def values(self) -> Any:
        return (self._table[name] for name in self._table.column_names)

    def items(self) -> Any:
        return ((name, self._table[name]) for name in self._table.column_names)


def _arrow_coded(column: pa.Array) -> Coded:
    whole = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    values = tuple((value or "").strip() for value in whole.dictionary.to_pylist())
    codes = _plain(whole.indices)
    if whole.null_count:
        codes = np.where(_bits(whole.indices, 0), codes, np.int32(len(values)))
    return Coded(codes, (*values, ""))


def _is_text(values: Any) -> bool:
    if isinstance(values, np.ndarray):
        return values.dtype.kind in "US"
    return arrow_text(values.type)


def arrow_text(kind: pa.DataType) -> bool:
    """Tell whether an Arrow type is text.

    Parameters
    ----------
    kind : `pyarrow.DataType`
        Type of a column.

    Returns
    -------
    text : `bool`
        Whether it holds strings, in a dictionary or not.
    """
    held = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(held) or pa.types.is_large_string(held))


def _unmasked(column: Any) -> np.ndarray:
    mask = getattr(column, "mask", None)
    values = np.asarray(getattr(column, "value", column))
    if mask is None or not np.any(mask):
        return values
    if values.dtype.kind in "fiu":
        return np.where(mask, np.nan, values)
    objects = values.astype(object)
    objects[mask] = None
    return objects
