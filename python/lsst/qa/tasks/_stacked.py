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

"""What tasks of several inputs of one kind share: one table of them all."""

from __future__ import annotations

__all__ = ["StackedMetricsTask", "TalliedMetricsTask", "place_of"]

import contextlib
import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

from lsst.pipe.base import NoWorkFound

from ..tables.images import Tally, tally_table
from ..tables.readable import Readable
from ..tables.stacked import Part, Stacked
from ._base import MetricsTask, local_file, opened

_PLACE = ("patch", "band", "detector")


def place_of(handle: Any) -> dict[str, int | str]:
    """Say what a dataset is of, within its quantum.

    Parameters
    ----------
    handle : `lsst.daf.butler.DeferredDatasetHandle` or \
            `lsst.pipe.base.InMemoryDatasetHandle`
        The dataset.

    Returns
    -------
    place : `dict` [`str`, `int` or `str`]
        Patch, band and detector, those of them that its data ID has.
    """
    return {name: handle.dataId[name] for name in _PLACE if name in handle.dataId.dimensions.required}


def _sorted(handles: Iterable[Any]) -> list[Any]:
    return sorted(handles, key=lambda handle: handle.ref)


class StackedMetricsTask(MetricsTask):
    """Measure several tables of the same kind as one."""

    def open(self, butlerQC: Any, inputRefs: Any, stack: contextlib.ExitStack) -> Readable:
        """Open the tables, one after the other.

        Parameters
        ----------
        butlerQC : `lsst.pipe.base.QuantumContext`
            The quantum's butler.
        inputRefs : `lsst.pipe.base.InputQuantizedConnection`
            The inputs.
        stack : `contextlib.ExitStack`
            Closes what is opened.

        Returns
        -------
        source : `Readable`
            The rows of all of them.
        """
        handles = _sorted(butlerQC.get(inputRefs.tables))
        return Stacked([Part(functools.partial(opened, handle), place_of(handle)) for handle in handles])


class TalliedMetricsTask(MetricsTask):
    """Measure what is counted in images, which are read in pieces."""

    tally: ClassVar[Callable[[Path | str], Tally]]
    """Counts the pixels of a file."""

    def open(self, butlerQC: Any, inputRefs: Any, stack: contextlib.ExitStack) -> Readable:
        """Count the pixels of images.

        Parameters
        ----------
        butlerQC : `lsst.pipe.base.QuantumContext`
            The quantum's butler.
        inputRefs : `lsst.pipe.base.InputQuantizedConnection`
            The inputs.
        stack : `contextlib.ExitStack`
            Closes what is opened.

        Returns
        -------
        source : `Readable`
            A row for each image.
        """
        return self.tallied(butlerQC.get(inputRefs.images))

    def tallied(self, handles: Iterable[Any]) -> Readable:
        """Count the pixels of images.

        Parameters
        ----------
        handles : `~collections.abc.Iterable` \
                [`lsst.daf.butler.DeferredDatasetHandle`]
            The images.

        Returns
        -------
        table : `Readable`
            A row for each image.

        Raises
        ------
        lsst.pipe.base.NoWorkFound
            Raised if an image is in no file, as of a Butler in memory.
        """
        found = []
        for handle in _sorted(handles):
            with local_file(handle) as path:
                if path is None:
                    raise NoWorkFound(f"{handle.ref} is in no file that could be read in pieces.")
                found.append((place_of(handle), type(self).tally(path)))
        return tally_table(found, f"what was counted in {len(found)} images")
