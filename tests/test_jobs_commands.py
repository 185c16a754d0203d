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

"""Jobs at a terminal: run, followed, listed, shown and cancelled."""

from __future__ import annotations

import io
import json
import threading
import unittest
from pathlib import Path
from unittest import mock

import support_jobs
from click.testing import CliRunner, Result
from rich.console import Console

from lsst.qa.cli import main
from lsst.qa.jobs.display import Display
from lsst.qa.jobs.terminal import follow
from lsst.qa.store.job_lines import KEPT_PIECES
from lsst.qa.store.jobs import Job, cancel_job, list_jobs
from lsst.qa.store.work import Hand, Quanta


class CommandsTestCase(support_jobs.JobsTestCase):
    """The verbs."""

    def call(self, verb: str, *arguments: str) -> Result:
        done = CliRunner().invoke(main, [*verb.split(), *arguments])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    def run_it(self, *arguments: str) -> Result:
        places = ["--db", self.url, "--definitions", str(self.definitions), "--work", f"{self.folder}/work"]
        return self.call("run", "gates", *places, *arguments)

    def test_run_and_wait(self) -> None:
        done = self.run_it("--wait")
        self.assertEqual(done.exit_code, 0, done.output)
        (job,) = list_jobs(self.engine)
        self.assertIn("$ pipetask run -b", done.output)
        self.assertIn("3/3 quanta", done.output)
        self.assertRegex(done.output, "Loaded [0-9]+ measurements in 3 datasets")
        self.assertIn(f"{job.name}: succeeded. All steps are done.", done.output)

    def test_run_that_fails(self) -> None:
        self.declare("pipeline", description="None.", tasks={"gate": {"class": "no.such.Task"}})
        done = self.run_it("--json")
        self.assertEqual(done.exit_code, 1)
        self.assertEqual(json.loads(done.output)["state"], "failed")
        done = self.run_it()
        self.assertEqual(done.exit_code, 1)
        self.assertIn("ModuleNotFoundError", done.output)

    def test_interrupted(self) -> None:
        """Whoever interrupts a job that runs here, cancels it."""
        gate = self.gate(2)
        printed: list[Result] = []
        handlers = []
        with mock.patch("signal.signal", side_effect=lambda number, handler: handlers.append(handler)):
            thread = threading.Thread(target=lambda: printed.append(self.run_it()))
            thread.start()
            gate()
            handlers[0]()
            thread.join()
        self.assertEqual(printed[0].exit_code, 1)
        (job,) = list_jobs(self.engine)
        self.assertEqual((job.state, job.cancelled_by), ("cancelled", job.submitted_by))

    def test_left_to_a_worker(self) -> None:
        done = self.run_it("--detach", "--set", "gates=7")
        self.assertEqual(done.exit_code, 0, done.output)
        (job,) = list_jobs(self.engine)
        self.assertEqual((job.state, job.parameters), ("queued", {"gates": 7}))
        self.assertIn(f"{job.name} ({job.uuid})\nNo worker is there to take it: lsst-qa worker", done.output)
        Hand(self.engine, ["gates"]).wave()
        self.assertNotIn("No worker", self.run_it("--detach").output)
        self.assertEqual(json.loads(self.run_it("--detach", "--json").output)["state"], "queued")

    def test_dry_run(self) -> None:
        done = self.run_it("--dry-run")
        self.assertEqual(
            [line.split()[:2] for line in done.output.splitlines()],
            [["pipetask", "run"], ["lsst-qa", "load"]],
        )
        steps = json.loads(self.run_it("--dry-run", "--json").output)
        self.assertEqual([step["step"] for step in steps], ["pipeline", "load"])
        self.assertEqual(list_jobs(self.engine), [])

    def test_misuse(self) -> None:
        for arguments, said in (
            (["--set", "gates"], "--set takes KEY=VALUE, not 'gates'"),
            (["--set", "gates=x"], "gates: expected an integer, found 'x'"),
            (["--set", "gaets=1"], "no such parameter. Did you mean 'gates'"),
        ):
            done = self.run_it(*arguments)
            self.assertEqual(done.exit_code, 2)
            self.assertIn(said, done.output)
        done = self.call("run", "dmeo")
        self.assertEqual(done.exit_code, 2)
        self.assertIn("Did you mean 'demo'", done.output)

    def test_declared(self) -> None:
        done = self.call("run", "--definitions", str(self.definitions))
        self.assertRegex(done.output, r"bands +text like \[ugrizy\]\{1,6\}; default gri")
        self.assertRegex(done.output, "gates +Gates +gates +integer; default 0")
        self.assertEqual(
            [one["name"] for one in json.loads(self.call("run", "--json").output)], ["demo", "hsc"]
        )

    def test_list_show_cancel(self) -> None:
        self.assertIn("no such jobs", self.call("jobs list", "--db", self.url).output)
        job = self.submit()
        hand = Hand(self.engine, ["gates"])
        taken = hand.take()
        assert taken is not None
        hand.describe(taken, [{"step": "pipeline", "command": ["pipetask", "a b"]}], "/r", "run")
        hand.begin(taken, "pipeline", "running")
        hand.report(taken, "pipeline", ["one"], Quanta(5, 2, 1))
        listed = self.call("jobs list", "--db", self.url).output
        self.assertRegex(listed, f"{job.name} +running +pipeline +2/5, 1 failed +me ")
        self.assertIn("0 workers at work.", listed)
        (plain,) = json.loads(self.call("jobs list", "--db", self.url, "--json", "--state", "running").output)
        self.assertEqual((plain["uuid"], plain["submitted"][-1]), (job.uuid, "Z"))
        shown = self.call("jobs show", job.uuid, "--db", self.url, "--log").output
        self.assertRegex(shown, "(?m)^quanta_done +2$")
        self.assertRegex(shown, "(?m)^pipeline +pipetask 'a b'$")
        self.assertTrue(shown.endswith("\none\n"))
        shown = json.loads(self.call("jobs show", job.name, "--db", self.url, "--log", "--json").output)
        self.assertEqual((shown["state"], shown["log"]), ("running", ["one\n"]))
        cancelled = self.call("jobs cancel", job.name, "--db", self.url).output
        self.assertEqual(cancelled, f"{job.name}: running, will be stopped.\n")
        hand.finish(taken, "cancelled", "")
        cancelled = self.call("jobs cancel", job.name, "--db", self.url).output
        self.assertEqual(cancelled, f"{job.name}: cancelled.\n")

    def test_lines_left_out(self) -> None:
        job, hand = self.submit(), Hand(self.engine, ["gates"])
        taken = hand.take()
        assert taken is not None
        with mock.patch("lsst.qa.store.job_lines.MOST_LOG", 3000):
            for number in range(KEPT_PIECES + 10):
                hand.report(taken, "pipeline", [str(number).ljust(98, "."), "x"])
        shown = self.call("jobs show", job.uuid, "--db", self.url, "--log").output
        self.assertRegex(shown, r"\n\[[0-9]+ lines left out\]\n")

    def test_worker_once(self) -> None:
        options = ["--db", self.url, "--definitions", str(self.definitions), "--once"]
        self.assertEqual(self.call("worker", *options).exit_code, 0)
        self.declare(
            "definitions/gates", title="Gates", repo="{work}/none", pipeline="{here}/no.yaml", input=["a"]
        )
        self.submit()
        done = self.call("worker", *options, "--work", f"{self.folder}/work")
        self.assertEqual(done.exit_code, 1)
        self.assertIn(f"{self.job.name}: failed. Run the pipeline: pipetask ended with code 1", done.output)
        self.declare("definitions/gates", title="Gates")
        done = self.call("worker", *options)
        self.assertEqual(done.exit_code, 2)
        self.assertIn("gates.yaml: pipeline: it is missing", done.output)


class FollowTestCase(support_jobs.JobsTestCase):
    """A job that somebody else runs."""

    def test_followed(self) -> None:
        job, hand = self.submit(), Hand(self.engine, ["gates"])
        taken = hand.take()
        assert taken is not None
        command = {"step": "load", "command": ["lsst-qa", "load", "it's"]}
        hand.describe(taken, [command], "/r", "run")
        steps = iter(
            [
                lambda: hand.report(taken, "load", ["first"]),
                lambda: hand.report(taken, "load", ["second"]),
                lambda: hand.finish(taken, "succeeded", "Done."),
            ]
        )
        console = Console(file=io.StringIO(), width=100)
        display = Display(console)
        ended: Job = follow(self.engine, job, display, wait=lambda _: next(steps)())
        display.end(ended, self.url)
        assert isinstance(console.file, io.StringIO)
        printed = console.file.getvalue()
        self.assertIn('Load\n$ lsst-qa load "it\'s"\nfirst\nsecond\n', printed)
        self.assertIn(f"{job.name}: succeeded. Done.", printed)

    def test_taken_by_a_faster_one(self) -> None:
        """A job that a worker has taken is not run a second time."""
        job = self.submit()
        hand = Hand(self.engine, ["gates"])
        taken = hand.take()
        assert taken is not None
        self.assertIsNone(self.worker().work(job.uuid))
        cancel_job(self.engine, job.uuid, None)
        hand.finish(taken, "cancelled", "It was cancelled.")
        display = Display(Console(file=io.StringIO()))
        self.assertEqual(follow(self.engine, job, display).state, "cancelled")
        self.assertFalse((Path(self.folder) / "work").exists())


if __name__ == "__main__":
    unittest.main()
