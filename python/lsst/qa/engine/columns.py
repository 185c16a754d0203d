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

import contextlib
import math
import operator
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..columns import TABLES
from ..pieces import Piece
from .applied import applied
from .budget import Batch, reading, taken_by
from .contexts import Context, Level, runs
from .rows import Row, measured
from .samples import Sample
from .source import Source
from .task import Task, columns_of, mask_of, selected_by

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
    with contextlib.ExitStack() as stack:
        for piece in table.pieces(sorted(read)):
            if not piece.n_rows:
                continue
            for key, rows in runs(piece, kind.split) if batch.apart else ((None, slice(0, piece.n_rows)),):
                if held is None or key != last:
                    found += held.measured(shared) if held is not None else ()
                    stack.close()
                    held, last = _Held(batch, kind.split, kind.time, detail, stack), key
                held.add(piece if rows.stop - rows.start == piece.n_rows else piece.take(rows))
        found += held.measured(shared) if held is not None else ()
    found.sort(key=operator.itemgetter(0, 1))
    return [(task, row) for _, _, task, row in found]


class _Held:
    """The selected rows of some contexts, until all of these are there: in
    memory, or where that would be too much in files.
    """

    def __init__(
        self,
        batch: Batch,
        split: Sequence[str],
        time: str,
        detail: Sequence[str],
        stack: contextlib.ExitStack,
    ):
        self._batch, self._stack = batch, stack
        self._folder: Path | None = None
        self._tasks = [(task, selected_by(task), columns_of(task, selection=False)) for task in batch.tasks]
        self._levels = [Level(split, time), *([Level((*split, *detail), time)] if detail else [])]
        wanted: dict[Any, set[str]] = {}
        masks: dict[Any, Any] = {}
        for task, key, names in self._tasks:
            masks[key] = mask_of(task)
            wanted.setdefault(key, set()).update(names)
        self._samples = {key: Sample(masks[key], sorted(names)) for key, names in wanted.items()}
        self._taken = taken_by(batch.tasks)
        self._room = math.inf if batch.within is None else batch.within - reading(batch.tasks)

    def add(self, piece: Piece) -> None:
        """Keep what is selected of some rows."""
        numbers = [level.number(piece) for level in self._levels]
        for sample in self._samples.values():
            sample.add(piece, numbers)
        if self._taken({key: sample.held for key, sample in self._samples.items()}) > self._room:
            self._store()

    def measured(self, shared: Mapping[str, Any]) -> Iterator[_Found]:
        """Run the metrics."""
        if self._folder is not None:
            self._store()
        for place, level in enumerate(self._levels):
            contexts = level.contexts()
            for sample in self._samples.values():
                sample.arrange(place, len(contexts))
            for context in contexts:
                yield from self._rows(place, context, {**shared, **context.fields})

    def _store(self) -> None:
        if self._folder is None:
            self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="lsst-qa-")))
        for place, sample in enumerate(self._samples.values()):
            sample.store(self._folder / str(place))

    def _columns(self, task: Task, names: Sequence[str], sample: Sample, number: int) -> dict[str, Any]:
        in_files = self._folder is not None and not self._batch.holds(task, sample.rows(number))
        return sample.columns(number, names, in_files)

    def _rows(self, place: int, context: Context, fields: dict[str, Any]) -> Iterator[_Found]:
        made: dict[Any, Any] = {}
        for task, key, names in self._tasks:
            if place and not task.metric.in_detail:
                continue
            sample = self._samples[key]
            for row in measured(
                task,
                fields,
                lambda: applied(task, self._columns(task, names, sample, context.number), fields, made),  # noqa: B023
                lambda: f"of {context.total} rows {sample.rows(context.number)} were selected",  # noqa: B023
            ):
                yield place, context.key, task, row
