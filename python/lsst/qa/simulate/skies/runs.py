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
"""Skies of runs: what their quanta took and counted, and the visits of a
survey.
"""

from __future__ import annotations

__all__ = ["RUNS"]

import numpy as np
from scipy.special import ndtr, ndtri

from ...catalogue import METRICS
from .population import Columns, Population, Truths, by_metric

_QUANTA, _FAILED = 30_000, 0.06
"""Of fewer, a hundredth part has too few for an unbiased quantile."""

_SPREAD = 0.4
_TOOK = {"wall": 40.0, "prep_cpu": 0.5, "init_cpu": 2.0, "run_cpu": 30.0, "memory": 3.0 * 2.0**30}
_BEFORE, _BUDGET = 2.0**29, 4.0 * 2.0**30
_PERCENTS = (1, 5, 32, 50, 68, 95, 99)
"""The least and the largest of a sample are of no larger population."""


def _quanta(rng: np.random.Generator, rows: int) -> Columns:
    """Draw what quanta took, by lognormal laws."""
    return {
        "instrument": np.full(rows, "LSSTCam"),
        "task": np.full(rows, "calibrateImage"),
        "failed": rng.random(rows) < _FAILED,
        **{name: at * np.exp(_SPREAD * rng.standard_normal(rows)) for name, at in _TOOK.items()},
        "memory_before": np.full(rows, _BEFORE),
        "memory_budget": np.full(rows, _BUDGET),
    }


def _true_quanta() -> Truths:
    found = {"n_quanta_failed": _QUANTA * _FAILED, "quanta_failed_fraction": 100.0 * _FAILED}
    for name, at in _TOOK.items():
        scale = 2.0**-30 if name == "memory" else 1.0
        for percent in _PERCENTS:
            value = scale * at * np.exp(_SPREAD * ndtri(percent / 100.0))
            found[f"quantum_{name}_q{percent:02d}"] = float(value)
        if name != "memory":
            found[f"quantum_{name}_total"] = _QUANTA * at * float(np.exp(0.5 * _SPREAD**2)) / 3600.0
    found["quantum_budget_used_q50"] = 100.0 * (_TOOK["memory"] - _BEFORE) / _BUDGET
    return by_metric(found)


_DETECTORS = 189
_NUMBERS = tuple(
    metric for metric in METRICS.values() if metric.table == "task_metadata" and "key" in metric.constants
)


def _draw_numbers(rng: np.random.Generator) -> Columns:
    """Draw a number of each name for each detector."""
    rows = _DETECTORS * len(_NUMBERS)
    task, entry = (
        np.repeat([str(metric.constants[name]) for metric in _NUMBERS], _DETECTORS)
        for name in ("label", "key")
    )
    return {
        "task": task,
        "entry": entry,
        "number": np.exp(_SPREAD * rng.standard_normal(rows)),
        "visit": np.ones(rows, np.int64),
        "detector": np.tile(np.arange(_DETECTORS), len(_NUMBERS)),
        "band": np.full(rows, "r"),
    }


def _true_numbers() -> Truths:
    """Medians and sums of lognormal variates; of all names together too."""
    mean = float(np.exp(0.5 * _SPREAD**2))
    found = {
        metric.name: _DETECTORS * mean if metric.function is METRICS["task_number_sum"].function else 1.0
        for metric in _NUMBERS
    }
    every = {"task_number_median": 1.0, "task_number_sum": _DETECTORS * len(_NUMBERS) * mean}
    return by_metric({**found, **every})


_VISITS = 400
_DEPTH, _DEPTH_SPREAD = 24.6, 0.2
_SEEING, _SEEING_SPREAD = 0.7, 0.15
_NEAR, _FAR = 3e-5, 1.5e-7
_PARTS = ("", ".E1", ".E2", ".Ex")


def _draw_visits(rng: np.random.Generator) -> Columns:
    return {
        "visit": np.arange(_VISITS) + 1,
        "band": np.full(_VISITS, "r"),
        "m5": rng.normal(_DEPTH, _DEPTH_SPREAD, _VISITS),
        "seeing": _SEEING * np.exp(_SEEING_SPREAD * rng.standard_normal(_VISITS)),
        **{f"TE3{part}": _NEAR * rng.standard_normal(_VISITS) for part in _PARTS},
        **{f"TE4{part}": _FAR * rng.standard_normal(_VISITS) for part in _PARTS},
    }


def _true_visits() -> Truths:
    near, far = (1.0 - 2.0 * ndtr(-limit) for limit in (4e-5 / _NEAR, 2e-7 / _FAR))
    values = {f"S1_{p}": _SEEING * np.exp(_SEEING_SPREAD * ndtri(p / 100.0)) for p in (25, 50, 75)}
    return by_metric(
        {
            **values,
            "D1": _DEPTH,
            "DF1": 100.0 * ndtr((24.4 - _DEPTH) / _DEPTH_SPREAD),
            "Z1": _DEPTH + _DEPTH_SPREAD * ndtri(0.1),
            "TEF": 100.0 * (1.0 - near * far),
            "TEF.scalar": 100.0 * (1.0 - (near * far) ** 3),
        }
    )


RUNS = (
    Population(
        "quanta of a run",
        "quantum",
        "What each of 30000 quanta took, and whether it failed.",
        lambda rng: _quanta(rng, _QUANTA),
        _true_quanta,
    ),
    Population(
        "runs of any number of quanta",
        "quantum",
        "Number of quanta (Poisson).",
        lambda rng: _quanta(rng, int(rng.poisson(_QUANTA))),
        lambda: by_metric({"n_quanta": _QUANTA}),
    ),
    Population(
        "numbers of tasks",
        "task_metadata",
        "Each number of each of 189 detectors.",
        _draw_numbers,
        _true_numbers,
    ),
    Population(
        "visits of a survey",
        "visit_values",
        "Depth, seeing and residual correlations of 400 visits.",
        _draw_visits,
        _true_visits,
    ),
)
"""Skies of runs and of surveys."""
