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

"""The demonstration, with stand-ins for the programs that it runs."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lsst.qa.jobs.demo import demo_steps, run_demo

STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >> "{calls}"
echo "Executed 2 quanta successfully, 1 failed and 1 remain out of total 4 quanta."
case "$*" in *{failing}*) exit {code};; esac
"""


class DemoTestCase(unittest.TestCase):
    """The steps run in order, and stop where one fails."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.programs = Path(folder.name)
        self.demo = self.programs / "demo"
        self.install()
        # Programs are looked for beside the interpreter first.
        patch = mock.patch.object(sys, "executable", str(self.programs / "python"))
        patch.start()
        self.addCleanup(patch.stop)

    def install(self, failing: str = "nothing-at-all", code: int = 0) -> None:
        for name in ("pipetask", "lsst-qa"):
            program = self.programs / name
            program.write_text(STAND_IN.format(calls=self.programs / "calls", failing=failing, code=code))
            program.chmod(0o755)

    def run_demo(self) -> tuple[int, str, list[str]]:
        calls = self.programs / "calls"
        calls.write_text("")
        with contextlib.redirect_stdout(io.StringIO()) as output:
            code = run_demo(self.demo)
        verbs = [" ".join(line.split()[:2]) for line in calls.read_text().splitlines()]
        return code, output.getvalue(), verbs

    def test_steps_in_order(self) -> None:
        code, output, verbs = self.run_demo()
        self.assertEqual(code, 0)
        self.assertEqual(
            verbs, ["lsst-qa simulate", "pipetask run", "pipetask run", "lsst-qa load", "lsst-qa check"]
        )
        self.assertIn("3/4 quanta", output)
        self.assertIn(f"lsst-qa dashboard --db sqlite:///{self.demo}/metrics.sqlite3, then", output)
        self.assertIn("http://127.0.0.1:8765", output)

    def test_program_is_reachable(self) -> None:
        for path, expected in ((str(self.programs), ": lsst-qa dash"), ("/nowhere", "/lsst-qa dash")):
            with mock.patch.dict(os.environ, {"PATH": f"{path}:/usr/bin:/bin"}):
                self.assertIn(expected, self.run_demo()[1])

    def test_failing_pipeline_stops(self) -> None:
        self.install("qa.yaml", 3)
        code, output, verbs = self.run_demo()
        self.assertEqual(code, 3)
        self.assertEqual(verbs, ["lsst-qa simulate", "pipetask run"])
        self.assertIn("1 failed and 1 remain", output)
        self.assertIn(str(self.demo / "measure.log"), output)
        self.assertIn("pipetask ended with code 3", output)

    def test_failed_verdict_is_no_failure(self) -> None:
        self.install("check", 1)
        self.assertEqual(self.run_demo()[0], 0)
        self.install("check", 2)
        self.assertEqual(self.run_demo()[0], 2)

    def test_commands_are_shown_as_typed(self) -> None:
        _, output, _ = self.run_demo()
        for step in demo_steps(self.demo):
            self.assertIn(step.title, output)
            self.assertIn(" ".join(step.command[:2]), output)
        self.assertIn("'$QA_DIR/pipelines/qa.yaml'", output)
        self.assertIn("""-d "instrument='SimCam' AND skymap='sim_v1'\"""", output)


if __name__ == "__main__":
    unittest.main()
