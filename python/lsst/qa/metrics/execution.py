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

"""What the quanta of a run took: time, memory, memory against the declared
budget, and how many failed.

A metric's value is over the quanta of all tasks; a variant whose name ends in
a dot and the label of a task is over those of that task.
"""

from __future__ import annotations

__all__ = [
    "BUDGET",
    "QUANTILES",
    "TOTALS",
    "n_quanta",
    "n_quanta_failed",
    "quanta_failed_fraction",
    "quantum_budget_used_q100",
    "quantum_wall_q50",
    "quantum_wall_total",
]

from typing import Any

import numpy as np

from ..metric import Estimate, Metric, metric
from ..pieces import same_text
from ..spec import Spec
from ..stats import count, fraction, quantile

USAGE = "analysis_tools c74f828, GatherResourceUsageTask"
OWN = "execution metadata of pipe_base 30"
GIB = 2.0**-30
PERCENT = 100.0
PERCENTS = (0, 1, 5, 32, 50, 68, 95, 99, 100)


def of_task(task: np.ndarray, *, label: str = "") -> np.ndarray:
    """Select the quanta of a task, or of all tasks."""
    return same_text(task, label) if label else np.ones(len(task), dtype=bool)


@metric(
    "quantum_wall_q50",
    table="quantum",
    unit="s",
    rows=of_task,
    inputs={"quantity": "wall"},
    reference=USAGE,
)
def quantum_wall_q50(quantity: np.ndarray, *, percent: float = 50.0, scale: float = 1.0) -> Estimate:
    """Time from the preparation to the end of a quantum, median.

    quantile over quanta of end - prep
    """
    return Estimate(*quantile(scale * quantity, percent / PERCENT))


def _quantiles(column: str, what: str, formula: str, unit: str, **constants: Any) -> list[Metric]:
    """Declare the quantiles of what quanta took."""
    return [
        quantum_wall_q50.variant(
            f"quantum_{column}_q{percent:02d}",
            inputs={"quantity": column},
            unit=unit,
            percent=float(percent),
            doc=f"{what}, {'median' if percent == 50 else f'{percent} % quantile'}.",
            formula=f"{percent} % quantile over quanta of {formula}",
            **constants,
        )
        for percent in PERCENTS
        if (column, percent) != ("wall", 50)
    ]


QUANTILES = (
    *_quantiles("wall", "Time from the preparation to the end of a quantum", "end - prep", "s"),
    *_quantiles("prep_cpu", "CPU time of preparing a quantum", "init - prep", "s"),
    *_quantiles("init_cpu", "CPU time of making the task of a quantum", "start - init", "s"),
    *_quantiles("run_cpu", "CPU time of running a quantum", "end - start", "s"),
    *_quantiles(
        "memory",
        "Peak memory of the process of a quantum, former quanta included",
        "endMaxResidentSetSize",
        "GiB",
        scale=GIB,
    ),
)


@metric(
    "quantum_wall_total",
    table="quantum",
    unit="h",
    rows=of_task,
    inputs={"quantity": "wall"},
    reference=USAGE,
)
def quantum_wall_total(quantity: np.ndarray, *, seconds: float = 3600.0) -> Estimate:
    """Time of all quanta together.

    sum over quanta of end - prep; error sqrt(N) times their scatter
    """
    known = quantity[np.isfinite(quantity)] / seconds
    n = len(known)
    if n == 0:
        return Estimate(np.nan, np.nan, 0)
    error = float(np.sqrt(n) * np.std(known, ddof=1)) if n > 1 else np.nan
    return Estimate(float(np.sum(known)), error, n)


TOTALS = tuple(
    quantum_wall_total.variant(
        f"quantum_{step}_cpu_total",
        inputs={"quantity": f"{step}_cpu"},
        doc=f"CPU time of {what} all quanta together.",
        formula=f"sum over quanta of {formula}; error sqrt(N) times their scatter",
    )
    for step, what, formula in (
        ("prep", "preparing", "init - prep"),
        ("init", "making the tasks of", "start - init"),
        ("run", "running", "end - start"),
    )
)


@metric(
    "quantum_budget_used_q100",
    table="quantum",
    unit="%",
    rows=of_task,
    specs=(Spec("minimum", PERCENT, source="memory_budget of the task"),),
    reference=OWN,
)
def quantum_budget_used_q100(
    memory: np.ndarray, memory_before: np.ndarray, memory_budget: np.ndarray, *, percent: float = 100.0
) -> Estimate:
    """Memory that a quantum took of what its task declared, largest.

    maximum over quanta of (endMaxResidentSetSize - startMaxResidentSetSize)
    / memory_budget; too low where the process ran another quantum before
    """
    known = np.isfinite(memory_budget) & (memory_budget > 0.0)
    used = PERCENT * (memory[known] - memory_before[known]) / memory_budget[known]
    return Estimate(*quantile(used, percent / PERCENT))


BUDGET = (
    quantum_budget_used_q100.variant(
        "quantum_budget_used_q50",
        percent=50.0,
        specs=(),
        doc="Memory that a quantum took of what its task declared, median.",
    ),
)


@metric("n_quanta", table="quantum", unit="", rows=of_task, reference=OWN)
def n_quanta(failed: np.ndarray) -> Estimate:
    """Number of quanta that were run.

    N, Poisson error
    """
    return Estimate(*count(np.ones(len(failed), dtype=bool)))


@metric("n_quanta_failed", table="quantum", unit="", rows=of_task, reference=OWN)
def n_quanta_failed(failed: np.ndarray) -> Estimate:
    """Number of quanta that failed: they left a log and no metadata.

    N(failed), Poisson error
    """
    return Estimate(*count(failed))


@metric("quanta_failed_fraction", table="quantum", unit="%", rows=of_task, reference=OWN)
def quanta_failed_fraction(failed: np.ndarray) -> Estimate:
    """Percentage of the quanta that failed.

    100 N(failed) / N
    """
    return Estimate(*fraction(failed))
