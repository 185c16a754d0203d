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

"""Running metrics over the columns of a table, which may come in pieces.

What metrics have in common is done once: a selection of rows, the grouping of
the selected rows, and every step that has the same constants.
"""

from __future__ import annotations

__all__ = ["Task", "columns_of", "failed", "run_metrics", "tasks_of"]

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .columns import ANY_BAND, TABLES
from .metric import Estimate, Metric, positional_of
from .samples import Columns, Context, Level, Sample
from .stats import group_rows

_LOG = logging.getLogger(__name__)

Row = dict[str, Any]

NOTHING = Estimate(math.nan, math.nan, 0)


class Task(NamedTuple):
    """A metric to run.

    Attributes
    ----------
    metric : `Metric`
        The metric.
    band : `str` or `None`
        Band whose columns it takes, in a table that has some for each.
    """

    metric: Metric
    band: str | None

    def column(self, parameter: str) -> str:
        """Name the column that a parameter stands for.

        Parameters
        ----------
        parameter : `str`
            A data parameter of the metric, or one of its columns.

        Returns
        -------
        name : `str`
            The column's name, with the band where it is of one.
        """
        name = self.metric.inputs.get(parameter, parameter)
        found = TABLES[self.metric.table].column(name)
        return f"{self.band}_{name}" if self.band and found is not None and found[1] == ANY_BAND else name


def tasks_of(metrics: Iterable[Metric], bands: Sequence[str]) -> list[Task]:
    """Say what is to be run.

    Parameters
    ----------
    metrics : `~collections.abc.Iterable` [`Metric`]
        The metrics.
    bands : `~collections.abc.Sequence` [`str`]
        Bands of a table that has columns for each.

    Returns
    -------
    tasks : `list` [`Task`]
        One per metric, or one per metric and band.
    """
    return [Task(metric, band) for metric in metrics for band in (bands if metric.each_band else (None,))]


def columns_of(task: Task) -> tuple[str, ...]:
    """Name the columns that a metric takes.

    Parameters
    ----------
    task : `Task`
        The metric, and its band.

    Returns
    -------
    names : `tuple` [`str`, ...]
        Columns, with the band where they are of one.
    """
    return tuple(task.column(name) for name in task.metric.columns)


def run_metrics(
    tasks: Sequence[Task],
    pieces: Iterable[Columns],
    *,
    detail: Sequence[str] = (),
    data_id: Mapping[str, Any] | None = None,
) -> list[Row]:
    """Measure a table that comes in pieces.

    Parameters
    ----------
    tasks : `~collections.abc.Sequence` [`Task`]
        Metrics of one kind of table.
    pieces : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        Columns by name, all of the same length within a piece.
    detail : `~collections.abc.Sequence` [`str`], optional
        Columns by whose values rows are measured apart once more, as by
        detector within a visit.
    data_id : `~collections.abc.Mapping`, optional
        Fields that all rows share.

    Returns
    -------
    rows : `list` [`dict`]
        Rows of results. A metric that fails is a row with its message;
        no row for a table without rows.
    """
    if not tasks:
        return []
    split = TABLES[tasks[0].metric.table].split
    levels = [Level(split), *([Level((*split, *detail))] if detail else [])]
    samples = _samples(tasks)
    for piece in pieces:
        rows = len(next(iter(piece.values()), ()))
        if rows:
            numbers = [level.number(piece, rows) for level in levels]
            for sample in samples.values():
                sample.add(piece, numbers)
    found: list[Row] = []
    for place, level in enumerate(levels):
        able = tasks if place == 0 else [task for task in tasks if not task.metric.steps]
        for context in level.contexts():
            cache: dict[Any, Any] = {}
            for task in able:
                columns = samples[_call(task, task.metric.rows, None)].columns(place, context.number)
                found += _rows(task, columns, context, cache, dict(data_id or {}))
    return found


def failed(task: Task, message: str, data_id: Mapping[str, Any]) -> Row:
    """Make the row of a metric that could not run.

    Parameters
    ----------
    task : `Task`
        The metric, and its band.
    message : `str`
        Why.
    data_id : `~collections.abc.Mapping`
        Fields that it shares with others.

    Returns
    -------
    row : `dict`
        Row of results with status "failed".
    """
    return _row(task, data_id, NOTHING, "failed", message)


def _samples(tasks: Sequence[Task]) -> dict[Any, Sample]:
    """Make a sample for each selection, holding what its metrics need."""
    wanted: dict[Any, set[str]] = {}
    masks: dict[Any, Callable[[Columns], np.ndarray] | None] = {}
    for task in tasks:
        key = _call(task, task.metric.rows, None)
        wanted.setdefault(key, set()).update(columns_of(task))
        masks[key] = _mask(task)
    return {key: Sample(masks[key], sorted(names)) for key, names in wanted.items()}


def _mask(task: Task) -> Callable[[Columns], np.ndarray] | None:
    """Make of a metric's selection a function of a piece."""
    rows = task.metric.rows
    if rows is None:
        return None
    columns = {name: task.column(name) for name in positional_of(rows)}
    constants = task.metric.arguments(rows, None)
    return lambda piece: rows(**{name: piece[column] for name, column in columns.items()}, **constants)


def _call(task: Task, function: Callable[..., Any] | None, band: str | None) -> Any:
    """Identify a call by the function, its constants and its columns: the same
    key, the same result.
    """
    if function is None:
        return None
    columns = tuple(task.column(name) for name in positional_of(function))
    return function, tuple(sorted(task.metric.arguments(function, band).items())), columns


def _rows(
    task: Task, columns: Columns, context: Context, cache: dict[Any, Any], shared: Row
) -> Iterator[Row]:
    fields = {**shared, **context.fields}
    try:
        result = _measure(task, columns, cache, task.band or fields.get("band"))
    except Exception as error:  # the other metrics go on; the row and the log tell
        _LOG.exception("Metric %s failed.", task.metric.name)
        yield failed(task, f"{type(error).__name__}: {error}", fields)
        return
    selected = len(next(iter(columns.values())))
    for estimate in [result] if isinstance(result, Estimate) else result:
        status, message = _status(estimate, selected, context.total)
        yield _row(task, fields, estimate, status, message)


def _measure(task: Task, columns: Columns, cache: dict[Any, Any], band: str | None) -> Any:
    metric = task.metric
    constants = metric.arguments(metric.function, band)
    if not metric.steps:
        return metric.function(
            **_given(metric.function, band, lambda name: columns[task.column(name)]), **constants
        )
    chain: Any = _call(task, metric.rows, None)
    if ("groups", chain) not in cache:
        table = TABLES[metric.table]
        cache["groups", chain] = group_rows(
            columns[table.group], *(columns[name] for name in table.group_order)
        )
    index, groups = cache["groups", chain]
    made: Mapping[str, Any] = {}
    for place, step in enumerate(metric.steps):
        chain = (chain, _call(task, step, band))
        if chain not in cache:
            arguments = metric.arguments(step, band)
            if place == 0:
                # The first parameter is the groups; the others are columns, in
                # the order of the groups.
                own = _given(step, band, lambda name: columns[task.column(name)][index], skip=1)
                cache[chain] = step(groups, **own, **arguments)
            else:
                cache[chain] = step(**_given(step, band, made.__getitem__), **arguments)
        made = cache[chain]
    return metric.function(**_given(metric.function, band, made.__getitem__), **constants)


def _given(
    function: Callable[..., Any], band: str | None, value_of: Callable[[str], Any], skip: int = 0
) -> dict[str, Any]:
    """Collect what a function is called with: the band, where it asks for it,
    and values by name.
    """
    return {name: band if name == "band" else value_of(name) for name in positional_of(function)[skip:]}


def _status(estimate: Estimate, selected: int, total: int) -> tuple[str, str | None]:
    if math.isfinite(estimate.value):
        return "ok", None
    if estimate.n == 0:
        return (
            "empty",
            f"nothing left to measure: of {total} rows {selected} were selected, none could be used",
        )
    return "undefined", f"no finite value from a sample of {estimate.n} ({selected} of {total} rows selected)"


def _row(task: Task, fields: Mapping[str, Any], estimate: Estimate, status: str, message: str | None) -> Row:
    row = {
        **fields,
        "metric": task.metric.name,
        "value": estimate.value,
        "error": estimate.error if math.isfinite(estimate.value) else math.nan,
        "n": estimate.n,
        "unit": task.metric.unit,
        "status": status,
        "message": message,
        "bin_low": estimate.bin_low,
        "bin_high": estimate.bin_high,
    }
    return {**row, "band": task.band} if task.band else row
