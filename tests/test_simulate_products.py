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

"""What else a simulated survey comes to: deblender, depth, difference images,
against their recorded truth.
"""

from __future__ import annotations

import unittest
from typing import Any, ClassVar

import numpy as np

from lsst.pipe.base import Pipeline
from lsst.qa import measure
from lsst.qa.catalogue import METRICS
from lsst.qa.simulate import Survey, Truth, objects, truth, visit_ids
from lsst.qa.simulate.blends import parent_pieces
from lsst.qa.simulate.depths import coadd_depths, coadd_inputs
from lsst.qa.simulate.differences import dia_sources

SURVEY = Survey(stars=6000, galaxies=12000, visits=6, bands="gi", seed=12, sky_sources=20)


def whole(pieces: Any) -> dict[str, np.ndarray]:
    parts = list(pieces)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


class ProductsTestCase(unittest.TestCase):
    """One tract in two bands."""

    tables: ClassVar[dict[str, Any]]
    truths: ClassVar[dict[tuple[str, str | None], Truth]]

    @classmethod
    def setUpClass(cls) -> None:
        cls.tables = {
            "objectParentMetrics": whole(parent_pieces(SURVEY, 0)),
            "diaSourceMetrics": dia_sources(SURVEY, 0),
            "coaddDepthMetrics": coadd_depths(SURVEY, 0),
            "coaddInputMetrics": whole(coadd_inputs(SURVEY, 0, band) for band in SURVEY.filters),
        }
        cls.truths = {(found.metric, found.band): found for found in truth(SURVEY) if found.tract == 0}

    def metrics(self, label: str) -> list[str]:
        """List the metrics of a task as it is shipped."""
        graph = Pipeline.from_uri(f"$QA_DIR/pipelines/_ingredients/{label}.yaml").to_graph()
        config: Any = graph.tasks[label].config
        return [name for name in config.metrics if name != "n_dia_by_reliability"]

    def test_truth(self) -> None:
        """What is measured is near it, by its own error."""
        pulls = []
        for label in ("objectParentMetrics", "diaSourceMetrics"):
            for row in measure(self.tables[label], self.metrics(label)):
                with self.subTest(row["metric"], band=row["band"]):
                    true = self.truths[row["metric"], row["band"]]
                    self.assertEqual(true.unit, row["unit"])
                    self.assertEqual(row["status"], "ok")
                    away = abs(row["value"] - true.value)
                    pulls.append(away / row["error"])
                    # Where few are expected, none may be seen.
                    share = true.value / 100.0 if true.unit == "%" else 0.0
                    least = 100.0 * np.sqrt(share * (1.0 - share) / row["n"])
                    self.assertLess(away, 4.5 * max(row["error"], least))
        self.assertGreater(len(pulls), 60)
        self.assertAlmostEqual(float(np.mean(np.array(pulls) < 1.0)), 0.7, delta=0.15)

    def test_images_are_counted_exactly(self) -> None:
        """Depth and inputs have no noise: only patches vary."""
        for label in ("coaddDepthMetrics", "coaddInputMetrics"):
            for row in measure(self.tables[label], self.metrics(label)):
                true = self.truths[row["metric"], row["band"]]
                self.assertAlmostEqual(row["value"], true.value, 9)

    def test_parents_are_objects(self) -> None:
        """Those that are part of nothing, and as many with parts."""
        table = objects(SURVEY, 0)
        parents = self.tables["objectParentMetrics"]
        self.assertEqual(set(parents["objectId"]), set(table["objectId"][table["parentObjectId"] == 0]))
        blends = set(table["parentObjectId"][table["parentObjectId"] > 0])
        many = parents["objectId"][parents["deblend_nPeaks"] > 1]
        self.assertEqual(set(many), blends)
        self.assertGreater(len(blends), 50)

    def test_inputs(self) -> None:
        """All visits, and none twice in a patch."""
        table = self.tables["coaddInputMetrics"]
        self.assertEqual(set(table["visit"]), set(visit_ids(SURVEY)))
        keys = np.stack([table[name] for name in ("patch", "visit", "detector")])
        self.assertEqual(np.unique(keys, axis=1).shape[1], len(table["patch"]))
        self.assertTrue(np.all(table["goodpix"] > 0))
        deep = np.bincount(table["patch"], table["goodpix"]) / (2160.0 / 4 / 0.2) ** 2
        depths = self.tables["coaddDepthMetrics"]
        np.testing.assert_allclose(deep, np.bincount(depths["patch"], depths["mean"]), rtol=2e-3)

    def test_input_counts(self) -> None:
        rows = measure(
            objects(SURVEY, 0), ["coadd_input_count_mean", "coadd_input_count_median"], kind="object"
        )
        for row in rows:
            true = self.truths[row["metric"], row["band"]]
            self.assertLess(abs(row["value"] - true.value), max(0.5 * row["error"], 0.05))

    def test_visits_are_their_own(self) -> None:
        """A visit's sources do not depend on how many visits there are."""
        fewer = dia_sources(Survey(**{**SURVEY.parameters(), "visits": 2}), 0)
        table = self.tables["diaSourceMetrics"]
        for visit in set(fewer["visit"]):
            for name in ("diaSourceId", "ra", "reliability"):
                np.testing.assert_array_equal(
                    fewer[name][fewer["visit"] == visit], table[name][table["visit"] == visit]
                )

    def test_units(self) -> None:
        known = [found for found in self.truths.values() if found.metric in METRICS]
        for found in known:
            self.assertEqual(METRICS[found.metric].unit, found.unit, found.metric)


if __name__ == "__main__":
    unittest.main()
