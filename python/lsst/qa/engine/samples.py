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

"""The rows that each selection keeps of a table in pieces, and what they are
measured apart by.
"""

from __future__ import annotations

__all__ = ["Context", "Level", "Sample"]

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import BudgetError
from ..pieces import Coded, Columns, Piece


class Context(NamedTuple):
    """Rows that are measured together.

    Attributes
    ----------
    number : `int`
        Its number within its level.
    fields : `dict`
        What these rows share, a visit for instance.
    total : `int`
        How many rows there are, selected or not.
    """

    number: int
    fields: dict[str, Any]
    total: int


class Level:
    """Numbers rows by the values of some columns.

    Parameters
    ----------
    names : `~collections.abc.Sequence` [`str`]
        The columns; those that a table lacks are left out.
    time : `str`, optional
        Column of the time of the rows of a context, of which the first is
        kept; it may be absent, or NaN in some rows.
    """

    def __init__(self, names: Sequence[str], time: str = ""):
        self._names, self._time = tuple(names), time
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._totals: list[int] = []
        self._times: list[float] = []

    def number(self, piece: Piece) -> np.ndarray:
        """Give the rows of a piece their numbers.

        Parameters
        ----------
        piece : `Piece`
            The rows.

        Returns
        -------
        numbers : `numpy.ndarray` of `int`, (rows,)
            The number of each row's context.
        """
        names = [name for name in self._names if name in piece]
        codes: np.ndarray | int = 0
        values: list[Sequence[Any]] = []
        for name in names:
            distinct, inverse = _distinct(piece[name])
            codes = codes * len(distinct) + inverse
            values.append(distinct)
        if isinstance(codes, int):
            present, inverse, counts = np.array([codes]), 0, np.array([piece.n_rows])
        else:
            present, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
        places = np.empty(len(present), dtype=np.int64)
        for place, (code, count) in enumerate(zip(present.tolist(), counts.tolist())):
            key = []
            for name, distinct in zip(reversed(names), reversed(values)):
                code, at = divmod(code, len(distinct))
                key.append((name, distinct[at]))
            number = self._numbers.setdefault(tuple(reversed(key)), len(self._numbers))
            if number == len(self._totals):
                self._totals.append(0)
                self._times.append(math.nan)
            self._totals[number] += count
            places[place] = number
        numbers = np.broadcast_to(places[0], piece.n_rows) if isinstance(inverse, int) else places[inverse]
        if self._time in piece:
            times = np.array(self._times)
            np.fmin.at(times, numbers, piece[self._time])
            self._times = times.tolist()
        return numbers

    def contexts(self) -> list[Context]:
        """List the contexts seen, ordered by their values.

        Returns
        -------
        contexts : `list` [`Context`]
            At least one row each.
        """
        found = []
        for key, number in sorted(self._numbers.items()):
            fields = {name: value for name, value in key if value != ""}
            if math.isfinite(time := self._times[number]):
                fields[self._time] = time
            found.append(Context(number, fields, self._totals[number]))
        return found


def _distinct(values: Any) -> tuple[Sequence[Any], np.ndarray | int]:
    """Return the values of a column and the place of each row's among them."""
    if isinstance(values, Coded):
        first = values.codes[0]
        if first == values.codes[-1] and np.all(values.codes == first):  # as the band of a visit's table
            return [values.values[first]], 0
        return values.values, values.codes
    if values[0] == values[-1] and np.all(values == values[0]):
        return [values[0].item()], 0
    distinct, inverse = np.unique(values, return_inverse=True)
    return distinct.tolist(), inverse


class Sample:
    """The rows that one selection keeps.

    Parameters
    ----------
    mask : `~collections.abc.Callable` or `None`
        Takes a piece's columns, returns which rows to keep; `None` for all.
    names : `~collections.abc.Sequence` [`str`]
        Columns to keep.
    n_rows : `int`
        Number of rows of the table.
    memory : `int`, optional
        Bytes that they may take; without a bound if not given.
    """

    def __init__(
        self,
        mask: Callable[[Columns], np.ndarray] | None,
        names: Sequence[str],
        n_rows: int,
        memory: int | None = None,
    ):
        self._mask, self._names, self._n_rows, self._memory = mask, tuple(names), n_rows, memory
        self._bytes = self._filled = 0
        self._failure: Exception | None = None
        self._parts: dict[str, list[np.ndarray]] = {name: [] for name in self._names}
        self._numbers: list[list[np.ndarray]] = []
        self._whole: dict[str, np.ndarray] = {}
        self._sorted: list[tuple[np.ndarray | None, np.ndarray]] = []

    def add(self, piece: Piece, numbers: Sequence[np.ndarray]) -> None:
        """Keep what is selected of a piece.

        Parameters
        ----------
        piece : `Piece`
            The rows.
        numbers : `~collections.abc.Sequence` [`numpy.ndarray`]
            For each level, the context of each row.
        """
        if self._failure is not None:
            return
        if self._mask is None:
            self._fill(piece)
        else:
            try:
                kept = np.flatnonzero(self._mask(piece))
            except Exception as error:  # told in the rows of its metrics
                self._failure = error
                return
            piece, numbers = piece.take(kept), [_taken(number, kept) for number in numbers]
            for name in self._names:
                self._parts[name].append(piece[name])
                self._bytes += piece[name].nbytes
        self._numbers.append(list(numbers))
        if self._too_large():
            self._parts = {name: [] for name in self._names}

    def _fill(self, piece: Piece) -> None:
        """Copy all rows of a piece to their place; a view would hold on to
        what was read with them.
        """
        rows = slice(self._filled, self._filled + piece.n_rows)
        for name in self._names:
            if name not in self._whole:
                self._whole[name] = np.empty(self._n_rows, piece[name].dtype)
            self._whole[name][rows] = piece[name]
        self._filled = rows.stop

    def columns(self, level: int, number: int) -> dict[str, np.ndarray]:
        """Return the selected rows of a context.

        Parameters
        ----------
        level, number : `int`
            Which context of which level.

        Returns
        -------
        columns : `dict` [`str`, `numpy.ndarray`]
            Its rows, in the order they came.

        Raises
        ------
        BudgetError
            Raised if they took more memory than they may.
        Exception
            Raised if the selection failed.
        """
        if self._failure is not None:
            raise self._failure
        if self._too_large():
            raise BudgetError(
                f"the rows that it selects take more than {(self._memory or 0) / 2**20:.0f} MiB"
            )
        if self._numbers:
            if self._mask is not None:
                # One after the other, so that no two columns are there twice.
                self._whole = {name: np.concatenate(self._parts.pop(name)) for name in self._names}
            self._sorted = [_ordered(parts) for parts in zip(*self._numbers)]
            self._numbers = []
        order, _ = self._sorted[level]
        rows = self._bounds(level, number)
        chosen = rows if order is None else order[rows]
        return {name: values[chosen] for name, values in self._whole.items()}

    def rows(self, level: int, number: int) -> int:
        """Count the selected rows of a context.

        Parameters
        ----------
        level, number : `int`
            Which context of which level.

        Returns
        -------
        rows : `int`
            How many they are.
        """
        bounds = self._bounds(level, number)
        return int(bounds.stop - bounds.start)

    def _bounds(self, level: int, number: int) -> slice:
        numbers = self._sorted[level][1]
        if _uniform(numbers) and len(numbers):
            return slice(0, len(numbers) if numbers[0] == number else 0)
        # Keys of the numbers' own type, else all of these would be converted.
        low, high = np.searchsorted(numbers, np.array([number, number + 1], dtype=numbers.dtype))
        return slice(low, high)

    def _too_large(self) -> bool:
        return self._memory is not None and self._bytes > self._memory


def _uniform(number: np.ndarray) -> bool:
    """Tell whether it is one number for all rows, as of `Level.number`."""
    return number.strides == (0,)


def _taken(number: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return np.broadcast_to(number[0], len(rows)) if _uniform(number) and len(number) else number[rows]


def _ordered(parts: Sequence[np.ndarray]) -> tuple[np.ndarray | None, np.ndarray]:
    """Return the order that sorts context numbers, `None` if they are sorted,
    and them in that order.
    """
    held = [part for part in parts if len(part)]
    if held and all(_uniform(part) and part[0] == held[0][0] for part in held):
        return None, np.broadcast_to(held[0][0], sum(map(len, held)))
    numbers = np.concatenate([part.astype(np.int32) for part in parts])
    if np.all(numbers[1:] >= numbers[:-1]):
        return None, numbers
    order = np.argsort(numbers, kind="stable")
    return order, numbers[order]
