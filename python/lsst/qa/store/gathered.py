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

"""Reading datasets of results from tables that gathered them."""

from __future__ import annotations

__all__ = ["Contents", "gathered_batches", "gathered_contents", "open_gathered", "windows"]

from collections.abc import Callable, Container, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import NotATableError
from ..results import GATHERED_SCHEMA, SCHEMA, run_time
from .batches import BATCH_DATASETS, BATCH_ROWS, Batch, Origin, Provenance, conform, in_order

_PASS_ROWS = 1_000_000
_ORIGIN_FIELDS = [name for name in GATHERED_SCHEMA.names if name not in SCHEMA.names]


class Contents(NamedTuple):
    """What a gathered table holds.

    Attributes
    ----------
    uuids : `list` [`str`]
        Its datasets.
    runs, types : `list` [`str`]
        The RUN collection and the dataset type of each.
    codes : `numpy.ndarray` of `int`, (n,)
        Place in ``uuids`` of the dataset of each row.
    """

    uuids: list[str]
    runs: list[str]
    types: list[str]
    codes: np.ndarray


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
    names = ("dataset_id", "run", "dataset_type")
    table = file.read(columns=list(names)).unify_dictionaries()
    ids, runs, types = (table[name].combine_chunks().dictionary_encode() for name in names)
    codes = ids.indices.to_numpy()
    first = pa.array(np.unique(codes, return_index=True)[1])
    return Contents(
        ids.dictionary.to_pylist(), runs.take(first).to_pylist(), types.take(first).to_pylist(), codes
    )


def gathered_batches(
    file: pq.ParquetFile,
    contents: Contents,
    wanted: Container[str],
    provenance_of: Callable[[str, str], Provenance],
) -> Iterator[Batch]:
    """Read datasets of results from a table that gathered them.

    Parameters
    ----------
    file : `pyarrow.parquet.ParquetFile`
        The open file.
    contents : `Contents`
        What it holds.
    wanted : `~collections.abc.Container` [`str`]
        Datasets to read.
    provenance_of : `~collections.abc.Callable`
        Tells what is known of a run and dataset type.

    Yields
    ------
    batch : `Batch`
        Some of the datasets. At most a million rows, or one dataset, are in
        memory, whatever the order of the table is.
    """
    counts = np.bincount(contents.codes, minlength=len(contents.uuids))
    order = sorted((uuid, code) for code, uuid in enumerate(contents.uuids) if uuid in wanted)
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
                    first["run_time"] or run_time(first["run"], None),
                    provenance_of(first["run"], first["dataset_type"])._replace(
                        task=first["task"], created=None
                    ),
                )
                for first in firsts
            ]
            yield Batch(origins, mine, conform(piece))


def windows(contents: Contents, wanted: Container[str]) -> list[list[str]]:
    """Divide datasets into parts that are read at one go.

    Parameters
    ----------
    contents : `Contents`
        What a gathered table holds.
    wanted : `~collections.abc.Container` [`str`]
        Datasets to read.

    Returns
    -------
    windows : `list` [`list` [`str`]]
        The datasets, sorted, in parts of so many rows as a batch has.
    """
    counts = np.bincount(contents.codes, minlength=len(contents.uuids))
    order = [code for _, code in sorted((u, c) for c, u in enumerate(contents.uuids) if u in wanted)]
    parts = _groups(order, counts, BATCH_ROWS, BATCH_DATASETS)
    return [[contents.uuids[code] for code in part] for part in parts]


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
