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

"""Metrics of a survey, from the results of its visits."""

from __future__ import annotations

import math
import unittest
from typing import Any

import numpy as np
from support_butler import INSTRUMENT, put, shared_repository
from support_tables import VISITS

from lsst.daf.butler import Butler
from lsst.pipe.base import Pipeline
from lsst.pipe.base.simple_pipeline_executor import SimplePipelineExecutor
from lsst.qa import measure
from lsst.qa.results import from_rows
from lsst.qa.tables.visit_values import visit_values

DEPTHS = {11: 24.6, 12: 24.2, 13: 24.8, 21: 23.9, 99: 25.0}
"""Of visits 11, 12, 13 and 99 in r, one is shallower than 24.4."""


def row(visit: int, metric: str, value: float, **fields: Any) -> dict[str, Any]:
    """Make a row of a visit's results."""
    given = {"visit": visit, "band": VISITS[visit], "physical_filter": f"{VISITS[visit]}_01", "n": 9}
    return {"metric": metric, "value": value, "status": "ok", "instrument": INSTRUMENT, **given, **fields}


SCALARS = [f"{name}.{part}" for name in ("TE3", "TE4") for part in ("E1", "E2", "Ex")]


class ValuesTestCase(unittest.TestCase):
    """Results side by side."""

    def test_what_is_left_out(self) -> None:
        rows = [
            row(11, "m5", 24.6),
            row(11, "m5", 20.0, detector=3),
            row(11, "m5", 21.0, bin_low=0.0, bin_high=1.0),
            row(11, "m5", math.nan, status="undefined"),
            row(11, "zero_point", 31.0),
            row(12, "seeing", 0.7),
            {**row(11, "m5", 23.0), "visit": None, "tract": 1},
        ]
        table = visit_values([from_rows(rows), from_rows([row(11, "m5", 19.0), row(11, "TE3", 1e-5)])])
        self.assertEqual(table["visit"].to_pylist(), [11, 12])
        np.testing.assert_array_equal(table["m5"], [24.6, np.nan])
        np.testing.assert_array_equal(table["seeing"], [np.nan, 0.7])
        np.testing.assert_array_equal(table["TE3"], [1e-5, np.nan])

    def test_nothing(self) -> None:
        self.assertEqual(visit_values([]).num_rows, 0)


class MetricsTestCase(unittest.TestCase):
    """Closed forms."""

    def measured(self, **columns: Any) -> dict[str, Any]:
        visits = len(next(iter(columns.values())))
        names = ("TE3", "TE4", "m5", "seeing", *SCALARS)
        absent = dict.fromkeys(names, np.full(visits, np.nan))
        table = {"visit": np.arange(visits), "band": np.full(visits, "r"), **absent, **columns}
        found = measure(table, kind="visit_values")
        return {row["metric"]: row for row in found}

    def test_depth(self) -> None:
        found = self.measured(m5=np.linspace(24.0, 25.0, 101))
        self.assertAlmostEqual(found["D1"]["value"], 24.5)
        self.assertAlmostEqual(found["Z1"]["value"], 24.1)
        self.assertAlmostEqual(found["DF1"]["value"], 100.0 * 40 / 101)
        self.assertEqual((found["TEF"]["status"], found["S1_50"]["status"]), ("empty", "empty"))

    def test_seeing(self) -> None:
        found = self.measured(seeing=np.linspace(0.5, 0.9, 41))
        for metric, value in (("S1_25", 0.6), ("S1_50", 0.7), ("S1_75", 0.8)):
            self.assertAlmostEqual(found[metric]["value"], value)

    def test_correlated_shapes(self) -> None:
        """Either distance and either sign makes a bad visit; one that lacks
        a value is none.
        """
        near = np.array([1e-5, 5e-5, -5e-5, 0.0, np.nan])
        far = np.array([0.0, 0.0, 0.0, -3e-7, 1.0])
        found = self.measured(TE3=near, TE4=far)
        self.assertEqual((found["TEF"]["value"], found["TEF"]["n"]), (75.0, 4))

    def test_scalars(self) -> None:
        """One that is too large is enough, near or far."""
        columns = {name: np.zeros(5) for name in SCALARS}
        columns["TE3.E2"][0], columns["TE3.Ex"][1], columns["TE4.E1"][1:3] = -5e-5, 3e-5, (1e-7, 3e-7)
        columns["TE4.Ex"][4] = np.nan
        found = self.measured(**columns)
        self.assertEqual((found["TEF.scalar"]["value"], found["TEF.scalar"]["n"]), (50.0, 4))


class TaskTestCase(unittest.TestCase):
    """The pipeline over stored results."""

    def test_pipeline(self) -> None:
        repository, place = shared_repository()
        run = f"{self.id()}/visits"
        butler = Butler.from_config(butler=repository, run=run)
        for visit, depth in DEPTHS.items():
            rows = [row(visit, "m5", depth), row(visit, "seeing", 0.6)]
            put(butler, "qa_visit_summary_metrics", from_rows(rows), "ArrowTable", visit=visit)
        own = SimplePipelineExecutor.prep_butler(place, [run], f"{self.id()}/survey")
        self.addCleanup(own.close)
        pipeline = Pipeline.from_uri("$QA_DIR/pipelines/survey.yaml")
        SimplePipelineExecutor.from_pipeline(pipeline, butler=own).run(register_dataset_types=True)
        found = own.get("qa_survey_metrics", instrument=INSTRUMENT).to_pylist()
        values = {(row["metric"], row["band"]): row for row in found}
        self.assertEqual(values["DF1", "r"]["value"], 25.0)
        self.assertEqual((values["DF1", "r"]["n"], values["DF1", "r"]["instrument"]), (4, INSTRUMENT))
        self.assertAlmostEqual(values["D1", "r"]["value"], 24.7)
        self.assertEqual(values["D1", "i"]["n"], 1)
        self.assertEqual(values["TEF", "r"]["status"], "empty")
