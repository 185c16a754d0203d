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

__all__ = ["needed", "planned"]

import math
from collections.abc import Sequence

from ..columns import TABLES
from ..errors import BudgetError
from .grouping import PART_ROWS
from .task import Task, columns_of, selected_by

MIB = 1 << 20

_READING = 192 * MIB
"""What decoding a batch of rows, and a part of groups, takes besides."""

_WIDTH = {"flag": 1, "text": 4}
"""Bytes of a column's value, 8 where not named."""


def planned(tasks: Sequence[Task], n_rows: int, memory: int | None) -> list[list[Task]]:
    """Put metrics together that can be run at once within a memory.

    Parameters
    ----------
    tasks : `~collections.abc.Sequence` [`Task`]
        Metrics of one kind of table.
    n_rows : `int`
        Number of rows of the table.
    memory : `int` or `None`
        Bytes that may be used.

    Returns
    -------
    batches : `list` [`list` [`Task`]]
        Metrics that read the table together: each batch reads it once.

    Raises
    ------
    BudgetError
        Raised if a metric alone needs more; names the least that would do.
    """
    apart: dict[object, list[Task]] = {}
    for task in tasks:
        way = ("groups", None) if task.metric.steps else ("columns", task.band)
        apart.setdefault(way, []).append(task)
    if memory is None:
        return list(apart.values())
    if all(needed(together, n_rows) <= memory for together in apart.values()):
        return list(apart.values())
    if greedy := [task for task in tasks if needed([task], n_rows) > memory]:
        least = max(needed([task], n_rows) for task in greedy)
        names = ", ".join(sorted({task.metric.name for task in greedy}))
        raise BudgetError(
            f"A budget of {memory / MIB:.0f} MiB is too small for {names} on {n_rows} rows:"
            f" {math.ceil(least / MIB)} MiB would do."
        )
    return [batch for together in apart.values() for batch in _cut(together, n_rows, memory)]


def needed(tasks: Sequence[Task], n_rows: int) -> int:
    """Return the memory that metrics need together, at most.

    Parameters
    ----------
    tasks : `~collections.abc.Sequence` [`Task`]
        Metrics that read the table together.
    n_rows : `int`
        Number of rows of the table.

    Returns
    -------
    bytes : `int`
        What they hold of the rows, what the statistics take besides, and
        what reading takes.
    """
    if tasks[0].metric.steps:
        kept = {
            task.metric.steps[0]: min(n_rows, task.metric.most_rows or n_rows) * task.metric.bytes_per_row
            for task in tasks
        }
        columns = {name for task in tasks for name in columns_of(task)}
        return _READING + min(n_rows, PART_ROWS) * 4 * _width(tasks[0], columns) + sum(kept.values())
    held: dict[object, set[str]] = {}
    for task in tasks:
        held.setdefault(selected_by(task), set()).update(columns_of(task, selection=False))
    width = sum(_width(tasks[0], names) * _part(key) for key, names in held.items())
    work = max(task.metric.bytes_per_row * _part(selected_by(task)) for task in tasks)
    return _READING + math.ceil(n_rows * (width + work))


def _part(selection: object) -> float:
    """Return the part of the rows that a selection may keep.

    More is noticed: the metric fails rather than exceed the budget.
    """
    return 1.0 if selection is None else 0.25


def _cut(tasks: Sequence[Task], n_rows: int, memory: int) -> list[list[Task]]:
    if needed(tasks, n_rows) <= memory:
        return [list(tasks)]
    batches: list[list[Task]] = []
    for task in tasks:
        if batches and needed([*batches[-1], task], n_rows) <= memory:
            batches[-1].append(task)
        else:
            batches.append([task])
    return batches


def _width(task: Task, names: set[str]) -> int:
    table = TABLES[task.metric.table]
    total = 0
    for name in names:
        found = table.column(name)
        total += _WIDTH.get(found[0].kind, 8) if found is not None else 8
    return total
