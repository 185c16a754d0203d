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

"""Publishing as the last step of a pipeline."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support_proxy import Proxy
from support_store import OnSqlite, Survey, contents, row

from lsst.daf.butler import Butler, DatasetType
from lsst.pex.config import FieldValidationError
from lsst.pipe.base import NoWorkFound
from lsst.pipe.base.testUtils import lintConnections, makeQuantum, runTestQuantum
from lsst.qa.publish.task import PublishMetricsConfig, PublishMetricsConnections, PublishMetricsTask

RUN = "u/me/20261122T050000Z"


class PublishTaskTestCase(OnSqlite, unittest.TestCase):
    """The task, on three visits and a tract."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.survey = Survey(str(self.folder / "repo"), self)
        self.survey.add_visits(range(1, 4))
        self.refs = self.survey.put_visits(RUN, range(1, 4))
        tract = [row("PA1", 2.5, tract=3, skymap="sky")]
        self.refs.append(self.survey.put(RUN, "qa_object_metrics", tract, skymap="sky", tract=3))
        self.out = self.folder / "out.jsonl"

    def task(self, *targets: str) -> PublishMetricsTask:
        """Return the task, configured."""
        config = PublishMetricsConfig()
        config.targets = [*targets]
        config.db = self.url
        config.validate()
        return PublishMetricsTask(config=config)

    def handles(self) -> list:
        """Return the task's input."""
        return [self.survey.butler.getDeferred(ref) for ref in self.refs]

    def test_connections(self) -> None:
        lintConnections(PublishMetricsConnections)

    def test_run(self) -> None:
        task = self.task(f"file://{self.out}")
        report = task.run(self.handles()).report
        self.assertEqual(report[f"file://{self.out}"]["counts"]["acknowledged"], 4)
        self.assertEqual(len(self.out.read_text().splitlines()), 19)
        task.run(self.handles())
        self.assertEqual(len(self.out.read_text().splitlines()), 19)
        self.assertEqual(task.metadata["n_datasets"], 4)

    def test_down(self) -> None:
        """A target that refuses fails nothing, and leaves the others alone."""
        with Proxy(token="hush") as proxy:
            task = self.task(proxy.url, "kafka://127.0.0.1:1", f"file://{self.out}")
            with self.assertLogs(task.log.name, "WARNING") as logs:
                report = task.run(self.handles()).report
        self.assertIn("401", report[proxy.url]["down"])
        self.assertIn("schema registry", report["kafka://127.0.0.1:1"]["down"])
        self.assertIsNone(report[f"file://{self.out}"]["down"])
        self.assertEqual(len(logs.output), 2)
        json.dumps(report)

    def test_quantum(self) -> None:
        task, butler = self.task(f"file://{self.out}"), self.survey.butler
        kind = DatasetType("qa_publication", (), "StructuredDataDict", universe=butler.dimensions)
        butler.registry.registerDatasetType(kind)
        writing = butler.clone(collections=[RUN], run=RUN)
        self.addCleanup(writing.close)
        ids = {"sources": [ref.dataId for ref in self.refs[:3]], "objects": [self.refs[3].dataId]}
        known = {"instrument": "Cam", "skymap": "sky", "tract": 3, "visit": 1}
        connections = PublishMetricsConnections(config=task.config)
        for connection in sorted(connections.prerequisiteInputs - ids.keys()):
            name = getattr(connections, connection).name
            data_id = {
                dimension: known[dimension] for dimension in getattr(connections, connection).dimensions
            }
            declared = DatasetType(name, [*data_id], "ArrowTable", universe=butler.dimensions)
            butler.registry.registerDatasetType(declared)
            ref = self.survey.put(RUN, name, [row("PA2", 1.0, **data_id)], **data_id)
            ids[connection] = [ref.dataId]
        n_datasets = 2 + len(ids)
        ids["report"] = butler.registry.expandDataId({})
        quantum = makeQuantum(task, writing, ids["report"], ids)
        runTestQuantum(task, writing, quantum, mockRun=False)
        found = writing.get("qa_publication")
        self.assertEqual(found[f"file://{self.out}"]["counts"]["acknowledged"], n_datasets)

    def test_pipetask(self) -> None:
        """The pipeline that is shipped, run as users run it, twice."""
        program = str(Path(sys.executable).with_name("pipetask"))
        command = [program, "run", "-b", self.survey.root, "-i", RUN, "--register-dataset-types"]
        command += ["-p", "$QA_DIR/pipelines/publish.yaml", "-c", f"publishMetrics:db={self.url}"]
        command += ["-c", f"publishMetrics:targets=['file://{self.out}','{self.url}']"]
        for output in ("u/me/first", "u/me/second"):
            done = subprocess.run([*command, "-o", output], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(len(self.out.read_text().splitlines()), 19)
        self.assertEqual(len(contents(self.engine)), 19)
        butler = Butler.from_config(self.survey.root, collections="u/me/second", writeable=False)
        self.addCleanup(butler.close)
        report = butler.get("qa_publication")
        self.assertEqual(report[f"file://{self.out}"]["counts"]["acknowledged"], 4)

    def test_nothing(self) -> None:
        with self.assertRaises(NoWorkFound):
            self.task(f"file://{self.out}").run([])
        with self.assertRaises((ValueError, FieldValidationError)):
            self.task()  # to nowhere


if __name__ == "__main__":
    unittest.main()
