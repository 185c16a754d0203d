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

"""The tables of the repositories that runs were loaded from."""

from __future__ import annotations

__all__ = [
    "MOST_CELLS",
    "REPOSITORY_LOCK",
    "Pointer",
    "StoredDataset",
    "known_butler",
    "list_datasets",
    "pointer",
    "read_part",
]

import contextlib
import datetime
import threading
import uuid as uuids
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from ..errors import CollectionError, InputError, NotATableError, UnknownNameError
from .database import tables

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from lsst.daf.butler import Butler, DatasetRef
    from lsst.resources import ResourcePath

MOST_CELLS = 5_000_000
"""The most values of a part of a table."""

_MOST_BUTLERS = 4
_BUTLERS: OrderedDict[str, Butler] = OrderedDict()

REPOSITORY_LOCK = threading.Lock()
"""Held by whoever asks a repository: a Butler is not for several threads."""


class StoredDataset(NamedTuple):
    """A dataset of results that was loaded.

    Attributes
    ----------
    dataset_id : `int`
        Its number in the database; it also is the cursor.
    uuid, run, dataset_type : `str`
        Which it is.
    task, instrument : `str` or `None`
        Label of the task that made it, and the instrument.
    created : `datetime.datetime` or `None`
        When; UTC, without a zone.
    n_rows, n_failed : `int`
        Number of measurements in it, and of those that could not be made.
    """

    dataset_id: int
    uuid: str
    run: str
    dataset_type: str
    task: str | None
    instrument: str | None
    created: datetime.datetime | None
    n_rows: int
    n_failed: int


class Pointer(NamedTuple):
    """Where a table is, and what it has.

    Attributes
    ----------
    uuid, run, dataset_type, storage_class : `str`
        Which dataset it is.
    data_id : `dict` [`str`, `str` or `int`]
        What it is of.
    uri : `str`
        Its file.
    n_rows : `int`
        Number of its rows.
    columns : `dict` [`str`, `str`]
        Types of its columns by name.
    """

    uuid: str
    run: str
    dataset_type: str
    storage_class: str
    data_id: dict[str, str | int]
    uri: str
    n_rows: int
    columns: dict[str, str]


def list_datasets(
    engine: sa.Engine,
    *,
    run_id: int | None = None,
    dataset_type: str | None = None,
    limit: int = 1000,
    after: int | None = None,
) -> list[StoredDataset]:
    """List the datasets of results that were loaded.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    run_id : `int`, optional
        Number of the run.
    dataset_type : `str`, optional
        Name of the dataset type.
    limit : `int`, optional
        The most datasets to return.
    after : `int`, optional
        Number of the last dataset of the page before this one.

    Returns
    -------
    datasets : `list` [`StoredDataset`]
        In the order in which they were loaded.
    """
    dataset, run = tables().dataset, tables().run
    columns = [run.c.name if name == "run" else dataset.c[name] for name in StoredDataset._fields]
    chosen = sa.select(*columns).join_from(dataset, run).order_by(dataset.c.dataset_id).limit(limit)
    for name, value in (("run_id", run_id), ("dataset_type", dataset_type)):
        if value is not None:
            chosen = chosen.where(dataset.c[name] == value)
    if after is not None:
        chosen = chosen.where(dataset.c.dataset_id > after)
    with engine.connect() as connection:
        return [StoredDataset(*row) for row in connection.execute(chosen)]


def pointer(engine: sa.Engine, uuid: str, run: str | None = None) -> Pointer:
    """Tell where a table is.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    uuid : `str`
        Identifier of a dataset: one that was loaded, or any other in the
        repository of ``run``.
    run : `str`, optional
        Name of a run that was loaded from the repository.

    Returns
    -------
    pointer : `Pointer`
        The table.

    Raises
    ------
    UnknownNameError
        Raised if neither the database nor the repository knows it.
    CollectionError
        Raised if the repository cannot be opened, or the file is gone.
    NotATableError
        Raised if it is no Parquet file.
    """
    ref, uri = _found(engine, uuid, run)
    with _opened(uri) as file:
        schema = file.schema_arrow
        rows = file.metadata.num_rows
    return Pointer(
        uuid=str(ref.id),
        run=ref.run,
        dataset_type=ref.datasetType.name,
        storage_class=ref.datasetType.storageClass_name,
        data_id={name: ref.dataId[name] for name in ref.dataId.dimensions.required},
        uri=str(uri),
        n_rows=rows,
        columns={field.name: str(field.type) for field in schema},
    )


def read_part(
    engine: sa.Engine,
    uuid: str,
    run: str | None = None,
    columns: Sequence[str] = (),
    offset: int = 0,
    limit: int = 1000,
) -> pa.Table:
    """Read a part of a table, and no more of its file than that needs.

    Parameters
    ----------
    engine, uuid, run
        As for `pointer`.
    columns : `~collections.abc.Sequence` [`str`], optional
        Names of columns; all if empty.
    offset : `int`, optional
        The first row, from 0.
    limit : `int`, optional
        The most rows to return.

    Returns
    -------
    part : `pyarrow.Table`
        The rows.

    Raises
    ------
    UnknownNameError
        Raised if there is no such dataset or column.
    CollectionError
        Raised if the repository cannot be opened, or the file is gone.
    InputError
        Raised if it is no Parquet file, or if the part is too large.
    """
    _, uri = _found(engine, uuid, run)
    with _opened(uri) as file:
        known = file.schema_arrow.names
        for name in columns:
            if name not in known:
                raise UnknownNameError("column", name, known)
        names = list(dict.fromkeys(columns)) or known
        wanted = min(limit, max(file.metadata.num_rows - offset, 0))
        if wanted * len(names) > MOST_CELLS:
            raise InputError(
                f"{wanted} rows of {len(names)} columns are too much at once: ask for fewer columns, or "
                f"for at most {MOST_CELLS // len(names)} rows."
            )
        return _part(file, names, offset, wanted)


def _part(file: pq.ParquetFile, names: list[str], offset: int, wanted: int) -> pa.Table:
    import pyarrow as pa

    groups, skipped, start = [], 0, 0
    for group in range(file.metadata.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if start + rows <= offset:
            skipped = start + rows
        elif start < offset + wanted:
            groups.append(group)
        start += rows
    begin, end, at, parts = offset - skipped, offset - skipped + wanted, 0, []
    if wanted:
        for batch in file.iter_batches(16384, row_groups=groups, columns=names):
            piece = batch.slice(max(begin - at, 0), max(end - max(at, begin), 0))
            parts += [piece] if piece.num_rows else []
            at += batch.num_rows
            if at >= end:
                break
    schema = pa.schema([file.schema_arrow.field(name) for name in names])
    return pa.Table.from_batches(parts, parts[0].schema if parts else schema).select(names)


def _found(engine: sa.Engine, uuid: str, run: str | None) -> tuple[DatasetRef, ResourcePath]:
    """Find a dataset that the database, or a repository it knows, has."""
    dataset, runs = tables().dataset, tables().run
    try:
        identifier = uuids.UUID(uuid)
    except ValueError as error:
        raise InputError(f"{uuid!r} is not the identifier of a dataset: expected a UUID.") from error
    chosen = sa.select(runs.c.repo)
    if run is None:
        chosen = chosen.join_from(dataset, runs).where(dataset.c.uuid == str(identifier))
    else:
        chosen = chosen.where(runs.c.name == run)
    with engine.connect() as connection:
        repo = connection.execute(chosen).scalar()
    if repo is None:
        # Whether the run or the dataset is unknown makes no difference here.
        raise UnknownNameError("dataset", uuid, ())
    with REPOSITORY_LOCK:
        butler = known_butler(repo)
        ref = butler.get_dataset(identifier)
        if ref is None:
            raise UnknownNameError("dataset", uuid, ())
        try:
            return ref, butler.getURI(ref)
        except (FileNotFoundError, RuntimeError) as error:
            raise CollectionError(f"The file of {uuid} is not in its repository any more.") from error


def known_butler(repo: str) -> Butler:
    """Open a repository once.

    Parameters
    ----------
    repo : `str`
        Root of a repository that the database knows.

    Returns
    -------
    butler : `lsst.daf.butler.Butler`
        To be asked under `REPOSITORY_LOCK` only; the one that was not asked
        for longest is closed where there are too many.

    Raises
    ------
    CollectionError
        Raised if there is no repository.
    """
    from .repository import open_repository

    if repo not in _BUTLERS:
        _BUTLERS[repo] = open_repository(repo)[0]
    _BUTLERS.move_to_end(repo)
    while len(_BUTLERS) > _MOST_BUTLERS:
        _BUTLERS.popitem(last=False)[1].close()
    return _BUTLERS[repo]


@contextlib.contextmanager
def _opened(uri: ResourcePath) -> Iterator[pq.ParquetFile]:
    # Imported when a table is read, as the Butler is.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with uri.as_local() as local:
            with pq.ParquetFile(local.ospath, buffer_size=1 << 20, pre_buffer=False) as file:
                yield file
    except pa.ArrowInvalid as error:
        raise NotATableError(f"This dataset is no Parquet file: {error}") from error
    except OSError as error:
        raise CollectionError("The file of this dataset cannot be read any more.") from error
