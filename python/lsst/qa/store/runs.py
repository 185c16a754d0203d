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

"""Questions about runs, and about metrics over whole runs."""

from __future__ import annotations

__all__ = ["complete_runs", "get_run", "history", "latest_runs", "package_changes", "run_summary", "when"]

import dataclasses
import datetime
import itertools
import json
import math
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ..errors import InputError
from .database import tables
from .definitions import specifications
from .records import PackageChange, Point, Run, Summary, overall_status
from .summaries import band_key, summary
from .totals import points, summaries


def latest_runs(engine: sa.Engine, limit: int = 20, after: str | None = None) -> list[Run]:
    """List the latest runs.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    limit : `int`, optional
        The most runs to return.
    after : `str`, optional
        ``uuid`` of the last run of the page before this one.

    Returns
    -------
    runs : `list` [`Run`]
        The newest first, by start; without their packages.

    Raises
    ------
    InputError
        Raised if there is no run ``after``.
    """
    run = tables().run
    newest = sa.select(run).order_by(when().desc(), run.c.run_id.desc()).limit(limit)
    with engine.connect() as connection:
        if after is not None:
            last = connection.execute(sa.select(when(), run.c.run_id).where(run.c.uuid == after)).first()
            if last is None:
                raise InputError(
                    f"{after!r} is not the cursor of a list of runs: expected a run's identifier."
                )
            newest = newest.where(sa.tuple_(when(), run.c.run_id) < sa.tuple_(*last))
        return complete_runs(connection, connection.execute(newest).mappings().all())


def get_run(engine: sa.Engine, name_or_uuid: str) -> Run | None:
    """Look a run up.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    name_or_uuid : `str`
        Name of the RUN collection, or the identifier of the run.

    Returns
    -------
    run : `Run` or `None`
        The run with its packages; `None` if it is not in the database.
    """
    run, package = tables().run, tables().run_package
    matches = sa.or_(run.c.name == name_or_uuid, run.c.uuid == name_or_uuid.lower())
    chosen = sa.select(run).where(matches).order_by(run.c.name != name_or_uuid).limit(1)
    with engine.connect() as connection:
        found = complete_runs(connection, connection.execute(chosen).mappings().all())
        if not found:
            return None
        versions = sa.select(package.c.name, package.c.version).where(package.c.run_id == found[0].run_id)
        rows = connection.execute(versions.order_by(package.c.name)).all()
    return dataclasses.replace(found[0], packages={name: version for name, version in rows})


def package_changes(engine: sa.Engine, run_ids: Sequence[int]) -> dict[int, list[PackageChange]]:
    """Tell which packages changed from run to run.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    run_ids : `~collections.abc.Sequence` [`int`]
        Numbers of the runs, in the order of time.

    Returns
    -------
    changes : `dict` [`int`, `list` [`PackageChange`]]
        By run, those whose packages differ from the run's before it; by
        name.
    """
    package = tables().run_package.c
    versions: dict[int, dict[str, str | None]] = {}
    with engine.connect() as connection:
        rows = connection.execute(sa.select(package.run_id, package.name, package.version))
        for number, name, version in rows:
            versions.setdefault(number, {})[name] = version
    changes = {}
    for before, after in itertools.pairwise(dict.fromkeys(run_ids)):
        old, new = versions.get(before, {}), versions.get(after, {})
        found = [
            PackageChange(name, old.get(name), new.get(name))
            for name in sorted({*old, *new})
            if old.get(name) != new.get(name)
        ]
        if found and old and new:
            changes[after] = found
    return changes


def run_summary(engine: sa.Engine, run_id: int) -> list[Summary]:
    """Summarize a run, metric by metric and band by band.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    run_id : `int`
        Number of the run.

    Returns
    -------
    summaries : `list` [`Summary`]
        By metric and band, of the rows of whole visits and tracts; bins
        are left out.
    """
    with engine.connect() as connection:
        found = list(summaries(connection, tables().run.c.run_id == run_id))
    signs = {name: {spec.op for spec in specs} for name, specs in specifications(engine).items()}
    better = {name: ops == {">="} for name, ops in signs.items() if len(ops) == 1}
    found.sort(key=lambda owned: (owned[1], *band_key(owned[2])))
    return [summary(name, band, held, better.get(name)) for _, name, band, held in found]


def history(engine: sa.Engine, metric: str, band: str | None = None) -> list[Point]:
    """Follow a metric over the runs.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    metric : `str`
        Name of the metric.
    band : `str`, optional
        Band; without it all.

    Returns
    -------
    points : `list` [`Point`]
        One per run and band, summarized as in `run_summary`; ordered by the
        time of the run, then by band.
    """
    run = tables().run
    with engine.connect() as connection:
        found = list(points(connection, metric))
        times = sa.select(run.c.run_id, run.c.name, when())
        runs = {number: (name, time) for number, name, time in connection.execute(times)}
    ranks = {name: band_key(name) for name in {owned[1] for owned in found}}
    made = [
        _point(number, *runs[number], name, *held) for number, name, held in found if band in (None, name)
    ]
    return sorted(made, key=lambda point: (point.run_time, point.run_id, ranks[point.band]))


def _point(
    number: int,
    name: str,
    time: datetime.datetime,
    band: str | None,
    value: float | None,
    error: float | None,
    n: int,
    n_rows: int,
    *counts: int,
) -> Point:
    value, error = math.nan if value is None else value, math.nan if error is None else error
    return Point(number, name, time, band, value, error, n, n_rows, overall_status(*counts))


def when() -> sa.ColumnElement[Any]:
    """Return the time of a run.

    Returns
    -------
    time : `sqlalchemy.ColumnElement`
        Its start, or when it was loaded, of the table of runs.
    """
    run = tables().run
    return sa.func.coalesce(run.c.started, run.c.loaded_at)


def complete_runs(connection: sa.Connection, found: Sequence[sa.RowMapping]) -> list[Run]:
    """Add to rows of the run table what their datasets say.

    Parameters
    ----------
    connection : `sqlalchemy.Connection`
        A metrics database.
    found : `~collections.abc.Sequence` [`sqlalchemy.RowMapping`]
        Rows of the run table.

    Returns
    -------
    runs : `list` [`Run`]
        In the same order; without their packages.
    """
    total = tables().run_total
    numbers = [row["run_id"] for row in found]
    kept = sa.select(total).where(total.c.run_id.in_(numbers))
    sums: dict[int, dict[str, Any]] = {}
    for row in connection.execute(kept).mappings():
        counts = {name: row[name] for name in ("n_datasets", "n_measurements", "n_failed")}
        sums[row["run_id"]] = {**counts, "instruments": tuple(json.loads(row["instruments"]))}
    sums |= _counted(connection, [number for number in numbers if number not in sums])
    names = [field.name for field in dataclasses.fields(Run) if field.name in tables().run.c]
    return [Run(**{name: row[name] for name in names}, **sums[row["run_id"]]) for row in found]


def _counted(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Count what runs hold whose sums are not kept."""
    if not numbers:
        return {}
    dataset = tables().dataset
    mine = dataset.c.run_id.in_(numbers)
    sums = [sa.func.coalesce(sa.func.sum(column), 0) for column in (dataset.c.n_rows, dataset.c.n_failed)]
    counting = sa.select(dataset.c.run_id, sa.func.count(), *sums).where(mine).group_by(dataset.c.run_id)
    counts = {row[0]: tuple(row[1:]) for row in connection.execute(counting)}
    naming = sa.select(dataset.c.run_id, dataset.c.instrument).where(mine, dataset.c.instrument.is_not(None))
    pairs = sorted(map(tuple, connection.execute(naming.distinct())))
    return {
        number: {
            "instruments": tuple(instrument for owner, instrument in pairs if owner == number),
            **dict(zip(("n_datasets", "n_measurements", "n_failed"), counts.get(number, (0, 0, 0)))),
        }
        for number in numbers
    }
