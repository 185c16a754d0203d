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

"""Running metrics over whole columns of the rows that each selects."""

from __future__ import annotations

__all__ = ["run_columns"]

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..columns import TABLES
from ..metric import CONTEXT
from .rows import Row, measured
from .samples import Level, Sample
from .source import Source
from .task import Task, columns_of, given, mask_of, selected_by


def run_columns(
    tasks: Sequence[Task],
    table: Source,
    detail: Sequence[str],
    shared: Mapping[str, Any],
    memory: int | None,
) -> Iterator[tuple[Task, Row]]:
    """Run metrics over columns.

    Parameters
    ----------
    tasks : `~collections.abc.Sequence` [`Task`]
        Metrics of one kind of table.
    table : `Source`
        The table.
    detail : `~collections.abc.Sequence` [`str`]
        Columns by whose values rows are measured apart once more.
    shared : `~collections.abc.Mapping`
        Fields that all rows share.
    memory : `int` or `None`
        Bytes that may be used.

    Yields
    ------
    task : `Task`
        A metric.
    row : `dict`
        A row of its results.
    """
    kind = TABLES[tasks[0].metric.table]
    split, time = kind.split, kind.time
    levels = [Level(split, time), *([Level((*split, *detail), time)] if detail else [])]
    samples = _samples(tasks, table.n_rows, memory)
    read = {*split, time, *detail, *(name for task in tasks for name in columns_of(task))}
    for piece in table.pieces(sorted(read)):
        if piece.n_rows:
            numbers = [level.number(piece) for level in levels]
            for sample in samples.values():
                sample.add(piece, numbers)
    for place, level in enumerate(levels):
        for context in level.contexts():
            fields = {**shared, **context.fields}
            for task in tasks:
                sample = samples[selected_by(task)]
                for row in measured(
                    task,
                    fields,
                    lambda: _measure(task, sample.columns(place, context.number), fields),  # noqa: B023
                    lambda: f"of {context.total} rows {sample.rows(place, context.number)} were selected",  # noqa: B023
                ):
                    yield task, row


def _measure(task: Task, columns: Mapping[str, Any], fields: Mapping[str, Any]) -> Any:
    function, band = task.metric.function, task.band or fields.get("band")
    values = given(
        function,
        band,
        lambda name: fields.get(name) if name in CONTEXT else columns[task.column(name)],
    )
    return function(**values, **task.metric.arguments(function, band))


def _samples(tasks: Sequence[Task], n_rows: int, memory: int | None) -> dict[Any, Sample]:
    """Make a sample for each selection, holding what its metrics need."""
    wanted: dict[Any, set[str]] = {}
    masks: dict[Any, Any] = {}
    for task in tasks:
        key = selected_by(task)
        masks[key] = mask_of(task)
        wanted.setdefault(key, set()).update(columns_of(task, selection=False))
    return {key: Sample(masks[key], sorted(names), n_rows, memory) for key, names in wanted.items()}
