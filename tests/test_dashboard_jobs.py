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

"""The pages of jobs: started by a form, watched, cancelled."""

from __future__ import annotations

import hashlib
import unittest
from typing import Any

import sqlalchemy as sa
from support_dashboard import HOSTILE, Browser
from support_store import OnSqlite

from lsst.qa.dashboard.settings import Token
from lsst.qa.store.database import tables
from lsst.qa.store.jobs import add_job, list_jobs

WRITE = "may-start-jobs-here"
BEARER = f"Bearer {WRITE}"


class JobsPagesTestCase(OnSqlite, unittest.TestCase):
    """What is declared, and what was started."""

    def setUp(self) -> None:
        super().setUp()
        token = Token("erin", True, hashlib.sha256(WRITE.encode()).digest())
        self.browser = Browser(self.engine, tokens=(token,))

    def start(self, **form: str) -> Any:
        return self.browser.post("/jobs/start", form, authorization=BEARER)

    def test_start_and_cancel(self) -> None:
        answer = self.start(definition="demo", **{"set-stars": "200", "set-bands": "", "set-seed": " "})
        self.assertEqual(answer.status_code, 303, answer.text)
        (job,) = list_jobs(self.engine)
        self.assertEqual(
            (job.state, job.submitted_by, dict(job.parameters)), ("queued", "erin", {"stars": 200})
        )
        self.assertEqual(answer.headers["location"], f"/jobs/{job.name}")
        shown = self.browser.get(f"/jobs/{job.name}", authorization=BEARER)
        self.assertIn("waits for a worker", shown.text)
        answer = self.browser.post("/jobs/cancel", {"name": job.name}, authorization=BEARER)
        self.assertEqual(answer.status_code, 303)
        self.assertEqual(self.browser.get(f"/jobs/{job.name}.json").json()["job"]["state"], "cancelled")

    def test_only_who_may(self) -> None:
        self.assertEqual(self.browser.post("/jobs/start", {"definition": "demo"}).status_code, 401)
        self.assertEqual(list_jobs(self.engine), [])
        page = self.browser.get("/jobs").text
        self.assertNotIn("<form", page.partition("<main")[2])
        self.assertIn("lsst-qa run demo", page)

    def test_misuse(self) -> None:
        for form, status, told in (
            ({"definition": "dem"}, 404, "demo"),
            ({}, 404, "declared job"),
            ({"definition": "demo", "set-stars": "many"}, 422, "stars"),
            ({"definition": "demo", "set-bands": "q; rm -rf"}, 422, "bands"),
            ({"definition": "hsc"}, 422, "repo"),
            ({"definition": "hsc", "set-repo": "/etc"}, 422, "QA_JOBS_REPOSITORIES"),
        ):
            answer = self.start(**form)
            with self.subTest(form):
                self.assertEqual(answer.status_code, status)
                self.assertIn(told, answer.text)
        self.assertEqual(list_jobs(self.engine), [])
        self.assertEqual(self.browser.get("/jobs/nowhere").status_code, 404)

    def test_log(self) -> None:
        """As it was written, and only what is new if that is asked for."""
        job = add_job(self.engine, "demo", {}, None, 3)
        t = tables().job_log
        pieces = [
            {"piece": place, "text": text, "first_line": 7 + place, "n_lines": 1, "step": "pipeline"}
            for place, text in enumerate(("first\n", f"{HOSTILE}\n"))
        ]
        shared = {"job_id": job.job_id, "written": job.submitted}
        with self.engine.begin() as connection:
            connection.execute(sa.insert(t), [{**shared, **piece} for piece in pieces])
        page = self.browser.get(f"/jobs/{job.uuid}").text
        self.assertIn("7 earlier lines", page)
        self.assertIn("first", page)
        self.assertNotIn(HOSTILE, page)
        new = self.browser.get(f"/job.json?name={job.name}&after=0").json()
        self.assertEqual([one["text"] for one in new["log"]], [f"{HOSTILE}\n"])

    def test_pages_of_the_list(self) -> None:
        for _ in range(52):
            add_job(self.engine, "demo", {}, None, 3)
        first = self.browser.get("/jobs.json").json()
        rest = self.browser.get(f"/jobs.json?before={first['next']}").json()
        numbers = [job["job_id"] for job in first["jobs"] + rest["jobs"]]
        self.assertEqual((numbers, rest["next"]), (list(range(52, 0, -1)), None))
