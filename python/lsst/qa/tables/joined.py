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
from collections.abc import Iterator, Sequence

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
    sources : `~collections.abc.Sequence` [`Readable`]
        Source tables of visits.
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
        sources: Sequence[Readable],
        log: logging.Logger | logging.LoggerAdapter,
    ):
        self.name = f"the join of {detections.name} and {len(sources)} source tables"
        self._sources, self._log = sources, log
        self._ids, self._stars = _stars_of(detections, stars)
        self.n_rows = len(self._ids) if sources else 0
        common = set.intersection(*(set(source.units) for source in sources)) if sources else set()
        self.units = {name: sources[0].units[name] for name in common} | {STAR: ""}
        self.texts = sources[0].texts if sources else frozenset()

    def pieces(self, names: Sequence[str]) -> Iterator[dict[str, np.ndarray]]:
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
            Raised if no detection has a source.
        """
        found = 0
        read = sorted({*names, "sourceId"} - {STAR})
        for source in self._sources:
            for piece in source.pieces(read):
                place = np.searchsorted(self._ids, piece["sourceId"])
                place[place == len(self._ids)] = 0
                here = self._ids[place] == piece["sourceId"]
                found += int(np.count_nonzero(here))
                joined = {name: piece[name][here] for name in read}
                yield {**joined, STAR: self._stars[place[here]]}
        if not found:
            raise InputError(
                f"None of {len(self._ids)} detections of stars is in the {len(self._sources)} source tables."
            )
        if found < len(self._ids):
            self._log.warning(
                "%d of %d detections of stars are in no source table.", len(self._ids) - found, len(self._ids)
            )


def _stars_of(detections: Readable, stars: Readable) -> tuple[np.ndarray, np.ndarray]:
    """Return the detections' ids, sorted, and the id of each one's star."""
    for table, names in ((detections, ("sourceId", "obj_index")), (stars, (STAR,))):
        if lost := [name for name in names if name not in table.units]:
            raise InputError(
                f"{table.name} has no column {', '.join(lost)}, only {', '.join(sorted(table.units))}."
            )
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


def _integers(table: Readable, *names: str) -> list[np.ndarray]:
    parts = list(table.pieces(names))
    columns = [
        np.concatenate([part[name] for part in parts]) if parts else np.zeros(0, np.int64) for name in names
    ]
    for name, column in zip(names, columns):
        if column.dtype.kind not in "iu":
            raise InputError(
                f"Column {name!r} of {table.name} holds {column.dtype}; ids must be integers without nulls."
            )
    return [column.astype(np.int64, copy=False) for column in columns]
