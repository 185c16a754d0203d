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

"""Notes on the pages of what they are about."""

from __future__ import annotations

import hashlib
import unittest
from typing import Any

from support_dashboard import HOSTILE, Browser
from support_store import OnSqlite, batch, row

from lsst.qa.dashboard.settings import Token
from lsst.qa.store.insertion import write_batch

WORDS = {"erin": "may-write-notes-01", "sam": "may-write-notes-02"}
RUN = "u/noted/20261122T010203Z"


class NotesTestCase(OnSqlite, unittest.TestCase):
    """Two people, a run, a metric and a visit."""

    def setUp(self) -> None:
        super().setUp()
        rows = [row("seeing", 0.7, visit=3, unit="arcsec")]
        write_batch(self.engine, batch(RUN, rows), "", "")
        write_batch(self.engine, batch("u/noted/20261121T010203Z", rows), "", "")
        tokens = (Token(name, True, hashlib.sha256(word.encode()).digest()) for name, word in WORDS.items())
        self.browser = Browser(self.engine, tokens=tuple(tokens))

    def send(self, path: str, who: str = "erin", **form: str) -> Any:
        return self.browser.post(path, form, authorization=f"Bearer {WORDS[who]}")

    def test_written_where_it_belongs(self) -> None:
        for target, page in (
            ({"run": RUN}, f"/runs/{RUN}"),
            ({"metric": "seeing", "band": "r"}, "/metrics/seeing?band=r"),
            ({"instrument": "Cam", "visit": "3"}, "/data?instrument=Cam&visit=3"),
        ):
            answer = self.send("/notes/write", text=f"on {HOSTILE}", **target)
            self.assertEqual((answer.status_code, answer.headers["location"]), (303, page))
            shown = self.browser.get(page).text
            self.assertNotIn(HOSTILE, shown)
            self.assertIn("erin", shown.partition('id="notes"')[2])
        notes = self.browser.get("/notes.json").json()["notes"]
        self.assertEqual([note["about"].get("visit") for note in notes], [3, None, None])

    def test_taken_back_by_its_author(self) -> None:
        self.send("/notes/write", text="wrong", run=RUN)
        (note,) = self.browser.get("/notes.json").json()["notes"]
        number = str(note["annotation_id"])
        self.assertEqual(self.send("/notes/withdraw", who="sam", note=number, run=RUN).status_code, 403)
        self.assertEqual(self.send("/notes/withdraw", note=number, run=RUN).status_code, 303)
        self.assertEqual(self.browser.get("/notes.json").json()["notes"], [])

    def test_misuse(self) -> None:
        for form, status in (
            ({"text": "", "run": RUN}, 422),
            ({"text": "on nothing"}, 422),
            ({"text": "x", "run": "nowhere"}, 404),
            ({"text": "x", "visit": "three"}, 422),
        ):
            self.assertEqual(self.send("/notes/write", **form).status_code, status, form)
        self.assertEqual(self.send("/notes/withdraw", note="1; drop").status_code, 422)
        self.assertEqual(self.browser.post("/notes/write", {"text": "x", "run": RUN}).status_code, 401)

    def test_a_run_names_its_baseline(self) -> None:
        shown = self.browser.get(f"/runs/{RUN}.json").json()
        self.assertEqual(shown["baseline"]["name"], "u/noted/20261121T010203Z")
        self.assertIn("What differs from the run before", self.browser.get(f"/runs/{RUN}").text)
