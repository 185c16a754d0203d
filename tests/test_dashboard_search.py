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

"""The pages that find things: the search, and what a quantum did."""

from __future__ import annotations

import datetime
import unittest
from typing import Any

import sqlalchemy as sa
from support_dashboard import HOSTILE, Browser
from support_store import OnSqlite, batch, row

from lsst.qa.store.database import tables
from lsst.qa.store.fulltext import texts_indexed
from lsst.qa.store.insertion import write_batch
from lsst.qa.store.query import get_run

RUN = "u/me/visits"
MOMENT = datetime.datetime(2026, 11, 22, 5)


class SearchTestCase(OnSqlite, unittest.TestCase):
    """A run with two quanta, one of which failed and logged why."""

    def setUp(self) -> None:
        super().setUp()
        write_batch(self.engine, batch(RUN, [row("PA1", 7.0, visit=1176, unit="mmag")]), "", "")
        found = get_run(self.engine, RUN)
        assert found is not None
        counts = {"n_records": 3, "n_below": 1, "n_over": 0, "n_shortened": 0, "attempts": 1}
        shared = {
            "run_id": found.run_id,
            "source": "s",
            "harvested_at": MOMENT,
            "instrument": "Cam",
            **counts,
        }
        quanta = [
            self.quantum(1, "succeeded", visit=1176, memory=5 << 20, memory_before=2 << 20, wall=3.0),
            self.quantum(2, "failed", visit=1177, exception_type="MetricRunError", exception_message=HOSTILE),
        ]
        records = [
            self.record(1, 1, 20, "All 3 metrics were measured."),
            self.record(2, 2, 30, "No stars are left."),
            self.record(3, 2, 40, f"Execution failed: {HOSTILE}", exception="Traceback: at the end"),
        ]
        with self.engine.begin() as connection:
            connection.execute(sa.insert(tables().quantum), [{**shared, **one} for one in quanta])
            with texts_indexed(connection, tables().log_record):
                connection.execute(sa.insert(tables().log_record), records)
        self.browser = Browser(self.engine)

    def quantum(self, number: int, status: str, **fields: Any) -> dict[str, Any]:
        empty = {"exception_type": None, "exception_message": None, "memory": None, "memory_before": None}
        words = f"instrument=Cam visit={fields['visit']}"
        held = {"quantum_id": number, "task": "sourceMetrics", "status": status, "content_hash": str(number)}
        return {**held, **empty, "wall": None, "data_id": words, **fields}

    def record(self, number: int, quantum: int, level: int, message: str, **fields: Any) -> dict[str, Any]:
        held = {"record_id": number, "quantum_id": quantum, "attempt": 1, "record_number": number}
        return {**held, "level": level, "logger": "lsst", "message": message, "exception": None, **fields}

    def found(self, query: str) -> Any:
        return self.browser.get(f"/search.json?{query}").json()

    def test_everything(self) -> None:
        self.assertEqual([hit["message"] for hit in self.found("q=stars")["logs"]], ["No stars are left."])
        self.assertEqual([hit["quantum_id"] for hit in self.found("q=failed")["logs"]], [2])
        self.assertEqual([hit["name"] for hit in self.found("q=visits")["runs"]], [RUN])
        self.assertEqual(self.found("q=1176")["data"][0]["data_id"]["visit"], 1176)
        self.assertEqual(self.found("q=MetricRunError")["exceptions"][0]["task"], "sourceMetrics")

    def test_facets(self) -> None:
        shown = self.found("kind=logs&level=WARNING")
        self.assertEqual(shown["total"], 2)
        self.assertEqual(sorted(shown["facets"]["level"]), [[20, 1], [30, 1], [40, 1]])
        page = self.browser.get("/search?kind=logs&level=WARNING&instrument=Cam").text
        self.assertIn("ERROR and up", page)
        self.assertNotIn("All 3 metrics", page)
        self.assertEqual(self.found("kind=logs&tract=3")["logs"], [])

    def test_pages(self) -> None:
        for path, told in (
            ("/search", "The latest errors"),
            ("/search?q=nowhere", "lsst-qa harvest"),
            ("/search?kind=exceptions", "MetricRunError"),
            ("/search?q=1176&kind=data", "visit 1176"),
            ("/quanta/1", "Memory taken</dt><dd>3 MiB"),
            ("/quanta/1", "PA1"),
            ("/quanta/2?level=ERROR", "Traceback: at the end"),
        ):
            answer = self.browser.get(path)
            with self.subTest(path):
                self.assertEqual(answer.status_code, 200)
                self.assertIn(told, answer.text)
                self.assertNotIn(HOSTILE, answer.text)

    def test_what_is_not_there(self) -> None:
        for path in ("/quanta/99", "/quanta/x", "/quanta/-1", f"/quanta/{'9' * 30}"):
            self.assertEqual(self.browser.get(path).status_code, 404, path)
        self.assertEqual(self.browser.get("/search?level=LOUD").status_code, 422)
        self.assertEqual(self.browser.get(f"/search?q={'a%20' * 500}").status_code, 422)
