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

"""Publishing what other packages measured."""

from __future__ import annotations

import datetime
import json
import tempfile
import unittest
import uuid
from pathlib import Path

from click.testing import CliRunner, Result
from support_formats import DATA, JOB, fill, needs_data
from support_proxy import Proxy
from support_publish import records_for
from support_store import OnSqlite, Survey

from lsst.daf.butler import DatasetIdGenEnum, DatasetRef, DatasetType, FileDataset
from lsst.qa.cli.publish import publish_command
from lsst.qa.publish.shelf import open_shelf

RUN = "HSC/runs/RC2/20261122T050000Z"


class RepositoryTestCase(OnSqlite, unittest.TestCase):
    """All formats in one repository."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.survey = Survey(str(self.folder / "repo"), self)
        self.survey.add_visits([1])

    def records(self, run: str) -> dict[str, dict]:
        """Return the fields of the records of a run, by metric."""
        with open_shelf(self.survey.root, [run]) as shelf:
            found = list(shelf.read([planned.dataset for planned in shelf.planned]))
        self.assertEqual([f.rows for f in found if isinstance(f.rows, str)], [])
        return {r.value["metric"]: {**r.value, "topic": r.topic} for f in found for r in records_for(f)}

    def test_records(self) -> None:
        self.survey.put_visits(RUN, [1])
        fill(self.survey, RUN)
        records = self.records(RUN)
        self.assertEqual(len(records), 2 + 4 + 1 + 2)
        sky = records["analysis_tools.skyFlux.meanSky"]
        self.assertEqual((sky["tract"], sky["band"], sky["value"], sky["unit"]), ("3", "i", 12.5, "nJy"))
        time = records["pipe_tasks.ProcessCcdTime"]
        self.assertEqual((time["visit"], time["day_obs"], time["band"]), ("1", "20261121", "r"))
        self.assertEqual({value["run_timestamp"] for value in records.values()}, {1795323600000000})

    def test_topics_of_bundles(self) -> None:
        """Two tasks may use one tool, and their points have the same tags."""
        fill(self.survey, RUN)
        topic = self.records(RUN)["analysis_tools.skyFlux.meanSky"]["topic"]
        self.assertEqual(topic, "lsst.debug.qa.analysis_tools.objectTableCore.skyFlux.meanSky")

    def test_run_without_a_time(self) -> None:
        """The identifier of a dataset tells when it was made, or the
        registry when it took it: always the same.
        """
        began = datetime.datetime.now(datetime.UTC).timestamp()
        fill(self.survey, "HSC/runs/w_2026_47")
        butler = self.survey.butler
        declared = DatasetType(
            "old_metrics", ("skymap", "tract"), "MetricMeasurementBundle", universe=butler.dimensions
        )
        butler.registry.registerDatasetType(declared)
        data_id = butler.registry.expandDataId({"skymap": "sky", "tract": 3}, dimensions=declared.dimensions)
        path = self.folder / "old.json"
        path.write_text(json.dumps({"old": [{"metric": "x", "value": 1.0, "unit": ""}]}))
        generation = DatasetIdGenEnum.DATAID_TYPE_RUN
        ref = DatasetRef(declared, data_id, run="HSC/runs/w_2026_47", id_generation_mode=generation)
        self.assertNotEqual(uuid.UUID(str(ref.id)).version, 7)
        butler.ingest(FileDataset(str(path), [ref]), transfer="copy")
        first, second = (self.records("HSC/runs/w_2026_47") for _ in range(2))
        self.assertEqual(first, second)
        self.assertEqual(len(first), 8)
        for metric, value in first.items():
            with self.subTest(metric=metric):
                self.assertLess(abs(value["run_timestamp"] / 1e6 - began), 60.0)

    def test_publish(self) -> None:
        self.survey.put_visits(RUN, [1])
        fill(self.survey, RUN)
        arguments = [self.survey.root, RUN, "--to", self.url, "--db", self.url]
        result = CliRunner().invoke(publish_command, arguments, catch_exceptions=False)
        self.assertIn("4 acknowledged; sent 13 records", result.output)


class FilesTestCase(OnSqlite, unittest.TestCase):
    """Jobs in files."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.job = self.folder / "cfht.verify.json"
        self.job.write_text(json.dumps(JOB))

    def publish(self, *arguments: object, code: int = 0) -> Result:
        """Run the command and expect an exit code."""
        command = [*map(str, arguments), "--db", self.url]
        result = CliRunner().invoke(publish_command, command, catch_exceptions=False)
        self.assertEqual(result.exit_code, code, result.output)
        return result

    def test_a_job_without_a_time(self) -> None:
        """Its points could not be told from another's: the user must say."""
        with Proxy() as proxy:
            self.assertIn("1 dead", self.publish(self.job, "--to", proxy.url, code=1).output)
            self.assertIn("give a time with --made", self.publish("--dead", "list", code=1).output)
            self.publish("--dead", "retry")
            said = self.publish(self.job, "--to", proxy.url, "--made", "2026-11-22T05:00:00Z")
            self.assertIn("1 acknowledged; sent 2 records", said.output)
            self.assertEqual({value["timestamp"] for value in proxy.values()}, {1795323600000000})
            self.assertEqual({value["run"] for value in proxy.values()}, {"verify/cfht/20261122T050000Z"})

    def test_units_of_what_a_job_defines(self) -> None:
        """The schemas of its topics have its units and descriptions."""
        with Proxy() as proxy:
            self.publish(self.job, "--to", proxy.url, "--made", "2026-11-22T05:00:00")
            schemas = {schema["doc"]: schema for schema in map(json.loads, proxy.schemas)}
        fields = {field["name"]: field for field in schemas["Repeatability."]["fields"]}
        self.assertEqual((fields["value"]["units"], fields["bin_low"]["units"]), ("mmag", "mmag"))

    @needs_data
    def test_real_jobs(self) -> None:
        for name in ("CfhtQuick_output_r", "Cfht_output_r", "job-768_decam"):
            (self.folder / f"{name}.verify.json").symlink_to(DATA / "squash" / f"{name}.json")
        self.job.unlink()
        out = f"sqlite:///{self.folder}/out.sqlite3"
        self.assertIn("3 acknowledged; sent 93 records", self.publish(self.folder, "--to", out).output)
        self.assertIn("93 of 93", self.publish(self.folder, "--to", out, "--verify").output)


if __name__ == "__main__":
    unittest.main()
