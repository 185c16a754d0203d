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

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..columns import TABLES
from ..metric import CONTEXT
from ..pieces import Piece
from .budget import Batch
from .contexts import Context, Level, runs
from .rows import Row, measured
from .samples import Sample
from .source import Source
from .task import Task, call_key, columns_of, given, mask_of, selected_by

_Found = tuple[int, Any, Task, Row]


def run_columns(
    batch: Batch, table: Source, detail: Sequence[str], shared: Mapping[str, Any]
) -> list[tuple[Task, Row]]:
    """Run metrics over columns.

    Parameters
    ----------
    batch : `Batch`
        Metrics of one kind of table.
    table : `Source`
        The table.
    detail : `~collections.abc.Sequence` [`str`]
        Columns by whose values rows are measured apart once more.
    shared : `~collections.abc.Mapping`
        Fields that all rows share.

    Returns
    -------
    rows : `list` [`tuple` [`Task`, `dict`]]
        Rows of results, each with its metric.
    """
    kind = TABLES[batch.tasks[0].metric.table]
    read = {*kind.split, kind.time, *detail, *(name for task in batch.tasks for name in columns_of(task))}
    found: list[_Found] = []
    held, last = None, None
    for piece in table.pieces(sorted(read)):
        if not piece.n_rows:
            continue
        for key, rows in runs(piece, kind.split) if batch.apart else ((None, slice(0, piece.n_rows)),):
            if held is None or key != last:
                found += held.measured(shared) if held is not None else ()
                held, last = _Held(batch, kind.split, kind.time, detail), key
            held.add(piece if rows.stop - rows.start == piece.n_rows else piece.take(rows))
    found += held.measured(shared) if held is not None else ()
    found.sort(key=operator.itemgetter(0, 1))
    return [(task, row) for _, _, task, row in found]


class _Held:
    """The selected rows of some contexts, until all of these are there."""

    def __init__(self, batch: Batch, split: Sequence[str], time: str, detail: Sequence[str]):
        self._tasks = [(task, selected_by(task)) for task in batch.tasks]
        self._levels = [Level(split, time), *([Level((*split, *detail), time)] if detail else [])]
        wanted: dict[Any, set[str]] = {}
        masks: dict[Any, Any] = {}
        for task, key in self._tasks:
            masks[key] = mask_of(task)
            wanted.setdefault(key, set()).update(columns_of(task, selection=False))
        self._samples = {key: Sample(masks[key], sorted(names)) for key, names in wanted.items()}

    def add(self, piece: Piece) -> None:
        """Keep what is selected of some rows."""
        numbers = [level.number(piece) for level in self._levels]
        for sample in self._samples.values():
            sample.add(piece, numbers)

    def measured(self, shared: Mapping[str, Any]) -> Iterator[_Found]:
        """Run the metrics."""
        for place, level in enumerate(self._levels):
            contexts = level.contexts()
            for sample in self._samples.values():
                sample.arrange(place, len(contexts))
            for context in contexts:
                yield from self._rows(place, context, {**shared, **context.fields})

    def _rows(self, place: int, context: Context, fields: dict[str, Any]) -> Iterator[_Found]:
        made: dict[Any, Any] = {}
        for task, key in self._tasks:
            if place and not task.metric.in_detail:
                continue
            sample = self._samples[key]
            for row in measured(
                task,
                fields,
                lambda: _measure(task, sample.columns(context.number), fields, made),  # noqa: B023
                lambda: f"of {context.total} rows {sample.rows(context.number)} were selected",  # noqa: B023
            ):
                yield place, context.key, task, row


def _measure(task: Task, columns: Mapping[str, Any], fields: Mapping[str, Any], made: dict[Any, Any]) -> Any:
    """Run a metric; what it shares with others is ``made`` once."""
    metric, band = task.metric, task.band or fields.get("band")

    def value_of(name: str) -> Any:
        return fields.get(name) if name in CONTEXT else columns[task.column(name)]

    def call(function: Callable[..., Any], *first: Any) -> Any:
        values = given(function, band, value_of, skip=len(first))
        return function(*first, **values, **metric.arguments(function, band))

    if metric.shared is None:
        return call(metric.function)
    key = selected_by(task), call_key(task, metric.shared, band)
    if key not in made:
        made[key] = call(metric.shared)
    return call(metric.function, made[key])
