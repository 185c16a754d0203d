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

"""Writing datasets of results into the metrics database, each once."""

from __future__ import annotations

__all__ = ["known_datasets", "run_ids", "run_uuid", "write_batch"]

import datetime
import getpass
import uuid
from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from ..results import run_time
from .batches import Batch, Origin, database_rows
from .bulk import insert_rows
from .database import insert, tables, writing
from .definitions import metric_ids
from .totals import forget

_RUNS = uuid.uuid5(uuid.NAMESPACE_OID, "lsst.qa.run")


def run_uuid(name: str) -> str:
    """Return the identifier of a run.

    Parameters
    ----------
    name : `str`
        Name of its RUN collection.

    Returns
    -------
    uuid : `str`
        The same on every system and in every database that the run is ever
        loaded into, whatever part of it is loaded first: made from the name
        alone, which carries who made the run and when.
    """
    return str(uuid.uuid5(_RUNS, name))


def known_datasets(engine: sa.Engine, runs: Iterable[str]) -> dict[str, set[str]]:
    """List the datasets of runs that the database holds.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    runs : `~collections.abc.Iterable` [`str`]
        Names of runs.

    Returns
    -------
    uuids : `dict` [`str`, `set` [`str`]]
        Identifiers by name of the run; only runs that the database holds.
    """
    run, dataset = tables().run, tables().dataset
    known: dict[str, set[str]] = {}
    with engine.connect() as connection:
        for name in sorted(runs):
            chosen = sa.select(dataset.c.uuid).join_from(dataset, run).where(run.c.name == name)
            if found := set(connection.execute(chosen).scalars()):
                known[name] = found
    return known


def write_batch(engine: sa.Engine, batch: Batch, repo: str, collection: str) -> tuple[int, int]:
    """Write datasets in one transaction, except those already there.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    batch : `Batch`
        The datasets.
    repo, collection : `str`
        Where they were found; "" if that is not known.

    Returns
    -------
    datasets, rows : `int`
        How many of them, with how many rows, were written by this call and
        by no other loader at the same time.
    """
    grouped = batch.rows.group_by("metric", use_threads=False).aggregate([("unit", "first")])
    units = dict(zip(*(grouped[name].to_pylist() for name in ("metric", "unit_first"))))
    with writing(engine) as connection:
        # All loaders lock in this order, which keeps them from waiting for
        # each other in a circle.
        runs = run_ids(connection, (origin.run for origin in batch.origins), repo, collection)
        _add_packages(connection, batch.origins, runs)
        metrics = metric_ids(connection, units)
        written = _insert_datasets(connection, batch, runs)
        if written:
            forget(connection, runs.values())
        ids = np.array([written.get(origin.uuid, 0) for origin in batch.origins], dtype=np.int32)
        starts = np.cumsum(batch.counts) - batch.counts
        rows = database_rows(
            batch.rows,
            np.repeat(ids, batch.counts),
            np.arange(batch.rows.num_rows) - np.repeat(starts, batch.counts),
            metrics,
        )
        if not ids.all():
            rows = rows.filter(pc.greater(rows["dataset_id"], 0))
        insert_rows(connection, tables().measurement, rows)
        _widen_runs(connection, [origin for origin in batch.origins if origin.uuid in written], runs)
    return len(written), rows.num_rows


def run_ids(connection: sa.Connection, names: Iterable[str], repo: str, collection: str) -> dict[str, int]:
    """Return the numbers of runs, after adding those that are new.

    Parameters
    ----------
    connection : `sqlalchemy.Connection`
        Connection in a transaction of `lsst.qa.store.database.writing`.
    names : `~collections.abc.Iterable` [`str`]
        Names of the RUN collections.
    repo, collection : `str`
        Where they were found; "" if that is not known.

    Returns
    -------
    ids : `dict` [`str`, `int`]
        Numbers of the runs in this database by name.
    """
    run = tables().run
    wanted = sorted(set(names))
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    rows = [
        {
            "uuid": run_uuid(name),
            "name": name,
            "repo": repo or None,
            "collection": collection or None,
            "started": run_time(name, None),
            "loaded_at": now,
            "loaded_by": getpass.getuser(),
        }
        for name in wanted
    ]
    connection.execute(insert(connection, run).on_conflict_do_nothing(), rows)
    if repo:  # the first who wrote to it may not have known
        nameless = sa.update(run).where(run.c.name.in_(wanted), run.c.repo.is_(None))
        connection.execute(nameless.values(repo=repo, collection=collection or None))
    choosing = sa.select(run.c.name, run.c.run_id).where(run.c.name.in_(wanted))
    return {name: number for name, number in connection.execute(choosing)}


def _add_packages(connection: sa.Connection, origins: Iterable[Origin], ids: Mapping[str, int]) -> None:
    """Add the software of runs, as far as it is not there."""
    package = tables().run_package
    packages = {
        (ids[origin.run], name): version
        for origin in origins
        for name, version in origin.provenance.packages.items()
    }
    if packages:
        made = [{"run_id": key[0], "name": key[1], "version": packages[key]} for key in sorted(packages)]
        connection.execute(insert(connection, package).on_conflict_do_nothing(), made)


def _insert_datasets(connection: sa.Connection, batch: Batch, runs: Mapping[str, int]) -> dict[str, int]:
    """Insert datasets and return the numbers of those that were not there."""
    dataset = tables().dataset
    owners = np.repeat(np.arange(len(batch.counts)), batch.counts)
    failed = pc.equal(pc.fill_null(batch.rows["status"], ""), "failed").to_numpy()
    failures = np.bincount(owners[failed], minlength=len(batch.counts))
    starts = np.cumsum(batch.counts) - batch.counts
    places = [start if count else None for start, count in zip(starts.tolist(), batch.counts)]
    instruments = batch.rows["instrument"].take(pa.array(places, pa.int64())).to_pylist()
    rows = [
        {
            "uuid": origin.uuid,
            "run_id": runs[origin.run],
            "dataset_type": origin.dataset_type,
            "task": origin.provenance.task,
            "instrument": instrument,
            "schema_version": origin.provenance.schema_version,
            "config_hash": origin.provenance.config_hash,
            "created": origin.provenance.created,
            "n_rows": int(count),
            "n_failed": int(failure),
        }
        for origin, instrument, count, failure in zip(batch.origins, instruments, batch.counts, failures)
    ]
    adding = (
        insert(connection, dataset).on_conflict_do_nothing().returning(dataset.c.uuid, dataset.c.dataset_id)
    )
    return {name: number for name, number in connection.execute(adding, rows)}


def _widen_runs(connection: sa.Connection, origins: Iterable[Origin], runs: Mapping[str, int]) -> None:
    """Let the times of runs embrace the creation of their datasets."""
    run = tables().run
    times: dict[str, list[datetime.datetime]] = {}
    for origin in origins:
        times.setdefault(origin.run, []).extend(t for t in (origin.run_time, origin.provenance.created) if t)
    for name, found in sorted(times.items()):
        if not found:
            continue
        mine = sa.update(run).where(run.c.run_id == runs[name])
        if run_time(name, None) is None:
            later = sa.or_(run.c.started.is_(None), run.c.started > min(found))
            connection.execute(mine.where(later).values(started=min(found)))
        created = [origin.provenance.created for origin in origins if origin.run == name]
        if latest := max((time for time in created if time), default=None):
            earlier = sa.or_(run.c.finished.is_(None), run.c.finished < latest)
            connection.execute(mine.where(earlier).values(finished=latest))
