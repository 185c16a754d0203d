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

"""The demonstration, with a survey as small as can be."""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import lsst.qa
from lsst.qa.jobs.demo import run_demo
from lsst.qa.store.database import connect
from lsst.qa.store.jobs import list_jobs
from lsst.qa.store.query import latest_runs

SMALL = {"stars": 100, "galaxies": 100, "visits": 2, "bands": "r"}


class DemoTestCase(unittest.TestCase):
    """All of it, and where it stops if a step fails."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.demo = Path(folder.name).resolve() / "demo"
        places = os.pathsep.join([str(Path(lsst.qa.__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
        patch = mock.patch.dict(os.environ, {"PYTHONPATH": places})
        patch.start()
        self.addCleanup(patch.stop)

    def run_demo(self) -> tuple[int, str]:
        with contextlib.redirect_stdout(io.StringIO()) as output:
            code = run_demo(self.demo, SMALL)
        return code, output.getvalue()

    def test_from_nothing_to_verdicts(self) -> None:
        code, output = self.run_demo()
        self.assertEqual(code, 0, output)
        typed = [line for line in output.splitlines() if line.startswith("$ ")]
        verbs = [" ".join(line.split()[1:3]) for line in typed]
        self.assertEqual(
            verbs,
            [
                "lsst-qa simulate",
                "pipetask run",
                "pipetask run",
                "lsst-qa harvest",
                "lsst-qa load",
                "lsst-qa check",
            ],
        )
        self.assertIn(f"$ lsst-qa simulate {self.demo}/repo --stars 100", output)
        self.assertIn("'$QA_DIR/pipelines/qa.yaml'", output)
        self.assertIn("""-d "instrument = 'SimCam' AND skymap = 'sim_v1'\"""", output)
        shown = re.search(r"\b([0-9]+)/\1 quanta", output)
        assert shown is not None, output
        self.assertRegex(output, "PA1 .* <= 5")
        url = f"sqlite:///{self.demo}/metrics.sqlite3"
        self.assertRegex(output, f"lsst-qa dashboard --db {url}, then open http://127.0.0.1:8765")
        engine = connect(url)
        self.addCleanup(engine.dispose)
        (job,), (run,) = list_jobs(engine), latest_runs(engine)
        self.assertEqual((job.state, job.output, job.repo), ("succeeded", run.name, f"{self.demo}/repo"))
        # What it shows is what a user would type: pipetask made these quanta.
        told = re.findall("Executed [0-9]+ quanta", (self.demo / "log.txt").read_text())
        self.assertEqual(len(told), int(shown[1]) + 1)

    def test_stops_where_a_step_fails(self) -> None:
        (self.demo / "repo").mkdir(parents=True)
        (self.demo / "repo" / "mine").touch()
        code, output = self.run_demo()
        self.assertEqual(code, 2, output)
        self.assertIn(f"{self.demo}/repo", output)
        self.assertIn("Simulate a survey: lsst-qa ended with code 2", output)
        self.assertIn(f"The whole output is in {self.demo}/log.txt", output)
        self.assertNotIn("$ pipetask", output)


if __name__ == "__main__":
    unittest.main()
