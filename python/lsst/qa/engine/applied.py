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

"""Calling a metric over columns."""

from __future__ import annotations

__all__ = ["applied", "in_parts"]

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..columns import TABLES
from ..metric import CONTEXT, Estimate
from .stored import Stored
from .task import Task, call_key, columns_of, given, selected_by

_KINDS: dict[str, Any] = {"flag": bool, "int": np.int64}
"""Types of a column's values, float64 where not named."""

_SIZES: dict[Any, int] = {bool: 2, np.int64: 9, np.float64: 30}
"""Below which the values are that it is tried with."""

_TRIED = 1000
"""Rows on which it is tried whether a metric goes over columns in parts."""


def applied(task: Task, columns: Mapping[str, Any], fields: Mapping[str, Any], made: dict[Any, Any]) -> Any:
    """Run a metric.

    Parameters
    ----------
    task : `Task`
        The metric, and its band.
    columns : `~collections.abc.Mapping`
        What it measures of the selected rows.
    fields : `~collections.abc.Mapping`
        What is known of all the rows.
    made : `dict`
        What metrics shared of these rows so far; added to.

    Returns
    -------
    result : `Estimate` or `list` [`Estimate`]
        What the metric returns.
    """
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


def in_parts(task: Task) -> bool:
    """Tell whether a metric goes over columns part by part: whether it makes
    of files what it makes of arrays is tried on some rows.

    Parameters
    ----------
    task : `Task`
        The metric, and its band.

    Returns
    -------
    in_parts : `bool`
        Whether its columns may be in files.
    """
    table, rng = TABLES[task.metric.table], np.random.default_rng(1)
    arrays: dict[str, np.ndarray] = {}
    files: dict[str, Stored] = {}
    with tempfile.TemporaryDirectory(prefix="lsst-qa-") as folder, np.errstate(all="ignore"):
        for place, name in enumerate(columns_of(task, selection=False)):
            found = table.column(name)
            kind = _KINDS.get(found[0].kind if found is not None else "", np.float64)
            arrays[name] = (rng.lognormal(1.5, 1.0, _TRIED) % _SIZES[kind]).astype(kind)
            path = Path(folder) / str(place)
            arrays[name].tofile(path)
            files[name] = Stored(path, kind)
        try:
            one, other = (np.array(_numbers(applied(task, way, {}, {}))) for way in (arrays, files))
        except Exception:  # of whatever kind: then it does not
            return False
    # Where there is no value nothing was tried.
    seen = one.shape == other.shape and np.isfinite(one[:, 0]).any()
    return bool(seen and np.allclose(one, other, 1e-9, equal_nan=True))


def _numbers(result: Any) -> list[tuple[float, float, int]]:
    return [estimate[:3] for estimate in ([result] if isinstance(result, Estimate) else result)]
