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

"""What runs hold in all, kept in the database so that no page counts anew.

A run whose sums are kept has a row in the table of totals. Whoever adds
measurements to it takes that row away in the same transaction, and sums the
run up when all is written; until then its sums are made when they are asked
for.
"""

from __future__ import annotations

__all__ = ["HISTORY_COLUMNS", "forget", "fresh", "points", "sum_up", "summaries"]

import itertools
import json
import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from .database import tables, writing
from .summaries import SUMMARY_COLUMNS, condense

_ENOUGH = 20_000  # rows of an index that are looked at
_TOGETHER = 10_000  # rows that are fetched by one call

HISTORY_COLUMNS = ("value", "error", "n", "n_rows", "n_ok", "n_failed", "n_undefined")
"""Columns of the table of summaries that a history needs."""

Owned = tuple[int, str, str | None, dict[str, Any]]
"""Run, metric, band, and what `condense` says of them."""


def forget(connection: sa.Connection, runs: Iterable[int]) -> None:
    """Take away the sums of runs that measurements are added to.

    Parameters
    ----------
    connection : `sqlalchemy.Connection`
        Connection in the transaction that adds them, after their datasets.
    runs : `~collections.abc.Iterable` [`int`]
        Numbers of the runs.
    """
    total = tables().run_total
    connection.execute(sa.delete(total).where(total.c.run_id.in_(sorted(runs))))


def sum_up(engine: sa.Engine) -> int:
    """Keep the sums of all runs that have changed since they were kept.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.

    Returns
    -------
    runs : `int`
        Number of the runs that were summed up.
    """
    with engine.connect() as connection:
        stale = connection.execute(sa.select(tables().run.c.run_id).where(~fresh())).scalars().all()
    for number in stale:
        _sum_up(engine, number)
    if stale:
        _count(engine)
    return len(stale)


def fresh() -> sa.ColumnElement[bool]:
    """Return the condition that the sums of a run are kept.

    Returns
    -------
    condition : `sqlalchemy.ColumnElement`
        Condition on the table of runs.
    """
    run, total = tables().run, tables().run_total
    return sa.exists().where(total.c.run_id == run.c.run_id).correlate(run)


def summaries(connection: sa.Connection, chosen: sa.ColumnElement[bool]) -> Iterator[Owned]:
    """Summarize metrics by run and band, over whole visits and tracts.

    Parameters
    ----------
    connection : `sqlalchemy.Connection`
        Connection to a metrics database.
    chosen : `sqlalchemy.ColumnElement`
        Condition on the tables of runs and metrics.

    Yields
    ------
    owned : `tuple`
        Number of the run, name of the metric, band or `None`, and what
        `lsst.qa.store.summaries.condense` says; in no order.
    """
    run, metric, held = tables().run, tables().metric, tables().run_summary
    columns = [column for column in held.c if column.name not in ("run_id", "metric_id", "band")]
    joined = held.join(metric, held.c.metric_id == metric.c.metric_id)
    joined = joined.join(run, held.c.run_id == run.c.run_id)
    kept = sa.select(held.c.run_id, metric.c.name, held.c.band, *columns).select_from(joined)
    names = [column.name for column in columns]
    # Sums that are forgotten from here on are still there to be read.
    stale = connection.execute(sa.select(run.c.run_id).where(~fresh())).scalars().all()
    for number, name, band, *values in connection.execute(
        kept.where(chosen, run.c.run_id.not_in(stale))
    ).all():
        yield number, name, band or None, dict(zip(names, values))
    if stale:
        yield from _summed(connection, chosen, stale)


def points(connection: sa.Connection, metric: str) -> Iterator[tuple[int, str | None, Any]]:
    """Read a metric in all runs, as far as a history needs.

    Parameters
    ----------
    connection : `sqlalchemy.Connection`
        Connection to a metrics database.
    metric : `str`
        Name of the metric.

    Yields
    ------
    number : `int`
        Number of the run.
    band : `str` or `None`
        Band.
    held : `tuple`
        Value, error, n, n_rows, and numbers of rows by status as
        `HISTORY_COLUMNS` has them.
    """
    run, definition, held = tables().run, tables().metric, tables().run_summary
    stale = connection.execute(sa.select(run.c.run_id).where(~fresh())).scalars().all()
    kept = (
        sa.select(held.c.run_id, held.c.band, *(held.c[name] for name in HISTORY_COLUMNS))
        .join_from(held, definition, held.c.metric_id == definition.c.metric_id)
        .where(definition.c.name == metric, held.c.run_id.not_in(stale))
    )
    for number, band, *values in connection.execute(kept).all():
        yield number, band or None, values
    if stale:
        for number, _, band, summed in _summed(connection, definition.c.name == metric, stale):
            yield number, band, [summed[name] for name in HISTORY_COLUMNS]


def _summed(
    connection: sa.Connection, chosen: sa.ColumnElement[bool], stale: Sequence[int]
) -> Iterator[Owned]:
    """Sum up runs whose sums are not kept."""
    mine = _whole().where(chosen, tables().run.c.run_id.in_(stale))
    for (number, _, name, band), held in _condensed(connection, mine):
        yield number, name, band, held


def _condensed(
    connection: sa.Connection, whole: sa.Select[Any]
) -> Iterator[tuple[tuple[int, int, str, str | None], dict[str, Any]]]:
    """Summarize what is selected by run, metric and band, holding one of
    these at a time.
    """
    rows = itertools.chain.from_iterable(connection.execute(whole).partitions())
    for owner, members in itertools.groupby(rows, operator.itemgetter(0, 1, 2, 3)):
        yield owner, condense(row[4:] for row in members)


def _whole() -> sa.Select[Any]:
    """Select what `condense` needs of whole visits and tracts, those of a
    run, metric and band together.
    """
    run, metric, dataset, rows = tables().run, tables().metric, tables().dataset, tables().measurement
    joined = rows.join(dataset, rows.c.dataset_id == dataset.c.dataset_id)
    joined = joined.join(metric, rows.c.metric_id == metric.c.metric_id)
    joined = joined.join(run, dataset.c.run_id == run.c.run_id)
    owner = (dataset.c.run_id, rows.c.metric_id, metric.c.name, rows.c.band)
    # No index begins with the band: the database sorts the rows of the run,
    # instead of walking through those of all runs in the order of an index.
    order = (rows.c.band, rows.c.metric_id, dataset.c.run_id, rows.c.dataset_id, rows.c.row_number)
    return (
        sa.select(*owner, *(rows.c[name] for name in SUMMARY_COLUMNS))
        .select_from(joined)
        .where(rows.c.detector.is_(None), rows.c.bin_low.is_(None), rows.c.bin_high.is_(None))
        .order_by(*order)
        .execution_options(yield_per=_TOGETHER)
    )


def _sum_up(engine: sa.Engine, number: int) -> None:
    run, total, held = tables().run, tables().run_total, tables().run_summary
    with writing(engine) as connection:
        # Waits for those who are adding datasets to the run, and keeps others
        # from beginning to.
        connection.execute(sa.select(run.c.run_id).where(run.c.run_id == number).with_for_update())
        if connection.execute(sa.select(total.c.run_id).where(total.c.run_id == number)).first():
            return  # another loader was faster
        found = _condensed(connection, _whole().where(run.c.run_id == number))
        made = [
            {"run_id": number, "metric_id": metric, "band": band or "", **summed}
            for (_, metric, _, band), summed in found
        ]
        connection.execute(sa.delete(held).where(held.c.run_id == number))
        if made:
            connection.execute(sa.insert(held), made)
        connection.execute(sa.insert(total), {"run_id": number, **_counted(connection, number)})


def _count(engine: sa.Engine) -> None:
    """Let the database know how its rows are spread.

    Without that, SQLite reads a metric of one run from the index of all runs,
    and PostgreSQL gets to know it some minutes later.
    """
    sqlite = engine.dialect.name == "sqlite"
    with writing(engine) as connection:
        if sqlite:
            connection.exec_driver_sql(f"PRAGMA analysis_limit={_ENOUGH}")
        for table in (tables().measurement, tables().dataset, tables().run_summary):
            connection.exec_driver_sql(f"ANALYZE {table.name if sqlite else table.fullname}")


def _counted(connection: sa.Connection, number: int) -> dict[str, Any]:
    """Count what a run holds."""
    dataset = tables().dataset
    mine = dataset.c.run_id == number
    sums = [sa.func.coalesce(sa.func.sum(column), 0) for column in (dataset.c.n_rows, dataset.c.n_failed)]
    counts = connection.execute(sa.select(sa.func.count(), *sums).where(mine)).one()
    named = sa.select(dataset.c.instrument).where(mine, dataset.c.instrument.is_not(None)).distinct()
    names = ("n_datasets", "n_measurements", "n_failed")
    instruments = json.dumps(sorted(connection.execute(named).scalars()))
    return {**dict(zip(names, counts)), "instruments": instruments}
