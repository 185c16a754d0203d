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

"""Loading measurements into the metrics database: those of a repository, and
those of lsst.verify in files.
"""

from __future__ import annotations

__all__ = ["LoadReport", "load"]

import contextlib
import dataclasses
import datetime
from collections.abc import Callable, Mapping, Sequence

from ..catalogue import METRICS
from ..errors import CollectionError
from ..readers.thresholds import Threshold
from .database import connect, exists
from .definitions import define_others, synchronize
from .insertion import known_datasets, write_batch
from .opening import open_source
from .reading import batches_of
from .regions import Places, keep_regions, lacking
from .source import Source
from .totals import sum_up


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
        Which files do not hold measurements, and why.
    definitions, specifications : `int`
        How many metrics of other packages are defined beside the datasets,
        and how many thresholds they have.
    """

    datasets: int
    rows: int
    skipped: int
    runs: tuple[str, ...]
    unreadable: tuple[str, ...] = ()
    definitions: int = 0
    specifications: int = 0


def load(
    repo: str,
    collections: Sequence[str],
    url: str,
    *,
    where: str = "",
    made: datetime.datetime | None = None,
    thresholds: Sequence[Threshold] | None = None,
    dry_run: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> LoadReport:
    """Load the measurements of collections, or of files, into a metrics
    database.

    Datasets that the database holds are left alone, so that a load can be
    repeated, and several can run at once.

    Parameters
    ----------
    repo, collections
        What to load, see `lsst.qa.store.opening.open_source`.
    url : `str`
        Metrics database, see `lsst.qa.store.database.connect`; made if it
        does not exist.
    where, made
        See there.
    thresholds : `~collections.abc.Sequence` [`Threshold`], optional
        Thresholds that take the place of the catalogue's from now on, and
        of all that were given so before.
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
        from elsewhere.
    DatabaseError
        Raised if the database does not answer or is not one of metrics.
    InputError
        Raised if ``where`` is not an expression, or if a file of
        definitions is not of its format.
    """
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(open_source(repo, collections, where, made))
        unreadable = list(source.unreadable)
        engine = None if dry_run and not exists(url) else connect(url, create=not dry_run)
        if engine is not None:
            stack.callback(engine.dispose)
        planned = _by_run(source)
        known = {} if engine is None else known_datasets(engine, planned)
        _refuse_namesakes(source, planned, known, where)
        held = set().union(*known.values())
        total = sum(map(len, planned.values()))
        skipped = sum(len(uuids & held) for uuids in planned.values())
        datasets = rows = 0
        if engine is not None and not dry_run:
            synchronize(engine, METRICS, thresholds)
            define_others(engine, source.definitions)
        places = Places()
        for batch in batches_of(source, held, unreadable.append):
            places.add(batch.rows)
            found = len(batch.origins)
            new, written = found, batch.rows.num_rows
            if engine is not None and not dry_run:
                new, written = write_batch(engine, batch, source.root, source.collection)
            datasets, rows, skipped = datasets + new, rows + written, skipped + found - new
            if progress is not None:
                progress(datasets + skipped + len(unreadable), total)
        if engine is not None and not dry_run:
            sum_up(engine)
            keep_regions(engine, source.regions(*lacking(engine, places)))
    return LoadReport(
        datasets,
        rows,
        skipped,
        tuple(sorted(planned)),
        tuple(unreadable),
        len(source.definitions),
        sum(len(found.specs) for found in source.definitions.values()),
    )


def _by_run(source: Source) -> dict[str, set[str]]:
    """List the identifiers of all datasets by run."""
    found: dict[str, set[str]] = {}
    for single in source.singles:
        found.setdefault(single.run, set()).add(single.uuid)
    for _, contents in source.gathered:
        for uuid, run in zip(contents.uuids, contents.runs):
            found.setdefault(run, set()).add(uuid)
    return found


def _refuse_namesakes(
    source: Source, planned: Mapping[str, set[str]], known: Mapping[str, set[str]], where: str
) -> None:
    """Stop before the results of two repositories are taken for one run."""
    for run, held in known.items():
        if held & planned[run]:
            continue
        # Another part of the run may have been loaded before.
        if where and held & source.datasets_of(run):
            continue
        raise CollectionError(
            f"The database already has a run {run!r} whose {len(held)} datasets are not in {source.root}: "
            "another repository or file has a run of that name. Give runs unique names, as "
            "'pipetask run -o' does, and files theirs."
        )
