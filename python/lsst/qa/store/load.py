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

"""Loading results from a Butler repository into the metrics database."""

from __future__ import annotations

__all__ = ["LoadReport", "load"]

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import pyarrow.parquet as pq

from lsst.daf.butler import Butler, DatasetRef

from ..catalogue import METRICS
from ..errors import CollectionError
from .batches import Batch, Provenance
from .database import connect, exists
from .definitions import synchronize
from .insertion import known_datasets, write_batch
from .reading import (
    UNREADABLE,
    Contents,
    complaint,
    dataset_batches,
    gathered_batches,
    gathered_contents,
    open_gathered,
    read_provenance,
)
from .repository import GATHERED_TYPE, find_results, open_repository, uris


@dataclasses.dataclass(frozen=True)
class LoadReport:
    """What a load did.

    Attributes
    ----------
    datasets, rows : `int`
        How many datasets, with how many rows, are new in the database.
    skipped : `int`
        How many datasets of the collections it already held.
    runs : `tuple` [`str`, ...]
        Runs that the datasets of the collections belong to.
    unreadable : `tuple` [`str`, ...]
        Which files are not tables of results, and why.
    """

    datasets: int
    rows: int
    skipped: int
    runs: tuple[str, ...]
    unreadable: tuple[str, ...] = ()


def load(
    repo: str,
    collections: Sequence[str],
    url: str,
    *,
    where: str = "",
    dry_run: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> LoadReport:
    """Load the results of collections into a metrics database.

    Datasets that the database holds are left alone, so that a load can be
    repeated, and several can run at once.

    Parameters
    ----------
    repo : `str`
        Path, URI or alias of a Butler repository.
    collections : `~collections.abc.Sequence` [`str`]
        Names or patterns of collections.
    url : `str`
        Metrics database, see `lsst.qa.store.database.connect`; made if it
        does not exist.
    where : `str`, optional
        Butler expression that the data IDs must fulfil; gathered tables are
        then left aside.
    dry_run : `bool`, optional
        Read all, write nothing.
    progress : `~collections.abc.Callable`, optional
        Is told after every batch how many datasets of how many are done.

    Returns
    -------
    report : `LoadReport`
        What was done, or with ``dry_run`` would have been.

    Raises
    ------
    CollectionError
        Raised if there is no such repository, no such collection, no result
        in the collections, or if the database holds a run of the same name
        from another repository.
    DatabaseError
        Raised if the database does not answer or is not one of metrics.
    InputError
        Raised if ``where`` is not an expression.
    """
    unreadable: list[str] = []
    with contextlib.ExitStack() as stack:
        butler, root = open_repository(repo)
        stack.callback(butler.close)
        refs = find_results(butler, collections, where)
        engine = None if dry_run and not exists(url) else connect(url, create=not dry_run)
        if engine is not None:
            stack.callback(engine.dispose)
        source = _open(butler, refs, stack, unreadable.append)
        planned = _by_run(source)
        known = {} if engine is None else known_datasets(engine, planned)
        _refuse_namesakes(butler, planned, known, where)
        held = set().union(*known.values())
        total = sum(map(len, planned.values()))
        skipped = sum(len(uuids & held) for uuids in planned.values())
        datasets = rows = 0
        if engine is not None and not dry_run:
            synchronize(engine, METRICS)
        for batch in _batches(source, held, unreadable.append):
            found = len(batch.origins)
            new, written = found, batch.rows.num_rows
            if engine is not None and not dry_run:
                new, written = write_batch(engine, batch, root, ",".join(collections))
            datasets, rows, skipped = datasets + new, rows + written, skipped + found - new
            if progress is not None:
                progress(datasets + skipped + len(unreadable), total)
    return LoadReport(datasets, rows, skipped, tuple(sorted(planned)), tuple(unreadable))


class _Source(NamedTuple):
    """The results of collections: gathered tables and single datasets."""

    butler: Butler
    gathered: list[tuple[pq.ParquetFile, Contents]]
    single: list[DatasetRef]


def _open(
    butler: Butler, refs: Iterable[DatasetRef], stack: contextlib.ExitStack, unreadable: Callable[[str], None]
) -> _Source:
    """Open the gathered tables among datasets of results."""
    source = _Source(butler, [], [ref for ref in refs if ref.datasetType.name != GATHERED_TYPE])
    for ref, uri in uris(butler, [ref for ref in refs if ref.datasetType.name == GATHERED_TYPE]).items():
        try:
            path = stack.enter_context(uri.as_local()).ospath
            file = stack.enter_context(open_gathered(path))
            source.gathered.append((file, gathered_contents(file)))
        except UNREADABLE as error:
            unreadable(complaint(ref, uri, error))
    return source


def _by_run(source: _Source) -> dict[str, set[str]]:
    """List the identifiers of all datasets by run."""
    found: dict[str, set[str]] = {}
    for ref in source.single:
        found.setdefault(ref.run, set()).add(str(ref.id))
    for _, contents in source.gathered:
        for uuid, run in zip(contents.uuids, contents.runs):
            found.setdefault(run, set()).add(uuid)
    return found


def _refuse_namesakes(
    butler: Butler, planned: Mapping[str, set[str]], known: Mapping[str, set[str]], where: str
) -> None:
    """Stop before the results of two repositories are taken for one run."""
    for run, held in known.items():
        if held & planned[run]:
            continue
        # Another part of the run may have been loaded before.
        if where and held & {str(ref.id) for ref in find_results(butler, [run])}:
            continue
        raise CollectionError(
            f"The database already has a run {run!r} whose {len(held)} datasets are not in this repository: "
            "another repository has a run of that name. Give runs unique names, as 'pipetask run -o' does."
        )


def _batches(source: _Source, held: set[str], unreadable: Callable[[str], None]) -> Iterator[Batch]:
    """Read what is not held: from gathered tables first, which is faster."""

    @functools.cache
    def provenance_of(run: str, dataset_type: str) -> Provenance:
        # Packages and configuration are the same for all datasets of a type
        # in a run.
        with contextlib.suppress(CollectionError):
            refs = find_results(source.butler, [run])
            for ref in (ref for ref in refs if ref.datasetType.name == dataset_type):
                return read_provenance(source.butler, ref)
        return Provenance()

    seen = set(held)
    for file, contents in source.gathered:
        yield from gathered_batches(file, contents, seen, provenance_of)
        seen.update(contents.uuids)
    rest = [ref for ref in source.single if str(ref.id) not in seen]
    yield from dataset_batches(source.butler, rest, unreadable)
