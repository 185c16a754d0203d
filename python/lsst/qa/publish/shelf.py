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

"""What there is to publish, dataset by dataset."""

from __future__ import annotations

__all__ = ["Found", "Shelf", "SourceShelf", "found_of", "open_shelf"]

import datetime
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa

from ..readers.definitions import Definition
from ..store.batches import Batch, Origin, Provenance, in_order
from ..store.gathered import gathered_batches, windows
from ..store.opening import open_source
from ..store.source import Single, Source
from .entries import Planned


class Found(NamedTuple):
    """A dataset that was read.

    Attributes
    ----------
    origin : `lsst.qa.store.batches.Origin`
        Which it is.
    rows : `pyarrow.Table` or `str`
        Its rows with `lsst.qa.results.SCHEMA`, in the database's order; or
        why it cannot be read.
    """

    origin: Origin
    rows: pa.Table | str


class Shelf(ABC):
    """Datasets that can be published."""

    planned: Sequence[Planned]
    """All of them, sorted by identifier."""

    root: str = ""
    """Where they are; "" if that is not known."""

    collection: str = ""
    """What was named of it."""

    definitions: Mapping[str, Definition] = {}
    """Definitions of metrics that lie beside the datasets, by name."""

    unreadable: Sequence[str] = ()
    """Tables that gathered datasets and cannot be read, and why."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def close(self) -> None:  # noqa: B027 (not all have something to close)
        """Let go of connections."""

    @abstractmethod
    def read(self, datasets: Sequence[str]) -> Iterator[Found]:
        """Read datasets.

        Parameters
        ----------
        datasets : `~collections.abc.Sequence` [`str`]
            UUIDs of some of those planned.

        Yields
        ------
        found : `Found`
            One per dataset, in any order.
        """

    def sequence(self, instrument: str | None, visit: int) -> int | None:
        """Tell the number of a visit in its day.

        Parameters
        ----------
        instrument : `str` or `None`
            Its instrument.
        visit : `int`
            The visit, of a dataset that was read.

        Returns
        -------
        number : `int` or `None`
            `None` if that is not known.
        """
        return None


class SourceShelf(Shelf):
    """Measurements in collections of a repository, or in files.

    Of a dataset that is there by itself and in a table that gathered it, the
    first is read.

    Parameters
    ----------
    source : `lsst.qa.store.source.Source`
        Where they come from; is closed with the shelf.
    """

    def __init__(self, source: Source):
        self._source = source
        self.root, self.collection, self.definitions = source.root, source.collection, source.definitions
        self.unreadable = source.unreadable
        self._singles = {single.uuid: single for single in source.singles}
        planned = [Planned(*single) for single in source.singles]
        known = set(self._singles)
        self._windows: list[tuple[int, list[str]]] = []
        for number, (_, contents) in enumerate(source.gathered):
            new = set(contents.uuids) - known
            known |= new
            every = map(Planned, contents.uuids, contents.runs, contents.types)
            planned += [one for one in every if one.dataset in new]
            self._windows += [(number, part) for part in windows(contents, new)]
        self.planned = sorted(planned)
        self._places = {uuid: place for place, (_, part) in enumerate(self._windows) for uuid in part}
        self._open: tuple[int, dict[str, Found]] = (-1, {})

    def close(self) -> None:
        self._source.close()

    def read(self, datasets: Sequence[str]) -> Iterator[Found]:
        singles = [self._singles[name] for name in datasets if name in self._singles]
        yield from self._read(singles)
        for name in datasets:
            if name not in self._singles:
                yield self._window(self._places[name])[name]

    def sequence(self, instrument: str | None, visit: int) -> int | None:
        return self._source.sequence(instrument, visit)

    def _read(self, singles: Sequence[Single]) -> Iterator[Found]:
        missing = {single.uuid: single for single in singles}
        self._source.learn(singles)
        for origin, rows in self._source.read(singles):
            del missing[origin.uuid]
            yield found_of(origin, rows)
        for single in missing.values():
            gone = Origin(single.uuid, single.run, single.dataset_type, None, Provenance())
            yield Found(gone, "its file is not stored any more")

    def _window(self, place: int) -> dict[str, Found]:
        """Read a part of a gathered table, and keep it until another is
        wanted.
        """
        if self._open[0] != place:
            self._open = (-1, {})  # one at a time is in memory
            number, part = self._windows[place]
            file, contents = self._source.gathered[number]
            batches = gathered_batches(file, contents, set(part), self._source.provenance_of)
            self._open = (place, {one.origin.uuid: one for batch in batches for one in _single(batch)})
        return self._open[1]


def open_shelf(
    repo: str, collections: Sequence[str], where: str = "", made: datetime.datetime | None = None
) -> Shelf:
    """Find what there is to publish.

    Parameters
    ----------
    repo, collections, where, made
        As for `lsst.qa.store.opening.open_source`.

    Returns
    -------
    shelf : `Shelf`
        What was found.

    Raises
    ------
    QaError
        Raised as by that function.
    """
    return SourceShelf(open_source(repo, collections, where, made))


def found_of(origin: Origin, rows: pa.Table | str) -> Found:
    """Lay a dataset out for publishing.

    Parameters
    ----------
    origin : `lsst.qa.store.batches.Origin`
        Which it is.
    rows : `pyarrow.Table` or `str`
        Its rows, or why it cannot be read.

    Returns
    -------
    found : `Found`
        The rows in the order of the database.
    """
    if isinstance(rows, str):
        return Found(origin, rows)
    return Found(origin, in_order(rows, np.zeros(len(rows), dtype=np.int64)))


def _single(batch: Batch) -> Iterator[Found]:
    """Take the datasets of a batch apart."""
    start = 0
    for origin, count in zip(batch.origins, batch.counts.tolist()):
        yield Found(origin, batch.rows.slice(start, count))
        start += count
