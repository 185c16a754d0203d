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

"""A metric to run: the columns it takes and the calls it makes."""

from __future__ import annotations

__all__ = [
    "Task",
    "call_key",
    "columns_of",
    "first_key",
    "given",
    "mask_columns",
    "mask_of",
    "selected_by",
    "tasks_of",
]

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..columns import ANY_BAND, TABLES
from ..metric import CONTEXT, Metric, positional_of
from ..pieces import Columns


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


@functools.cache
def columns_of(task: Task, *, selection: bool = True) -> tuple[str, ...]:
    """Name the columns that a metric takes.

    Parameters
    ----------
    task : `Task`
        The metric, and its band.
    selection : `bool`, optional
        Whether to name those that only its selection takes as well.

    Returns
    -------
    names : `tuple` [`str`, ...]
        Columns, with the band where they are of one.
    """
    if selection or task.metric.steps:
        return tuple(task.column(name) for name in task.metric.columns)
    return tuple(task.column(name) for name in task.metric.measured if name not in CONTEXT)


@functools.cache
def selected_by(task: Task) -> Any:
    """Identify the selection of a metric: the same key, the same rows.

    Parameters
    ----------
    task : `Task`
        The metric, and its band.

    Returns
    -------
    key : `~collections.abc.Hashable`
        `None` for a metric that takes all rows.
    """
    return call_key(task, task.metric.rows, None)


@functools.cache
def mask_columns(task: Task) -> tuple[str, ...]:
    """Name the columns by which a metric selects rows.

    Parameters
    ----------
    task : `Task`
        The metric, and its band.

    Returns
    -------
    names : `tuple` [`str`, ...]
        Columns, with the band where they are of one; none for all rows.
    """
    return tuple(map(task.column, positional_of(task.metric.rows))) if task.metric.rows else ()


@functools.cache
def mask_of(task: Task) -> Callable[[Columns], np.ndarray] | None:
    """Make of a metric's selection a function of a piece.

    Parameters
    ----------
    task : `Task`
        The metric, and its band.

    Returns
    -------
    mask : `~collections.abc.Callable` or `None`
        Takes a piece's columns, returns which rows to keep; `None` for all.
    """
    rows = task.metric.rows
    if rows is None:
        return None
    columns = {name: task.column(name) for name in positional_of(rows)}
    constants = task.metric.arguments(rows, None)
    return lambda piece: rows(**{name: piece[column] for name, column in columns.items()}, **constants)


@functools.cache
def call_key(task: Task, function: Callable[..., Any] | None, band: str | None) -> Any:
    """Identify a call: the same key, the same result.

    Parameters
    ----------
    task : `Task`
        The metric, and its band.
    function : `~collections.abc.Callable` or `None`
        Its selection, one of its steps, or its function.
    band : `str` or `None`
        Band, for constants that depend on it.

    Returns
    -------
    key : `~collections.abc.Hashable`
        The function, its constants and its columns; `None` for no call.
    """
    if function is None:
        return None
    columns = tuple(task.column(name) for name in positional_of(function))
    return function, tuple(sorted(task.metric.arguments(function, band).items())), columns


@functools.cache
def first_key(task: Task) -> Any:
    """Identify the first step of a metric over groups: the same key, the same
    result.

    Parameters
    ----------
    task : `Task`
        The metric.

    Returns
    -------
    key : `~collections.abc.Hashable`
        The rows that it takes, and the call.
    """
    return (task.metric.most_rows, selected_by(task)), call_key(task, task.metric.steps[0], None)


def given(
    function: Callable[..., Any], band: str | None, value_of: Callable[[str], Any], skip: int = 0
) -> dict[str, Any]:
    """Collect what a function is called with.

    Parameters
    ----------
    function : `~collections.abc.Callable`
        The function.
    band : `str` or `None`
        Band, handed over where the function asks for it.
    value_of : `~collections.abc.Callable`
        Returns the value of any other parameter, by its name.
    skip : `int`, optional
        How many parameters to leave out at the front.

    Returns
    -------
    values : `dict` [`str`, `typing.Any`]
        By parameter.
    """
    return {name: band if name == "band" else value_of(name) for name in positional_of(function)[skip:]}
