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

"""Pipelines on a repository of real data."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import unittest
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

from support import SHARED, needs_shared

from lsst.daf.butler import Butler
from lsst.pipe.base import AnnotatedPartialOutputsError, Pipeline
from lsst.pipe.base.pipeline_graph import IncompatibleDatasetTypeError
from lsst.pipe.base.simple_pipeline_executor import SimplePipelineExecutor
from lsst.qa.errors import MetricRunError

PIPELINES = "$QA_DIR/pipelines"
MAKER = SHARED.parent / "tools" / "make_real_repo.py"

STARS = 6.8097958
"""PA1 of the stars in i, as the peer expects it, in mmag."""

PATTERNS = {"*_cpu": "task_number_median(key='*.runDataRefEndCpuTime', unit='s')"}


@needs_shared
class RealRepositoryTestCase(unittest.TestCase):
    """Each pipeline that these data have an input of."""

    repo: ClassVar[str]

    @classmethod
    def setUpClass(cls) -> None:
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.repo = str(Path(folder) / "repo")
        subprocess.run([sys.executable, str(MAKER), cls.repo], check=True, capture_output=True)

    def run_pipeline(
        self, name: str, inputs: str, where: str = "", parameters: Any = (), **settings: Any
    ) -> Counter[Any]:
        """Run a pipeline, and count its rows by dataset type and status."""
        pipeline = Pipeline.from_uri(f"{PIPELINES}/{name}")
        for key, value in dict(parameters).items():
            pipeline.addConfigOverride("parameters", key, value)
        for key, value in settings.items():
            (label,) = pipeline.task_labels
            pipeline.addConfigOverride(label, key, value)
        output = f"u/{self.id()}/{inputs}"
        with contextlib.closing(
            SimplePipelineExecutor.prep_butler(self.repo, [inputs], output, f"{output}/run")
        ) as butler:
            executor = SimplePipelineExecutor.from_pipeline(pipeline, butler=butler, where=where)
            try:
                executor.run(register_dataset_types=True)
            finally:
                self.rows = self.results(executor.butler, f"{output}/run")
        return Counter((row["dataset_type"], row["status"]) for row in self.rows)

    def results(self, butler: Butler, run: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for kind in butler.registry.queryDatasetTypes("qa_*_metrics"):
            for ref in butler.query_datasets(kind, collections=run, explain=False):
                rows += ({**row, "dataset_type": kind.name} for row in butler.get(ref).to_pylist())
        return rows

    def value(self, metric: str, **fields: Any) -> float:
        (row,) = (r for r in self.rows if r["metric"] == metric and fields.items() <= r.items())
        return float(row["value"])

    def test_visits(self) -> None:
        with self.assertLogs("lsst", "WARNING"):
            found = self.run_pipeline("HSC/visit.yaml", "HSC/defaults", "instrument = 'HSC'")
        self.assertEqual(found["qa_visit_summary_metrics", "ok"], 8 * 18 * 104)
        self.assertGreater(found["qa_source_metrics", "ok"], 60)
        self.assertEqual({status for _, status in found}, {"ok", "empty", "undefined"})

    def test_stars(self) -> None:
        """The peer's value, of stars in their own table."""
        self.run_pipeline(
            "HSC/tract.yaml#matchedStarMetrics",
            "HSC/defaults",
            "instrument = 'HSC'",
            {"measuredIn": "presources"},
            metrics=["PA1.faro", "AM1.faro"],
            assume_applied=["detect_isPrimary"],
        )
        self.assertAlmostEqual(self.value("PA1.faro", band="i"), STARS, places=6)

    def test_reference_catalogues(self) -> None:
        found = self.run_pipeline(
            "HSC/reference.yaml#sourceReferenceMetrics",
            "HSC/defaults",
            "instrument = 'HSC'",
            {"refcat": "gaia_dr2_20200414", "refcatStoredAs": "ArrowAstropy"},
        )
        self.assertEqual(found, {("qa_source_reference_metrics", "ok"): 28})
        self.assertLess(self.value("AA1", detector=None), 50.0)

    def test_stored_otherwise(self) -> None:
        """The message names both storage classes."""
        with self.assertRaisesRegex(IncompatibleDatasetTypeError, "SimpleCatalog.* ArrowAstropy"):
            self.run_pipeline("HSC/reference.yaml#sourceReferenceMetrics", "HSC/defaults")

    def test_tables_of_visits(self) -> None:
        with self.assertLogs("lsst.visitTableMetrics", "WARNING"):
            found = self.run_pipeline("HSC/table.yaml", "HSC/runs/RC2", "instrument = 'HSC'")
        self.assertEqual(found["qa_visit_table_metrics", "ok"], 8 * 20)

    def test_table_without_columns(self) -> None:
        """What is there is stored; the error says what would be right."""
        arguments = ("LSSTComCam/table.yaml", "LSSTComCam/runs/DP1", "instrument = 'LSSTComCam'")
        with (
            self.assertLogs("lsst", "WARNING") as logs,
            self.assertRaises((AnnotatedPartialOutputsError, MetricRunError)),
        ):
            self.run_pipeline(*arguments)
        self.assertIn("nPsfStar, psfArea, psfSigma", str(logs.output))
        self.assertIn("lackingColumns=undefined", str(logs.output))
        self.assertGreater(len(self.rows), 7000)

    def test_difference_images(self) -> None:
        """Of three cameras, each with a visit that has no source."""
        for camera, rows in (("HSC", 3), ("DECam", 2), ("LSSTCam-imSim", 1)):
            with self.subTest(camera):
                self.run_pipeline(
                    "HSC/alert.yaml",
                    f"{camera}/runs/dia",
                    f"instrument = '{camera}'",
                    {"diaSourceDetector": "preloaded_dia_source"},
                    metrics=["n_dia_sources"],
                )
                whole = [row for row in self.rows if row["detector"] is None]
                self.assertEqual(len(whole), rows)

    def test_metadata(self) -> None:
        """By a pattern: CPU times of a task and of its parts."""
        self.run_pipeline(
            "metadata.yaml",
            "DECam/runs/processCcd",
            "instrument = 'DECam'",
            {"label": "processCcd"},
            metrics=[],
            patterns=PATTERNS,
        )
        names = {row["metric"] for row in self.rows}
        self.assertLessEqual({"isr_cpu", "calibrate_cpu", "processCcd_cpu"}, names)
        self.assertEqual({row["status"] for row in self.rows}, {"ok"})


if __name__ == "__main__":
    unittest.main()
