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

"""What there is to publish: the datasets of a repository's collections, or
files that no repository holds.
"""

from __future__ import annotations

__all__ = ["ButlerShelf", "FileShelf", "Found", "Shelf", "found_of", "open_shelf"]

import contextlib
import hashlib
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa

from lsst.daf.butler import (
    Butler,
    ButlerUserError,
    DatasetRef,
    MissingCollectionError,
    MissingDatasetTypeError,
)
from lsst.resources import ResourcePath

from ..errors import CollectionError, InputError, NotATableError, closest
from ..results import DATA_ID, run_time
from ..store.batches import Origin, Provenance, conform, in_order, provenance
from ..store.repository import GATHERED_TYPE, open_repository, uris
from .ledger import Planned
from .readers import READERS, Context, read_job
from .readers._rows import parse_json
from .readers.definitions import Definition, definitions_of_job

_NAMES = ["*_metrics", "metricvalue_*"]
_JOBS = uuid.uuid5(uuid.NAMESPACE_OID, "lsst.verify.job")


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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def close(self) -> None:  # noqa: B027 (files need none)
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
            One per dataset, in this order.
        """

    def definitions(self) -> Mapping[str, Definition]:
        """Return the definitions of metrics that lie beside the datasets.

        Returns
        -------
        definitions : `~collections.abc.Mapping` [`str`, `Definition`]
            By name of the metric.
        """
        return {}

    def sequence(self, instrument: str | None, visit: int) -> int | None:
        """Tell the number of a visit in its day.

        Parameters
        ----------
        instrument : `str` or `None`
            Its instrument.
        visit : `int`
            The visit.

        Returns
        -------
        number : `int` or `None`
            `None` if that is not known.
        """
        return None


class ButlerShelf(Shelf):
    """Results in collections of a repository, of this package and of others.

    Gathered tables are left aside: their rows are those of the datasets that
    they gather.

    Parameters
    ----------
    repo : `str`
        Path, URI or alias of a Butler repository.
    collections : `~collections.abc.Sequence` [`str`]
        Names or patterns of collections; of a chain all runs count.
    where : `str`, optional
        Expression that the data IDs must fulfil.

    Raises
    ------
    CollectionError
        Raised if there is no such repository or collection, or nothing to
        publish in them.
    InputError
        Raised if the expression is wrong.
    """

    def __init__(self, repo: str, collections: Sequence[str], where: str = ""):
        self._butler, self.root = open_repository(repo)
        try:
            refs = _find(self._butler, collections, where)
        except BaseException:
            self.close()
            raise
        self._refs = {str(ref.id): ref for ref in refs}
        self.planned = [Planned(str(ref.id), ref.run, ref.datasetType.name) for ref in refs]
        self._sequences: dict[tuple[Any, Any], int] = {}

    def read(self, datasets: Sequence[str]) -> Iterator[Found]:
        refs = [self._refs[name] for name in datasets]
        self._learn_sequences(refs)
        places = uris(self._butler, refs)
        for ref in refs:
            yield self._read(ref, places.get(ref))

    def close(self) -> None:
        self._butler.close()

    def sequence(self, instrument: str | None, visit: int) -> int | None:
        return self._sequences.get((instrument, visit))

    def _read(self, ref: DatasetRef, uri: ResourcePath | None) -> Found:
        kind = ref.datasetType.storageClass_name
        data_id = self._data_id(ref) if kind != "ArrowTable" else {}
        context = Context(ref.datasetType.name, data_id)
        if uri is None:
            return found_of(str(ref.id), ref.run, ref.datasetType.name, "its file is not stored any more")
        try:
            rows: pa.Table | str = READERS[kind](uri, context)
        except (OSError, pa.ArrowException, NotATableError) as error:
            rows = f"{uri}: {error}"
        return found_of(str(ref.id), ref.run, ref.datasetType.name, rows)

    def _data_id(self, ref: DatasetRef) -> dict[str, Any]:
        """Return the columns that a data ID fills, implied ones too."""
        full = self._butler.registry.expandDataId(ref.dataId).mapping
        return {name: full[name] for name in ("band", *DATA_ID) if name in full}

    def _learn_sequences(self, refs: Iterable[DatasetRef]) -> None:
        wanted: dict[str, set[int]] = {}
        for ref in refs:
            required = ref.dataId.required
            if "visit" in required and "instrument" in required:
                wanted.setdefault(str(required["instrument"]), set()).add(int(required["visit"]))
        for instrument, visits in sorted(wanted.items()):
            records = self._butler.query_dimension_records(
                "visit",
                instrument=instrument,
                where=f"visit IN ({', '.join(map(str, sorted(visits)))})",
                explain=False,
                limit=None,
            )
            self._sequences.update({(instrument, r.id): r.seq_num for r in records if r.seq_num is not None})


class FileShelf(Shelf):
    """Jobs of lsst.verify in files.

    Parameters
    ----------
    path : `pathlib.Path`
        A file, or a folder of ``*.verify.json``.

    Raises
    ------
    CollectionError
        Raised if there is none.
    """

    def __init__(self, path: Path):
        self.root = str(path)
        files = sorted(path.rglob("*.verify.json")) if path.is_dir() else [path]
        self._files = {str(uuid.uuid5(_JOBS, hashlib.sha256(f.read_bytes()).hexdigest())): f for f in files}
        self.planned = [
            Planned(key, f"verify/{_stem(file)}", "verify_job") for key, file in sorted(self._files.items())
        ]
        if not files:
            raise CollectionError(f"There is no file *.verify.json in {path}.")

    def read(self, datasets: Sequence[str]) -> Iterator[Found]:
        for name in datasets:
            file = self._files[name]
            try:
                rows: pa.Table | str = read_job(ResourcePath(str(file)), Context("verify_job", {}))
            except (OSError, NotATableError) as error:
                rows = f"{file}: {error}"
            yield found_of(name, f"verify/{_stem(file)}", "verify_job", rows)

    def definitions(self) -> Mapping[str, Definition]:
        known: dict[str, Definition] = {}
        for file in self._files.values():
            with contextlib.suppress(OSError, NotATableError):  # reading the measurements says so
                known.update(definitions_of_job(parse_json(file.read_bytes())))
        return known


def open_shelf(repo: str, collections: Sequence[str], where: str = "") -> Shelf:
    """Find what there is to publish.

    Parameters
    ----------
    repo : `str`
        Path, URI or alias of a Butler repository; or a Job file of
        lsst.verify or a folder of such.
    collections : `~collections.abc.Sequence` [`str`]
        Names or patterns of collections of the repository.
    where : `str`, optional
        Expression that the data IDs must fulfil.

    Returns
    -------
    shelf : `Shelf`
        What was found.

    Raises
    ------
    CollectionError
        Raised if there is nothing.
    InputError
        Raised if the expression is wrong, or no collection is named.
    """
    path = Path(repo)
    if path.suffix == ".json" or (
        path.is_dir() and not (path / "butler.yaml").exists() and any(path.rglob("*.verify.json"))
    ):
        if not path.exists():
            raise CollectionError(f"There is no file {repo}.")
        return FileShelf(path)
    if not collections:
        raise InputError(f"Name the collections of {repo!r} to publish.")
    return ButlerShelf(repo, collections, where)


def _find(butler: Butler, collections: Sequence[str], where: str) -> list[DatasetRef]:
    named = []
    for collection in collections:
        try:
            some = list(butler.collections.query(collection))
        except MissingCollectionError:
            some = []
        if not some:
            known = butler.collections.query("*")
            raise CollectionError(f"There is no collection {collection!r}.{closest(collection, known)}")
        named += some
    try:
        refs = butler.query_all_datasets(
            list(dict.fromkeys(named)), name=_NAMES, find_first=False, where=where, limit=None
        )
    except MissingDatasetTypeError:
        refs = []
    except ButlerUserError as error:
        raise InputError(f"The expression {where!r} does not select datasets: {error}") from error
    found = {ref for ref in refs if _publishable(ref)}
    if not found:
        raise CollectionError(
            f"There is nothing to publish in {', '.join(collections)}{' where ' if where else ''}{where}: "
            f"looked for dataset types {' and '.join(_NAMES)} of storage class {', '.join(sorted(READERS))}."
        )
    return sorted(found, key=lambda ref: str(ref.id))


def _publishable(ref: DatasetRef) -> bool:
    name, kind = ref.datasetType.name, ref.datasetType.storageClass_name
    if kind == "ArrowTable":
        return name.startswith("qa_") and name != GATHERED_TYPE
    return kind in READERS


def found_of(dataset: str, run: str, dataset_type: str, rows: pa.Table | str) -> Found:
    """Lay the rows of a dataset out for publishing.

    Parameters
    ----------
    dataset, run, dataset_type : `str`
        Which it is.
    rows : `pyarrow.Table` or `str`
        What its file holds, or why it cannot be read.

    Returns
    -------
    found : `Found`
        The rows in the order of the database, with where they come from.
    """
    if isinstance(rows, str):
        return Found(Origin(dataset, run, dataset_type, None, Provenance()), rows)
    made = provenance(rows.schema.metadata)
    started = run_time(run, None) or made.created
    try:
        table = conform(rows)
    except NotATableError as error:
        return Found(Origin(dataset, run, dataset_type, started, made), str(error))
    ordered = in_order(table, np.zeros(len(table), dtype=np.int64))
    return Found(Origin(dataset, run, dataset_type, started, made), ordered)


def _stem(file: Path) -> str:
    return file.name.removesuffix(".json").removesuffix(".verify")
