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

"""Tables of the same kind, one after the other, each with what it is of."""

from __future__ import annotations

__all__ = ["Part", "Stacked"]

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from .readable import Readable


class Part(NamedTuple):
    """One of several tables.

    Attributes
    ----------
    opened : `~collections.abc.Callable`
        Opens the table, as long as a context lasts.
    constants : `dict` [`str`, `int` or `str`]
        Columns of one value, where the table has none of that name.
    """

    opened: Callable[[], AbstractContextManager[Readable]]
    constants: Mapping[str, int | str]


class Stacked:
    """Tables one after the other, of which one is open at a time.

    Parameters
    ----------
    parts : `~collections.abc.Sequence` [`Part`]
        The tables, at least one. One without a row need not have columns.

    Raises
    ------
    InputError
        Raised if a table lacks a column that those before it have, or has
        it in another unit.
    """

    def __init__(self, parts: Sequence[Part]):
        self._parts: list[Part] = []
        self.name = f"a stack of {len(parts)} tables"
        self.n_rows = 0
        self.units: dict[str, str] = {}
        self.texts = frozenset[str]()
        for part in parts:
            with part.opened() as table:
                if table.n_rows:
                    self._take(part, table)

    def _take(self, part: Part, table: Readable) -> None:
        """Take a table in, the first one as what the others are like."""
        added = {name: value for name, value in part.constants.items() if name not in table.units}
        units = {**table.units, **dict.fromkeys(added, "")}
        if not self._parts:
            self.units = units
            self.texts = table.texts | {name for name, value in added.items() if isinstance(value, str)}
        if lost := [name for name in self.units if name not in units]:
            raise InputError(f"{table.name} has no column {', '.join(sorted(lost))}, as other tables have.")
        if other := [name for name, unit in self.units.items() if units[name] != unit]:
            told = ", ".join(f"{name} in {units[name]!r}, not {self.units[name]!r}" for name in other)
            raise InputError(f"{table.name} has {told} as other tables have.")
        self._parts.append(Part(part.opened, added))
        self.n_rows += table.n_rows

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
        for opened, constants in self._parts:
            # Something is read in any case: it tells how many rows there are.
            read = [name for name in names if name not in constants]
            with opened() as table:
                one = read or sorted(set(table.units) - set(constants))[:1]
                for piece in table.pieces(one):
                    rows = len(piece[one[0]])
                    yield {
                        name: piece[name] if name in piece else np.full(rows, constants[name])
                        for name in names
                    }
