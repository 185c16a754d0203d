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

"""The page of one data ID, and the code that it offers."""

from __future__ import annotations

import tempfile
import unittest
from typing import Any

from support_dashboard import Browser
from support_store import SharedSurvey

from lsst.qa.store.database import connect
from lsst.qa.store.load import load


class DataIdTestCase(SharedSurvey, unittest.TestCase):
    """A repository of visits and a tract, loaded."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        url = f"sqlite:///{folder.name}/qa.sqlite3"
        load(self.survey.root, ["*"], url)
        self.engine = connect(url)
        self.addCleanup(self.engine.dispose)
        self.browser = Browser(self.engine)

    def shown(self, query: str) -> Any:
        answer = self.browser.get(f"/data.json?{query}")
        self.assertEqual(answer.status_code, 200, answer.text)
        return answer.json()

    def test_visit_and_detector(self) -> None:
        whole = self.shown("instrument=Cam&visit=1")
        self.assertEqual({row["detector"] for row in whole["rows"]}, {None})
        part = self.shown("instrument=Cam&visit=1&detector=1")
        self.assertEqual({row["detector"] for row in part["rows"]}, {1})
        tract = self.shown("skymap=sky&tract=3")
        self.assertEqual([row["metric"] for row in tract["rows"]], ["AM1"])
        page = self.browser.get("/data?instrument=Cam&visit=1").text
        self.assertIn("butler.get(", page)
        self.assertIn("visit 1", page)

    def test_code_runs(self) -> None:
        """What is offered to copy reads what the page shows."""
        for dataset in self.shown("visit=1")["datasets"]:
            for key in ("butler", "notebook"):
                names: dict[str, Any] = {"print": lambda *_: None}
                exec(dataset[key], names)
                self.assertGreater(len(names["table"]), 0)
                names["butler"].close()

    def test_misuse(self) -> None:
        for query, status, told in (
            ("", 422, "visit"),
            ("instrument=Cam", 422, "visit"),
            ("visit=123456", 404, "visit 123456"),
            ("visit=1&run=nowhere", 404, "nowhere"),
            ("visit=one", 422, "visit"),
        ):
            answer = self.browser.get(f"/data?{query}")
            with self.subTest(query):
                self.assertEqual(answer.status_code, status)
                self.assertIn(told, answer.text)

    def test_a_day_is_a_night(self) -> None:
        answer = self.browser.get("/data?instrument=Cam&day_obs=20261121")
        self.assertEqual(answer.headers["location"], "/nights/20261121?instrument=Cam")
