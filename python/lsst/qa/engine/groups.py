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

"""Running metrics over groups: the first step part by part, the rest on what
it gave.
"""

from __future__ import annotations

__all__ = ["run_groups"]

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..columns import TABLES
from ..errors import BudgetError
from ..pieces import Columns, Piece
from ..stats import Groups, group_rows, hash_order
from .contexts import Level
from .grouping import OutOfOrderError, dealt_out, in_order
from .rows import Row, measured
from .source import Source
from .task import Task, call_key, columns_of, first_key, given, mask_of, selected_by

Made = dict[str, np.ndarray]
Across = tuple[str, ...]

_LOOSE = 1 << 26
"""Bytes of small arrays that are put together."""


@dataclasses.dataclass
class _Gathered:
    """What the first steps made of the groups of one context so far."""

    parts: dict[Any, list[Made]] = dataclasses.field(default_factory=dict)
    blocks: dict[Any, list[Made]] = dataclasses.field(default_factory=dict)
    joined: Counter[Any] = dataclasses.field(default_factory=Counter)
    sizes: Counter[Any] = dataclasses.field(default_factory=Counter)
    rows: Counter[Any] = dataclasses.field(default_factory=Counter)
    groups: Counter[Any] = dataclasses.field(default_factory=Counter)
    failures: dict[Any, Exception] = dataclasses.field(default_factory=dict)

    def keep(self, step: Any, made: Made) -> None:
        """Keep what a step made of some groups."""
        parts = self.parts.setdefault(step, [])
        parts.append(made)
        self.sizes[step] += sum(values.nbytes for values in made.values())
        if self.sizes[step] - self.joined[step] > _LOOSE:
            # Of many small arrays, freed among others, gaps would stay.
            blocks = self.blocks.setdefault(step, [])
            blocks.append(_joined(parts))
            parts.clear()
            self.joined[step] = self.sizes[step]

    def whole(self, step: Any) -> Made:
        """Hand over all that a step made."""
        return _joined(self.blocks.pop(step, []) + self.parts.pop(step))


def run_groups(
    tasks: Sequence[Task], table: Source, shared: Mapping[str, Any], memory: int | None
) -> Iterator[tuple[Task, Row]]:
    """Run metrics over groups.

    Parameters
    ----------
    tasks : `~collections.abc.Sequence` [`Task`]
        Metrics of one kind of table.
    table : `Source`
        The table.
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
    read = sorted({*kind.split, *(name for task in tasks for name in columns_of(task))})
    try:
        levels, gathered = _gathered(tasks, in_order(table.pieces(read), kind.group), table.n_rows, memory)
    except OutOfOrderError:
        parts = dealt_out(table.pieces(read), kind.group, table.n_rows, (memory or 1 << 30) // 8)
        levels, gathered = _gathered(tasks, parts, table.n_rows, memory)
    for across, own_tasks in _apart(tasks).items():
        for context in levels[across].contexts():
            fields = {**shared, **context.fields}
            own = gathered[across, context.number]
            cache: dict[Any, Any] = {}
            chains = [_chain(task, fields.get("band")) for task in own_tasks]
            users = Counter(key for chain in chains for key in chain)
            for task, chain in zip(own_tasks, chains):
                for row in measured(
                    task,
                    fields,
                    lambda: _finish(task, own, cache, fields.get("band")),  # noqa: B023, called at once
                    lambda: _selected(task, own, context.total),  # noqa: B023
                ):
                    yield task, row
                users.subtract(chain)
                for key in chain:
                    if not users[key]:  # nobody needs it any more
                        cache.pop(key, None)


def _apart(tasks: Sequence[Task]) -> dict[Across, list[Task]]:
    """Put tasks together that are measured apart by the same columns."""
    found: dict[Across, list[Task]] = {}
    for task in tasks:
        found.setdefault(task.metric.across, []).append(task)
    return found


class _First(NamedTuple):
    """The first step of some metrics, worked out once for all pieces."""

    key: Any
    selection: Any
    most: int | None
    mask: Callable[[Columns], np.ndarray] | None
    step: Callable[..., Made]
    columns: dict[str, str | None]
    constants: dict[str, Any]


def _firsts(tasks: Sequence[Task]) -> list[_First]:
    """List the first steps, each once."""
    found: dict[Any, _First] = {}
    for task in tasks:
        if (key := first_key(task)) in found:
            continue
        metric, step = task.metric, task.metric.steps[0]
        # The first parameter is the groups; the others are columns.
        columns = given(step, None, task.column, skip=1)
        how = mask_of(task), step, columns, metric.arguments(step, None)
        found[key] = _First(key, _selection(task), metric.most_rows, *how)
    return list(found.values())


class _Part:
    """Whole groups of one context; what steps share is made once.

    Parameters
    ----------
    piece : `Piece`
        The rows.
    key : `str`
        Column that numbers the groups.
    n_rows : `int`
        Number of rows of the table.
    """

    def __init__(self, piece: Piece, key: str, n_rows: int):
        index, self._groups = group_rows(piece[key])
        self._key, self._n_rows = key, n_rows
        self._samples: dict[int | None, Piece] = {None: piece if index is None else piece.take(index)}
        self._selections: dict[Any, tuple[Piece, Groups]] = {}

    def selected(self, first: _First) -> tuple[Piece, Groups]:
        """Return the rows that a step takes, group by group."""
        if first.selection not in self._selections:
            if first.most not in self._samples:
                self._samples[first.most] = self._sampled(first.most)
            piece = self._samples[first.most]
            if first.mask is not None:
                piece = piece.take(np.flatnonzero(first.mask(piece)))
            every = piece is self._samples[None]
            groups = self._groups if every else group_rows(piece[self._key])[1]
            self._selections[first.selection] = piece, groups
        return self._selections[first.selection]

    def _sampled(self, most: int | None) -> Piece:
        """Keep the groups of about so many rows, the same ones in any
        pieces.
        """
        piece = self._samples[None]
        if most is None or most >= self._n_rows:
            return piece
        chosen = hash_order(self._groups.keys) < np.uint64(most / self._n_rows * 2.0**64)
        return piece.take(self._groups.rows_of(chosen))


def _gathered(
    tasks: Sequence[Task], pieces: Iterator[Piece], n_rows: int, memory: int | None
) -> tuple[dict[Across, Level], dict[tuple[Across, int], _Gathered]]:
    """Run the first steps on all groups, by context."""
    kind = TABLES[tasks[0].metric.table]
    firsts = {across: _firsts(own) for across, own in _apart(tasks).items()}
    levels = {across: Level([name for name in kind.split if name not in across]) for across in firsts}
    gathered: dict[tuple[Across, int], _Gathered] = {}
    for piece in pieces:
        whole = _Part(piece, kind.group, n_rows)
        for across, own in firsts.items():
            for number, some in _by_context(piece, levels[across].number(piece)):
                # Where nothing lies across, all that is shared is.
                part = whole if some is piece else _Part(some, kind.group, n_rows)
                _first_steps(own, part, gathered.setdefault((across, number), _Gathered()), memory)
    return levels, gathered


def _by_context(piece: Piece, numbers: np.ndarray) -> Iterator[tuple[int, Piece]]:
    if not len(numbers) or np.all(numbers == numbers[0]):
        yield from ((int(number), piece) for number in numbers[:1])
        return
    for number in np.unique(numbers).tolist():
        yield number, piece.take(np.flatnonzero(numbers == number))


def _first_steps(firsts: Sequence[_First], part: _Part, gathered: _Gathered, memory: int | None) -> None:
    """Run the first step of each metric on some whole groups."""
    counted: set[Any] = set()
    for first in firsts:
        key = first.key
        if key in gathered.failures:
            continue
        try:
            piece, groups = part.selected(first)
            if first.selection not in counted:
                counted.add(first.selection)
                gathered.rows[first.selection] += piece.n_rows
                gathered.groups[first.selection] += len(groups)
            values = {name: column and piece[column] for name, column in first.columns.items()}
            made = first.step(groups, **values, **first.constants)
        except Exception as error:  # told in the rows of the metrics that need it
            gathered.failures[key] = error
            continue
        gathered.keep(key, made)
        if memory is not None and gathered.sizes[key] > memory:
            gathered.failures[key] = BudgetError(
                f"what {first.step.__name__} keeps of the groups exceeds {memory / 2**20:.0f} MiB"
            )
            del gathered.parts[key]
            gathered.blocks.pop(key, None)


def _finish(task: Task, gathered: _Gathered, cache: dict[Any, Any], band: str | None) -> Any:
    """Run the other steps of a metric, and the metric."""
    metric = task.metric
    first, *later = _chain(task, band)
    if first in gathered.failures:
        raise gathered.failures[first]
    if first not in cache:
        cache[first] = gathered.whole(first)
    made = cache[first]
    for key, step in zip(later, metric.steps[1:]):
        if key not in cache:
            cache[key] = step(**given(step, band, made.__getitem__), **metric.arguments(step, band))
        made = cache[key]
    return metric.function(
        **given(metric.function, band, made.__getitem__), **metric.arguments(metric.function, band)
    )


def _joined(parts: Sequence[Made]) -> Made:
    """Put parts together: one array after the other, so that no two are there
    twice.
    """
    return {name: np.concatenate([part.pop(name) for part in parts]) for name in [*parts[0]]}


def _chain(task: Task, band: str | None) -> list[Any]:
    """Identify what a metric's steps make: the same key, the same result."""
    chain = [first_key(task)]
    for step in task.metric.steps[1:]:
        chain.append((chain[-1], call_key(task, step, band)))
    return chain


def _selection(task: Task) -> Any:
    return task.metric.most_rows, selected_by(task)


def _selected(task: Task, gathered: _Gathered, total: int) -> str:
    key = _selection(task)
    kind = TABLES[task.metric.table].group
    return f"of {total} rows {gathered.rows[key]} were selected, of {gathered.groups[key]} {kind}s"
