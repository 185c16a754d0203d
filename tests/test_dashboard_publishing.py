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
"""The page of publishing: states of targets, and dead letters."""

from __future__ import annotations

import hashlib
import unittest
from typing import Any

from support_dashboard import HOSTILE, Browser
from support_publish import shelf_of
from support_store import OnSqlite

from lsst.qa.dashboard.settings import Token
from lsst.qa.publish.entries import Settled
from lsst.qa.publish.ledger import Ledger

WRITE = "may-publish-again-here"
BEARER = f"Bearer {WRITE}"


class PublishingPageTestCase(OnSqlite, unittest.TestCase):
    """Two targets, one of which refused two datasets."""

    def setUp(self) -> None:
        super().setUp()
        token = Token("erin", True, hashlib.sha256(WRITE.encode()).digest())
        self.browser = Browser(self.engine, tokens=(token,))

    def fill(self) -> None:
        planned = shelf_of(5).planned
        names = [one.dataset for one in planned]
        ledger = Ledger(self.engine)
        for target in ("archive", "broker"):
            ledger.plan(target, planned)
            ledger.claim(target, names, 4)
        ledger.settle("archive", [Settled(name, "acknowledged", 9) for name in names[:4]])
        dead = [Settled(name, "dead", 9, None, [3, 7], f"no {HOSTILE}") for name in names[:2]]
        ledger.settle("broker", [*dead, Settled(names[2], "failed", last_error="busy", wait=30)])

    def shown(self, path: str = "/publishing.json") -> Any:
        answer = self.browser.get(path)
        self.assertEqual(answer.status_code, 200, answer.text)
        return answer.json()

    def change(self, **form: str) -> int:
        return self.browser.post("/publishing/dead", form, authorization=BEARER).status_code

    def test_nothing_yet(self) -> None:
        self.assertEqual((self.shown()["targets"], self.shown()["n_letters"]), ([], 0))
        self.assertIn("lsst-qa publish REPO COLLECTION", self.browser.get("/publishing").text)
        self.assertEqual(self.browser.get("/publishing?target=x").status_code, 404)

    def test_states(self) -> None:
        self.fill()
        archive, broker = self.shown()["targets"]
        none = dict.fromkeys(self.shown()["states"], 0)
        self.assertEqual(archive["counts"], {**none, "acknowledged": 4, "pending": 1})
        self.assertEqual(archive["records"], 36)
        self.assertEqual(broker["counts"], {**none, "pending": 1, "sent": 1, "failed": 1, "dead": 2})
        self.assertIn(broker["last_error"], ("busy", f"no {HOSTILE}"))
        self.assertEqual(self.shown()["reasons"], [[f"no {HOSTILE}", 2]])
        found = {(one["n_dead"], one["loaded"]) for one in self.shown()["letters"]}
        self.assertEqual(found, {(2, False)})
        self.assertEqual(self.shown("/publishing.json?target=archive")["letters"], [])
        answer = self.browser.get("/publishing?target=brokre")
        self.assertEqual(answer.status_code, 404)
        self.assertIn("broker", answer.text)
        page = self.browser.get("/publishing", authorization=BEARER).text
        self.assertIn("2 datasets not delivered", page)
        self.assertNotIn(HOSTILE, page)
        self.assertIn("Give up for good", page)

    def test_only_who_may(self) -> None:
        self.fill()
        form = {"what": "drop", "target": "broker"}
        self.assertEqual(self.browser.post("/publishing/dead", form).status_code, 401)
        self.assertEqual(self.shown()["n_letters"], 2)
        page = self.browser.get("/publishing").text
        self.assertNotIn("<form", page.partition("<main")[2])

    def test_retry_and_drop(self) -> None:
        self.fill()
        self.assertEqual(self.change(what="burn", target="broker"), 422)
        self.assertEqual(self.change(what="retry", target="brokre"), 404)
        self.assertEqual(self.change(what="retry", target="archive"), 303)
        self.assertEqual(self.shown()["n_letters"], 2)
        self.assertEqual(self.change(what="retry", target="broker"), 303)
        self.assertEqual(self.shown()["targets"][1]["counts"]["failed"], 3)
        self.assertEqual(self.shown()["targets"][1]["counts"]["dead"], 0)

    def test_give_up(self) -> None:
        self.fill()
        self.assertEqual(self.change(what="drop", target="broker"), 303)
        counts = self.shown()["targets"][1]["counts"]
        self.assertEqual((counts["dead"], counts["dropped"]), (0, 2))
