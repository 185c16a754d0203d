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

"""Detections of isolated stars, joined with the visits' source tables by an
integer id.
"""

from __future__ import annotations

__all__ = ["JoinedStars"]

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from ..errors import InputError
from .readable import Readable

STAR = "isolated_star_id"


class JoinedStars:
    """The sources that belong to isolated stars.

    Parameters
    ----------
    detections : `Readable`
        ``sourceId`` of the stars' detections, and ``obj_index``, the row of
        each one's star in ``stars``.
    stars : `Readable`
        The stars, with ``isolated_star_id``.
    sources : `~collections.abc.Sequence` [`~collections.abc.Callable`]
        For each visit, what opens its source table. One is open at a time: a
        tract has more visits than a process may have files.
    log : `logging.Logger`
        Told how many detections have no source.

    Raises
    ------
    InputError
        Raised if the tables do not fit together.
    """

    def __init__(
        self,
        detections: Readable,
        stars: Readable,
        sources: Sequence[Callable[[], AbstractContextManager[Readable]]],
        log: logging.Logger | logging.LoggerAdapter,
    ):
        self.name = f"the join of {detections.name} and {len(sources)} source tables"
        self._sources, self._log = sources, log
        self._ids, self._stars = _stars_of(detections, stars)
        self._first, self.n_rows, self._told = "", 0, False
        self.units, self.texts = {STAR: ""}, frozenset[str]()
        for opened in sources:
            with opened() as source:
                # One without rows says nothing of the others.
                if source.n_rows:
                    _need(source, "sourceId")
                    self._first, self.n_rows = source.name, len(self._ids)
                    self.units, self.texts = {**source.units, STAR: ""}, source.texts
                    break

    def pieces(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Read the stars' sources, a part of a visit at a time.

        Parameters
        ----------
        names : `~collections.abc.Sequence` [`str`]
            Columns to read.

        Yields
        ------
        piece : `dict` [`str`, `numpy.ndarray`]
            The columns of the next rows.

        Raises
        ------
        InputError
            Raised if no detection has a source, or one has several, or the
            source tables differ.
        """
        read = sorted({*names, "sourceId"} - {STAR})
        seen, found = np.zeros(len(self._ids), dtype=bool), 0
        for opened in self._sources:
            with opened() as source:
                if not source.n_rows:
                    continue
                self._check(source, read)
                for piece in source.pieces(read):
                    ids = _integer("sourceId", piece["sourceId"], source.name)
                    place = np.searchsorted(self._ids, ids)
                    place[place == len(self._ids)] = 0
                    here = self._ids[place] == ids
                    place = place[here]
                    seen[place], found = True, found + len(place)
                    yield {**{name: piece[name][here] for name in read}, STAR: self._stars[place]}
        self._account(int(np.count_nonzero(seen)), found)

    def _check(self, source: Readable, names: Sequence[str]) -> None:
        """Refuse a source table that is not like the first one."""
        _need(source, *names)
        if other := [name for name in names if source.units[name] != self.units[name]]:
            told = (f"{name} in {source.units[name]!r}, not {self.units[name]!r}" for name in other)
            raise InputError(f"{source.name} has {', '.join(told)} as {self._first} has.")

    def _account(self, distinct: int, found: int) -> None:
        """Say how many detections have no source, and refuse sources that come
        twice.
        """
        known = len(self._ids)
        if not found:
            raise InputError(
                f"None of {known} detections of stars is in the {len(self._sources)} source tables."
            )
        if found > distinct:
            raise InputError(
                f"{found - distinct} of {found} sources of stars have a sourceId that came before; a source"
                " belongs to one source table, once."
            )
        if distinct < known and not self._told:
            self._log.warning("%d of %d detections of stars are in no source table.", known - distinct, known)
        self._told = True


def _stars_of(detections: Readable, stars: Readable) -> tuple[np.ndarray, np.ndarray]:
    """Return the detections' ids, sorted, and the id of each one's star."""
    _need(detections, "sourceId", "obj_index")
    _need(stars, STAR)
    ids, places = _integers(detections, "sourceId", "obj_index")
    (star,) = _integers(stars, STAR)
    if len(places) and not 0 <= places.min() <= places.max() < len(star):
        raise InputError(
            f"obj_index runs from {places.min()} to {places.max()}, but there are {len(star)} stars."
        )
    order = np.argsort(ids, kind="stable")
    ids, places = ids[order], places[order]
    if np.any(ids[1:] == ids[:-1]):
        raise InputError(f"{detections.name} has a sourceId twice: {ids[1:][ids[1:] == ids[:-1]][0]}.")
    return ids, star[places]


def _need(table: Readable, *names: str) -> None:
    if lost := [name for name in names if name not in table.units]:
        raise InputError(
            f"{table.name} has no column {', '.join(lost)}, only {', '.join(sorted(table.units))}."
        )


def _integers(table: Readable, *names: str) -> list[np.ndarray]:
    parts = list(table.pieces(names))
    columns = [
        np.concatenate([part[name] for part in parts]) if parts else np.zeros(0, np.int64) for name in names
    ]
    return [_integer(name, column, table.name) for name, column in zip(names, columns)]


def _integer(name: str, column: np.ndarray, table: str) -> np.ndarray:
    """Refuse ids that are no integers, or that are no signed ones: beside
    those they would be compared as floats.
    """
    if column.size and column.dtype.kind not in "iu":
        raise InputError(
            f"Column {name!r} of {table} holds {column.dtype}; ids must be integers without nulls."
        )
    if column.dtype.kind == "u" and column.size and column.max() > np.iinfo(np.int64).max:
        raise InputError(f"Column {name!r} of {table} holds ids beyond 2^63 - 1, which int64 cannot hold.")
    return column.astype(np.int64, copy=False)
