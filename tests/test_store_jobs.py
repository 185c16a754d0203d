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

"""Rows of jobs: asked for, taken by one worker each, reported on, ended."""

from __future__ import annotations

import datetime
import threading
import unittest
from unittest import mock

from support_store import OnPostgres, OnSqlite

from lsst.qa.errors import InputError, UnknownNameError
from lsst.qa.store import job_lines
from lsst.qa.store.job_records import utc_now
from lsst.qa.store.jobs import Job, add_job, cancel_job, get_job, job_log, list_jobs, list_workers
from lsst.qa.store.work import Hand, Orders, Quanta

LONG_AGO = datetime.timedelta(hours=1)


class JobTests:
    """What holds on either kind of database."""

    def add(self, definition: str = "demo", max_attempts: int = 2) -> Job:
        return add_job(self.engine, definition, {"tract": 3}, "me", max_attempts)

    def hand(self, *definitions: str, ago: datetime.timedelta = datetime.timedelta()) -> Hand:
        """Return a worker; one of long ago has lost all that it takes."""
        return Hand(self.engine, definitions or ("demo",), now=lambda: utc_now() - ago)

    def now(self, job: Job) -> Job:
        return get_job(self.engine, job.uuid)

    def test_from_queue_to_end(self) -> None:
        job = self.add()
        self.assertRegex(job.name, f"^demo-[0-9]{{8}}T[0-9]{{6}}Z-{job.uuid.replace('-', '')[:10]}$")
        self.assertEqual((job.state, job.parameters, job.attempts), ("queued", {"tract": 3}, 0))
        hand = self.hand()
        taken = hand.take()
        assert taken is not None
        self.assertEqual((taken.uuid, taken.state, taken.attempts), (job.uuid, "running", 1))
        command = {"step": "pipeline", "command": ["pipetask", "run", "it's"]}
        hand.describe(taken, [command], "/repo", "u/me/run")
        hand.begin(taken, "pipeline", "running")
        self.assertEqual(hand.report(taken, "pipeline", ["one", "two"], Quanta(4, 1, 0)), Orders.GO_ON)
        now = self.now(job)
        self.assertEqual((now.quanta_total, now.quanta_done, now.quanta_failed), (4, 1, 0))
        self.assertEqual((now.commands, now.repo, now.output), ((command,), "/repo", "u/me/run"))
        hand.begin(taken, "load", "following")
        self.assertEqual(self.now(job).state, "following")
        self.assertTrue(hand.finish(taken, "succeeded", "All is done.", 0))
        now = self.now(job)
        self.assertEqual((now.state, now.message, now.exit_code), ("succeeded", "All is done.", 0))
        self.assertTrue(now.ended and now.finished and now.started and now.started >= now.submitted)
        self.assertFalse(hand.finish(taken, "failed", "Too late."))
        self.assertEqual(hand.report(taken, "load"), Orders.LET_GO)
        self.assertEqual(get_job(self.engine, job.name), now)

    def test_oldest_first_and_only_known_ones(self) -> None:
        first, other, second = self.add(), self.add("other"), self.add()
        hand = self.hand("demo", "another")
        self.assertEqual(
            [found and found.uuid for found in (hand.take(), hand.take())], [first.uuid, second.uuid]
        )
        self.assertIsNone(hand.take())
        self.assertEqual(self.now(other).state, "queued")
        self.assertIsNone(self.hand("other").take(second.uuid))

    def test_no_job_twice(self) -> None:
        wanted = {self.add().uuid for _ in range(12)}
        taken: list[str] = []
        start = threading.Barrier(4)

        def work() -> None:
            hand = self.hand()
            start.wait()
            while job := hand.take():
                taken.append(job.uuid)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(taken), 12)
        self.assertEqual(set(taken), wanted)

    def test_lost_and_taken_up(self) -> None:
        job = self.add()
        gone = self.hand(ago=LONG_AGO)
        left = gone.take()
        assert left is not None
        self.assertEqual(self.now(job).state, "lost")
        self.assertFalse(self.now(job).ended)
        again = self.hand().take()
        assert again is not None
        self.assertEqual((again.uuid, again.attempts, again.state), (job.uuid, 2, "running"))
        # Whoever was thought gone has no say any more.
        self.assertEqual(gone.report(left, "pipeline", ["late"]), Orders.LET_GO)
        self.assertFalse(gone.finish(left, "succeeded", ""))
        self.assertEqual(job_log(self.engine, job.uuid), [])
        self.assertEqual(self.now(job).state, "running")

    def test_attempts_run_out(self) -> None:
        job = self.add(max_attempts=1)
        self.assertIsNotNone(self.hand(ago=LONG_AGO).take())
        self.assertIsNone(self.hand().take())
        now = self.now(job)
        self.assertEqual((now.state, now.ended), ("lost", True))
        self.assertIn("last attempt", now.message or "")

    def test_handed_back(self) -> None:
        job, hand = self.add(max_attempts=1), self.hand()
        taken = hand.take()
        assert taken is not None
        hand.begin(taken, "load", "following")
        hand.hand_back(taken)
        self.assertEqual(self.now(job).state, "queued")
        self.assertEqual(hand.report(taken, "load"), Orders.LET_GO)
        again = self.hand().take()
        assert again is not None
        self.assertEqual((again.attempts, again.step, again.state), (1, "load", "running"))

    def test_cancelled_before_it_began(self) -> None:
        job = self.add()
        cancelled = cancel_job(self.engine, job.name, "you")
        self.assertEqual((cancelled.state, cancelled.cancelled_by), ("cancelled", "you"))
        self.assertTrue(cancelled.ended)
        self.assertIsNone(self.hand().take())

    def test_cancelled_in_hand(self) -> None:
        job, hand = self.add(), self.hand()
        taken = hand.take()
        assert taken is not None
        asked = cancel_job(self.engine, job.uuid, "you")
        self.assertEqual((asked.state, asked.ended), ("running", False))
        self.assertIsNotNone(asked.cancel_asked)
        again = cancel_job(self.engine, job.uuid, "somebody else")
        self.assertEqual((again.cancelled_by, again.cancel_asked), ("you", asked.cancel_asked))
        self.assertEqual(hand.report(taken, "pipeline"), Orders.CANCEL)
        hand.finish(taken, "cancelled", "It was cancelled.")
        self.assertEqual(cancel_job(self.engine, job.uuid, "me"), self.now(job))

    def test_cancelled_while_lost(self) -> None:
        job = self.add()
        self.hand(ago=LONG_AGO).take()
        self.assertEqual(cancel_job(self.engine, job.uuid, None).state, "cancelled")
        other, slow = self.add(), self.hand(ago=LONG_AGO)
        slow.lease = 2 * LONG_AGO.total_seconds()
        slow.take()
        cancel_job(self.engine, other.uuid, None)
        self.assertIsNone(self.hand(ago=-3 * LONG_AGO).take())
        self.assertEqual(self.now(other).state, "cancelled")

    def test_log_as_it_comes(self) -> None:
        job, hand = self.add(), self.hand()
        taken = hand.take()
        assert taken is not None
        for number in range(5):
            hand.report(taken, "pipeline", [f"{number}a", f"{number}b"])
        pieces = job_log(self.engine, job.uuid)
        self.assertEqual(
            [(p.piece, p.first_line, p.text) for p in pieces[:2]], [(0, 0, "0a\n0b\n"), (1, 2, "1a\n1b\n")]
        )
        self.assertEqual([p.piece for p in job_log(self.engine, job.uuid, after=2)], [3, 4])
        self.assertEqual([p.piece for p in job_log(self.engine, job.name, last=2)], [3, 4])
        self.assertEqual([p.piece for p in job_log(self.engine, job.name, limit=1)], [0])
        self.assertEqual(self.now(job).log_lines, 10)

    def test_log_is_bounded(self) -> None:
        job, hand = self.add(), self.hand()
        taken = hand.take()
        assert taken is not None
        with mock.patch.multiple(job_lines, MOST_LOG=1000, KEPT_PIECES=2):
            for number in range(30):
                hand.report(taken, "pipeline", [f"{number:02}".ljust(99, ".")])
                self.assertLessEqual(sum(len(p.text) for p in job_log(self.engine, job.uuid)), 1000)
        pieces = job_log(self.engine, job.uuid)
        self.assertEqual([p.piece for p in pieces[:2]], [0, 1])
        self.assertEqual(pieces[-1].text[:2], "29")
        numbers = [p.piece for p in pieces[2:]]
        self.assertEqual(numbers, list(range(numbers[0], 30)))
        self.assertGreater(numbers[0], 2)
        self.assertEqual(self.now(job).log_lines, 30)

    def test_odd_lines(self) -> None:
        job, hand = self.add(), self.hand()
        taken = hand.take()
        assert taken is not None
        hand.report(taken, "pipeline", ["zero \0 half \udc80", "x" * 9000])
        (piece,) = job_log(self.engine, job.uuid)
        self.assertEqual(piece.text.splitlines()[0], "zero \N{REPLACEMENT CHARACTER} half ?")
        self.assertIn("5000 characters left out", piece.text)

    def test_lists(self) -> None:
        names = [self.add(definition).name for definition in ("demo", "other", "demo")]
        cancel_job(self.engine, names[0], None)
        self.assertEqual([job.name for job in list_jobs(self.engine)], names[::-1])
        self.assertEqual(
            [job.name for job in list_jobs(self.engine, states=["queued"], definition="demo")], names[2:]
        )
        (latest,) = list_jobs(self.engine, limit=1)
        self.assertEqual([job.name for job in list_jobs(self.engine, before=latest.job_id)], names[1::-1])
        self.hand(ago=LONG_AGO).take()
        self.assertEqual([job.name for job in list_jobs(self.engine, states=["lost"])], names[2:])
        self.assertEqual(list_jobs(self.engine, states=["running"]), [])
        with self.assertRaisesRegex(InputError, "never lazy: expected queued, "):
            list_jobs(self.engine, states=["lazy"])

    def test_unknown(self) -> None:
        name = self.add().name
        for ask in (get_job, job_log):
            with self.assertRaisesRegex(UnknownNameError, f"no job.*Did you mean '{name}'"):
                ask(self.engine, name[:-1])
        with self.assertRaises(UnknownNameError):
            cancel_job(self.engine, "nothing", None)

    def test_workers(self) -> None:
        hand, gone = self.hand("demo", "another"), self.hand(ago=LONG_AGO)
        for one in (hand, hand, gone):
            one.wave()
        (found,) = list_workers(self.engine)
        self.assertEqual((found.worker, found.definitions), (hand.worker, ("another", "demo")))
        self.assertGreaterEqual(found.heartbeat, found.started)
        hand.leave()
        self.assertEqual(list_workers(self.engine), [])


class SqliteTestCase(JobTests, OnSqlite, unittest.TestCase):
    """Jobs in SQLite."""


class PostgresTestCase(JobTests, OnPostgres, unittest.TestCase):
    """Jobs in PostgreSQL."""


if __name__ == "__main__":
    unittest.main()
