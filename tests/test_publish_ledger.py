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

"""The ledger, on databases of both kinds."""

from __future__ import annotations

import datetime
import threading
import unittest

from support_publish import shelf_of
from support_store import OnPostgres, OnSqlite

from lsst.qa.publish.entries import Settled
from lsst.qa.publish.ledger import Ledger
from lsst.qa.store.database import connect
from lsst.qa.store.letters import dead_letters, drop, retry, statuses

NOW = datetime.datetime(2026, 11, 22, 6, 0)


class _LedgerTests:
    def setUp(self) -> None:
        super().setUp()
        self.time = NOW
        self.planned = shelf_of(5).planned
        self.names = [planned.dataset for planned in self.planned]
        self.ledger = self.another()
        self.ledger.plan("t", self.planned)

    def another(self) -> Ledger:
        """Return the ledger as another uploader sees it."""
        return Ledger(self.engine, lease=60, now=lambda: self.time)

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.time += datetime.timedelta(seconds=seconds)

    def claimed(self, ledger: Ledger, most: int = 10) -> list[str]:
        """Claim and return the datasets."""
        return [entry.dataset for entry in ledger.claim("t", self.names, most)]

    def test_plan_again(self) -> None:
        self.claimed(self.ledger, 1)
        self.ledger.plan("t", self.planned)
        self.assertEqual(self.ledger.counts("t", self.names)["pending"], 4)
        self.ledger.plan("u", self.planned[:2])
        self.assertEqual([one.target for one in statuses(self.engine)], ["t", "u"])

    def test_claims_exclude_each_other(self) -> None:
        mine, other = self.claimed(self.ledger, 2), self.another()
        self.assertEqual(len(mine), 2)
        theirs = self.claimed(other)
        self.assertEqual(sorted(mine + theirs), sorted(self.names))
        self.assertEqual(self.claimed(self.another()), [])

    def test_lease(self) -> None:
        mine, other = self.claimed(self.ledger), self.another()
        self.later(50)
        self.ledger.renew("t")
        self.later(50)
        self.assertEqual(self.claimed(other), [])
        self.later(11)
        entries = other.claim("t", self.names, 10)
        self.assertEqual([entry.dataset for entry in entries], mine)
        self.assertEqual({entry.attempts for entry in entries}, {2})
        done = [Settled(name, "acknowledged", 3) for name in mine]
        self.assertEqual(self.ledger.settle("t", done), 0)
        self.assertEqual(self.ledger.counts("t", self.names)["sent"], 5)
        self.assertEqual(other.settle("t", done), 5)
        self.assertEqual(self.ledger.counts("t", self.names)["acknowledged"], 5)
        self.later(1e6)
        self.assertEqual(self.claimed(self.another()), [])

    def test_failed_waits(self) -> None:
        (name,) = self.claimed(self.ledger, 1)
        self.ledger.settle("t", [Settled(name, "failed", 9, "ab", [3, 7], "busy", wait=30.0)])
        self.names = [name]
        self.later(29)
        self.assertEqual(self.claimed(self.ledger), [])
        self.later(2)
        (entry,) = self.ledger.claim("t", self.names, 10)
        self.assertEqual((entry.attempts, entry.remaining), (2, [3, 7]))

    def test_dead_letters(self) -> None:
        first, second, third = self.claimed(self.ledger, 3)
        self.ledger.settle(
            "t",
            [
                Settled(first, "dead", 9, "ab", [3, 7], "n is no 64-bit integer"),
                Settled(second, "dead", last_error="no table"),
                Settled(third, "acknowledged", 9, "ab", landed="x 0:5"),
            ],
        )
        found = dead_letters(self.engine)
        self.assertEqual([(one.dataset, one.n_dead) for one in found], [(first, 2), (second, None)])
        self.assertEqual([one.reason for one in found], ["n is no 64-bit integer", "no table"])
        (status,) = statuses(self.engine)
        self.assertEqual((status.counts["dead"], status.counts["pending"], status.records), (2, 2, 9))
        self.assertEqual(status.oldest, NOW)
        self.assertEqual(retry(self.engine, "other"), 0)
        self.assertEqual(retry(self.engine, "t"), 2)
        (entry,) = self.ledger.claim("t", [first], 1)
        self.assertEqual((entry.attempts, entry.remaining), (1, [3, 7]))
        self.ledger.settle("t", [Settled(first, "dead", 9, "ab", [3], "still")])
        self.assertEqual(drop(self.engine), 1)
        self.assertEqual(dead_letters(self.engine), [])
        self.assertEqual(self.ledger.states("t", [first]), {first: "dropped"})

    def test_rebuilding(self) -> None:
        self.ledger.forget("t", self.names)
        self.assertEqual(self.ledger.states("t", self.names), {})
        done = {planned: Settled(planned.dataset, "acknowledged", 6) for planned in self.planned[:2]}
        self.ledger.acknowledge("t", done)
        self.ledger.plan("t", self.planned)
        counts = self.ledger.counts("t", self.names)
        self.assertEqual((counts["acknowledged"], counts["pending"]), (2, 3))

    def test_eight_at_once(self) -> None:
        """Each dataset comes into the hands of exactly one uploader."""
        planned = shelf_of(60).planned
        names = [one.dataset for one in planned]
        taken: list[str] = []
        errors: list[BaseException] = []

        def work() -> None:
            engine = connect(self.url)
            ledger = Ledger(engine)
            try:
                ledger.plan("e", planned)
                while entries := ledger.claim("e", names, 7):
                    ledger.settle("e", [Settled(entry.dataset, "acknowledged", 1) for entry in entries])
                    taken.extend(entry.dataset for entry in entries)
            except BaseException as error:
                errors.append(error)
            finally:
                engine.dispose()

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        self.assertEqual(sorted(taken), names)


class SqliteTestCase(_LedgerTests, OnSqlite, unittest.TestCase):
    """In a file."""


class PostgresTestCase(_LedgerTests, OnPostgres, unittest.TestCase):
    """On a server."""


if __name__ == "__main__":
    unittest.main()
