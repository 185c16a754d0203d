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

"""Tables of pairs that do not say which are each other's nearest."""

from __future__ import annotations

__all__ = ["with_nearest"]

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..columns import Table
from ..resolution import Plan, resolve
from ..stats.matching import mutual_nearest
from ..stats.pairs import separation
from .readable import Readable

NEAREST = "nearest"


def with_nearest(source: Readable, kind: Table) -> Readable:
    """Add to a table of pairs the flag of those that are nearest.

    Parameters
    ----------
    source : `Readable`
        The table.
    kind : `Table`
        Its kind.

    Returns
    -------
    table : `Readable`
        The same, if it has the flag, is of no pairs, or lacks what tells.
    """
    if NEAREST not in kind.columns or NEAREST in source.units:
        return source
    detection = "sourceId" if "sourceId" in kind.columns else "objectId"
    names = (detection, "ref_id", "ra", "dec", "ref_ra", "ref_dec")
    plans = [resolve(kind, source.units, name) for name in names]
    return _Flagged(source, [plan for plan in plans if plan]) if all(plans) else source


class _Flagged:
    """A table of pairs, with the flag; told when it is first asked for."""

    def __init__(self, source: Readable, plans: Sequence[Plan]):
        self.name, self.n_rows, self.texts = source.name, source.n_rows, source.texts
        self.units = {**source.units, NEAREST: ""}
        self._source, self._plans = source, plans
        self._flag: np.ndarray | None = None

    def pieces(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        if NEAREST not in names:
            yield from self._source.pieces(names)
            return
        if self._flag is None:
            self._flag = self._told()
        # Any other column tells how many rows a piece has.
        others = [name for name in names if name != NEAREST] or [self._leaves()[0]]
        done = 0
        for piece in self._source.pieces(others):
            rows = len(piece[others[0]])
            yield {**piece, NEAREST: self._flag[done : done + rows]}
            done += rows

    def _leaves(self) -> list[str]:
        return sorted({leaf.physical for plan in self._plans for leaf in plan.reads})

    def _told(self) -> np.ndarray:
        parts = []
        for piece in self._source.pieces(self._leaves()):
            raw = {leaf: leaf.cast(piece[leaf.physical]) for plan in self._plans for leaf in plan.reads}
            detection, ref_id, *place = (plan.compute(raw) for plan in self._plans)
            parts.append((detection, ref_id, separation(*place)))
        if not parts:
            return np.zeros(0, dtype=bool)
        return mutual_nearest(*(np.concatenate(part) for part in zip(*parts)))
