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

"""What a measurement will need of memory, told before anything is read."""

from __future__ import annotations

__all__ = ["MIB", "Batch", "needed", "planned", "reading", "taken_by"]

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..columns import TABLES
from ..errors import BudgetError
from .applied import in_parts
from .counting import largest_context, largest_selections
from .grouping import PART_ROWS
from .source import Source
from .task import Task, columns_of, first_key, selected_by

MIB = 1 << 20

_READING = 192 * MIB
"""What decoding a batch of rows, and a part of groups, takes besides."""

_NARROW, _WIDER = 32, 5 * MIB // 2
"""So many columns are decoded within that; what each of more takes: a page of
the file as it is there and as it is read, and a batch of its values.
"""

_SHARE = 1 / 2
"""Share of a memory that reading several bands at once may take."""

_PARTS = 32 * MIB
"""What metrics take that go over columns in files part by part."""

_READ = 96 * MIB
"""What stays of it when all is read."""

_WIDTH = {"flag": 1, "text": 4}
"""Bytes of a column's value, 8 where not named."""

_NUMBERS = 8
"""Bytes of the numbers of a row's contexts."""

_ORDER = 16
"""Bytes per row of an order, and of a column that is put into it."""


class Batch(NamedTuple):
    """Metrics that read the table together, once.

    Attributes
    ----------
    tasks : `list` [`Task`]
        The metrics: over columns, or over groups.
    n_rows : `int`
        The most rows that are held at once, if all were selected.
    apart : `bool`
        Whether those are the rows of a context, which lie together.
    selected : `~collections.abc.Mapping` [`~collections.abc.Hashable`, `int`]
        How many of them each selection keeps, where that was counted.
    within : `int` or `None`
        Bytes beyond which selected rows go to files; `None` where they will
        not take as much.
    """

    tasks: list[Task]
    n_rows: int
    apart: bool = False
    selected: Mapping[Any, int] = {}
    within: int | None = None

    def fits(self, memory: int | None) -> bool:
        """Tell whether a memory is enough.

        Parameters
        ----------
        memory : `int` or `None`
            Bytes that may be used; `None` for any.

        Returns
        -------
        fits : `bool`
            Whether no more than that is needed.
        """
        return memory is None or needed(self) <= memory

    def holds(self, task: Task, rows: int) -> bool:
        """Tell whether one metric's columns fit when nothing else is held.

        Parameters
        ----------
        task : `Task`
            One over columns.
        rows : `int`
            How many rows they have.

        Returns
        -------
        holds : `bool`
            Whether they need not stay in files.
        """
        return self.within is None or taken_by([task])({selected_by(task): rows}) <= self.within - _READ


def planned(tasks: Sequence[Task], table: Source, memory: int | None) -> list[Batch]:
    """Put metrics together that can be run at once within a memory.

    Parameters
    ----------
    tasks : `~collections.abc.Sequence` [`Task`]
        Metrics of one kind of table.
    table : `Source`
        The table. Where all its rows may be too much, those columns are read
        that tell its contexts, as visits: these may fit one by one; and where
        that is too much as well, those by which rows are selected.
    memory : `int` or `None`
        Bytes that may be used.

    Returns
    -------
    batches : `list` [`Batch`]
        Each reads the table once.

    Raises
    ------
    BudgetError
        Raised if a metric alone needs more; names the least that would do.
    """
    batches = []
    greedy: dict[str, int] = {}
    contexts: list[int | None] = []
    for batch in _together(tasks, table.n_rows, memory):
        if memory is None or batch.fits(memory):
            batches.append(batch)
            continue
        if not batch.tasks[0].metric.steps:
            contexts = contexts or [largest_context(table, batch.tasks)]
            batch = _narrowed(batch, table, memory, contexts[0])
        for task in batch.tasks:
            if (least := _least(batch, task, memory)) > memory:
                greedy[task.metric.name] = max(least, greedy.get(task.metric.name, 0))
        batches += _cut(batch, memory)
    if memory is not None and greedy:
        raise BudgetError(
            f"A budget of {memory / MIB:.0f} MiB is too small for {', '.join(sorted(greedy))} on"
            f" {table.n_rows} rows: {math.ceil(max(greedy.values()) / MIB)} MiB would do."
        )
    return batches


def needed(batch: Batch) -> int:
    """Return the memory that metrics need together, at most.

    Parameters
    ----------
    batch : `Batch`
        The metrics, and the rows that they are held of.

    Returns
    -------
    bytes : `int`
        What they hold of the rows, what the statistics take besides, and
        what reading takes.
    """
    first = batch.tasks[0]
    if first.metric.steps:
        n_rows = batch.n_rows
        steps = {
            first_key(task): min(n_rows, task.metric.most_rows or n_rows) * task.metric.bytes_per_row
            for task in batch.tasks
        }
        columns = {name for task in batch.tasks for name in columns_of(task)}
        besides = _READING + min(n_rows, PART_ROWS) * 4 * _width(first, columns)
        # Once all is read, a statistic takes as much again as it is made of.
        return math.ceil(sum(steps.values()) + max(besides, _READ + max(steps.values())))
    rows = {selected_by(task): batch.n_rows for task in batch.tasks}
    total = reading(batch.tasks) + taken_by(batch.tasks)({**rows, **batch.selected})
    return math.ceil(total if batch.within is None else min(total, batch.within))


def reading(tasks: Sequence[Task]) -> int:
    """Return the memory that reading the columns of metrics takes.

    Parameters
    ----------
    tasks : `~collections.abc.Sequence` [`Task`]
        Metrics over columns.

    Returns
    -------
    bytes : `int`
        At most; nothing that is kept of what is read.
    """
    return _READING + max(_width_read(tasks) - _NARROW, 0) * _WIDER


def taken_by(tasks: Sequence[Task]) -> Callable[[Mapping[Any, int]], float]:
    """Return how the memory that metrics take goes with the rows.

    Parameters
    ----------
    tasks : `~collections.abc.Sequence` [`Task`]
        Metrics over columns.

    Returns
    -------
    taken : `~collections.abc.Callable`
        Takes the number of selected rows, by selection; returns the bytes
        that are taken by them, and by the statistics.
    """
    held: dict[Any, set[str]] = {}
    work: dict[Any, float] = {}
    for task in tasks:
        key = selected_by(task)
        held.setdefault(key, set()).update(columns_of(task, selection=False))
        work[key] = _ORDER + max(work.get(key, _ORDER) - _ORDER, task.metric.bytes_per_row)
    kept = {key: _NUMBERS + _width(tasks[0], names) for key, names in held.items()}
    return lambda rows: (
        sum(rows[key] * kept[key] for key in kept) + max(rows[key] * work[key] for key in kept)
    )


def _width_read(tasks: Sequence[Task]) -> int:
    """Count the columns that metrics read."""
    return len({name for task in tasks for name in columns_of(task)})


def _together(tasks: Sequence[Task], n_rows: int, memory: int | None) -> Iterator[Batch]:
    """Put metrics together that share what they read: where there is a bound,
    those of several bands, as far as reading leaves enough for what is kept.
    """
    if groups := [task for task in tasks if task.metric.steps]:
        yield Batch(groups, n_rows)
    by_band: dict[str | None, list[Task]] = {}
    for task in tasks:
        if not task.metric.steps:
            by_band.setdefault(task.band, []).append(task)
    together: list[Task] = []
    while by_band:
        # Those come next that add the fewest columns.
        widths = {band: _width_read([*together, *own]) for band, own in by_band.items()}
        band = min(widths, key=widths.__getitem__)
        more = reading([*together, *by_band[band]])
        if together and (memory is None or more > _SHARE * memory):
            yield Batch(together, n_rows)
            together = []
        else:
            together = [*together, *by_band.pop(band)]
    if together:
        yield Batch(together, n_rows)


def _narrowed(batch: Batch, table: Source, memory: int, rows: int | None) -> Batch:
    """Find out how much less than all rows is held at once, if need be, from
    the rows of the largest context.
    """
    if rows is not None:
        batch = batch._replace(n_rows=rows, apart=True)
    if batch.fits(memory) or all(_least(batch, task, memory) <= memory for task in batch.tasks):
        return batch
    return batch._replace(selected=largest_selections(table, batch.tasks, batch.apart))


def _least(batch: Batch, task: Task, memory: int) -> int:
    """Return the memory that a metric needs alone, which may be less where
    that is not there: part by part.
    """
    least = needed(batch._replace(tasks=[task]))
    if least <= memory or task.metric.steps or not in_parts(task):
        return least
    return min(least, reading([task]) + _PARTS)


def _cut(batch: Batch, memory: int) -> list[Batch]:
    """Divide metrics between readings, and let these go to files that would
    hold too much.
    """

    def too_much(tasks: list[Task]) -> bool:
        if batch._replace(tasks=tasks).fits(memory):
            return False
        return bool(batch.tasks[0].metric.steps) or reading(tasks) + _PARTS > memory

    parts: list[list[Task]] = [] if too_much(batch.tasks) else [batch.tasks]
    for task in batch.tasks if not parts else ():
        if parts and not too_much([*parts[-1], task]):
            parts[-1].append(task)
        else:
            parts.append([task])
    batches = [batch._replace(tasks=tasks) for tasks in parts]
    return [one if one.fits(memory) else one._replace(within=memory) for one in batches]


def _width(task: Task, names: set[str]) -> int:
    table = TABLES[task.metric.table]
    total = 0
    for name in names:
        found = table.column(name)
        total += _WIDTH.get(found[0].kind, 8) if found is not None else 8
    return total
