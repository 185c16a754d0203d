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

"""Numbers that tasks leave in their metadata.

Which numbers of which tasks are metrics, with their units and what they mean,
stands in the YAML file beside this one. Any other is a variant that a pipeline
declares.
"""

from __future__ import annotations

__all__ = ["DECLARED", "task_number_median", "task_number_sum"]

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ..errors import DefinitionError
from ..metric import Estimate, Metric, metric
from ..pieces import same_text
from ..stats import median

_FILE = Path(__file__).with_suffix(".yaml")
_FIELDS = {"entry", "statistic", "unit", "doc"}


def numbers_of(task: np.ndarray, entry: np.ndarray, *, label: str = "", key: str = "") -> np.ndarray:
    """Select the numbers of a task, those of a name, or all."""
    chosen = np.ones(len(task), dtype=bool)
    if label:
        chosen &= same_text(task, label)
    return chosen & same_text(entry, key) if key else chosen


@metric(
    "task_number_median", table="task_metadata", unit="", rows=numbers_of, reference="metadata of the task"
)
def task_number_median(number: np.ndarray) -> Estimate:
    """A number in the metadata of a task, median over its quanta.

    median over the quanta of a visit; a detector's is its own
    """
    return Estimate(*median(number))


@metric("task_number_sum", table="task_metadata", unit="", rows=numbers_of, reference="metadata of the task")
def task_number_sum(number: np.ndarray) -> Estimate:
    """A number in the metadata of a task, summed over its quanta.

    sum over the quanta of a visit, error sqrt(N) times their scatter; a
    detector's is its own
    """
    known = number[np.isfinite(number)]
    n = len(known)
    if n == 0:
        return Estimate(np.nan, np.nan, 0)
    return Estimate(float(np.sum(known)), float(np.sqrt(n) * np.std(known, ddof=1)) if n > 1 else np.nan, n)


_STATISTICS = {"median": task_number_median, "sum": task_number_sum}


def _declared(label: str, name: str, facts: Any) -> Metric:
    """Declare a metric from what a YAML file says of a number."""
    if not isinstance(facts, dict) or not {"entry", "doc"} <= set(facts) <= _FIELDS:
        raise DefinitionError(
            f"Number {name!r} of task {label!r} is {facts!r}: it needs entry and doc, and may have statistic "
            "and unit."
        )
    statistic = facts.get("statistic", "median")
    if statistic not in _STATISTICS:
        raise DefinitionError(
            f"Number {name!r} of task {label!r} has the statistic {statistic!r}, which is none of "
            f"{', '.join(_STATISTICS)}."
        )
    return _STATISTICS[statistic].variant(
        f"{label}_{name}",
        label=label,
        key=str(facts["entry"]),
        unit=facts.get("unit", ""),
        doc=facts["doc"],
        formula=f"{statistic} over the detectors of a visit of {facts['entry']}",
        reference=f"metadata of {label}",
    )


DECLARED = tuple(
    _declared(label, name, facts)
    for label, entries in yaml.safe_load(_FILE.read_text(encoding="utf-8")).items()
    for name, facts in entries.items()
)
