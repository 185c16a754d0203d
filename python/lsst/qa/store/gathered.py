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

import datetime
import tempfile
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import NotATableError
from ..results import GATHERED_SCHEMA, SCHEMA, run_time
from .batches import BATCH_DATASETS, BATCH_ROWS, Batch, Origin, Provenance, conform, in_order

_PASS_ROWS = 1_000_000
_PART_ROWS = 400_000
_PARTS = 200  # files that are open at the same time
_ORIGIN_FIELDS = [name for name in GATHERED_SCHEMA.names if name not in SCHEMA.names]
_READ_ROWS = 1 << 17


class Contents(NamedTuple):
    """What a gathered table holds.

    Attributes
    ----------
    uuids : `list` [`str`]
        Its datasets.
    runs, types, tasks : `list` [`str`]
        The RUN collection, the dataset type and the task of each.
    times : `list` [`datetime.datetime` or `None`]
        The start of the run of each; UTC, without a zone.
    counts : `numpy.ndarray` of `int`, (n,)
        How many rows each has.
    """

    uuids: list[str]
    runs: list[str]
    types: list[str]
    tasks: list[str | None]
    times: list[datetime.datetime | None]
    counts: np.ndarray


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
    repeating = [f.name for f in GATHERED_SCHEMA if pa.types.is_string(f.type) and f.name != "message"]
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
        Its datasets; what is in memory grows with them and not with the
        rows.

    Raises
    ------
    NotATableError
        Raised if the file is not a gathered table.
    """
    if lacking := [name for name in _ORIGIN_FIELDS if name not in file.schema_arrow.names]:
        raise NotATableError(f"it is not a gathered table: it lacks {', '.join(lacking)}")
    known: dict[str, int] = {}
    counts = np.zeros(0, dtype=np.int64)
    firsts: list[pa.RecordBatch] = []
    for batch in _pieces(file, _ORIGIN_FIELDS):
        if batch["dataset_id"].null_count:
            raise NotATableError("it is not a gathered table: a row has no dataset_id")
        words, indices = _used(batch["dataset_id"])
        codes = [known.setdefault(word, len(known)) for word in words]
        first = np.empty(len(words), dtype=np.int64)
        first[indices[::-1]] = np.arange(len(indices))[::-1]
        new = np.array(codes) >= len(counts)
        counts = np.concatenate([counts, np.zeros(len(known) - len(counts), dtype=np.int64)])
        counts[codes] += np.bincount(indices)
        firsts += [_plain(batch.take(pa.array(first[new])))] if new.any() else []
    table = pa.Table.from_batches(firsts, pa.schema([GATHERED_SCHEMA.field(n) for n in _ORIGIN_FIELDS]))
    shared: dict[Any, Any] = {}  # few words, each in memory once
    runs, types, tasks, times = (
        [shared.setdefault(word, word) for word in table[name].to_pylist()]
        for name in ("run", "dataset_type", "task", "run_time")
    )
    return Contents(list(known), runs, types, tasks, times, counts)


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
        Some of the datasets. Of more than a million rows, some hundred
        thousand at a time, or one dataset, are in memory, whatever the order
        of the table is; the others wait in the folder for temporary files.
    """
    order = _in_order(contents, wanted)
    most = _PASS_ROWS if contents.counts[order].sum() <= _PASS_ROWS else _PART_ROWS
    parts = list(_groups(order, contents.counts, most, len(order)))
    for start in range(0, len(parts), _PARTS):
        some = parts[start : start + _PARTS]
        for part, rows in _divided(file, contents, some):
            yield from _batches(contents, part, rows, provenance_of)
            del rows  # before the next part is read


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
    parts = _groups(_in_order(contents, wanted), contents.counts, BATCH_ROWS, BATCH_DATASETS)
    return [[contents.uuids[code] for code in part] for part in parts]


def _in_order(contents: Contents, wanted: Container[str]) -> list[int]:
    """Sort the places of the datasets that are wanted by identifier."""
    return [code for _, code in sorted((u, c) for c, u in enumerate(contents.uuids) if u in wanted)]


def _batches(
    contents: Contents, part: list[int], rows: pa.Table, provenance_of: Callable[[str, str], Provenance]
) -> Iterator[Batch]:
    """Cut rows in order into batches."""
    start = 0
    times = {run: run_time(run, None) for run in set(contents.runs)}
    for codes in _groups(part, contents.counts, BATCH_ROWS, BATCH_DATASETS):
        counts = contents.counts[codes]
        piece = rows.slice(start, int(counts.sum()))
        start += piece.num_rows
        origins = [_origin(contents, code, provenance_of, times) for code in codes]
        yield Batch(origins, counts, conform(piece))


def _origin(
    contents: Contents,
    code: int,
    provenance_of: Callable[[str, str], Provenance],
    times: Mapping[str, datetime.datetime | None],
) -> Origin:
    run, kind = contents.runs[code], contents.types[code]
    made = provenance_of(run, kind)._replace(task=contents.tasks[code], created=None)
    return Origin(contents.uuids[code], run, kind, contents.times[code] or times[run], made)


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


def _divided(
    file: pq.ParquetFile, contents: Contents, parts: Sequence[list[int]]
) -> Iterator[tuple[list[int], pa.Table]]:
    """Read the rows of each part in order, going over the file once."""
    codes = [code for part in parts for code in part]
    place = {contents.uuids[code]: rank for rank, code in enumerate(codes)}
    part_of = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    if len(parts) == 1:
        yield parts[0], _together(_owned(file, place))
        return
    with tempfile.TemporaryDirectory(prefix="lsst-qa-") as folder:
        paths = [Path(folder, f"{number}.arrows") for number in range(len(parts))]
        _spill(_owned(file, place), part_of, paths)
        for part, path in zip(parts, paths):
            yield part, _unspilled(path)


def _together(rows: Iterator[tuple[pa.RecordBatch, np.ndarray]]) -> pa.Table:
    """Read rows in order that fit in memory."""
    batches, owners = zip(*rows)
    return in_order(pa.Table.from_batches(batches), np.concatenate(owners))


def _spill(rows: Iterator[tuple[pa.RecordBatch, np.ndarray]], part_of: np.ndarray, paths: list[Path]) -> None:
    """Write the rows of each part to a file of its own."""
    options = pa.ipc.IpcWriteOptions(compression="lz4", unify_dictionaries=False)
    writers: dict[int, pa.ipc.RecordBatchStreamWriter] = {}
    try:
        for batch, owner in rows:
            batch = batch.append_column("owner", pa.array(owner, pa.int32()))
            parts = part_of[owner]
            batch = batch.take(pa.array(np.argsort(parts, kind="stable")))
            found, sizes = np.unique(parts, return_counts=True)
            for part, start, size in zip(found.tolist(), np.cumsum(sizes) - sizes, sizes):
                if part not in writers:
                    writers[part] = pa.ipc.new_stream(str(paths[part]), batch.schema, options=options)
                writers[part].write_batch(batch.slice(start, size))
    finally:
        for writer in writers.values():
            writer.close()


def _unspilled(path: Path) -> pa.Table:
    """Read the rows of a part in order, and remove their file."""
    with pa.memory_map(str(path)) as stream:
        rows = pa.ipc.open_stream(stream).read_all()
    path.unlink()
    owners = rows["owner"].to_numpy()
    return in_order(rows.drop_columns(["owner"]), owners - owners.min())


def _owned(file: pq.ParquetFile, place: Mapping[str, int]) -> Iterator[tuple[pa.RecordBatch, np.ndarray]]:
    """Read the rows of some datasets, with the place of each row's dataset."""
    held = [name for name in SCHEMA.names if name in file.schema_arrow.names]
    for batch in _pieces(file, [*held, "dataset_id"]):
        words, indices = _used(batch["dataset_id"])
        owner = np.array([place.get(word, -1) for word in words], dtype=np.int64)[indices]
        kept = owner >= 0
        if kept.any():
            rows = batch.select(held)
            yield (rows, owner) if kept.all() else (rows.filter(pa.array(kept)), owner[kept])


def _pieces(file: pq.ParquetFile, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Read columns of a table in pieces."""
    # Each thread would keep free memory of its own, and gain nothing.
    yield from file.iter_batches(_READ_ROWS, columns=columns, use_threads=False)
    pa.default_memory_pool().release_unused()


def _used(column: pa.DictionaryArray) -> tuple[list[str], np.ndarray]:
    """Return the words that are in a column, and which each row has."""
    indices = column.indices.to_numpy()
    used = np.flatnonzero(np.bincount(indices, minlength=len(column.dictionary)))
    ranks = np.empty(len(column.dictionary), dtype=np.int64)
    ranks[used] = np.arange(len(used))
    return column.dictionary.take(pa.array(used)).to_pylist(), ranks[indices]


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Give columns that were read as repeating their own type."""
    return batch.cast(pa.schema([GATHERED_SCHEMA.field(name) for name in batch.schema.names]))
