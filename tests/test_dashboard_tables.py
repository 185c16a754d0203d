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
"""Tables in repositories, and parts of them, through the API."""

from __future__ import annotations

import io
import tempfile
import unittest
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from support_dashboard import RUNS, Browser, row
from support_store import OnSqlite, Survey
from test_dashboard_access import WRITE

from lsst.qa.store.load import load

START = datetime(2026, 1, 7, 2)
ALLOWED = {"authorization": f"Bearer {WRITE}"}


class TablesTestCase(OnSqlite, unittest.TestCase):
    """Tables in a repository."""

    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        survey = Survey(f"{folder.name}/repo", self)
        survey.add_visits(range(1, 4))
        self.run = RUNS[0]
        self.refs = survey.put_visits(self.run, range(1, 4))
        self.survey = survey
        load(survey.root, [self.run], self.url)
        self.browser = Browser(self.engine)

    def read(self, path: str, status: int = 200) -> Any:
        answer = self.browser.get(f"/api/v1/tables{path}")
        self.assertEqual(answer.status_code, status, answer.text[:300])
        return answer.json() if answer.headers["content-type"] == "application/json" else answer.content

    def test_listed(self) -> None:
        found = self.read(f"?run={self.run}")["items"]
        self.assertEqual({held["uuid"] for held in found}, {str(ref.id) for ref in self.refs})
        self.assertEqual({held["dataset_type"] for held in found}, {"qa_source_metrics"})
        self.assertEqual(len(self.read("?limit=2")["items"]), 2)

    def test_pointer(self) -> None:
        held = self.read(f"/{self.refs[0].id}")
        self.assertEqual((held["data_id"], held["n_rows"]), ({"instrument": "Cam", "visit": 1}, 6))
        self.assertEqual(held["columns"]["value"], "double")
        self.assertTrue(held["uri"].endswith(str(self.survey.path(self.refs[0]))))

    def test_rows(self) -> None:
        whole = self.survey.butler.get(self.refs[0])
        body = self.read(f"/{self.refs[0].id}/rows?column=value&column=metric&offset=1&limit=3")
        part = pa.ipc.open_stream(body).read_all()
        self.assertEqual(part.column_names, ["value", "metric"])
        self.assertEqual(part["value"].to_pylist(), whole["value"].to_pylist()[1:4])
        body = self.read(f"/{self.refs[0].id}/rows?format=parquet")
        self.assertEqual(pq.read_table(io.BytesIO(body)).num_rows, 6)
        body = self.read(f"/{self.refs[0].id}/rows?format=csv&offset=6")
        self.assertEqual(len(body.decode().splitlines()), 1)
        self.assertIn(
            "Did you mean 'value'", self.read(f"/{self.refs[0].id}/rows?column=valu", 404)["error"]["message"]
        )

    def test_other_tables_of_the_repository(self) -> None:
        other = self.survey.put(
            "other", "qa_object_metrics", [row("PA1", "r", 1.0, skymap="sky", tract=3)], skymap="sky", tract=3
        )
        self.read(f"/{other.id}", 404)
        self.assertEqual(self.read(f"/{other.id}?run={self.run}")["dataset_type"], "qa_object_metrics")
        self.read(f"/{other.id}?run=none", 404)

    def test_file_that_is_gone(self) -> None:
        self.survey.path(self.refs[1]).unlink()
        self.read(f"/{self.refs[1].id}/rows", 404)
        self.survey.path(self.refs[2]).write_text("no table")
        self.read(f"/{self.refs[2].id}/rows", 422)


if __name__ == "__main__":
    unittest.main()
