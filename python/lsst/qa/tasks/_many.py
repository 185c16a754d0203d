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

"""Reading many small tables of a repository at once."""

from __future__ import annotations

__all__ = ["input_tables", "read_tables"]

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from lsst.daf.butler import DatasetRef, LimitedButler
    from lsst.resources import ResourcePath

_TOGETHER = 1000
_A_THREAD = 25
"""Tables that a thread reads at a time: to hand it work takes as long as half
of one.
"""


def input_tables(
    butlerQC: Any, deferred: Iterable[Sequence[Any]]
) -> tuple[list[DatasetRef], Iterator[pa.Table]]:
    """Read inputs of a quantum that are many small tables.

    Parameters
    ----------
    butlerQC : `lsst.pipe.base.QuantumContext`
        The quantum's butler.
    deferred : `~collections.abc.Iterable` [`~collections.abc.Sequence`]
        Inputs, connection by connection.

    Returns
    -------
    refs : `list` [`lsst.daf.butler.DatasetRef`]
        The datasets, in the order of the connections, sorted within each.
    tables : `~collections.abc.Iterator` [`pyarrow.Table`]
        What they hold, read as they are asked for.
    """
    found = [one for connection in deferred for one in sorted(connection, key=lambda one: one.datasetRef)]
    refs = [one.datasetRef for one in found]
    if not refs:
        return [], iter(())
    # A handle for each would cost as much as the reading.
    butler = butlerQC.get(found[0]).butler
    for ref in refs:
        butlerQC.dataset_provenance.add_input(ref)
    return refs, read_tables(butler, refs)


def read_tables(butler: LimitedButler, refs: Sequence[DatasetRef]) -> Iterator[pa.Table]:
    """Read datasets from their files, which costs a tenth of getting each.

    Parameters
    ----------
    butler : `lsst.daf.butler.LimitedButler`
        Where they are.
    refs : `~collections.abc.Sequence` [`lsst.daf.butler.DatasetRef`]
        Small tables.

    Yields
    ------
    table : `pyarrow.Table`
        Whole, in the order of the datasets.
    """
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as threads:
        for start in range(0, len(refs), _TOGETHER):
            part = refs[start : start + _TOGETHER]
            places = butler.get_many_uris(part)

            def read(at: int) -> list[pa.Table]:
                some = part[at : at + _A_THREAD]  # noqa: B023 (used up in this turn)
                uris = [(ref, places[ref].primaryURI) for ref in some]  # noqa: B023
                # What is in memory, or in an archive, only the butler reads.
                return [butler.get(ref) if _fileless(uri) else _read(uri) for ref, uri in uris]

            for tables in threads.map(read, range(0, len(part), _A_THREAD)):
                yield from tables


def _fileless(uri: ResourcePath | None) -> bool:
    return uri is None or uri.scheme == "mem" or bool(uri.fragment)


def _read(uri: Any) -> pa.Table:
    # Of a small file all is read at once, and a thread for each of its
    # columns costs more than it saves.
    source = pa.BufferReader(uri.read())
    return pq.ParquetFile(source, pre_buffer=False).read(use_threads=False)
