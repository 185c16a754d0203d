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

"""Workers with real pipetask: what they do, and what becomes of their jobs
when they, or the jobs, are stopped.
"""

from __future__ import annotations

import signal
import subprocess
import threading
import unittest
from unittest import mock

from support_jobs import JobsTestCase
from support_postgres import needs_postgres, new_database

from lsst.daf.butler import Butler
from lsst.qa.errors import DatabaseError
from lsst.qa.jobs.attempt import Attempt
from lsst.qa.store.jobs import Job, cancel_job, job_log, list_workers
from lsst.qa.store.query import latest_runs
from lsst.qa.store.work import Hand


class WorkerTestCase(JobsTestCase):
    """One worker."""

    def test_from_queue_to_verdict(self) -> None:
        self.declare_gates(load=True, check="design")
        job = self.submit()
        done = self.worker().work()
        assert done is not None
        self.assertEqual((done.uuid, done.state), (job.uuid, "succeeded"), self.told())
        self.assertEqual((done.quanta_total, done.quanta_done, done.quanta_failed), (3, 3, 0))
        self.assertEqual(done.output, f"qa/{job.name}/{job.submitted:%Y%m%dT%H%M%SZ}")
        self.assertEqual([command["step"] for command in done.commands], ["pipeline", "load", "check"])
        (run,) = latest_runs(self.engine)
        self.assertEqual((run.name, run.n_datasets, run.repo), (done.output, 3, self.repo))
        told = self.told()
        self.assertIn("Executed 3 quanta successfully", told)
        self.assertIn("PA1", told)
        self.assertEqual((self.folder / "work" / job.name / "log.txt").read_text(), told)
        self.assertEqual(len(told.splitlines()), done.log_lines)
        self.assertEqual(
            {piece.step for piece in job_log(self.engine, job.uuid)}, {"pipeline", "load", "check"}
        )

    def test_failed_quantum(self) -> None:
        """The others' results are loaded, and the job has failed."""
        self.fail_at(2)
        self.submit()
        done = self.worker().work()
        assert done is not None
        self.assertEqual((done.state, done.step), ("failed", "load"), self.told())
        self.assertEqual((done.quanta_done, done.quanta_failed), (2, 1))
        self.assertRegex(done.message or "", "^1 of 3 quanta failed")
        self.assertEqual(latest_runs(self.engine)[0].n_datasets, 2)
        self.assertIn("visit 2 is to fail", self.told())

    def test_all_failed(self) -> None:
        """Their logs say why they failed; there is nothing to load."""
        self.declare_gates(harvest=True, load=True)
        for visit in (1, 2, 3):
            self.fail_at(visit)
        self.submit()
        done = self.worker().work()
        assert done is not None
        self.assertEqual((done.state, done.step, done.quanta_failed), ("failed", "harvest", 3), self.told())
        self.assertEqual(done.message, "3 of 3 quanta failed; there are no results.")
        self.assertIn("Harvested 3 quanta", self.told())

    def test_failed_command(self) -> None:
        self.declare("pipeline", description="None.", tasks={"gate": {"class": "no.such.Task"}})
        self.submit()
        done = self.worker().work()
        assert done is not None
        self.assertEqual((done.state, done.exit_code, done.step), ("failed", 1, "pipeline"))
        self.assertRegex(done.message or "", "^Run the pipeline: pipetask ended with code 1: .*no.such.Task")
        self.assertIsNone(done.quanta_total)

    def test_refused_on_arrival(self) -> None:
        """What the row says is checked again by whoever runs it."""
        job = self.submit(gates=3)
        with self.engine.begin() as connection:
            connection.exec_driver_sql('UPDATE job SET parameters = \'{"gates": "; rm"}\'')
        with mock.patch("subprocess.Popen", side_effect=AssertionError):
            done = self.worker().work()
        assert done is not None
        self.assertEqual((done.uuid, done.state), (job.uuid, "failed"))
        self.assertEqual(done.message, "gates: expected an integer, found '; rm'")

    def test_cancelled(self) -> None:
        gate = self.gate(2)
        job = self.submit()
        ended: list[Job | None] = []
        worker = threading.Thread(target=lambda: ended.append(self.worker().work()))
        worker.start()
        gate()
        self.assertEqual(self.now().state, "running")
        cancel_job(self.engine, job.name, "you")
        worker.join()
        (done,) = ended
        assert done is not None
        self.assertEqual(
            (done.state, done.cancelled_by, done.exit_code), ("cancelled", "you", -signal.SIGTERM)
        )
        self.assertEqual((done.quanta_total, done.quanta_done), (3, 1))
        self.assertEqual(latest_runs(self.engine), [])

    def test_asked_to_leave(self) -> None:
        """A worker that is stopped hands its job to the next one."""
        gate = self.gate(2)
        self.submit()
        process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, text=True)
        with process:
            gate()
            self.assertEqual(
                [one.definitions for one in list_workers(self.engine)], [("demo", "gates", "hsc")]
            )
            process.terminate()
            printed, _ = process.communicate()
        self.assertEqual(process.returncode, 0)
        self.assertEqual(printed, f"{self.job.name}: queued.\n")
        self.assertEqual(list_workers(self.engine), [])
        self.assertEqual((self.now().state, self.now().ended, self.now().attempts), ("queued", False, 0))
        done = self.worker().work()
        assert done is not None
        self.assertEqual((done.state, done.attempts, done.quanta_done), ("succeeded", 1, 3), self.told())

    def test_killed(self) -> None:
        """A killed worker's job is noticed, and gone on with."""
        gate = self.gate(2)
        self.submit()
        process = subprocess.Popen(self.command("--lease", "1"), stdout=subprocess.DEVNULL)
        with process:
            opened = gate()
            process.kill()
        # pipetask is gone as well, and its lock on the repository.
        opened()
        worker, found = self.worker(), None
        pause = threading.Event()
        while found is None:
            found = worker.work()
            pause.wait(0.05)
        self.assertEqual((found.state, found.attempts), ("succeeded", 2), self.told())
        self.assertEqual((found.quanta_total, found.quanta_done, found.quanta_failed), (3, 3, 0))
        told = self.told()
        self.assertIn("1 previously succeeded", told)
        self.assertIn("Executed 2 quanta successfully, 0 failed and 0 remain out of total 2", told)
        butler = Butler.from_config(self.repo)
        self.addCleanup(butler.close)
        self.assertEqual(len(butler.query_datasets("qa_gate_metrics", found.output)), 3)
        self.assertEqual(latest_runs(self.engine)[0].n_datasets, 3)

    def test_nothing_left(self) -> None:
        """A worker that disappeared after the last quantum leaves a job whose
        pipeline has nothing to do.
        """
        self.submit()
        with mock.patch.object(Hand, "begin", _gone_at("load")), self.assertRaises(DatabaseError):
            self.worker(lease=0.0).work()
        self.assertEqual(self.now().state, "lost")
        done = self.worker().work()
        assert done is not None
        self.assertEqual((done.state, done.quanta_done), ("succeeded", 3), self.told())
        self.assertIn("QuantumGraph contains no quanta", self.told())

    def test_database_is_away(self) -> None:
        """A worker lets go in time of what others will believe lost."""
        gate = self.gate(2)
        self.submit()
        worker = self.worker(lease=60.0)
        thread = threading.Thread(target=worker.work)
        thread.start()
        gate()
        with (
            mock.patch.object(Hand, "report", side_effect=DatabaseError("away")),
            mock.patch.object(worker.hand, "lease", 0.1),
        ):
            thread.join()
        self.assertEqual((self.now().state, self.now().ended), ("running", False))

    def test_own_fault(self) -> None:
        """A fault of the worker itself ends one job only."""
        self.submit()
        with (
            mock.patch.object(Attempt, "run", side_effect=ZeroDivisionError("oh")),
            mock.patch("traceback.print_exc"),
        ):
            done = self.worker().work()
        assert done is not None
        self.assertEqual(
            (done.state, done.message), ("failed", "The worker itself failed: ZeroDivisionError: oh")
        )


def _gone_at(step: str):  # type: ignore[no-untyped-def]
    begin = Hand.begin

    def gone(self: Hand, job: Job, name: str, state: str) -> None:
        if name == step:
            raise DatabaseError("gone")
        begin(self, job, name, state)

    return gone


class TwoWorkers(JobsTestCase):
    """Two workers at once."""

    def test_each_takes_its_own(self) -> None:
        self.declare_gates()
        gates = [self.gate(1, number) for number in (1, 2)]
        jobs = [self.submit(gates=number) for number in (1, 2)]
        processes = [
            subprocess.Popen(self.command("--once"), stdout=subprocess.PIPE, text=True) for _ in jobs
        ]
        # Both jobs wait at their gates: neither worker has both.
        opens = [wait() for wait in gates]
        self.assertEqual(len({self.now(job).worker for job in jobs}), 2)
        for one in opens:
            one()
        printed = [process.communicate()[0] for process in processes]
        self.assertEqual([process.returncode for process in processes], [0, 0], printed)
        for job in jobs:
            self.assertEqual((self.now(job).state, self.now(job).attempts), ("succeeded", 1), self.told(job))


@needs_postgres
class TwoWorkersOnPostgres(TwoWorkers):
    """The same with PostgreSQL."""

    def new_database(self) -> str:
        return new_database()


del JobsTestCase  # which has no tests of its own


if __name__ == "__main__":
    unittest.main()
