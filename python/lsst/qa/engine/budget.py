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

__all__ = ["MIB", "Batch", "needed", "planned"]

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..columns import TABLES
from ..errors import BudgetError
from .counting import largest_context, largest_selections
from .grouping import PART_ROWS
from .source import Source
from .task import Task, columns_of, first_key, selected_by

MIB = 1 << 20

_READING = 192 * MIB
"""What decoding a batch of rows, and a part of groups, takes besides."""

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
    """

    tasks: list[Task]
    n_rows: int
    apart: bool = False
    selected: Mapping[Any, int] = {}

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
    batches = [_narrowed(batch, table, memory) for batch in _together(tasks, table.n_rows)]
    if memory is None or all(batch.fits(memory) for batch in batches):
        return batches
    alone = [batch._replace(tasks=[task]) for batch in batches for task in batch.tasks]
    if greedy := [batch for batch in alone if not batch.fits(memory)]:
        least = max(map(needed, greedy))
        names = ", ".join(sorted({batch.tasks[0].metric.name for batch in greedy}))
        raise BudgetError(
            f"A budget of {memory / MIB:.0f} MiB is too small for {names} on {table.n_rows} rows:"
            f" {math.ceil(least / MIB)} MiB would do."
        )
    return [part for batch in batches for part in _cut(batch, memory)]


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
        reading = _READING + min(n_rows, PART_ROWS) * 4 * _width(first, columns)
        # Once all is read, a statistic takes as much again as it is made of.
        return math.ceil(sum(steps.values()) + max(reading, _READ + max(steps.values())))
    held: dict[Any, set[str]] = {}
    work: dict[Any, float] = {}
    for task in batch.tasks:
        key = selected_by(task)
        held.setdefault(key, set()).update(columns_of(task, selection=False))
        work[key] = max(work.get(key, 0), task.metric.bytes_per_row)
    rows = {key: batch.selected.get(key, batch.n_rows) for key in held}
    kept = sum(rows[key] * (_NUMBERS + _width(first, names)) for key, names in held.items())
    return math.ceil(_READING + kept + max(rows[key] * (_ORDER + work[key]) for key in held))


def _together(tasks: Sequence[Task], n_rows: int) -> list[Batch]:
    """Put metrics together that share what they read."""
    batches: dict[object, Batch] = {}
    for task in tasks:
        way = ("groups", None) if task.metric.steps else ("columns", task.band)
        batches.setdefault(way, Batch([], n_rows)).tasks.append(task)
    return list(batches.values())


def _narrowed(batch: Batch, table: Source, memory: int | None) -> Batch:
    """Find out how much less than all rows is held at once, if need be."""
    if batch.fits(memory) or batch.tasks[0].metric.steps:
        return batch
    if (rows := largest_context(table, batch.tasks)) is not None:
        batch = batch._replace(n_rows=rows, apart=True)
    if batch.fits(memory):
        return batch
    return batch._replace(selected=largest_selections(table, batch.tasks, batch.apart))


def _cut(batch: Batch, memory: int) -> list[Batch]:
    if batch.fits(memory):
        return [batch]
    batches: list[Batch] = []
    for task in batch.tasks:
        if batches and (more := batches[-1]._replace(tasks=[*batches[-1].tasks, task])).fits(memory):
            batches[-1] = more
        else:
            batches.append(batch._replace(tasks=[task]))
    return batches


def _width(task: Task, names: set[str]) -> int:
    table = TABLES[task.metric.table]
    total = 0
    for name in names:
        found = table.column(name)
        total += _WIDTH.get(found[0].kind, 8) if found is not None else 8
    return total
