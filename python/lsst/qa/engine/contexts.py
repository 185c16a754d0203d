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

"""What rows are measured apart by: contexts, as a visit or one of its
detectors.
"""

from __future__ import annotations

__all__ = ["Context", "Level", "runs"]

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..pieces import Coded, Piece

_SPAN = 1 << 16
"""Integers that differ by less are looked up in a table of their values."""


class Context(NamedTuple):
    """Rows that are measured together.

    Attributes
    ----------
    number : `int`
        Its number within its level.
    key : `tuple` [`tuple` [`str`, `typing.Any`], ...]
        What these rows share, a visit for instance, by column.
    fields : `dict`
        The same as fields of a row of results, and the time.
    total : `int`
        How many rows there are, selected or not.
    """

    number: int
    key: tuple[tuple[str, Any], ...]
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
            codes = codes * len(distinct) + inverse if values else inverse
            values.append(distinct)
        if isinstance(codes, int):
            present, inverse, counts = np.array([codes]), 0, np.array([piece.n_rows])
        else:
            present, inverse, counts = _counted(codes, math.prod(map(len, values)))
        places = np.empty(len(present), dtype=np.int32)
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
            found.append(Context(number, key, fields, self._totals[number]))
        return found


def runs(piece: Piece, names: Sequence[str]) -> Iterator[tuple[tuple[Any, ...], slice]]:
    """Cut a piece where the values of some columns change.

    Parameters
    ----------
    piece : `Piece`
        The rows.
    names : `~collections.abc.Sequence` [`str`]
        The columns; those that the table lacks are left out.

    Yields
    ------
    key : `tuple`
        The values.
    rows : `slice`
        Rows beside each other that share them.
    """
    columns = [piece[name] for name in names if name in piece]
    plain = [column.codes if isinstance(column, Coded) else column for column in columns]
    edges = {0, piece.n_rows}
    for values in plain:
        if piece.n_rows and not _constant(values):
            edges.update((np.flatnonzero(values[1:] != values[:-1]) + 1).tolist())
    ordered = sorted(edges)
    for low, high in zip(ordered[:-1], ordered[1:]):
        key = tuple(
            column.values[column.codes[low]] if isinstance(column, Coded) else column[low].item()
            for column in columns
        )
        yield key, slice(low, high)


def _distinct(values: Any) -> tuple[Sequence[Any], np.ndarray | int]:
    """Return the values of a column and the place of each row's among them."""
    if isinstance(values, Coded):
        if _constant(values.codes):  # as the band of a visit's table
            return [values.values[values.codes[0]]], 0
        return values.values, values.codes
    if _constant(values):
        return [values[0].item()], 0
    if values.dtype.kind == "i" and int(values.max()) - (low := int(values.min())) < _SPAN:
        present, inverse, _ = _counted(values - low, int(values.max()) - low + 1)
        return (present + low).tolist(), inverse
    distinct, inverse = np.unique(values, return_inverse=True)
    return distinct.tolist(), inverse


def _constant(values: np.ndarray) -> bool:
    return bool(values[0] == values[-1] and np.all(values == values[0]))


def _counted(codes: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which codes there are, the place of each row's among them and how
    many rows have each; codes are below a size.
    """
    if size > _SPAN:
        return np.unique(codes, return_inverse=True, return_counts=True)
    counts = np.bincount(codes, minlength=size)
    present = np.flatnonzero(counts)
    places = np.zeros(size, dtype=np.int32)
    places[present] = np.arange(len(present))
    return present, places[codes], counts[present]
