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

"""Metrics of what quanta took, and of the numbers in their metadata."""

from __future__ import annotations

import math
import re
import shutil
import tempfile
import textwrap
import unittest
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support_harvest import AFTER, COUNT, SHAKY, VISIT_OF, copied, graph_repository

from lsst.daf.butler import Butler
from lsst.pex.config import FieldValidationError
from lsst.pipe.base import Pipeline
from lsst.pipe.base.simple_pipeline_executor import SimplePipelineExecutor
from lsst.pipe.base.testUtils import lintConnections
from lsst.qa.catalogue import METRICS
from lsst.qa.errors import DefinitionError, InputError
from lsst.qa.harvest.figures import figures, numbers
from lsst.qa.metrics.task_metadata import _declared
from lsst.qa.tables.readable import from_arrow
from lsst.qa.tasks.execution import ExecutionMetricsTask
from lsst.qa.tasks.metadata import TaskMetadataMetricsTask, matching, numbers_table, pattern_of

Row = dict[str, Any]


def metadata(**quantum: Any) -> dict[str, Any]:
    """Make metadata of a quantum, as they are stored."""
    own = {"scalars": {"memory_budget": 1 << 29, "flag": True}, "arrays": {"seen": [1, 2.5]}, "metadata": {}}
    arrays = {name: [value] for name, value in quantum.items()}
    parts = {"quantum": {"scalars": {"nodeName": "here"}, "arrays": arrays, "metadata": {}}, "task": own}
    return {"scalars": {}, "arrays": {}, "metadata": parts}


class FiguresTestCase(unittest.TestCase):
    """What metadata say."""

    FULL: Mapping[str, Any] = {
        "prepUtc": "2026-01-01T00:00:00+00:00",
        "endUtc": "2026-01-01T00:00:45+00:00",
        "prepCpuTime": 1.0,
        "initCpuTime": 3.0,
        "startCpuTime": 5.0,
        "endCpuTime": 30.0,
        "startMaxResidentSetSize": 1_000_000_000,
        "endMaxResidentSetSize": 1234567890,
    }

    def test_full(self) -> None:
        """The numbers of the peers' own test."""
        found = figures(metadata(**self.FULL), "task")
        self.assertEqual((found.wall, found.prep_cpu, found.init_cpu, found.run_cpu), (45.0, 2.0, 2.0, 25.0))
        self.assertEqual((found.memory, found.memory_before), (1234567890, 1_000_000_000))
        self.assertEqual((found.cpu, found.memory_budget, found.host), (29.0, 1 << 29, "here"))

    def test_without_steps(self) -> None:
        """A step that is not told lasts to the end."""
        less = {name: value for name, value in self.FULL.items() if not name.startswith(("init", "start"))}
        found = figures(metadata(**less), "task")
        self.assertEqual((found.prep_cpu, found.init_cpu, found.run_cpu), (29.0, 0.0, 0.0))
        self.assertIsNone(found.memory_before)

    def test_nothing(self) -> None:
        for nothing in ({}, {"metadata": None}, {"metadata": {"quantum": []}}, metadata(prepUtc="yesterday")):
            found = figures(nothing, "task")
            self.assertEqual((found.wall, found.cpu, found.memory, found.started), (None, None, None, None))

    def test_numbers(self) -> None:
        found = dict(numbers(metadata(endCpuTime=3.0)))
        self.assertEqual(
            found,
            {
                "quantum.endCpuTime": 3.0,
                "task.memory_budget": float(1 << 29),
                "task.seen[0]": 1.0,
                "task.seen[1]": 2.5,
            },
        )


class DeclarationsTestCase(unittest.TestCase):
    """What may be declared of numbers, and what not."""

    def test_shipped(self) -> None:
        metric = METRICS["calibrateImage_psf_good_star_count"]
        self.assertEqual(metric.constants["key"], "calibrateImage:psf_measure_psf.numGoodStars")
        self.assertEqual(METRICS["subtractImages_template_coverage"].unit, "%")

    def test_wrong(self) -> None:
        for facts, message in (
            ({"entry": "a.b"}, "needs entry and doc"),
            ({"entry": "a.b", "doc": "It.", "units": "s"}, "needs entry and doc"),
            ({"entry": "a.b", "doc": "It.", "statistic": "mode"}, "'mode', which is none of median, sum"),
        ):
            with self.subTest(message), self.assertRaisesRegex(DefinitionError, message):
                _declared("task", "name", facts)

    def test_patterns(self) -> None:
        text = "task_number_median(key='a.*_fraction', unit='%')"
        found = {
            metric.name: metric
            for metric in matching("mask_*", text, ["a.cr_fraction", "a.x.y_fraction", "b"])
        }
        self.assertEqual(set(found), {"mask_cr", "mask_x_y"})
        self.assertEqual((found["mask_cr"].constants["key"], found["mask_cr"].unit), ("a.cr_fraction", "%"))

    def test_wrong_patterns(self) -> None:
        for name, text, message in (
            ("mask", "task_number_median(key='a.*')", "needs one star"),
            ("mask_*", "task_number_median(key='a.b')", "key has one star"),
            ("mask_*", "PA1(snr_min=3)", "of table 'task_metadata'"),
            ("mask_*", "task_number_mode(key='a.*')", "Did you mean 'task_number"),
        ):
            with self.subTest(text), self.assertRaisesRegex((DefinitionError, LookupError), message):
                pattern_of(name, text)
            config = TaskMetadataMetricsTask.ConfigClass()
            config.patterns = {name: text}
            with self.subTest(text), self.assertRaises(FieldValidationError):
                config.validate()

    def test_no_task(self) -> None:
        config = ExecutionMetricsTask.ConfigClass()
        config.metrics = ["n_quanta"]
        with self.assertRaisesRegex(FieldValidationError, "no task"):
            config.validate()

    def test_dimensions(self) -> None:
        config = TaskMetadataMetricsTask.ConfigClass()
        config.metrics, config.measured_by = ["task_number_sum"], ["tract"]
        with self.assertRaisesRegex(FieldValidationError, "not run by tract"):
            config.validate()

    def test_numbers_of_other_tasks(self) -> None:
        """Left out where there are some of this one; told of where not."""
        graph = Pipeline.from_uri("$QA_DIR/pipelines/metadata.yaml")
        lists = {}
        for label in ("calibrateImage", "subtractImages", "isr"):
            graph.addConfigOverride("parameters", "label", label)
            node = graph.to_graph().tasks["taskMetadataMetrics"]
            task = TaskMetadataMetricsTask(config=node.config)
            source = from_arrow(numbers_table(label, []))
            if label == "isr":
                with self.assertLogs("lsst.taskMetadataMetrics", "WARNING") as logs:
                    lists[label] = task.declared(source)
                self.assertIn("is of isr, but of calibrateImage, subtractImages", logs.output[0])
            else:
                lists[label] = task.declared(source)
                self.assertEqual({metric.constants["label"] for metric in lists[label]}, {label})
        self.assertEqual(len(lists["subtractImages"]), 5)
        self.assertEqual(len(lists["isr"]), len(lists["calibrateImage"]) + 5)

    def test_no_numbers(self) -> None:
        self.assertEqual(numbers_table("task", []).num_rows, 0)


class ConnectionsTestCase(unittest.TestCase):
    """What the tasks read and write."""

    def test_lint(self) -> None:
        for kind, settings in (
            (ExecutionMetricsTask, {"tasks": {"a": "instrument visit", "b": "skymap tract"}}),
            (TaskMetadataMetricsTask, {}),
        ):
            config: Any = kind.ConfigClass()
            config.update(**settings)
            lintConnections(config.ConnectionsClass(config=config))

    def test_tracts(self) -> None:
        """A task that is run by patch and band is measured by tract."""
        config: Any = TaskMetadataMetricsTask.ConfigClass()
        config.run_by, config.measured_by = ["skymap", "tract", "patch", "band"], ["skymap", "tract"]
        connections = config.ConnectionsClass(config=config)
        self.assertEqual(connections.dimensions, {"skymap", "tract"})
        self.assertEqual(set(connections.table.dimensions), {"skymap", "tract", "patch", "band"})
        lintConnections(connections)


class DocumentationTestCase(unittest.TestCase):
    """Pipelines that the documentation shows."""

    def test_pipelines(self) -> None:
        text = (Path(__file__).parents[1] / "doc/lsst.qa/execution.rst").read_text()
        shown = re.findall(r"code-block:: yaml\n\n((?:    .*\n|\n)+)", text)
        inputs = []
        for block in shown:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "shown.yaml"
                file.write_text(textwrap.dedent(block))
                graph = Pipeline.from_uri(str(file)).to_graph()
            inputs += [name for name, _ in graph.iter_overall_inputs()]
        self.assertEqual(sorted(inputs), ["calibrateImage_log", "calibrateImage_metadata", "isr_metadata"])


class RunTestCase(unittest.TestCase):
    """Tasks run on what another run left."""

    def run_ingredient(self, repo: str, name: str, **settings: Any) -> Butler:
        pipeline = Pipeline.from_uri(f"$QA_DIR/pipelines/_ingredients/{name}.yaml")
        for field, value in settings.items():
            pipeline.addConfigOverride(name, field.replace("__", "."), value)
        butler = SimplePipelineExecutor.prep_butler(repo, ["u/me/shaky"], "u/me/qa", "u/me/qa/run")
        self.addCleanup(butler.close)
        executor = SimplePipelineExecutor.from_pipeline(pipeline, butler=butler)
        executor.run(register_dataset_types=True)
        return butler

    def execution(self, repo: str) -> dict[str, Row]:
        tasks = dict.fromkeys((SHAKY, AFTER), "instrument visit")
        butler = self.run_ingredient(repo, "executionMetrics", tasks=tasks)
        rows = butler.get("qa_execution_metrics", instrument="Cam").to_pylist()
        found = {row["metric"]: row for row in rows}
        self.assertEqual(len(found), len(rows))
        return found

    def test_execution(self) -> None:
        rows = self.execution(copied(self))
        counts = {
            name: (rows[name]["value"], rows[f"{name}.{SHAKY}"]["value"], rows[f"{name}.{AFTER}"]["value"])
            for name in ("n_quanta", "n_quanta_failed")
        }
        self.assertEqual(counts, {"n_quanta": (7.0, 4.0, 3.0), "n_quanta_failed": (1.0, 1.0, 0.0)})
        self.assertAlmostEqual(rows["quanta_failed_fraction"]["value"], 100.0 / 7.0)
        wall = rows["quantum_wall_q50"]
        self.assertEqual((wall["n"], wall["unit"], wall["instrument"]), (6, "s", "Cam"))
        self.assertLess(rows["quantum_wall_q00"]["value"], rows["quantum_wall_q100"]["value"])
        self.assertLess(0.05, rows["quantum_memory_q100"]["value"])
        self.assertLess(0.0, rows["quantum_run_cpu_total"]["value"])
        self.assertEqual(rows["quantum_budget_used_q100"]["status"], "empty")

    def test_provenance_graph(self) -> None:
        """Its quanta would be lost, which nobody may overlook."""
        folder = self.enterContext(tempfile.TemporaryDirectory())
        repo = shutil.copytree(graph_repository(), f"{folder}/repo")
        with self.assertRaisesRegex(InputError, "before 'butler ingest-graph'"):
            self.execution(repo)

    def test_metadata(self) -> None:
        butler = self.run_ingredient(
            copied(self),
            "taskMetadataMetrics",
            connections__label=SHAKY,
            run_by=["instrument", "visit"],
            metrics=["calibrateImage_star_count"],
            by=[],
            variants={"stars": f"task_number_sum(key='{SHAKY}.star_count', doc='Stars.')"},
            patterns={"time_*": "task_number_median(key='quantum.butler_metrics.time_*', unit='s')"},
        )
        refs = butler.query_datasets(f"qa_{SHAKY}_metadata_metrics")
        self.assertEqual(len(refs), 3, "the quantum that failed left no metadata")
        rows = {ref.dataId["visit"]: {r["metric"]: r for r in butler.get(ref).to_pylist()} for ref in refs}
        found = rows[VISIT_OF["succeeds"]]
        self.assertEqual(set(found), {"calibrateImage_star_count", "stars"} | TIMES)
        stars = found["stars"]
        self.assertEqual((stars["value"], stars["n"], stars["status"]), (COUNT, 1, "ok"))
        self.assertTrue(math.isnan(stars["error"]))
        self.assertEqual(
            (stars["visit"], stars["band"], stars["instrument"]), (VISIT_OF["succeeds"], "r", "Cam")
        )
        self.assertEqual(found["calibrateImage_star_count"]["status"], "empty")
        self.assertGreater(found["time_in_put"]["value"], 0.0)

    def test_detectors(self) -> None:
        """A row each, and the sum of the visit."""
        read = [
            ({"visit": 7, "detector": detector, "band": "r"}, metadata(endCpuTime=float(detector)))
            for detector in range(4)
        ]
        config = TaskMetadataMetricsTask.ConfigClass()
        config.metrics, config.by = [], ["detector"]
        config.variants = {"cpu": "task_number_sum(key='quantum.endCpuTime', unit='s', doc='CPU time.')"}
        config.validate()
        task = TaskMetadataMetricsTask(config=config)
        rows = task.run(from_arrow(numbers_table("task", read), "numbers"), {}).metrics.to_pylist()
        self.assertEqual(
            {row["detector"]: row["value"] for row in rows}, {None: 6.0, 0: 0.0, 1: 1.0, 2: 2.0, 3: 3.0}
        )
        self.assertEqual({(row["visit"], row["band"], row["unit"]) for row in rows}, {(7, "r", "s")})
        self.assertEqual(task.metadata["memory_budget"], config.memory_budget << 20)


TIMES = {"time_in_get", "time_in_put", "time_in_ingest"}


if __name__ == "__main__":
    unittest.main()
