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

"""Measurements in collections of a Butler repository."""

from __future__ import annotations

__all__ = ["RepositorySource"]

import contextlib
import datetime
import functools
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lsst.daf.butler import DatasetRef, MissingCollectionError, MissingDatasetTypeError

from ..results import DATA_ID, run_time
from .batches import Origin, Provenance, provenance
from .gathered import gathered_contents, open_gathered
from .reading import UNREADABLE, Stored, read_datasets
from .regions import Places, Region, regions_of
from .repository import GATHERED_TYPE, find_results, open_repository, uris
from .source import Single, Source

_OWN_CLASS = "ArrowTable"
_TIME_BITS = 80  # of an identifier of version 7, below its milliseconds
_MOST_VISITS = 200  # of an expression, which SQLite limits in depth
_EPOCH = datetime.datetime(1970, 1, 1)


class RepositorySource(Source):
    """Results in collections of a repository, of this package and of others.

    Parameters
    ----------
    repo : `str`
        Path, URI or alias of a Butler repository.
    collections : `~collections.abc.Sequence` [`str`]
        Names or patterns of collections; of a chain all runs count.
    where : `str`, optional
        Expression that the data IDs must fulfil; gathered tables are then
        left aside.

    Raises
    ------
    CollectionError
        Raised if there is no such repository or collection, or no result in
        them.
    InputError
        Raised if the expression is wrong.
    """

    def __init__(self, repo: str, collections: Sequence[str], where: str = ""):
        self.collection = ",".join(collections)
        self.definitions = {}
        with contextlib.ExitStack() as stack:
            self._butler, self.root = open_repository(repo)
            stack.callback(self._butler.close)
            refs = find_results(self._butler, collections, where)
            single = [ref for ref in refs if ref.datasetType.name != GATHERED_TYPE]
            self._refs = {str(ref.id): ref for ref in single}
            self.singles = [Single(key, r.run, r.datasetType.name) for key, r in sorted(self._refs.items())]
            self._open_gathered([ref for ref in refs if ref.datasetType.name == GATHERED_TYPE], stack)
            self._sequences: dict[tuple[Any, Any], int] = {}
            self._provenance_of = functools.cache(self._read_provenance)
            self._times_of = functools.cache(self._read_times)
            self._stack = stack.pop_all()

    def close(self) -> None:
        self._stack.close()

    def read(self, singles: Sequence[Single]) -> Iterator[tuple[Origin, pa.Table | str]]:
        refs = [self._refs[single.uuid] for single in singles]
        yield from read_datasets(self._stored(ref, uri) for ref, uri in uris(self._butler, refs).items())

    def provenance_of(self, run: str, dataset_type: str) -> Provenance:
        return self._provenance_of(run, dataset_type)

    def regions(self, places: Places, cameras: Iterable[str]) -> Iterator[Region]:
        return regions_of(self._butler, places, cameras)

    def datasets_of(self, run: str) -> set[str]:
        return {str(ref.id) for ref in find_results(self._butler, [run])}

    def sequence(self, instrument: str | None, visit: int) -> int | None:
        return self._sequences.get((instrument, visit))

    def learn(self, singles: Sequence[Single]) -> None:
        wanted: dict[str, set[int]] = {}
        for ref in (self._refs[single.uuid] for single in singles):
            required = ref.dataId.required
            if "visit" in required and "instrument" in required:
                wanted.setdefault(str(required["instrument"]), set()).add(int(required["visit"]))
        for instrument, found in sorted(wanted.items()):
            visits = sorted(found)
            for start in range(0, len(visits), _MOST_VISITS):
                some = ", ".join(map(str, visits[start : start + _MOST_VISITS]))
                records = self._butler.query_dimension_records(
                    "visit", instrument=instrument, where=f"visit IN ({some})", explain=False, limit=None
                )
                known = {(instrument, r.id): r.seq_num for r in records if r.seq_num is not None}
                self._sequences.update(known)

    def _open_gathered(self, refs: Iterable[DatasetRef], stack: contextlib.ExitStack) -> None:
        found, unreadable = [], []
        for ref, uri in uris(self._butler, refs).items():
            try:
                file = stack.enter_context(open_gathered(stack.enter_context(uri.as_local()).ospath))
                found.append((file, gathered_contents(file)))
            except UNREADABLE as error:
                said = " ".join(str(error).split())
                unreadable.append(f"{ref.datasetType.name} {ref.id} in {ref.run}: {uri}: {said}")
        self.gathered, self.unreadable = found, unreadable

    def _stored(self, ref: DatasetRef, uri: Any) -> Stored:
        kind = ref.datasetType.storageClass_name
        stored = Stored(str(ref.id), ref.run, ref.datasetType.name, kind, uri)
        if kind == _OWN_CLASS:
            return stored
        # Implied columns too, such as the band of a visit.
        full = self._butler.registry.expandDataId(ref.dataId).mapping
        data_id = {name: full[name] for name in ("band", *DATA_ID) if name in full}
        return stored._replace(data_id=data_id, time=self._made(ref))

    def _made(self, ref: DatasetRef) -> datetime.datetime | None:
        """Tell when a dataset was made that says nothing of it."""
        if run_time(ref.run, None) is not None:
            return None
        return _time_in(ref.id) or self._times_of(ref.datasetType.name, ref.run).get(ref.id)

    def _read_times(self, dataset_type: str, run: str) -> dict[uuid.UUID, datetime.datetime]:
        """Return when the registry took the datasets of a type and run."""
        fields: Any = {dataset_type: {"dataset_id", "ingest_date"}}
        with self._butler.query() as query:
            found = query.join_dataset_search(dataset_type, [run])
            rows = found.general((), dataset_fields=fields, find_first=False)
            return {
                row[f"{dataset_type}.dataset_id"]: row[f"{dataset_type}.ingest_date"].utc.to_datetime()
                for row in rows
            }

    def _read_provenance(self, run: str, dataset_type: str) -> Provenance:
        # Packages and configuration are the same for all datasets of a type
        # in a run.
        with contextlib.suppress(MissingCollectionError, MissingDatasetTypeError):
            refs = self._butler.query_datasets(dataset_type, run, find_first=False, explain=False, limit=1)
            for uri in uris(self._butler, refs).values():
                with contextlib.suppress(*UNREADABLE), uri.as_local() as local:
                    return provenance(pq.read_schema(local.ospath).metadata)
        return Provenance()


def _time_in(identifier: uuid.UUID) -> datetime.datetime | None:
    """Return the time that an identifier was made of, if it was."""
    if identifier.version != 7:
        return None
    return _EPOCH + datetime.timedelta(milliseconds=identifier.int >> _TIME_BITS)
