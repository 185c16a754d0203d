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

"""Rows of results out of what metrics return."""

from __future__ import annotations

__all__ = ["Row", "failed", "measured"]

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..metric import Estimate
from .task import Task

_LOG = logging.getLogger(__name__)

Row = dict[str, Any]

NOTHING = Estimate(math.nan, math.nan, 0)


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


def measured(
    task: Task, fields: Mapping[str, Any], measure: Callable[[], Any], selected: Callable[[], str]
) -> Iterator[Row]:
    """Run a metric and make its rows, whatever comes of it.

    Parameters
    ----------
    task : `Task`
        The metric, and its band.
    fields : `~collections.abc.Mapping`
        Fields of the rows.
    measure : `~collections.abc.Callable`
        Returns an `Estimate`, or several.
    selected : `~collections.abc.Callable`
        Says how much there was to measure, for a row without a value.

    Yields
    ------
    row : `dict`
        Row of results.
    """
    try:
        result = measure()
    except Exception as error:  # the other metrics go on; the row and the log tell
        _LOG.exception("Metric %s failed.", task.metric.name)
        yield failed(task, f"{type(error).__name__}: {error}", fields)
        return
    for estimate in [result] if isinstance(result, Estimate) else result:
        if math.isfinite(estimate.value):
            yield _row(task, fields, estimate, "ok", None)
        elif estimate.n == 0:
            yield _row(
                task, fields, estimate, "empty", f"nothing to measure: {selected()}, none could be used"
            )
        else:
            message = f"no finite value from a sample of {estimate.n}: {selected()}"
            yield _row(task, fields, estimate, "undefined", message)


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
    band = task.band or estimate.band
    return {**row, "band": band} if band else row
