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

"""Reading datasets of measurements that have files of their own."""

from __future__ import annotations

__all__ = ["UNREADABLE", "Stored", "batches_of", "read_dataset", "read_datasets"]

import datetime
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from lsst.resources import ResourcePath

from ..errors import NotATableError
from ..readers import READERS, Context
from ..results import run_time
from .batches import (
    BATCH_DATASETS,
    BATCH_ROWS,
    Batch,
    Origin,
    Provenance,
    conform,
    in_order,
    provenance,
)
from .gathered import gathered_batches
from .source import Source

UNREADABLE = (OSError, pa.ArrowException, NotATableError)
"""What reading a file that does not hold measurements raises."""

_THREADS = 4  # files are small: the time goes to waiting and to Python
_AHEAD = 16  # what is read before it is wanted takes memory


class Stored(NamedTuple):
    """A dataset, and where its file is.

    Attributes
    ----------
    uuid, run, dataset_type : `str`
        Which it is.
    kind : `str`
        One of `lsst.qa.readers.READERS`.
    uri : `lsst.resources.ResourcePath`
        Its file.
    data_id : `~collections.abc.Mapping`
        Columns of a row that its data ID fills, where the file does not.
    time : `datetime.datetime` or `None`
        When it was made, as far as the name of its run and the file do not
        say so; UTC, without a zone.
    """

    uuid: str
    run: str
    dataset_type: str
    kind: str
    uri: ResourcePath
    data_id: Mapping[str, Any] = {}
    time: datetime.datetime | None = None


def read_dataset(stored: Stored) -> tuple[Origin, pa.Table | str]:
    """Read a dataset.

    Parameters
    ----------
    stored : `Stored`
        The dataset.

    Returns
    -------
    origin : `Origin`
        Where it comes from.
    rows : `pyarrow.Table` or `str`
        Its rows with `lsst.qa.results.SCHEMA`, in the order of the file; or
        why it cannot be read.
    """
    origin = Origin(stored.uuid, stored.run, stored.dataset_type, None, Provenance())
    try:
        table = READERS[stored.kind](stored.uri, Context(stored.dataset_type, stored.data_id))
        rows = conform(table)
    except UNREADABLE as error:
        return origin, f"{stored.uri}: {' '.join(str(error).split())}"
    made = provenance(table.schema.metadata)
    started = run_time(stored.run, None) or made.created or stored.time
    return origin._replace(run_time=started, provenance=made), rows


def read_datasets(stored: Iterable[Stored]) -> Iterator[tuple[Origin, pa.Table | str]]:
    """Read datasets, several at a time.

    Parameters
    ----------
    stored : `~collections.abc.Iterable` [`Stored`]
        The datasets.

    Yields
    ------
    origin, rows
        As of `read_dataset`, in the same order.
    """
    held = list(stored)
    if len(held) < 2:
        yield from map(read_dataset, held)
        return
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(held), _AHEAD):
            yield from pool.map(read_dataset, held[start : start + _AHEAD])


def batches_of(source: Source, held: Container[str], unreadable: Callable[[str], None]) -> Iterator[Batch]:
    """Read what is not held already: from gathered tables first, which is
    faster.

    Parameters
    ----------
    source : `lsst.qa.store.source.Source`
        Where it comes from.
    held : `~collections.abc.Container` [`str`]
        Datasets to leave out.
    unreadable : `~collections.abc.Callable`
        Is told about a dataset that cannot be read; the others are read all
        the same.

    Yields
    ------
    batch : `Batch`
        Some of the datasets, their rows in order.
    """
    seen: set[str] = set()
    for file, contents in source.gathered:
        wanted = {uuid for uuid in contents.uuids if uuid not in held and uuid not in seen}
        yield from gathered_batches(file, contents, wanted, source.provenance_of)
        seen |= wanted
    rest = [single for single in source.singles if single.uuid not in held and single.uuid not in seen]
    waiting: list[tuple[Origin, pa.Table]] = []
    n_rows = 0
    for start in range(0, len(rest), BATCH_DATASETS):
        for origin, rows in source.read(rest[start : start + BATCH_DATASETS]):
            if isinstance(rows, str):
                unreadable(f"{origin.dataset_type} {origin.uuid} in {origin.run}: {rows}")
                continue
            waiting.append((origin, rows))
            n_rows += len(rows)
            if n_rows >= BATCH_ROWS:
                yield _batch(waiting)
                waiting, n_rows = [], 0
        if waiting:
            yield _batch(waiting)
            waiting, n_rows = [], 0


def _batch(held: Iterable[tuple[Origin, pa.Table]]) -> Batch:
    origins, parts = zip(*held)
    counts = np.array([part.num_rows for part in parts])
    owners = np.repeat(np.arange(len(counts)), counts)
    return Batch(list(origins), counts, in_order(pa.concat_tables(parts).combine_chunks(), owners))
