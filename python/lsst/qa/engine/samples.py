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

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

Columns = Mapping[str, np.ndarray]


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
    """

    def __init__(self, names: Sequence[str]):
        self._names = tuple(names)
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._totals: list[int] = []

    def number(self, piece: Columns, rows: int) -> np.ndarray:
        """Give the rows of a piece their numbers.

        Parameters
        ----------
        piece : `~collections.abc.Mapping` [`str`, `numpy.ndarray`]
            Its columns.
        rows : `int`
            How many rows it has.

        Returns
        -------
        numbers : `numpy.ndarray` of `int`, (rows,)
            The number of each row's context.
        """
        names = [name for name in self._names if name in piece]
        code = np.zeros(rows, dtype=np.int64)
        values: list[np.ndarray] = []
        for name in names:
            value, inverse = np.unique(piece[name], return_inverse=True)
            code = code * len(value) + inverse
            values.append(piece[name])
        distinct, first, inverse, counts = np.unique(
            code, return_index=True, return_inverse=True, return_counts=True
        )
        places = np.empty(len(distinct), dtype=np.int64)
        for place, (row, count) in enumerate(zip(first.tolist(), counts.tolist())):
            key = tuple((name, value[row].item()) for name, value in zip(names, values))
            number = self._numbers.setdefault(key, len(self._numbers))
            if number == len(self._totals):
                self._totals.append(0)
            self._totals[number] += count
            places[place] = number
        return places[inverse]

    def contexts(self) -> list[Context]:
        """List the contexts seen, ordered by their values.

        Returns
        -------
        contexts : `list` [`Context`]
            At least one row each.
        """
        return [
            Context(number, {name: value for name, value in key if value != ""}, self._totals[number])
            for key, number in sorted(self._numbers.items())
        ]


class Sample:
    """The rows that one selection keeps.

    Parameters
    ----------
    mask : `~collections.abc.Callable` or `None`
        Takes a piece's columns, returns which rows to keep; `None` for all.
    names : `~collections.abc.Sequence` [`str`]
        Columns to keep.
    """

    def __init__(self, mask: Callable[[Columns], np.ndarray] | None, names: Sequence[str]):
        self._mask, self._names = mask, tuple(names)
        self._parts: dict[str, list[np.ndarray]] = {name: [] for name in self._names}
        self._numbers: list[list[np.ndarray]] = []
        self._whole: dict[str, np.ndarray] | None = None
        self._sorted: list[tuple[np.ndarray | None, np.ndarray]] = []

    def add(self, piece: Columns, numbers: Sequence[np.ndarray]) -> None:
        """Keep what is selected of a piece.

        Parameters
        ----------
        piece : `~collections.abc.Mapping` [`str`, `numpy.ndarray`]
            Its columns.
        numbers : `~collections.abc.Sequence` [`numpy.ndarray`]
            For each level, the context of each row.
        """
        kept = slice(None) if self._mask is None else self._mask(piece)
        for name in self._names:
            self._parts[name].append(piece[name][kept])
        self._numbers.append([number[kept] for number in numbers])

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
        """
        if self._whole is None:
            self._whole = {name: np.concatenate(parts) for name, parts in self._parts.items()}
            self._sorted = [_ordered(np.concatenate(parts)) for parts in zip(*self._numbers)]
            self._parts, self._numbers = {}, []
        order, ordered = self._sorted[level]
        low, high = np.searchsorted(ordered, [number, number + 1])
        rows = slice(low, high) if order is None else order[low:high]
        return {name: values[rows] for name, values in self._whole.items()}


def _ordered(numbers: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """Return the order that sorts context numbers, `None` if they are sorted,
    and them in that order.
    """
    if np.all(numbers[1:] >= numbers[:-1]):
        return None, numbers
    order = np.argsort(numbers, kind="stable")
    return order, numbers[order]
