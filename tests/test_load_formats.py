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

"""Loading what other packages measured and defined."""

from __future__ import annotations

import json
import tempfile
import unittest
from pathlib import Path

from click.testing import CliRunner, Result
from support_formats import DATA, JOB, fill, needs_data
from support_store import OnPostgres, OnSqlite, Survey, contents

from lsst.qa.cli import main
from lsst.qa.errors import CollectionError, InputError, NotATableError
from lsst.qa.publish.publishing import publish
from lsst.qa.store.database import connect
from lsst.qa.store.definitions import get_metric
from lsst.qa.store.load import load
from lsst.qa.store.query import latest_runs, measurements

RUN = "HSC/runs/RC2/20261122T050000Z"


class RepositoryTests:
    """Every format in one repository, on either kind of database."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.survey = Survey(str(self.folder / "repo"), self)
        self.survey.add_visits([1])
        self.survey.put_visits(RUN, [1])
        fill(self.survey, RUN)
        self.survey.chain("HSC/latest", RUN)

    def test_all_formats(self) -> None:
        report = load(self.survey.root, ["HSC/latest"], self.url)
        self.assertEqual((report.datasets, report.rows, report.unreadable), (4, 6 + 4 + 1 + 2, ()))
        found = {(m.metric, m.band): m for m in measurements(self.engine) if "." in m.metric}
        sky = found["analysis_tools.skyFlux.meanSky", "i"]
        self.assertEqual((sky.value, sky.unit, sky.tract, sky.skymap), (12.5, "nJy", 3, "sky"))
        self.assertEqual(found["analysis_tools.skyFlux.stdSky", "i"].status, "undefined")
        time = found["pipe_tasks.ProcessCcdTime", "r"]
        self.assertEqual((time.value, time.visit, time.instrument, time.day_obs), (0.1, 1, "Cam", 20261121))
        self.assertEqual(found["validate_drp.AM1", "r"].status, "undefined")
        self.assertEqual(found["validate_drp.PA1", "r"].value, 4.2)
        (run,) = latest_runs(self.engine)
        self.assertEqual((run.name, run.collection, run.repo), (RUN, "HSC/latest", self.survey.root))
        again = load(self.survey.root, ["HSC/latest"], self.url)
        self.assertEqual((again.datasets, again.skipped), (0, 4))

    def test_published_is_the_same(self) -> None:
        load(self.survey.root, [RUN], self.url)
        other = f"sqlite:///{self.folder}/other.sqlite3"
        self.assertEqual(publish(self.survey.root, [RUN], [other], other).code, 0)
        engine = connect(other)
        self.addCleanup(engine.dispose)
        self.assertEqual(contents(engine), contents(self.engine))
        (run,) = latest_runs(engine)
        self.assertEqual((run.collection, run.repo), (RUN, self.survey.root))


class SqliteTestCase(RepositoryTests, OnSqlite, unittest.TestCase):
    """A database in a file."""


class PostgresTestCase(RepositoryTests, OnPostgres, unittest.TestCase):
    """A database on a server."""


class FilesTestCase(OnSqlite, unittest.TestCase):
    """Jobs and packages of metrics in files."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def write(self, name: str, **meta: object) -> Path:
        """Write a Job with some metadata."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({**JOB, "meta": {**JOB["meta"], **meta}}))
        return path

    def run_load(self, *arguments: object, code: int = 0) -> Result:
        """Run the command and expect an exit code."""
        result = CliRunner().invoke(main, ["load", *map(str, arguments), "--db", self.url])
        self.assertEqual(result.exit_code, code, result.output)
        return result

    def test_job(self) -> None:
        said = self.run_load(self.write("cfht.verify.json")).stdout
        self.assertIn("Loaded 2 measurements in 1 datasets of 1 runs", said)
        self.assertIn("Defined 1 metrics with 1 thresholds.", said)
        (found,) = measurements(self.engine, metric="validate_drp.PA1")
        self.assertEqual((found.value, found.band, found.instrument), (4.2, "r", "Cam"))
        (spec,) = get_metric(self.engine, "validate_drp.PA1").specs
        self.assertEqual((spec.level, spec.bands, spec.value), ("design", "gri", 5.0))
        (run,) = latest_runs(self.engine)
        self.assertEqual(
            (run.name, run.repo, run.collection),
            ("verify/cfht", str((self.folder / "cfht.verify.json").resolve()), None),
        )

    def test_jobs_of_one_name(self) -> None:
        """A program that runs every night gives its Jobs one name."""
        for night in (1, 2):
            self.write(f"{night}/cfht.verify.json", date=f"2026-11-0{night}T05:00:00Z")
        self.run_load(self.folder / "1")
        self.run_load(self.folder / "2")
        names = [run.name for run in latest_runs(self.engine)]
        self.assertEqual(names, ["verify/cfht/20261102T050000Z", "verify/cfht/20261101T050000Z"])

    def test_time_that_is_given(self) -> None:
        path = self.write("cfht.verify.json")
        self.run_load(path, "--made", "2026-11-03T05:00:00")
        (run,) = latest_runs(self.engine)
        self.assertEqual(run.name, "verify/cfht/20261103T050000Z")
        self.write("other.verify.json")
        error = self.run_load(self.folder, "--made", "2026-11-03T05:00:00", code=2).stderr
        self.assertIn("A time is for one Job; 2 of", error)
        self.assertIn("expected one such as", self.run_load(path, "--made", "today", code=2).stderr)

    def test_thresholds_stay(self) -> None:
        """A Job that only tells what a metric is takes no threshold away."""
        self.run_load(self.write("one.verify.json"))
        (self.folder / "two.verify.json").write_text(json.dumps({**JOB, "specs": []}))
        self.run_load(self.folder / "two.verify.json")
        self.assertEqual(len(get_metric(self.engine, "validate_drp.PA1").specs), 1)

    def test_misuse(self) -> None:
        path = self.write("one.verify.json")
        for arguments, error, expected in (
            (("nowhere.json", []), CollectionError, "cannot be read"),
            ((str(self.folder / "empty"), []), InputError, "Name the collections"),
            ((str(path), ["u/me"]), InputError, "is no repository"),
        ):
            with self.subTest(expected=expected), self.assertRaisesRegex(error, expected):
                load(*arguments, self.url)
        path.write_text("{}")
        self.assertIn("there is no list of measurements", self.run_load(path, code=1).stderr)

    @needs_data
    def test_real_jobs(self) -> None:
        """Three Jobs of 2017, NaN included, with what they define."""
        for name in ("CfhtQuick_output_r", "Cfht_output_r", "job-768_decam"):
            (self.folder / f"{name}.verify.json").symlink_to(DATA / "squash" / f"{name}.json")
        report = json.loads(self.run_load(self.folder, "--json").stdout)
        self.assertEqual((report["datasets"], report["rows"], report["unreadable"]), (3, 93, []))
        found = list(measurements(self.engine, limit=1000))
        self.assertEqual(len(found), 93)
        self.assertEqual(sum(m.status == "undefined" and m.value != m.value for m in found), 21)
        pa1 = get_metric(self.engine, "validate_drp.PA1")
        self.assertEqual((pa1.unit, pa1.reference), ("mmag", "LPM-17, http://ls.st/lpm-17, p. 21"))
        levels = {(spec.level, spec.bands): spec.value for spec in pa1.specs}
        self.assertEqual((levels["design", "gri"], levels["minimum", "uzy"]), (5.0, 12.0))
        self.assertEqual(len(latest_runs(self.engine)), 3)

    def test_package(self) -> None:
        """Definitions, and thresholds that inherit across files."""
        metrics, specs = self.folder / "metrics", self.folder / "specs" / "jointcal"
        metrics.mkdir()
        specs.mkdir(parents=True)
        (metrics / "jointcal.yaml").write_text("AM1: {unit: mas, description: 'a  b', reference: {doc: LPM}}")
        (specs / "base.yaml").write_text(
            "id: AM1-base\nmetric: AM1\nthreshold: {unit: uarcsec, operator: '<='}\n"
        )
        (specs / "AM1.yaml").write_text(
            "name: design_gri\nbase: 'base#AM1-base'\nthreshold: {value: 1e4}\n---\n"
            "name: FY17\nbase: 'base#AM1-base'\nthreshold: {value: 2}\n"
        )
        said = self.run_load(self.folder).stdout
        self.assertIn("Defined 1 metrics with 1 thresholds.", said)
        found = get_metric(self.engine, "jointcal.AM1")
        self.assertEqual((found.unit, found.description, found.reference), ("mas", "a b", "LPM"))
        self.assertEqual([(s.level, s.bands, s.value) for s in found.specs], [("design", "gri", 10.0)])
        (specs / "AM1.yaml").write_text("name: design\nbase: 'other#AM1-base'\n")
        with self.assertRaisesRegex(NotATableError, "there is no #AM1-base"):
            load(str(self.folder), [], self.url)
        self.assertEqual(len(get_metric(self.engine, "jointcal.AM1").specs), 1)


if __name__ == "__main__":
    unittest.main()
