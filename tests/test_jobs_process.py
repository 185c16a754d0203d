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

"""Commands of jobs: what they are, how they run, and that none outlives who
started it.
"""

from __future__ import annotations

import datetime
import os
import select
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

import lsst.qa
from lsst.qa.errors import InputError
from lsst.qa.jobs.definition import JobDefinition
from lsst.qa.jobs.parameters import settled
from lsst.qa.jobs.plan import Plan, make_plan, typed
from lsst.qa.jobs.process import Ended, run_command, without_password
from lsst.qa.jobs.progress import Progress
from lsst.qa.store.work import Quanta

_MOST_SECONDS = 30.0

# Says something, then sleeps for much longer than a test may take; a child of
# its own does the same, and both keep a pipe open as long as they live.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN if "deaf" in sys.argv else signal.SIG_DFL)
pipe = os.open(sys.argv[1], os.O_WRONLY)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"], pass_fds=[pipe])
print("begun", flush=True)
time.sleep(1000)
"""


class ProcessTestCase(unittest.TestCase):
    """Commands in process groups."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.heard: list[str] = []
        self.pipe = self.folder / "pipe"
        os.mkfifo(self.pipe)
        places = os.pathsep.join([str(Path(lsst.qa.__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
        patch = mock.patch.dict(os.environ, {"PYTHONPATH": places})
        patch.start()
        self.addCleanup(patch.stop)

    def run_python(self, program: str, *arguments: str, stop_at: str = "never", **options: Any) -> Ended:
        def tick(lines: list[str]) -> bool:
            self.heard += lines
            return stop_at not in self.heard

        command = [sys.executable, "-c", program, *arguments]
        return run_command(command, tick, folder=self.folder, interval=0.05, **options)

    def listener(self) -> int:
        """Open the pipe before anybody writes to it."""
        reader = os.open(self.pipe, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        return reader

    def assert_all_gone(self, reader: int) -> None:
        """Read what is left in the pipe: it ends when nobody holds it."""
        ended, _, _ = select.select([reader], [], [], _MOST_SECONDS)
        self.assertTrue(ended, "somebody still holds the pipe")
        self.assertEqual(os.read(reader, 1), b"")

    def test_output_and_code(self) -> None:
        program = "import sys; print('a\\n'); print('b', file=sys.stderr); print('1%\\r2%\\r'); sys.exit(7)"
        self.assertEqual(self.run_python(program), Ended(7, False))
        self.assertEqual(sorted(self.heard), ["", "2%", "a", "b"])

    def test_last_line_without_end(self) -> None:
        self.run_python("import sys; sys.stdout.buffer.write(b'x\\xff\\ny')")
        self.assertEqual(self.heard, ["x\N{REPLACEMENT CHARACTER}", "y"])

    def test_much_output(self) -> None:
        self.run_python("for i in range(100000): print(i)")
        self.assertEqual(self.heard, [str(i) for i in range(100000)])

    def test_endless_line(self) -> None:
        self.run_python("print('x' * 5_000_000)")
        self.assertEqual("".join(self.heard), "x" * 5_000_000)
        self.assertLess(max(map(len, self.heard)), 2_000_000)

    def test_signal(self) -> None:
        ended = self.run_python("import os; os.kill(os.getpid(), 9)")
        self.assertEqual(ended, Ended(-signal.SIGKILL, False))

    def test_environment_and_folder(self) -> None:
        self.run_python("import os; print(os.environ['SECRET'], os.getcwd())", environment={"SECRET": "x"})
        self.assertEqual(self.heard, [f"x {self.folder.resolve()}"])

    def test_stopped(self) -> None:
        reader = self.listener()
        ended = self.run_python(STUBBORN, str(self.pipe), stop_at="begun")
        self.assertEqual(ended, Ended(-signal.SIGTERM, True))
        self.assert_all_gone(reader)

    def test_stopped_by_force(self) -> None:
        reader = self.listener()
        ended = self.run_python(STUBBORN, str(self.pipe), "deaf", stop_at="begun", grace=0.1)
        self.assertEqual(ended, Ended(-signal.SIGKILL, True))
        self.assert_all_gone(reader)

    def test_none_outlives_who_started_it(self) -> None:
        program = (
            "import pathlib, sys; from lsst.qa.jobs.process import run_command\n"
            "say = lambda lines: bool([print(line, flush=True) for line in lines]) or True\n"
            "run_command(sys.argv[2:], say, folder=pathlib.Path(sys.argv[1]), interval=0.05)"
        )
        command = [sys.executable, "-c", STUBBORN, str(self.pipe)]
        starter = subprocess.Popen(
            [sys.executable, "-c", program, str(self.folder), *command], stdout=subprocess.PIPE, text=True
        )
        reader = self.listener()
        with starter:
            assert starter.stdout is not None
            self.assertEqual(starter.stdout.readline(), "begun\n")
            starter.kill()
        self.assert_all_gone(reader)

    def test_no_such_program(self) -> None:
        with self.assertRaisesRegex(InputError, "no program 'nothing-like-it'"):
            run_command(["nothing-like-it"], lambda lines: True, folder=self.folder)

    def test_fault_of_the_listener(self) -> None:
        reader = self.listener()

        def tick(lines: list[str]) -> bool:
            if "begun" in lines:
                raise ZeroDivisionError
            return True

        with self.assertRaises(ZeroDivisionError):
            run_command(
                [sys.executable, "-c", STUBBORN, str(self.pipe)], tick, folder=self.folder, interval=0.05
            )
        self.assert_all_gone(reader)


class ProgressTestCase(unittest.TestCase):
    """What pipetask's log tells."""

    def hear(self, *lines: str) -> Progress:
        progress = Progress()
        for line in lines:
            progress.hear(line)
        return progress

    def test_first_attempt(self) -> None:
        planned = "QuantumGraph contains 6 quanta for 4 tasks"
        self.assertEqual(self.hear("anything").quanta, Quanta())
        self.assertEqual(self.hear(planned).quanta, Quanta(6, 0, 0))
        self.assertEqual(self.hear("QuantumGraph contains 1 quantum for 1 task").quanta, Quanta(1, 0, 0))
        line = "Executed {} quanta successfully, {} failed and {} remain out of total 6 quanta."
        self.assertEqual(self.hear(planned, line.format(2, 1, 3)).quanta, Quanta(6, 2, 1))
        self.assertFalse(self.hear(planned, line.format(2, 1, 3)).all_tried)
        self.assertTrue(self.hear(planned, line.format(5, 1, 0)).all_tried)
        self.assertTrue(self.hear(planned, line.format(0, 6, 0)).all_tried)
        self.assertFalse(self.hear("QuantumGraph contains no quanta.").all_tried)

    def test_later_attempt(self) -> None:
        earlier = "Generated 2 quanta for task gate (1 previously succeeded{})."
        for version in ("", " and skipped"):
            lines = (earlier.format(version), "QuantumGraph contains 2 quanta for 1 task")
            self.assertEqual(self.hear(*lines).quanta, Quanta(3, 1, 0))
        lines = (
            "Dropping task a because no quanta remain (4 previously succeeded).",
            "QuantumGraph contains no quanta.",
        )
        self.assertEqual(self.hear(*lines).quanta, Quanta(4, 4, 0))
        self.assertTrue(self.hear(*lines).nothing_left)
        self.assertFalse(self.hear("QuantumGraph contains no quanta.").nothing_left)


class PlanTestCase(unittest.TestCase):
    """The commands of a job."""

    def plan(self, given: dict[str, Any] | None = None, **declared: Any) -> Plan:
        always = {
            "name": "x",
            "title": "x",
            "folder": Path("/d"),
            "repo": "/r",
            "pipeline": "p.yaml",
            "input": ["a", "b"],
        }
        definition = JobDefinition.model_validate(always | declared)
        values = settled(definition.parameters, given or {}, ["*"])
        moment = datetime.datetime(2026, 11, 22, 8, 5, 6)
        return make_plan(
            definition, values, name="x-1", submitted=moment, work=Path("/w"), url="sqlite:////m"
        )

    def test_pipeline(self) -> None:
        (step,) = self.plan().steps
        self.assertEqual(
            typed(step.command),
            "pipetask run -b /r --register-dataset-types --no-raise-on-partial-outputs -p p.yaml -i a,b "
            "-o qa/x-1 --output-run qa/x-1/20261122T080506Z",
        )

    def test_options(self) -> None:
        parameters = {name: {"type": "integers", "default": None} for name in ("tract", "visit")}
        declared = {
            "parameters": parameters,
            "where": ["instrument = 'HSC'", "tract IN ({tract})", "visit IN ({visit})"],
            "processes": 3,
            "timeout": 60,
            "config": {"a:b": 1, "a:c": "{here}/x", "a:d": True},
        }
        (step,) = self.plan({"tract": "1,2"}, **declared).steps
        self.assertEqual(
            step.command[step.command.index("-d") :],
            ("-d", "(instrument = 'HSC') AND (tract IN (1, 2))", "-j", "3", "--timeout", "60")
            + ("-c", "a:b=1", "-c", "a:c=/d/x", "-c", "a:d=True"),
        )
        (step,) = self.plan(**declared).steps
        self.assertIn("instrument = 'HSC'", step.command)

    def test_what_follows(self) -> None:
        then = {
            "gather": True,
            "harvest": True,
            "load": True,
            "publish": ["site", "file:///x"],
            "check": "design",
        }
        plan = self.plan(then=then, simulate={"stars": 100})
        self.assertEqual(
            [step.name for step in plan.steps],
            ["simulate", "pipeline", "gather", "harvest", "load", "publish", "check"],
        )
        commands = {step.name: typed(step.command) for step in plan.steps}
        run = "qa/x-1/20261122T080506Z"
        self.assertEqual(plan.output, run)
        self.assertEqual(commands["simulate"], "lsst-qa simulate /r --stars 100")
        self.assertIn(
            f"-i {run} -o qa/x-1-gathered --output-run qa/x-1-gathered/20261122T080506Z", commands["gather"]
        )
        self.assertEqual(commands["load"], f"lsst-qa load /r {run} --db sqlite:////m")
        self.assertEqual(
            commands["publish"], f"lsst-qa publish /r {run} --to site --to file:///x --db sqlite:////m"
        )
        self.assertEqual(commands["check"], f"lsst-qa check --run {run} --level design --db sqlite:////m")

    def test_values_are_words(self) -> None:
        """Whatever a value holds, it stays within its argument."""
        parameters = {"day": {"type": "string", "pattern": ".*"}}
        (step,) = self.plan(
            {"day": "x; rm -r {work} $HOME"}, parameters=parameters, where=["d = '{day}'"]
        ).steps
        self.assertEqual(step.command[-1], "d = 'x; rm -r {work} $HOME'")

    def test_passwords_are_nobodys_business(self) -> None:
        url, secrets = without_password("postgresql://me:secret@host/db")
        self.assertEqual((url, secrets), ("postgresql+psycopg2://me@host/db", {"PGPASSWORD": "secret"}))
        self.assertEqual(without_password("postgresql://me@host/db")[1], {})
        url, secrets = without_password("sqlite:///here.sqlite3")
        self.assertEqual((url, secrets), (f"sqlite:///{Path.cwd()}/here.sqlite3", {}))


if __name__ == "__main__":
    unittest.main()
