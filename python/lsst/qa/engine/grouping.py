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

"""Complete groups out of a table in pieces, in a bounded memory.

A table that is ordered by its groups is handed on as it comes; of any other
the rows are dealt out to parts by a hash of their group, which lie in memory
or, when that would be too much, in files.
"""

from __future__ import annotations

__all__ = ["PART_ROWS", "OutOfOrderError", "dealt_out", "in_order"]

import os
import tempfile
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from ..pieces import Coded, Piece, joined
from ..stats import hash_order

PART_ROWS = 1 << 17
"""Rows of a part: few enough for the processor's cache to hold a column."""


_WRITTEN = 1 << 20
"""Bytes that are written to a file at once."""

_ACROSS = 64
"""Small pieces that are put together."""


class OutOfOrderError(Exception):
    """Rows of a group, or of one before it, come after it."""


def in_order(pieces: Iterator[Piece], key: str) -> Iterator[Piece]:
    """Cut a table between groups that come one after another.

    Parameters
    ----------
    pieces : `~collections.abc.Iterator` [`Piece`]
        The table.
    key : `str`
        Column that numbers the groups.

    Yields
    ------
    piece : `Piece`
        All rows of some groups: those within a piece as they lie there, those
        across two from time to time.

    Raises
    ------
    OutOfOrderError
        Raised if the numbers do not ascend: what was yielded may lack rows.
    """
    across: list[Piece] = []
    last = None
    for piece in pieces:
        keys = piece[key]
        if not len(keys):
            continue
        if (last is not None and keys[0] < last) or np.any(keys[1:] < keys[:-1]):
            raise OutOfOrderError
        last = keys[-1]
        low = int(np.searchsorted(keys, keys[0], side="right"))
        high = int(np.searchsorted(keys, keys[-1], side="left"))
        if high <= low:
            across.append(piece)
            continue
        across += [piece.copy(slice(0, low)), piece.copy(slice(high, len(keys)))]
        yield piece.take(slice(low, high))
        if len(across) > _ACROSS:
            # All are whole but the last one, which may go on.
            yield joined(across[:-1])
            del across[:-1]
    if across:
        yield joined(across)


def dealt_out(pieces: Iterator[Piece], key: str, n_rows: int, in_memory: int = 1 << 28) -> Iterator[Piece]:
    """Deal rows out to parts by a hash of their group.

    Parameters
    ----------
    pieces : `~collections.abc.Iterator` [`Piece`]
        The table, in any order.
    key : `str`
        Column that numbers the groups.
    n_rows : `int`
        Number of rows of the table.
    in_memory : `int`, optional
        Bytes that rows may take before they go to files.

    Yields
    ------
    piece : `Piece`
        All rows of some groups.
    """
    parts = min(max(n_rows // PART_ROWS, 1), np.iinfo(np.uint16).max)
    if parts == 1:
        held = list(pieces)
        if held:
            yield joined(held)
        return
    with tempfile.TemporaryFile(prefix="lsst-qa-", buffering=_WRITTEN) as file:
        store = _Parts(parts, file, in_memory)
        template = None
        for piece in pieces:
            template = piece
            store.add(piece, (hash_order(piece[key]) % np.uint64(parts)).astype(np.uint16))
        if template is not None:
            yield from store.pieces(template)


class _Parts:
    """Rows by part, in memory until they are too many, then in a file: there
    a part has blocks, which hold column after column.
    """

    def __init__(self, parts: int, file: IO[bytes], in_memory: int):
        self._parts, self._file, self._in_memory = parts, file, in_memory
        self._held: list[list[dict[Any, Any]]] = [[] for _ in range(parts)]
        self._blocks: list[list[tuple[int, int]]] = [[] for _ in range(parts)]
        self._bytes = 0
        self._types: dict[Any, np.dtype[Any]] = {}
        self._values: dict[Any, tuple[str, ...]] = {}

    def add(self, piece: Piece, part: np.ndarray) -> None:
        order = np.argsort(part, kind="stable")  # a radix sort, for so short an integer
        ends = np.searchsorted(part[order], np.arange(self._parts + 1)).tolist()
        raw = piece.raw()
        columns = {name: self._plain(name, raw[name]).take(order) for name in raw}
        for number, held in enumerate(self._held):
            if ends[number] < ends[number + 1]:
                rows = slice(ends[number], ends[number + 1])
                held.append({name: values[rows] for name, values in columns.items()})
        self._bytes += sum(values.nbytes for values in columns.values())
        if self._bytes > self._in_memory:
            self._spill()

    def pieces(self, template: Piece) -> Iterator[Piece]:
        self._file.flush()
        for number, held in enumerate(self._held):
            sizes = [_rows(columns) for columns in held]
            rows = sum(size for _, size in self._blocks[number]) + sum(sizes)
            plain = {name: np.empty(rows, kind) for name, kind in self._types.items()}
            done = 0
            for offset, size in self._blocks[number]:
                self._read([values[done : done + size] for values in plain.values()], offset)
                done += size
            for columns, size in zip(held, sizes):
                for name, values in plain.items():
                    values[done : done + size] = columns[name]
                done += size
            self._held[number] = []
            if rows:
                raw = {
                    name: Coded(values, self._values[name]) if name in self._values else values
                    for name, values in plain.items()
                }
                yield template.with_raw(raw, rows)

    def _spill(self) -> None:
        for number, held in enumerate(self._held):
            if held:
                self._blocks[number].append((self._file.tell(), sum(map(_rows, held))))
                for name in self._types:
                    self._file.writelines(columns[name].data for columns in held)
            self._held[number] = []
        self._bytes = 0

    def _read(self, columns: list[np.ndarray], offset: int) -> None:
        """Fill arrays, one after another, from a place of the file on."""
        wanted = sum(values.nbytes for values in columns)
        if os.preadv(self._file.fileno(), [values.data for values in columns], offset) != wanted:
            raise OSError("A temporary file is shorter than what was written to it.")

    def _plain(self, name: Any, values: Any) -> np.ndarray:
        """Return a column as numbers of a type that a file can hold."""
        if isinstance(values, Coded):
            known = self._values.get(name, ())
            self._values[name] = known + tuple(value for value in values.values if value not in known)
            place = {value: code for code, value in enumerate(self._values[name])}
            values = np.array([place[value] for value in values.values] or [0], dtype=np.int32)[values.codes]
        self._types[name] = values.dtype
        return values


def _rows(columns: dict[Any, np.ndarray]) -> int:
    return len(next(iter(columns.values()), ()))
