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

"""Uploaders that are killed, and several at once, each in its own process."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import tempfile
import time
import unittest
from collections import Counter
from pathlib import Path

from support_nursery import DOWN, KILLED, Nursery
from support_proxy import TROUBLES, Proxy
from support_publish import measured_in
from support_store import OnPostgres, OnSqlite, Survey, row

from lsst.qa.publish.shelf import open_shelf
from lsst.qa.publish.targets.base import Reading

RUN = "u/me/20261122T050000Z"
N_VISITS, N_DETECTORS, N_KILLS = 32, 4, 6


class _Tests:
    """A repository, and processes that publish it."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        place = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.survey = Survey(str(place / "repo"), cls)
        cls.survey.add_visits(range(1, N_VISITS + 1))
        for visit in range(1, N_VISITS + 1):
            rows = [
                row(metric, value if visit % 7 else float("nan"), visit=visit, day_obs=20261121, detector=d)
                for metric, value in (("PA1", visit / 3), ("AM1", 5e-324 * visit))
                for d in range(N_DETECTORS)
            ]
            cls.survey.put(RUN, "qa_source_metrics", rows, instrument="Cam", visit=visit)
        cls.nursery = cls.enterClassContext(Nursery())

    def start(self, proxy: Proxy, lease: float) -> int:
        """Start an uploader and return its process."""
        asked = {"repo": self.survey.root, "collection": RUN, "target": proxy.url, "ledger": self.url}
        return self.nursery.start(**asked, lease=lease, batch=24, timeout=5.0)

    def assert_same(self, proxy: Proxy) -> None:
        """What the proxy took is what the repository holds."""
        self.assertEqual(proxy.faults, [])
        found = {json.dumps(Reading.of(value)) for value in proxy.values()}
        with open_shelf(self.survey.root, [RUN]) as shelf:
            self.assertEqual(found, {json.dumps(reading) for reading in measured_in(shelf).values()})

    def test_eight_at_once(self) -> None:
        """Each record is sent once."""
        with Proxy() as proxy:
            children = [self.start(proxy, lease=120.0) for _ in range(8)]
            while None in (codes := [self.nursery.code(child) for child in children]):
                time.sleep(0.05)
            self.assertEqual(codes, [0] * 8)
            counts = Counter(value["record_id"] for value in proxy.values())
            self.assert_same(proxy)
        self.assertEqual(set(counts.values()), {1})
        self.assertEqual(len(counts), N_VISITS * N_DETECTORS * 2)


class SqliteTestCase(_Tests, OnSqlite, unittest.TestCase):
    """A ledger in a file."""

    def test_killed(self) -> None:
        """At moments that are spread over the whole run, while every fifth
        call goes wrong: nothing is missing, nothing is another.
        """
        dice, kinds = random.Random(7), itertools.cycle([t for t in TROUBLES if t != "timeout"] + ["401"])
        done, killed = 0, []

        def trouble() -> str | None:
            nonlocal done
            done += 1
            return next(kinds) if dice.random() < 0.2 else None

        moments = sorted(dice.uniform(0.0, 1.0) for _ in range(N_KILLS))
        total = N_VISITS * N_DETECTORS * 2
        with Proxy(trouble) as proxy:
            for _ in range(60):
                child = self.start(proxy, lease=0.5)
                while (code := self.nursery.code(child)) is None:
                    distinct = len({value["record_id"] for value in proxy.values()})
                    if moments and distinct >= moments[0] * total and self.nursery.code(child) is None:
                        moments.pop(0)
                        killed.append(distinct)
                        os.kill(child, signal.SIGKILL)
                    time.sleep(0.01)
                if code == 0:
                    break
                self.assertIn(code, (KILLED, DOWN))
            self.assertEqual(code, 0)
            self.assert_same(proxy)
        self.assertGreaterEqual(len(killed), N_KILLS // 2)
        self.assertGreater(killed[-1], total // 2)


class PostgresTestCase(_Tests, OnPostgres, unittest.TestCase):
    """A ledger on a server."""


if __name__ == "__main__":
    unittest.main()
