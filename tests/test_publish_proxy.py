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

"""Sasquatch as a target, with a stand-in that validates and misbehaves."""

from __future__ import annotations

import itertools
import json
import logging
import random
import unittest
from collections import Counter

from support_proxy import TROUBLES, Proxy
from support_publish import TargetContract, dataset, measured_in, records_for, row, shelf_of
from support_store import OnSqlite

from lsst.qa.errors import RejectedError, TargetDownError, TargetRefusedError
from lsst.qa.publish.delivery import Policy
from lsst.qa.publish.ledger import Ledger
from lsst.qa.publish.record import Naming
from lsst.qa.publish.settings import Settings, TargetSettings
from lsst.qa.publish.targets.base import Reading, Target
from lsst.qa.publish.targets.opening import open_target
from lsst.qa.publish.uploader import upload

NAMING = Naming("lsst.debug")


def settings(proxy: Proxy, **options: object) -> Settings:
    """Return the settings of an uploader to a proxy."""
    return Settings(targets={proxy.url: TargetSettings(**{"timeout": 5.0, **options})})


class ContractTestCase(TargetContract, unittest.TestCase):
    """What every target must do."""

    def setUp(self) -> None:
        self.proxy = self.enterContext(Proxy())

    def open(self) -> Target:
        return open_target(self.proxy.url, settings(self.proxy))

    def test_values_at_the_proxy(self) -> None:
        """It cannot be read back; the stand-in shows what came."""
        super().test_values_arrive_bit_by_bit()
        (topic,) = self.proxy.topics
        self.assertEqual(topic, "lsst.debug.qa.PA1")
        self.assertEqual(self.proxy.faults, [])
        self.assertEqual(len(self.proxy.values()), 11)


class SasquatchTestCase(OnSqlite, unittest.TestCase):
    """Requests and replies."""

    def send(self, proxy: Proxy, n_datasets: int = 1, **options: object) -> list:
        """Send some datasets by one target, request by request."""
        shelf = shelf_of(n_datasets)
        records = [r for f in shelf.read([p.dataset for p in shelf.planned]) for r in records_for(f)]
        with open_target(proxy.url, settings(proxy, **options)) as target:
            return [reply for request in target.requests(records) for reply in target.send(request)]

    def test_requests(self) -> None:
        """A topic is made once, its schema sent once, a connection kept."""
        with Proxy() as proxy:
            replies = self.send(proxy, 100, batch=100)
            self.assertEqual(len(replies), 600)
            self.assertEqual(proxy.n_requests, 6)
            self.assertEqual(len(proxy.connections), 1)
            self.assertEqual(len(proxy.schemas), 2)
            self.assertEqual(replies[0].detail, "lsst.debug.qa.AM1 0:0")
            self.assertEqual({v["timestamp"] // 10**6 for v in proxy.values()}, {1795323600})

    def test_units_of_the_schema(self) -> None:
        with Proxy() as proxy:
            self.send(proxy)
            units = {s["doc"]: s["fields"][9]["units"] for s in map(json.loads, proxy.schemas)}
        self.assertEqual(sorted(units.values()), ["mas", "mmag"])

    def test_answers(self) -> None:
        """What an answer means: again later, not allowed, or never."""
        for trouble, expected in (
            ("401", TargetRefusedError),
            ("429", TargetDownError),
            ("500", TargetDownError),
            ("503 wait", TargetDownError),
            ("reset", TargetDownError),
            ("late reset", TargetDownError),
            ("truncated", TargetDownError),
            ("few", TargetDownError),
            ("html", TargetDownError),
            ("timeout", TargetDownError),
        ):
            with self.subTest(trouble=trouble), Proxy(lambda trouble=trouble: trouble) as proxy:
                with self.assertRaises(expected) as caught:
                    self.send(proxy, timeout=0.2)
                self.assertEqual(
                    getattr(caught.exception, "retry_after", None),
                    0.0 if trouble[-1] in "9t" and trouble[0] in "45" else None,
                )

    def test_replies(self) -> None:
        with Proxy(lambda: "records") as proxy:
            replies = self.send(proxy)
        self.assertEqual([r.state for r in replies], ["acknowledged", "failed", "acknowledged"] * 2)
        self.assertIn("leader not available", replies[1].detail)

    def test_token(self) -> None:
        with Proxy(token="hush") as proxy:
            with self.assertRaises(TargetRefusedError) as caught:
                self.send(proxy)
            self.assertIn("401", str(caught.exception))
            with self.assertRaises(TargetRefusedError) as caught:
                self.send(proxy, token="wrong-hush")
            self.assertNotIn("hush", str(caught.exception))
            with self.assertLogs("httpx", logging.INFO) as logs:
                self.send(proxy, token="hush")
            self.assertNotIn("hush", "".join(logs.output))

    def test_proxy_started_anew(self) -> None:
        """It may forget its topics and schemas between two requests."""
        records = records_for(dataset(1, [row("PA1", 1.0, detector=n) for n in range(4)]))
        with Proxy() as proxy, open_target(proxy.url, settings(proxy)) as target:
            target.send(records[:2])
            proxy.topics.clear()
            proxy.schemas.clear()
            replies = target.send(records[2:])
        self.assertEqual([reply.state for reply in replies], ["acknowledged"] * 2)

    def test_rejected(self) -> None:
        """The stand-in is strict: a whole number is no double."""
        (record,) = records_for(dataset(1, [row("PA1", 1.0)]))
        with Proxy() as proxy, open_target(proxy.url, settings(proxy)) as target:
            with self.assertRaises(RejectedError) as caught:
                target.send([record._replace(value={**record.value, "value": 1})])
            self.assertIn("422", str(caught.exception))
            self.assertEqual(len(proxy.faults), 1)

    def test_a_bad_day(self) -> None:
        """Trouble in every fifth call: nothing missing, nothing changed."""
        dice, troubles = random.Random(3), itertools.cycle(TROUBLES)
        shelf = shelf_of(60, detectors=4)
        with Proxy(lambda: next(troubles) if dice.random() < 0.2 else None) as proxy:
            known = settings(proxy, timeout=0.1, batch=10)
            with open_target(proxy.url, known) as target:
                policy = Policy(attempts=10, first_wait=0.0)
                outcome = upload(
                    shelf, Ledger(self.engine), target, NAMING, policy, sleep=lambda seconds: None
                )
            found = Counter(Reading.of(value) for value in proxy.values())
        self.assertEqual(outcome.counts["acknowledged"], 60)
        self.assertEqual(set(found), set(measured_in(shelf).values()))
        self.assertEqual(proxy.faults, [])


if __name__ == "__main__":
    unittest.main()
