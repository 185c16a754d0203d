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

"""Small tables of quanta and of the numbers in their metadata."""

from __future__ import annotations

__all__ = ["EXECUTION_STORIES"]

import numpy as np
from support import Columns

from lsst.qa.catalogue import of_table


def _quantum(rng: np.random.Generator) -> Columns:
    """Quanta of two tasks, one of which declares a budget."""
    rows = 120
    before = rng.lognormal(19.5, 0.1, rows)
    declared = np.arange(rows) % 2 == 0
    return {
        "instrument": np.full(rows, "Cam"),
        "task": np.where(declared, "sourceMetrics", "calibrateImage"),
        "failed": rng.random(rows) < 0.1,
        "wall": rng.lognormal(3.0, 0.5, rows),
        "memory": before + rng.lognormal(18.0, 0.5, rows),
        "memory_before": before,
        "memory_budget": np.where(declared, 2.0**29, np.nan),
    }


def _task_metadata(rng: np.random.Generator) -> Columns:
    """All numbers that are metrics, of two visits of twelve detectors."""
    named = [metric.constants for metric in of_table("task_metadata") if "key" in metric.constants]
    places = [(visit, detector) for visit in range(2) for detector in range(12)]
    rows = [(each["label"], each["key"], *place) for each in named for place in places]
    task, entry, visit, detector = (np.array(column) for column in zip(*rows))
    return {
        "task": task,
        "entry": entry,
        "number": rng.lognormal(3.0, 0.3, len(rows)),
        "visit": visit + 2024_11_09_00001,
        "detector": detector,
        "band": np.array(["g", "r"])[visit],
        "physical_filter": np.array(["g_01", "r_03"])[visit],
    }


EXECUTION_STORIES = {"quantum": _quantum, "task_metadata": _task_metadata}
"""What makes the columns of each kind of table that need a story."""
