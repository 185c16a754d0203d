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

"""The uploader: what is sent, sent again, given up, and never lost."""

from __future__ import annotations

import datetime
import json
import math
import random
import threading
import unittest
from collections import Counter

from support_publish import MemoryShelf, dataset, measured_in, row, shelf_of
from support_store import OnPostgres, OnSqlite

from lsst.qa.errors import RejectedError, TargetDownError, TargetRefusedError
from lsst.qa.publish.delivery import Policy
from lsst.qa.publish.ledger import Ledger
from lsst.qa.publish.record import Naming
from lsst.qa.publish.shelf import Found
from lsst.qa.publish.targets.base import Reading, Reply
from lsst.qa.publish.targets.recording import RecordingTarget
from lsst.qa.publish.uploader import upload
from lsst.qa.store.batches import Origin, Provenance
from lsst.qa.store.database import connect
from lsst.qa.store.letters import dead_letters, retry

NAMING = Naming("lsst.debug")
QUICK = Policy(attempts=6, first_wait=1.0, longest_wait=8.0)


class _Clock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = datetime.datetime(2026, 11, 22, 6, 0)
        self.waits: list[float] = []

    def __call__(self) -> datetime.datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.waits.append(seconds)
        self.now += datetime.timedelta(seconds=seconds)


class Killed(BaseException):
    """Ends an uploader as nothing else does."""


class UploaderTestCase(OnSqlite, unittest.TestCase):
    """One uploader and a recording target."""

    def setUp(self) -> None:
        super().setUp()
        self.clock = _Clock()

    def run_upload(self, shelf, target, **options):
        """Run an uploader to its end."""
        ledger = Ledger(self.engine, lease=60, now=self.clock)
        return upload(shelf, ledger, target, NAMING, QUICK, sleep=self.clock.sleep, **options)

    def assert_complete(self, shelf, target) -> None:
        """Nothing is missing, doubled or changed."""
        found = Counter(json.dumps(Reading.of(record.value)) for record in target.sent)
        wanted = Counter(json.dumps(reading) for reading in measured_in(shelf).values())
        self.assertEqual(found, wanted)

    def test_all_once(self) -> None:
        shelf, target = shelf_of(20), RecordingTarget()
        done: list[tuple[int, int]] = []
        outcome = self.run_upload(shelf, target, progress=lambda *said: done.append(said))
        self.assert_complete(shelf, target)
        self.assertEqual((outcome.counts["acknowledged"], outcome.records, outcome.down), (20, 120, None))
        self.assertEqual((done[0], done[-1]), ((0, 20), (20, 20)))
        self.assertEqual(done, sorted(done))
        again = RecordingTarget()
        self.assertEqual(self.run_upload(shelf, again).requests, 0)
        self.assertEqual(again.sent, [])

    def test_batches(self) -> None:
        """Small datasets share requests; memory is bounded."""
        shelf, target = shelf_of(60, detectors=2), RecordingTarget(most=50)
        outcome = self.run_upload(shelf, target, batch_records=200)
        self.assert_complete(shelf, target)
        self.assertLess(outcome.requests, 15)
        sizes: list[int] = []
        small = RecordingTarget("other://", before=lambda records: sizes.append(len(records)), most=10**6)
        self.run_upload(shelf, small, batch_records=8)
        self.assertLessEqual(max(sizes), 8)

    def test_nothing_to_send(self) -> None:
        shelf, target = MemoryShelf([dataset(1, [])]), RecordingTarget()
        self.assertEqual(self.run_upload(shelf, target).counts["acknowledged"], 1)

    def test_undefined_values_are_sent(self) -> None:
        shelf = MemoryShelf(
            [dataset(1, [row("PA1", x, detector=i) for i, x in enumerate((math.nan, math.inf))])]
        )
        target = RecordingTarget()
        self.assertEqual(self.run_upload(shelf, target).counts["acknowledged"], 1)
        self.assertEqual(
            [(r.value["value"], r.value["status"]) for r in target.sent], [(None, "undefined")] * 2
        )

    def test_waiting(self) -> None:
        """It waits longer and longer, and as long as it is asked."""
        answers = [TargetDownError("busy"), TargetDownError("429", retry_after=17.0), TargetDownError("busy")]

        def busy(records):
            if answers:
                raise answers.pop(0)

        shelf, target = shelf_of(1, metrics=["PA1"]), RecordingTarget(before=busy)
        self.run_upload(shelf, target)
        self.assert_complete(shelf, target)
        first, asked, third = self.clock.waits
        self.assertLessEqual(first, 1.0)
        self.assertTrue(17.0 <= asked <= 18.0)
        self.assertLessEqual(third, 4.0)

    def test_down(self) -> None:
        """A target that never answers is left alone; all is kept."""
        calls = []

        def down(records):
            calls.append(len(records))
            raise TargetDownError("connection refused")

        shelf = shelf_of(5)
        outcome = self.run_upload(shelf, RecordingTarget(before=down))
        self.assertEqual(len(calls), QUICK.attempts)
        self.assertIn("connection refused", outcome.down)
        self.assertEqual(outcome.counts["failed"] + outcome.counts["pending"], 5)
        target = RecordingTarget()
        self.assertIsNone(self.run_upload(shelf, target).down)
        self.assert_complete(shelf, target)

    def test_refused(self) -> None:
        """A wrong token stops at once."""
        calls = []

        def refuse(records):
            calls.append(1)
            raise TargetRefusedError("401: token expired")

        shelf = shelf_of(5)
        outcome = self.run_upload(shelf, RecordingTarget(before=refuse))
        self.assertEqual((len(calls), outcome.counts["dead"]), (1, 0))
        self.assertIn("token expired", outcome.down)
        self.assertEqual(self.run_upload(shelf, RecordingTarget()).counts["acknowledged"], 5)

    def test_one_bad_record(self) -> None:
        """A rejected record is found among its neighbours, which arrive."""
        shelf = shelf_of(20)
        bad = sorted(measured_in(shelf))[17]

        def reject(records):
            if any(record.key == bad for record in records):
                raise RejectedError("422: field type conflict")

        target = RecordingTarget(before=reject)
        outcome = self.run_upload(shelf, target)
        self.assertEqual((outcome.counts["dead"], outcome.counts["acknowledged"]), (1, 19))
        self.assertEqual({record.key for record in target.sent}, measured_in(shelf).keys() - {bad})
        (letter,) = dead_letters(self.engine)
        self.assertEqual((letter.n_dead, letter.n_records), (1, 6))
        self.assertIn("field type conflict", letter.reason)
        again = RecordingTarget()
        self.assertEqual(self.run_upload(shelf, again).requests, 0)
        retry(self.engine)
        self.assertEqual(self.run_upload(shelf, again).counts["dead"], 0)
        self.assertEqual([record.key for record in again.sent], [bad])

    def test_faults_stay_here(self) -> None:
        """What is wrong before the network never gets there."""
        rows = [row("PA1", 1.0), row("PA1", 2.0), row("PA2", 1.0), row("x" * 250, 1.0)]
        unreadable = Found(
            Origin("0" * 8 + "-0000-4000-8000-" + "0" * 12, "r", "t", None, Provenance()), "cut short"
        )
        shelf, target = MemoryShelf([dataset(1, rows), unreadable]), RecordingTarget()
        outcome = self.run_upload(shelf, target)
        self.assertEqual([record.value["metric"] for record in target.sent], ["PA2"])
        self.assertEqual(outcome.counts["dead"], 2)
        reasons = " ".join(letter.reason for letter in dead_letters(self.engine))
        for part in ("cut short", "another row of the dataset", "topic"):
            self.assertIn(part, reasons)

    def test_replies_one_by_one(self) -> None:
        """Some records of a request are taken, some later, some never."""
        seen: Counter[str] = Counter()

        def mixed(records):
            replies = []
            for record in records:
                seen[record.key] += 1
                kind = int(record.key[:8], 16) % 4
                if kind == 0:
                    replies.append(Reply("dead", "too large"))
                else:
                    replies.append(Reply("failed" if seen[record.key] < kind else "acknowledged", "x"))
            return replies

        shelf, target = shelf_of(20), RecordingTarget(before=mixed)
        self.run_upload(shelf, target)
        dead = {key for key in measured_in(shelf) if int(key[:8], 16) % 4 == 0}
        self.assertEqual({record.key for record in target.sent}, measured_in(shelf).keys() - dead)
        self.assertEqual(len(target.sent), len({record.key for record in target.sent}))
        self.assertEqual({key for key, count in seen.items() if count > 1 and key in dead}, set())
        self.assertEqual(sum(letter.n_dead for letter in dead_letters(self.engine)), len(dead))

    def test_always_failing_record_dies(self) -> None:
        shelf = shelf_of(2)
        bad = min(measured_in(shelf))

        def fail(records):
            return [Reply("failed" if r.key == bad else "acknowledged", "leader unknown") for r in records]

        outcome = self.run_upload(shelf, RecordingTarget(before=fail))
        self.assertEqual((outcome.counts["dead"], outcome.counts["acknowledged"], outcome.down), (1, 1, None))
        self.assertIn("leader unknown", dead_letters(self.engine)[0].reason)

    def test_killed_anywhere(self) -> None:
        """Killed a hundred times at any call of the target or the ledger, and
        the target failing in a fifth of calls in all its ways.
        """
        dice = random.Random(5)
        shelf = shelf_of(60)

        def trouble(records):
            if dice.random() < 0.2:
                raise Killed
            if dice.random() < 0.2:
                kind = dice.randrange(3)
                if kind == 0:
                    raise TargetDownError("500")
                if kind == 1:
                    raise TargetDownError("429", retry_after=1.0)
                return [Reply(dice.choice(("failed", "acknowledged")), "x") for _ in records]

        target = RecordingTarget(before=trouble, most=5)
        kills = 0
        for _ in range(500):
            original = Ledger.settle
            try:
                if dice.random() < 0.3:
                    Ledger.settle = _killing(original)
                outcome = self.run_upload(shelf, target, batch_records=40)
                break
            except Killed:
                kills += 1
                self.clock.sleep(61)  # what it had in hand is free again
            finally:
                Ledger.settle = original
        self.assertGreater(kills, 10)
        self.assertEqual(outcome.counts["acknowledged"], 60)
        found = {record.key: Reading.of(record.value) for record in target.sent}
        self.assertEqual(found, measured_in(shelf))

    def test_stopped_by_hand(self) -> None:
        """An interrupted uploader gives back what it had in hand."""

        def interrupt(records):
            raise KeyboardInterrupt

        shelf = shelf_of(3)
        with self.assertRaises(KeyboardInterrupt):
            self.run_upload(shelf, RecordingTarget(before=interrupt))
        ledger = Ledger(self.engine)
        counts = ledger.counts("recording://", [planned.dataset for planned in shelf.planned])
        self.assertEqual(counts["sent"], 0)
        target = RecordingTarget()
        self.run_upload(shelf, target)
        self.assert_complete(shelf, target)


def _killing(original):
    def settle(self, *arguments):
        raise Killed

    return settle


class _EightTests:
    """Eight uploaders on one ledger."""

    def test_eight_at_once(self) -> None:
        shelf = shelf_of(48)
        targets = [RecordingTarget("shared://") for _ in range(8)]
        errors: list[BaseException] = []

        def work(target: RecordingTarget) -> None:
            engine = connect(self.url)
            try:
                upload(shelf_of(48), Ledger(engine), target, NAMING, QUICK, batch_records=30)
            except BaseException as error:
                errors.append(error)
            finally:
                engine.dispose()

        threads = [threading.Thread(target=work, args=[target]) for target in targets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        sent = Counter(record.key for target in targets for record in target.sent)
        self.assertEqual(sent, Counter(measured_in(shelf).keys()))


class SqliteTestCase(_EightTests, OnSqlite, unittest.TestCase):
    """In a file."""


class PostgresTestCase(_EightTests, OnPostgres, unittest.TestCase):
    """On a server."""


if __name__ == "__main__":
    unittest.main()
