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

"""Pipelines run on repositories: graphs, executors, butlers, and pipetask."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from astropy.io import fits
from support_butler import INSTRUMENT, MIDDLE, SHARED, AfwFormatter, make_repository, put, results
from support_tables import VISITS, presources, sources, stars

import lsst.qa
from lsst.daf.butler import (
    Butler,
    DatasetRef,
    DatasetType,
    FileDataset,
    QuantumBackedButler,
)
from lsst.pipe.base import AnnotatedPartialOutputsError, Pipeline
from lsst.pipe.base.pipeline_graph import IncompatibleDatasetTypeError
from lsst.pipe.base.simple_pipeline_executor import SimplePipelineExecutor
from lsst.pipe.base.single_quantum_executor import SingleQuantumExecutor
from lsst.qa import catalogue
from lsst.qa.simulate.reference import FRAME
from lsst.qa.simulate.repository import write_repository
from lsst.qa.simulate.survey import INSTRUMENT as SIMULATED
from lsst.qa.simulate.survey import SKYMAP, Survey

PIPELINES = "$QA_DIR/pipelines"

MEASURED = ["u/me/tract", "u/me/visit", "u/me/rest"]

N_STARS = 30
TRUTH = 4.0
"""Repeatability of the stars in the small repository, in mmag."""


def nodes_of(name: str) -> list[Any]:
    """Return the tasks of a pipeline."""
    return list(Pipeline.from_uri(f"{PIPELINES}/{name}.yaml").to_graph().tasks.values())


def labels_of(name: str) -> list[str]:
    """Return the labels of a pipeline's tasks."""
    return [node.label for node in nodes_of(name)]


def raising(sourceId: np.ndarray) -> Any:
    """Fail, as a metric with a fault does."""
    raise ZeroDivisionError("there is no tomorrow")


class SmallRepositoryTestCase(unittest.TestCase):
    """Pipelines run by an executor in this process, each in a repository of
    its own.
    """

    def setUp(self) -> None:
        self.place = self.enterContext(tempfile.TemporaryDirectory())
        self.repository = make_repository(self.place)
        self.addCleanup(self.repository.close)
        self.inputs = Butler.from_config(butler=self.repository, run="in")

    def fill(self) -> None:
        """Store what the stars of tract 0 need, and a visit far from it."""
        means = np.linspace(18.0, 20.0, N_STARS)
        seen = [visit for visit, band in VISITS.items() if band == "r" and visit != 99]
        for visit, deviation in zip(seen, (1e-3 * TRUTH, 0.0, -1e-3 * TRUTH)):
            put(self.inputs, "source", sources(visit, (means + deviation).tolist()), visit=visit)
        put(self.inputs, "source", sources(99, extra=5), visit=99)
        put(self.inputs, "isolated_star_presources", presources(seen, N_STARS), tract=0)
        put(self.inputs, "isolated_star_presource_associations", stars(N_STARS), tract=0)

    def executor(self, pipeline: Pipeline, output: str = "out", **options: Any) -> SimplePipelineExecutor:
        butler = SimplePipelineExecutor.prep_butler(self.place, ["in"], output, f"{output}/run")
        self.addCleanup(butler.close)
        return SimplePipelineExecutor.from_pipeline(pipeline, butler=butler, **options)

    def pipeline(self, name: str, **settings: Any) -> Pipeline:
        pipeline = Pipeline.from_uri(f"{PIPELINES}/{name}")
        (label,) = pipeline.task_labels
        for field, value in settings.items():
            pipeline.addConfigOverride(label, field, value)
        return pipeline

    def run_pipeline(self, pipeline: Pipeline, output: str = "out", **options: Any) -> Butler:
        executor = self.executor(pipeline, output, **options)
        executor.run(register_dataset_types=True)
        return executor.butler

    def test_variant_of_a_pipeline(self) -> None:
        """Declared in YAML under a name of its own, which its rows carry."""
        self.fill()
        file = Path(self.place) / "own.yaml"
        file.write_text(
            f"description: own\nimports:\n  - location: {PIPELINES}/_ingredients/matchedStarMetrics.yaml\n"
            "tasks:\n  matchedStarMetrics:\n    class: lsst.qa.tasks.MatchedStarMetricsTask\n    config:\n"
            "      metrics: [PA1]\n      variants: {PA1_population: 'PA1(ddof=0)'}\n"
        )
        butler = self.run_pipeline(Pipeline.from_uri(str(file)))
        found = {row["metric"]: row for row in results(butler, "qa_matched_star_metrics", tract=0)}
        self.assertEqual(set(found), {"PA1", "PA1_population"})
        self.assertAlmostEqual(found["PA1"]["value"], TRUTH, places=9)
        self.assertAlmostEqual(found["PA1_population"]["value"], TRUTH * np.sqrt(2.0 / 3.0), places=9)

    def test_detections_without_stars(self) -> None:
        """A tract that is left out is told of, and what would be right."""
        put(self.inputs, "isolated_star_presources", presources([11], N_STARS), tract=0)
        put(self.inputs, "source", sources(11), visit=11)
        with self.assertLogs("lsst.qa.tasks.matched", "WARNING") as logs:
            matched = self.executor(self.pipeline("tract.yaml#matchedStarMetrics", metrics=["PA1"]))
        self.assertEqual(len(matched.predicted), 0)
        self.assertEqual(len(logs.output), 1)
        self.assertRegex(logs.output[0], "no isolated_star_presource_associations, .*measured_in=presources")

    def test_visits_of_a_tract(self) -> None:
        """Those that overlap it, and no other; each visit has its own time."""
        self.fill()
        matched = self.executor(self.pipeline("tract.yaml#matchedStarMetrics", metrics=["PA1"]))
        (quantum,) = matched.predicted.build_execution_quanta().values()
        self.assertEqual(sorted(ref.dataId["visit"] for ref in quantum.inputs["source"]), [11, 12, 13])
        alone = self.pipeline("visit.yaml#sourceMetrics", metrics=["n_sources"])
        butler = self.run_pipeline(alone, "alone")
        rows = [row for v in (11, 12, 13, 99) for row in results(butler, "qa_source_metrics", visit=v)]
        whole = [row for row in rows if row["detector"] is None]
        self.assertEqual([row["value"] for row in whole], [N_STARS + 2] * 3 + [5])
        self.assertEqual(whole[0]["obs_time"], MIDDLE)
        self.assertEqual(len({row["obs_time"] for row in whole}), 4)

    def test_no_work(self) -> None:
        """An empty input is no failure, and no dataset."""
        put(self.inputs, "source", sources(11, extra=0), visit=11)
        put(self.inputs, "source", sources(12), visit=12)
        butler = self.run_pipeline(self.pipeline("visit.yaml#sourceMetrics", metrics=["n_sources"]))
        self.assertFalse(butler.exists("qa_source_metrics", instrument=INSTRUMENT, visit=11))
        self.assertEqual(len(results(butler, "qa_source_metrics", visit=12)), 3)

    def test_a_metric_that_raises(self) -> None:
        """The quantum fails with its results stored, or counts as a success,
        as the user says; its metadata tell.
        """
        put(self.inputs, "source", sources(11), visit=11)
        broken = dataclasses.replace(catalogue.METRICS["n_sources"], name="broken", function=raising)
        with (
            unittest.mock.patch.dict(catalogue.METRICS, broken=broken),
            self.assertLogs("lsst", "ERROR"),
        ):
            pipeline = self.pipeline("visit.yaml#sourceMetrics", metrics=["n_sources", "broken"], by=[])
            butler = self.run_pipeline(pipeline, raise_on_partial_outputs=False)
            strict = self.executor(pipeline, "strict")
            with self.assertRaises((AnnotatedPartialOutputsError, lsst.qa.errors.MetricRunError)):
                strict.run(register_dataset_types=True)
        rows = results(butler, "qa_source_metrics", visit=11)
        self.assertEqual([row["status"] for row in rows], ["ok", "failed"])
        metadata = butler.get("sourceMetrics_metadata", instrument=INSTRUMENT, visit=11)["sourceMetrics"]
        self.assertIn("broken: ZeroDivisionError: there is no tomorrow", metadata["failure"]["message"])
        self.assertEqual(len(results(strict.butler, "qa_source_metrics", visit=11)), 2)

    def test_quantum_backed_butler(self) -> None:
        """As a batch system runs it: files are found without a registry."""
        self.fill()
        pipeline = self.pipeline("tract.yaml#matchedStarMetrics", metrics=["PA1"])
        executor = self.executor(pipeline, attach_datastore_records=True)
        graph = executor.predicted
        (quantum,) = graph.build_execution_quanta().values()
        types = {
            node.dataset_type.name: node.dataset_type for node in graph.pipeline_graph.dataset_types.values()
        }

        def limited(quantum: Any) -> QuantumBackedButler:
            return QuantumBackedButler.initialize(
                config=self.place, quantum=quantum, dimensions=self.repository.dimensions, dataset_types=types
            )

        task = graph.pipeline_graph.tasks["matchedStarMetrics"]
        SingleQuantumExecutor(limited_butler_factory=limited).execute(task, quantum)
        (ref,) = quantum.outputs["qa_matched_star_metrics"]
        with limited(quantum) as butler:
            (row,) = butler.get(ref).to_pylist()
        self.assertAlmostEqual(row["value"], TRUTH, places=9)

    def add_catalogue(self, file: Path, **data_id: Any) -> None:
        """Ingest a summary as production stores it."""
        kind = DatasetType(
            "visit_summary", ("instrument", "visit"), "ExposureCatalog", universe=self.inputs.dimensions
        )
        self.inputs.registry.registerDatasetType(kind)
        expanded = self.inputs.registry.expandDataId(instrument=INSTRUMENT, **data_id)
        dataset = FileDataset(str(file), [DatasetRef(kind, expanded, run="in")], formatter=AfwFormatter)
        self.inputs.ingest(dataset, transfer="copy")

    def test_summaries_as_afw_catalogues(self) -> None:
        """Read without afw; its "detector" points elsewhere, its id is it."""
        columns = {
            "id": ("K", [4, 6]),
            "visit": ("K", [11, 11]),
            "detector": ("J", [1, 1]),
            "zeroPoint": ("D", [31.0, 32.0]),
            "skyNoise": ("D", [20.0, 20.0]),
            "band": ("8A", ["r", "r"]),
        }
        table = fits.BinTableHDU.from_columns(
            [fits.Column(name, kind, array=values) for name, (kind, values) in columns.items()]
        )
        table.header["AFW_TYPE"] = "EXPOSURE"
        file = Path(self.place) / "summary.fits"
        table.writeto(file)
        self.add_catalogue(file, visit=11)
        butler = self.run_pipeline(
            self.pipeline("LSSTCam/visit.yaml#visitSummaryMetrics", metrics=["zero_point"])
        )
        rows = results(butler, "qa_visit_summary_metrics", visit=11)
        self.assertEqual({row["detector"]: row["value"] for row in rows}, {None: 31.5, 4: 31.0, 6: 32.0})
        self.assertEqual({(row["visit"], row["band"], row["obs_time"]) for row in rows}, {(11, "r", MIDDLE)})

    def test_summaries_stored_otherwise(self) -> None:
        """The graph says so: nothing converts them."""
        put(self.inputs, "visit_summary", sources(11), visit=11)
        with self.assertRaisesRegex(IncompatibleDatasetTypeError, "visit_summary"):
            self.executor(self.pipeline("LSSTCam/visit.yaml#visitSummaryMetrics"))

    @unittest.skipUnless(
        (SHARED / "data/visitSummary").is_dir(), "there are no real data beside the checkout"
    )
    def test_real_summaries(self) -> None:
        """A task measures what `lsst.qa.measure` does in the same file."""
        file = SHARED / "data/visitSummary/visitSummary_1176.fits"
        self.add_catalogue(file, visit=11)
        pipeline = self.pipeline("HSC/visit.yaml#visitSummaryMetrics", stored_as="ExposureCatalog")
        butler = self.run_pipeline(pipeline)
        rows = results(butler, "qa_visit_summary_metrics", visit=11)
        alone = lsst.qa.measure(file, kind="visit_summary", by=["detector"])
        expected = {(row["metric"], row["detector"]): row["value"] for row in alone if row["status"] == "ok"}
        found = {(row["metric"], row["detector"]): row["value"] for row in rows if row["status"] == "ok"}
        self.assertEqual(len({detector for _, detector in found}), 104)
        self.assertGreater(len({metric for metric, _ in found}), 15)
        self.assertEqual(found, {key: expected[key] for key in found})
        self.assertEqual({row["visit"] for row in rows if row["status"] == "ok"}, {1176})


class PipetaskTestCase(unittest.TestCase):
    """The commands that users type, on a simulated survey."""

    SURVEY = Survey(stars=400, galaxies=100, visits=3, bands="r", sky_sources=10)

    def pipetask(self, *arguments: str) -> str:
        program = shutil.which("pipetask", path=str(Path(sys.executable).parent))
        self.assertIsNotNone(program, "pipetask is not beside this Python")
        kept = {name: value for name, value in os.environ.items() if name != "QA_DIR"}
        command = [str(program), "run", "-b", self.repo, "--register-dataset-types", *arguments]
        done = subprocess.run(command, env=kept, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stderr

    def test_measuring_and_gathering(self) -> None:
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.repo = str(Path(folder) / "repo")
        write_repository(self.repo, self.SURVEY)
        where = f"instrument='{SIMULATED}' AND skymap='{SKYMAP}'"
        chosen = ("-i", f"{SIMULATED}/defaults", "-d", where)
        # A process for each quantum takes its time: two of them are enough.
        log = self.pipetask("-p", f"{PIPELINES}/tract.yaml", *chosen, "-o", "u/me/tract", "-j", "2")
        self.assertIn("Executed 2 quanta successfully, 0 failed", log)
        log = self.pipetask("-p", f"{PIPELINES}/visit.yaml", *chosen, "-o", "u/me/visit")
        self.assertIn("Executed 6 quanta successfully, 0 failed", log)
        done = {label for name in ("tract", "visit") for label in labels_of(name)}
        rest = ",".join(label for label in labels_of("qa") if label not in done)
        log = self.pipetask("-p", f"{PIPELINES}/qa.yaml#{rest}", *chosen, "-o", "u/me/rest")
        self.assertRegex(log, "Executed [0-9]+ quanta successfully, 0 failed and 0 remain")
        self.pipetask("-p", f"{PIPELINES}/gather.yaml", "-i", ",".join(MEASURED), "-o", "u/me/gathered")
        butler = Butler.from_config(self.repo, collections="u/me/gathered", writeable=False)
        self.addCleanup(butler.close)
        table: pa.Table = butler.get("qa_gathered_metrics")
        self.check_gathered(butler, table)
        self.check_values(table)

    def check_gathered(self, butler: Butler, table: pa.Table) -> None:
        """Every row of every dataset is there, and its dataset is known."""
        outputs = {edge.dataset_type_name for node in nodes_of("qa") for edge in node.outputs.values()}
        refs = {
            str(ref.id): ref for name in outputs for ref in butler.query_datasets(name, collections=MEASURED)
        }
        self.assertGreaterEqual(len(refs), 12)
        self.assertEqual(set(table["dataset_id"].to_pylist()), set(refs))
        self.assertEqual(len(table), sum(len(butler.get(ref)) for ref in refs.values()))
        for row in table.to_pylist():
            ref = refs[row["dataset_id"]]
            self.assertEqual((row["run"], row["dataset_type"]), (ref.run, ref.datasetType.name))
            self.assertIn(row["run_time"].strftime("%Y%m%dT%H%M%SZ"), row["run"])

    def check_values(self, table: pa.Table) -> None:
        """No metric is lost or fails, and rows say what they are of."""
        rows = table.to_pylist()
        for node in nodes_of("qa"):
            own = [row for row in rows if row["task"] == node.label]
            config: Any = node.config
            self.assertEqual({row["metric"] for row in own}, set(config.metrics))
        self.assertEqual({row["status"] for row in rows} - {"ok", "empty", "undefined"}, set())
        (pa1,) = (row for row in rows if row["metric"] == "PA1")
        self.assertEqual((pa1["status"], pa1["band"], pa1["skymap"]), ("ok", "r", SKYMAP))
        self.assertLess(abs(pa1["value"] - 4.0), 3.0)
        (offset,) = (row for row in rows if row["metric"] == "coadd_AA1_RA")
        self.assertLess(abs(offset["value"] + FRAME[0]), 5.0 * offset["error"])
        seeing = [row for row in rows if row["metric"] == "seeing" and row["detector"] is None]
        self.assertEqual(len(seeing), 3)
        self.assertEqual(len({row["obs_time"] for row in seeing}), 3)
        self.assertEqual({row["instrument"] for row in seeing}, {SIMULATED})


if __name__ == "__main__":
    unittest.main()
