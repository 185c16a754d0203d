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

"""Reading datasets of results, one by one or from a gathered table."""

from __future__ import annotations

__all__ = [
    "BATCH_DATASETS",
    "BATCH_ROWS",
    "UNREADABLE",
    "Contents",
    "complaint",
    "dataset_batches",
    "gathered_batches",
    "gathered_contents",
    "open_gathered",
    "read_provenance",
]

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lsst.daf.butler import Butler, DatasetRef
from lsst.resources import ResourcePath

from ..errors import NotATableError
from ..results import GATHERED_SCHEMA, SCHEMA
from .batches import Batch, Origin, Provenance, conform, in_order, provenance
from .repository import uris

BATCH_ROWS = 200_000
"""Rows after which a batch is full."""

BATCH_DATASETS = 1000
"""Datasets after which a batch is full."""

UNREADABLE = (OSError, pa.ArrowException, NotATableError)
"""What reading a file that is not a table of results raises."""

_THREADS = 4  # files are small: the time goes to waiting and to Python
_PASS_ROWS = 1_000_000
_ORIGIN_FIELDS = [name for name in GATHERED_SCHEMA.names if name not in SCHEMA.names]


class Contents(NamedTuple):
    """What a gathered table holds.

    Attributes
    ----------
    uuids : `list` [`str`]
        Its datasets.
    runs : `list` [`str`]
        The RUN collection of each.
    codes : `numpy.ndarray` of `int`, (n,)
        Place in ``uuids`` of the dataset of each row.
    """

    uuids: list[str]
    runs: list[str]
    codes: np.ndarray


def dataset_batches(
    butler: Butler, refs: Sequence[DatasetRef], unreadable: Callable[[str], None]
) -> Iterator[Batch]:
    """Read datasets of results, several at a time.

    Parameters
    ----------
    butler : `lsst.daf.butler.Butler`
        The repository that they are in.
    refs : `~collections.abc.Sequence` [`lsst.daf.butler.DatasetRef`]
        The datasets, sorted by identifier. Those that are not stored any
        more are left out.
    unreadable : `~collections.abc.Callable`
        Is told about a file that is not a table of results; the others are
        read all the same.

    Yields
    ------
    batch : `Batch`
        Some of the datasets.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(refs), BATCH_DATASETS):
            some = uris(butler, refs[start : start + BATCH_DATASETS])
            held: list[tuple[Origin, pa.Table]] = []
            rows = 0
            for origin, found in pool.map(_read, some.items()):
                if isinstance(found, str):
                    unreadable(found)
                    continue
                held.append((origin, found))
                rows += found.num_rows
                if rows >= BATCH_ROWS:
                    yield _batch(held)
                    held, rows = [], 0
            if held:
                yield _batch(held)


def open_gathered(path: str) -> pq.ParquetFile:
    """Open a gathered table.

    Parameters
    ----------
    path : `str`
        Name of the file.

    Returns
    -------
    file : `pyarrow.parquet.ParquetFile`
        The open file; columns that repeat themselves are read as such.
    """
    repeating = ["dataset_id", "run", "task", "dataset_type"]
    return pq.ParquetFile(path, read_dictionary=repeating, buffer_size=1 << 20, pre_buffer=False)


def read_provenance(butler: Butler, ref: DatasetRef) -> Provenance:
    """Read what a dataset says about its making, without its rows.

    Parameters
    ----------
    butler : `lsst.daf.butler.Butler`
        The repository that it is in.
    ref : `lsst.daf.butler.DatasetRef`
        A dataset of results.

    Returns
    -------
    said : `Provenance`
        Empty if the dataset is not stored any more or cannot be read.
    """
    for uri in uris(butler, [ref]).values():
        with contextlib.suppress(*UNREADABLE), uri.as_local() as local:
            return provenance(pq.read_schema(local.ospath).metadata)
    return Provenance()


def complaint(ref: DatasetRef, uri: ResourcePath, error: Exception) -> str:
    """Say that a dataset cannot be read.

    Parameters
    ----------
    ref : `lsst.daf.butler.DatasetRef`
        The dataset.
    uri : `lsst.resources.ResourcePath`
        Its file.
    error : `Exception`
        Why.

    Returns
    -------
    text : `str`
        One line.
    """
    return f"{ref.datasetType.name} {ref.id} in {ref.run} ({uri}): {' '.join(str(error).split())}"


def gathered_contents(file: pq.ParquetFile) -> Contents:
    """List the datasets of a gathered table.

    Parameters
    ----------
    file : `pyarrow.parquet.ParquetFile`
        The open file.

    Returns
    -------
    contents : `Contents`
        Its datasets and which rows are theirs.

    Raises
    ------
    NotATableError
        Raised if the file is not a gathered table.
    """
    if lacking := [name for name in _ORIGIN_FIELDS if name not in file.schema_arrow.names]:
        raise NotATableError(f"it is not a gathered table: it lacks {', '.join(lacking)}")
    table = file.read(columns=["dataset_id", "run"]).unify_dictionaries()
    ids, runs = (table[name].combine_chunks().dictionary_encode() for name in ("dataset_id", "run"))
    codes = ids.indices.to_numpy()
    first = np.unique(codes, return_index=True)[1]
    return Contents(ids.dictionary.to_pylist(), runs.take(pa.array(first)).to_pylist(), codes)


def gathered_batches(
    file: pq.ParquetFile,
    contents: Contents,
    unwanted: set[str],
    provenance_of: Callable[[str, str], Provenance],
) -> Iterator[Batch]:
    """Read datasets of results from a table that gathered them.

    Parameters
    ----------
    file : `pyarrow.parquet.ParquetFile`
        The open file.
    contents : `Contents`
        What it holds.
    unwanted : `set` [`str`]
        Datasets to leave out.
    provenance_of : `~collections.abc.Callable`
        Tells what is known of a run and dataset type.

    Yields
    ------
    batch : `Batch`
        Some of the datasets. At most a million rows, or one dataset, are in
        memory, whatever the order of the table is.
    """
    counts = np.bincount(contents.codes, minlength=len(contents.uuids))
    order = sorted((uuid, code) for code, uuid in enumerate(contents.uuids) if uuid not in unwanted)
    for part in _groups([code for _, code in order], counts, _PASS_ROWS, len(order)):
        rows = _selected(file, contents.codes, part)
        start = 0
        for codes in _groups(part, counts, BATCH_ROWS, BATCH_DATASETS):
            mine = counts[codes]
            piece = rows.slice(start, int(mine.sum()))
            start += piece.num_rows
            firsts = piece.select(_ORIGIN_FIELDS).take(pa.array(np.cumsum(mine) - mine)).to_pylist()
            origins = [
                Origin(
                    first["dataset_id"],
                    first["run"],
                    first["dataset_type"],
                    first["run_time"],
                    provenance_of(first["run"], first["dataset_type"])._replace(
                        task=first["task"], created=None
                    ),
                )
                for first in firsts
            ]
            yield Batch(origins, mine, conform(piece))


def _groups(codes: Sequence[int], counts: np.ndarray, most_rows: int, most: int) -> Iterator[list[int]]:
    """Cut a list of datasets where it has enough rows or datasets."""
    group: list[int] = []
    rows = 0
    for code in codes:
        if group and (rows + counts[code] > most_rows or len(group) == most):
            yield group
            group, rows = [], 0
        group.append(code)
        rows += int(counts[code])
    if group:
        yield group


def _selected(file: pq.ParquetFile, codes: np.ndarray, wanted: list[int]) -> pa.Table:
    """Read the rows of some datasets, in order."""
    ranks = np.full(int(codes.max()) + 1, -1)
    ranks[wanted] = np.arange(len(wanted))
    parts, owners, start = [], [], 0
    names = [name for name in GATHERED_SCHEMA.names if name in file.schema_arrow.names]
    for batch in file.iter_batches(columns=names):
        owner = ranks[codes[start : start + batch.num_rows]]
        start += batch.num_rows
        kept = owner >= 0
        if kept.any():
            parts.append(batch if kept.all() else batch.filter(pa.array(kept)))
            owners.append(owner[kept])
    rows = pa.Table.from_batches(parts)
    lacking = [field for field in SCHEMA if field.name not in names]
    for field in lacking:
        rows = rows.append_column(field.name, pa.nulls(rows.num_rows, field.type))
    return in_order(rows, np.concatenate(owners))


def _read(item: tuple[DatasetRef, ResourcePath]) -> tuple[Origin, pa.Table | str]:
    """Read a dataset, or say why that is impossible."""
    ref, uri = item
    origin = Origin(str(ref.id), ref.run, ref.datasetType.name, None, Provenance())
    try:
        with uri.as_local() as local, pq.ParquetFile(local.ospath) as file:
            table = file.read(use_threads=False)
        return origin._replace(provenance=provenance(table.schema.metadata)), conform(table)
    except UNREADABLE as error:
        return origin, complaint(ref, uri, error)


def _batch(held: Iterable[tuple[Origin, pa.Table]]) -> Batch:
    origins, parts = zip(*held)
    counts = np.array([part.num_rows for part in parts])
    owners = np.repeat(np.arange(len(counts)), counts)
    return Batch(list(origins), counts, in_order(pa.concat_tables(parts).combine_chunks(), owners))
