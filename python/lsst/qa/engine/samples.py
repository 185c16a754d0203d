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

"""The rows that a selection keeps of a table in pieces: in memory, or where
that is not enough in files.
"""

from __future__ import annotations

__all__ = ["Sample"]

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ..pieces import Columns, Piece
from .stored import Files, Stored


class Sample:
    """The rows that one selection keeps.

    Parameters
    ----------
    mask : `~collections.abc.Callable` or `None`
        Takes a piece's columns, returns which rows to keep; `None` for all.
    names : `~collections.abc.Sequence` [`str`]
        Columns to keep.

    Attributes
    ----------
    held : `int`
        How many rows are in memory.
    """

    def __init__(self, mask: Callable[[Columns], np.ndarray] | None, names: Sequence[str]):
        self._mask, self._names = mask, tuple(names)
        self.held = 0
        self._failure: Exception | None = None
        self._parts: dict[str, list[np.ndarray]] = {name: [] for name in self._names}
        self._numbers: list[list[np.ndarray]] = []
        self._whole: dict[str, np.ndarray] = {}
        self._edges: np.ndarray = np.zeros(1, dtype=np.int64)
        self._level = 0
        self._files: Files | None = None

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
        if self._mask is not None:
            try:
                kept = np.flatnonzero(self._mask(piece))
            except Exception as error:  # told in the rows of its metrics
                self._failure = error
                return
            piece, numbers = piece.take(kept), [_taken(number, kept) for number in numbers]
        self.held += piece.n_rows
        for name in self._names:
            # A view would hold on to what was read with it.
            self._parts[name].append(np.array(piece[name]) if self._mask is None else piece[name])
        self._numbers.append(list(numbers))

    def store(self, folder: Path) -> None:
        """Put the rows that are in memory into files.

        Parameters
        ----------
        folder : `~pathlib.Path`
            Where to; of this sample alone, and the same each time.
        """
        self._files = self._files or Files(folder)
        if self._numbers:
            numbers = [_joined(parts) for parts in zip(*self._numbers)]
            self._files.put(self._parts, [number[:1] if _uniform(number) else number for number in numbers])
        self._numbers, self.held = [], 0

    def arrange(self, level: int, contexts: int) -> None:
        """Put the rows of a context beside each other, in the order they came.

        Parameters
        ----------
        level : `int`
            Which level's contexts; from coarse to fine, each level once.
        contexts : `int`
            How many the level has.
        """
        self._level = level
        if self._failure is not None or self._files is not None:
            return
        # One after the other, so that no two columns are there twice.
        for name in list(self._parts):
            parts = self._parts.pop(name)
            self._whole[name] = np.concatenate(parts) if len(parts) > 1 else parts[0]
        if not level:
            self._numbers = [[_joined(parts)] for parts in zip(*self._numbers)]
        (numbers,) = self._numbers[level]
        if _uniform(numbers):
            ends = np.zeros(contexts, dtype=np.int64)
            ends[numbers[:1]] = self.held
            self._edges = np.concatenate(([0], np.cumsum(ends)))
            return
        if np.any(numbers[1:] < numbers[:-1]):
            # A radix sort, for so short an integer.
            order = np.argsort(numbers.astype(np.min_scalar_type(contexts)), kind="stable")
            for name, values in self._whole.items():
                self._whole[name] = values[order]
            for later in self._numbers[level:]:
                later[0] = later[0] if _uniform(later[0]) else later[0][order]
            (numbers,) = self._numbers[level]
        # Keys of the numbers' own type, else all of these would be converted.
        self._edges = np.searchsorted(numbers, np.arange(contexts + 1, dtype=numbers.dtype))

    def columns(self, number: int, names: Sequence[str], in_files: bool) -> dict[str, np.ndarray | Stored]:
        """Return the selected rows of a context of the level last arranged.

        Parameters
        ----------
        number : `int`
            Which context.
        names : `~collections.abc.Sequence` [`str`]
            Which columns.
        in_files : `bool`
            Whether to leave in files what is there.

        Returns
        -------
        columns : `dict` [`str`, `numpy.ndarray` or `Stored`]
            Its rows, in the order they came.

        Raises
        ------
        Exception
            Raised if the selection failed.
        """
        if self._failure is not None:
            raise self._failure
        if self._files is not None:
            stored = {name: self._files.column(name, self._level, number) for name in names}
            return {name: column if in_files else column.copy() for name, column in stored.items()}
        rows = slice(self._edges[number], self._edges[number + 1])
        return {name: self._whole[name][rows] for name in names}

    def rows(self, number: int) -> int:
        """Count the selected rows of a context of the level last arranged.

        Parameters
        ----------
        number : `int`
            Which context.

        Returns
        -------
        rows : `int`
            How many they are.
        """
        if self._files is not None:
            return self._files.rows[self._level, number]
        return int(self._edges[number + 1] - self._edges[number])


def _uniform(number: np.ndarray) -> bool:
    """Tell whether it is one number for all rows, as of `Level.number`."""
    return number.strides == (0,)


def _taken(number: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return np.broadcast_to(number[0], len(rows)) if _uniform(number) and len(number) else number[rows]


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Put the context numbers of pieces together."""
    held = [part for part in parts if len(part)]
    if held and all(_uniform(part) and part[0] == held[0][0] for part in held):
        return np.broadcast_to(held[0][0], sum(map(len, held)))
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32)
