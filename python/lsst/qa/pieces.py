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

"""Rows of a table as metrics see them: columns that are computed when asked
for.
"""

from __future__ import annotations

__all__ = ["Coded", "Columns", "Piece", "coded", "joined", "same_text"]

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

Columns = Mapping[Any, Any]


class Coded(NamedTuple):
    """A column of text, as numbers of its few values.

    Attributes
    ----------
    codes : `numpy.ndarray` of `int`
        For each row the place of its value.
    values : `tuple` [`str`, ...]
        The values.
    """

    codes: np.ndarray
    values: tuple[str, ...]

    def __getitem__(self, rows: Any) -> Coded:  # type: ignore[override]
        return Coded(self.codes[rows], self.values)

    def __len__(self) -> int:
        return len(self.codes)


def coded(values: np.ndarray) -> Coded:
    """Replace the values of a column of text by numbers.

    Parameters
    ----------
    values : `numpy.ndarray`
        Text, bytes, or objects of which `None` means none.

    Returns
    -------
    column : `Coded`
        The same, without the blanks that FITS pads with; "" for none.
    """
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8")
    if values.dtype.kind != "U":
        plain: list[Any] = values.tolist()
        values = np.array(["" if value is None else str(value) for value in plain], dtype=np.str_)
    distinct, codes = np.unique(np.char.strip(values), return_inverse=True)
    return Coded(codes, tuple(distinct.tolist()))


def same_text(column: np.ndarray | Coded, text: str) -> np.ndarray:
    """Tell in which rows a column of text holds a text.

    Parameters
    ----------
    column : `numpy.ndarray` or `Coded`, (n,)
        The column.
    text : `str`
        The text.

    Returns
    -------
    same : `numpy.ndarray` of `bool`, (n,)
        Whether it is the same.
    """
    if isinstance(column, Coded):
        return np.array([value == text for value in column.values], dtype=bool)[column.codes]
    return np.asarray(column == text)


class Piece(Mapping[str, Any]):
    """Some rows of a table.

    Parameters
    ----------
    raw : `~collections.abc.Mapping`
        Columns as they were read (`numpy.ndarray` or `Coded`).
    compute : `~collections.abc.Mapping`
        For each column that metrics know, the function that computes it
        from ``raw``.
    n_rows : `int`
        Number of rows.
    rows : `numpy.ndarray`, optional
        Which rows of ``raw`` these are; all if not given.
    """

    def __init__(
        self,
        raw: Columns,
        compute: Mapping[str, Callable[[Columns], Any]],
        n_rows: int,
        rows: np.ndarray | None = None,
    ):
        self.n_rows = n_rows
        self._raw, self._compute, self._rows = raw, compute, rows
        self._taken = raw if rows is None else _Taken(raw, rows)
        self._done: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._done:
            self._done[name] = self._compute[name](self._taken)
        return self._done[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._compute)

    def __len__(self) -> int:
        return len(self._compute)

    def take(self, rows: np.ndarray | slice) -> Piece:
        """Return some of the rows; nothing is computed for the others.

        Parameters
        ----------
        rows : `numpy.ndarray` of `int`, or `slice`
            Which rows.

        Returns
        -------
        piece : `Piece`
            These rows.
        """
        if isinstance(rows, slice):
            raw = {name: self._taken[name][rows] for name in self._taken}  # views
            return Piece(raw, self._compute, len(range(*rows.indices(self.n_rows))))
        return Piece(self._raw, self._compute, len(rows), rows if self._rows is None else self._rows[rows])

    def copy(self, rows: slice) -> Piece:
        """Return some rows that do not keep the others in memory.

        Parameters
        ----------
        rows : `slice`
            Which rows.

        Returns
        -------
        piece : `Piece`
            These rows.
        """
        raw = {name: _copied(self._taken[name][rows]) for name in self._taken}
        return self.with_raw(raw, len(range(*rows.indices(self.n_rows))))

    def raw(self) -> Columns:
        """Return the columns as they were read, of these rows.

        Returns
        -------
        columns : `~collections.abc.Mapping`
            By the names in the table at hand.
        """
        return self._taken

    def with_raw(self, raw: Columns, n_rows: int) -> Piece:
        """Return other rows of the same table.

        Parameters
        ----------
        raw : `~collections.abc.Mapping`
            Their columns as they were read.
        n_rows : `int`
            How many they are.

        Returns
        -------
        piece : `Piece`
            These rows.
        """
        return Piece(raw, self._compute, n_rows)


def joined(pieces: Sequence[Piece]) -> Piece:
    """Put pieces of one table together.

    Parameters
    ----------
    pieces : `~collections.abc.Sequence` [`Piece`]
        At least one.

    Returns
    -------
    piece : `Piece`
        The rows of all.
    """
    raws = [piece.raw() for piece in pieces]
    raw = {name: _concatenated([part[name] for part in raws]) for name in raws[0]}
    return pieces[0].with_raw(raw, sum(piece.n_rows for piece in pieces))


def _copied(values: Any) -> Any:
    return Coded(values.codes.copy(), values.values) if isinstance(values, Coded) else values.copy()


def _concatenated(parts: Sequence[Any]) -> Any:
    if not isinstance(parts[0], Coded):
        return np.concatenate(parts)
    values = tuple(sorted({value for part in parts for value in part.values}))
    place = {value: number for number, value in enumerate(values)}
    recoded = [np.array([place[value] for value in part.values] or [0])[part.codes] for part in parts]
    return Coded(np.concatenate(recoded), values)


class _Taken(Mapping[Any, Any]):
    """Columns of which some rows are taken when they are asked for."""

    def __init__(self, raw: Columns, rows: np.ndarray):
        self._raw, self._rows = raw, rows
        self._done: dict[Any, Any] = {}

    def __getitem__(self, name: Any) -> Any:
        if name not in self._done:
            held = self._raw[name]
            # Half as fast again as an index.
            self._done[name] = held.take(self._rows) if isinstance(held, np.ndarray) else held[self._rows]
        return self._done[name]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)
