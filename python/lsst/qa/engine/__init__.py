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

"""Running metrics over a table, which may come in pieces.

What metrics have in common is done once: reading a column, a selection of
rows, the grouping of the selected rows, and every step that has the same
constants.
"""

from __future__ import annotations

__all__ = [
    "MIB",
    "Batch",
    "Source",
    "Task",
    "columns_of",
    "failed",
    "needed",
    "planned",
    "run_metrics",
    "tasks_of",
]

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .budget import MIB, Batch, needed, planned
from .columns import run_columns
from .groups import run_groups
from .rows import Row, failed
from .source import Source
from .task import Task, columns_of, tasks_of

_LARGEST = (1 << 25) - (1 << 13)
"""Once a block of that size was freed, glibc keeps smaller ones that are freed
for those to come: to get each page anew costs more than to compute with it.
"""


def run_metrics(
    tasks: Sequence[Task],
    table: Source,
    *,
    detail: Sequence[str] = (),
    data_id: Mapping[str, Any] | None = None,
    memory: int | None = None,
    batches: Sequence[Batch] | None = None,
) -> list[Row]:
    """Measure a table that comes in pieces.

    Parameters
    ----------
    tasks : `~collections.abc.Sequence` [`Task`]
        Metrics of one kind of table.
    table : `Source`
        The table.
    detail : `~collections.abc.Sequence` [`str`], optional
        Columns by whose values rows are measured apart once more, as by
        detector within a visit.
    data_id : `~collections.abc.Mapping`, optional
        Fields that all rows share.
    memory : `int`, optional
        Bytes that may be used; without a bound if not given.
    batches : `~collections.abc.Sequence` [`Batch`], optional
        The tasks as `planned` put them together, if that was done.

    Returns
    -------
    rows : `list` [`dict`]
        Rows of results, metric by metric. A metric that fails is a row with
        its message; no row for a table without rows.

    Raises
    ------
    BudgetError
        Raised, before anything is measured, if a metric needs more memory.
    """
    np.empty(_LARGEST, dtype=np.uint8)
    shared = dict(data_id or {})
    found: dict[int, list[Row]] = {}
    for batch in planned(tasks, table, memory) if batches is None else batches:
        if batch.tasks[0].metric.steps:
            rows = list(run_groups(batch.tasks, table, shared, memory))
        else:
            rows = run_columns(batch, table, detail, shared)
        for task, row in rows:
            found.setdefault(id(task), []).append(row)
    return [row for task in tasks for row in found.get(id(task), ())]
