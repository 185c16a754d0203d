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

"""Where measurements come from: what repositories and files have in common."""

from __future__ import annotations

__all__ = ["Single", "Source"]

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Self

import pyarrow as pa
import pyarrow.parquet as pq

from ..readers.definitions import Definition
from .batches import Origin, Provenance
from .gathered import Contents
from .regions import Places, Region


class Single(NamedTuple):
    """A dataset that has a file of its own.

    Attributes
    ----------
    uuid, run, dataset_type : `str`
        Which it is.
    """

    uuid: str
    run: str
    dataset_type: str


class Source(ABC):
    """Datasets of measurements that can be read."""

    root: str
    """Where they are."""

    collection: str
    """What was named of it."""

    singles: Sequence[Single] = ()
    """Datasets that have files of their own, sorted by identifier."""

    gathered: Sequence[tuple[pq.ParquetFile, Contents]] = ()
    """Tables that gathered datasets."""

    unreadable: Sequence[str] = ()
    """Tables that cannot be read, and why."""

    definitions: Mapping[str, Definition]
    """Definitions of metrics that lie beside the datasets, by name."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def close(self) -> None:  # noqa: B027 (files need none)
        """Let go of connections."""

    @abstractmethod
    def read(self, singles: Sequence[Single]) -> Iterator[tuple[Origin, pa.Table | str]]:
        """Read datasets.

        Parameters
        ----------
        singles : `~collections.abc.Sequence` [`Single`]
            Some of those that the source has.

        Yields
        ------
        origin : `Origin`
            Where it comes from.
        rows : `pyarrow.Table` or `str`
            Its rows with `lsst.qa.results.SCHEMA`, or why it cannot be read.
            A dataset whose file is not stored any more is left out.
        """

    def provenance_of(self, run: str, dataset_type: str) -> Provenance:
        """Tell what is known of all datasets of a type in a run.

        Parameters
        ----------
        run, dataset_type : `str`
            The run and the type.

        Returns
        -------
        provenance : `Provenance`
            Empty if nothing is known.
        """
        return Provenance()

    def regions(self, places: Places, cameras: Iterable[str]) -> Iterator[Region]:
        """Tell where data IDs are.

        Parameters
        ----------
        places : `Places`
            Visits and tracts.
        cameras : `~collections.abc.Iterable` [`str`]
            Instruments whose detectors are wanted.

        Yields
        ------
        region : `Region`
            What is known; nothing of files.
        """
        yield from ()

    def datasets_of(self, run: str) -> set[str]:
        """List all datasets of a run, wanted or not.

        Parameters
        ----------
        run : `str`
            The run.

        Returns
        -------
        uuids : `set` [`str`]
            Their identifiers.
        """
        return {single.uuid for single in self.singles if single.run == run}

    def learn(self, singles: Sequence[Single]) -> None:  # noqa: B027 (files tell all)
        """Ask what `sequence` is to tell of datasets.

        Parameters
        ----------
        singles : `~collections.abc.Sequence` [`Single`]
            Some of those that the source has.
        """

    def sequence(self, instrument: str | None, visit: int) -> int | None:
        """Tell the number of a visit in its day.

        Parameters
        ----------
        instrument : `str` or `None`
            Its instrument.
        visit : `int`
            The visit, of a dataset that `learn` was told.

        Returns
        -------
        number : `int` or `None`
            `None` if that is not known.
        """
        return None
