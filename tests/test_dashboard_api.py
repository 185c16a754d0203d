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

from __future__ import annotations

import io
import json
import math
import typing
import unittest
import urllib.parse
import uuid
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
from support_dashboard import HOSTILE, RUNS, Browser, fill, row
from support_store import OnPostgres, OnSqlite
from test_dashboard_access import READ, TOKENS, WRITE

from lsst.qa.dashboard.api import jobs
from lsst.qa.store.job_records import STATES
from lsst.qa.store.totals import sum_up

START = datetime(2026, 1, 7, 2)
ALLOWED = {"authorization": f"Bearer {WRITE}"}


class ApiTestCase:
    """The resources of the API, on either kind of database."""

    def setUp(self) -> None:
        super().setUp()
        for number, run in enumerate(RUNS):
            visits = [
                row(
                    "seeing",
                    "gr"[k % 2],
                    math.nan if k == 7 else 0.7 + 0.01 * k,
                    unit="arcsec",
                    visit=k,
                    obs_time=START + timedelta(minutes=k),
                )
                for k in range(30)
            ]
            fill(self.engine, run, [row("PA1", "r", 4.0 + number, 0.25), row("PA1", "u", 4.0), *visits])
        self.browser = Browser(self.engine, tokens=TOKENS)

    def ask(self, path: str, code: int = 200, **query: Any) -> Any:
        answer = self.browser.get(f"/api/v1/{path}?{urllib.parse.urlencode(query, doseq=True)}")
        self.assertEqual(answer.status_code, code, answer.text[:300])
        return answer.json()

    def items(self, path: str, **query: Any) -> list[dict[str, Any]]:
        return self.ask(path, **query)["items"]

    def pages(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """Follow the cursors of a list to its end."""
        found, cursor = [], None
        while True:
            page = self.ask(path, **query, **({"cursor": cursor} if cursor else {}))
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                return found

    def send(self, method: str, path: str, body: Any, **headers: str) -> Any:
        text = json.dumps(body).encode()
        return self.browser.send(method, f"/api/v1/{path}", text, content_type="application/json", **headers)

    def test_runs(self) -> None:
        found = self.items("runs")
        self.assertEqual([run["name"] for run in found], RUNS[::-1])
        self.assertEqual(self.pages("runs", limit=1), found)
        self.assertEqual(self.items("runs", name=found[1]["uuid"]), found[1:2])
        self.assertEqual((found[0]["instruments"], found[0]["n_measurements"]), (["HSC"], 32))
        self.assertEqual(self.items("packages", run=RUNS[0]), [{"name": "numpy", "version": "2.4.6"}])

    def test_metrics(self) -> None:
        found = {metric["name"]: metric for metric in self.pages("metrics", limit=3)}
        self.assertEqual(found["PA1"]["unit"], "mmag")
        self.assertIn(
            {"level": "design", "op": "<=", "value": 5.0}.items(),
            [dict(list(s.items())[:3]).items() for s in found["PA1"]["specs"]],
        )
        self.assertEqual([held["name"] for held in self.items("metrics", name="PF1")], ["PF1"])

    def test_measurements(self) -> None:
        found = self.pages("measurements", run=RUNS[0], metric="seeing", limit=7)
        self.assertEqual([row["visit"] for row in found], list(range(30)))
        self.assertEqual(found[7]["value"], None)
        self.assertEqual(found[3]["obs_time"], "2026-01-07T02:03:00Z")
        self.assertEqual(len(self.items("measurements", run=RUNS[0], band="u")), 1)
        self.assertEqual(self.items("measurements", status="failed"), [])

    def test_verdicts(self) -> None:
        found = self.items("verdicts", run=RUNS[2])
        states = {(row["metric"], row["band"]): row["state"] for row in found}
        self.assertEqual((states["PA1", "r"], states["PA1", "u"]), ("fail", "pass"))
        self.assertEqual(
            [row["metric"] for row in self.items("verdicts", run=RUNS[2], state="fail")], ["PA1"]
        )

    def test_compare(self) -> None:
        found = self.items("compare", before=RUNS[0], after=RUNS[2])
        (change,) = [row for row in found if (row["metric"], row["band"]) == ("PA1", "r")]
        self.assertEqual((change["difference"], change["direction"]), (2.0, "worse"))
        self.assertEqual(self.ask("compare", 422, before=RUNS[0], after=RUNS[0])["error"]["code"], "input")

    def test_series_over_observations(self) -> None:
        whole = self.items("series", metric="seeing", width=4000, run=RUNS[0])
        self.assertEqual(len(whole), 30)
        self.assertEqual([row["n"] for row in whole].count(0), 1)
        few = self.items("series", metric="seeing", width=5, band="g")
        self.assertEqual([row["n"] for row in few], [9] * 5)
        self.assertAlmostEqual(few[0]["min"], 0.70)
        self.assertAlmostEqual(few[0]["mean"], 0.72)
        self.assertAlmostEqual(few[4]["max"], 0.98)
        self.assertLess(few[0]["end"], few[4]["start"])
        some = self.items(
            "series", metric="seeing", since="2026-01-07T02:10:00Z", until="2026-01-07T04:12:00+02:00"
        )
        self.assertEqual(sum(row["n"] for row in some), 9)
        self.assertEqual(self.items("series", metric="PF1"), [])

    def test_series_over_runs(self) -> None:
        for _ in range(2):
            found = self.items("series", metric="PA1", over="runs", band="r")
            self.assertEqual([row["mean"] for row in found], [4.0, 5.0, 6.0])
            sum_up(self.engine)
        (one,) = self.items("series", metric="PA1", over="runs", band="r", width=1)
        self.assertEqual((one["n"], one["min"], one["max"], one["mean"]), (3, 4.0, 6.0, 5.0))
        later = self.items("series", metric="PA1", over="runs", band="r", since="2026-02-05T04:00:00")
        self.assertEqual(later, [])

    def test_search(self) -> None:
        kinds = {(hit["kind"], hit["name"]) for hit in self.items("search", q="seeing")}
        self.assertIn(("metric", "seeing"), kinds)
        self.assertIn(
            ("run", RUNS[0]), {(hit["kind"], hit["name"]) for hit in self.items("search", q="w_2026_05")}
        )
        self.assertEqual({hit["kind"] for hit in self.items("search", q="9813")}, {"data_id"})
        for hit in self.items("search", q="seeing"):
            self.assertEqual(self.browser.get(hit["url"]).status_code, 200)

    def test_logs(self) -> None:
        self.assertEqual(self.ask("logs", q="anything", level=30, run=RUNS[0]), {"items": [], "next": None})
        self.assertEqual(self.ask("logs", 422, cursor="x")["error"]["code"], "parameter")

    def test_annotations(self) -> None:
        note = {
            "text": f" {HOSTILE}\n",
            "run": RUNS[0],
            "metric": "PA1",
            "obs_time": "2026-01-07T04:00:00+02:00",
        }
        self.assertEqual(self.send("POST", "annotations", note).status_code, 401)
        self.assertEqual(
            self.send("POST", "annotations", note, authorization=f"Bearer {READ}").status_code, 403
        )
        made = self.send("POST", "annotations", note, **ALLOWED)
        self.assertEqual(made.status_code, 201, made.text)
        self.assertEqual((made.json()["author"], made.json()["text"]), ("writer", HOSTILE))
        self.assertEqual(made.json()["obs_time"], "2026-01-07T02:00:00Z")
        for number in range(3):
            self.send("POST", "annotations", {"text": str(number), "visit": 7}, **ALLOWED)
        found = self.pages("annotations", limit=2)
        self.assertEqual([held["text"] for held in found], ["2", "1", "0", HOSTILE])
        self.assertEqual(self.items("annotations", run=RUNS[0]), [made.json()])
        self.assertEqual(len(self.items("annotations", visit=7)), 3)
        path = f"annotations/{made.json()['annotation_id']}"
        self.assertEqual(self.browser.send("DELETE", f"/api/v1/{path}", None, **ALLOWED).status_code, 204)
        self.assertEqual(self.items("annotations", run=RUNS[0]), [])
        self.assertEqual(self.browser.send("DELETE", f"/api/v1/{path}", None, **ALLOWED).status_code, 404)

    def test_wrong_annotations(self) -> None:
        for note, status in (
            ({"text": "about nothing"}, 422),
            ({"text": " ", "metric": "PA1"}, 422),
            ({"text": "x" * 5000, "metric": "PA1"}, 422),
            ({"text": "x", "metric": "PA11"}, 404),
            ({"text": "x", "run": "none"}, 404),
            ({"text": "x", "visit": 2**63}, 422),
            ({"text": "x", "author": "somebody", "visit": 1}, 422),
            ([], 422),
        ):
            with self.subTest(note=note):
                self.assertEqual(self.send("POST", "annotations", note, **ALLOWED).status_code, status)

    def test_jobs(self) -> None:
        self.assertEqual(self.items("jobs"), [])
        asked = {"definition": "demo", "parameters": {}}
        self.assertEqual(self.send("POST", "jobs", asked).status_code, 401)
        made = self.send("POST", "jobs", asked, **ALLOWED)
        self.assertEqual(made.status_code, 201, made.text)
        job = made.json()
        self.assertEqual((job["state"], job["submitted_by"]), ("queued", "writer"))
        self.assertEqual(self.items("jobs", state="queued"), [job])
        self.assertEqual(self.ask(f"jobs/{job['uuid']}"), job)
        self.assertEqual(self.ask(f"jobs/{job['name']}/log"), {"items": [], "next": None})
        self.assertEqual(self.send("POST", f"jobs/{job['name']}/cancel", None).status_code, 401)
        ended = self.send("POST", f"jobs/{job['name']}/cancel", None, **ALLOWED).json()
        self.assertEqual(ended["state"], "cancelled")
        for body, status in (
            ({"definition": "rm -rf"}, 404),
            ({"definition": "demo", "parameters": {"x": "1"}}, 422),
        ):
            self.assertEqual(self.send("POST", "jobs", body, **ALLOWED).status_code, status)
        self.assertEqual(self.ask("jobs", 422, state="odd")["error"]["code"], "parameter")
        self.assertEqual(typing.get_args(jobs.State), STATES)

    def test_formats(self) -> None:
        for path, query in (
            ("runs", {}),
            ("metrics", {}),
            ("measurements", {"run": RUNS[0]}),
            ("series", {"metric": "seeing"}),
            ("verdicts", {"run": RUNS[0]}),
            ("compare", {"before": RUNS[0], "after": RUNS[1]}),
            ("search", {"q": "seeing"}),
            ("logs", {}),
            ("annotations", {}),
            ("jobs", {}),
            ("tables", {}),
        ):
            with self.subTest(path=path):
                expected = self.items(path, **query)
                answers = {
                    kind: self.browser.get(
                        f"/api/v1/{path}?{urllib.parse.urlencode({**query, 'format': kind})}"
                    )
                    for kind in ("csv", "parquet", "arrow")
                }
                self.assertEqual({answer.status_code for answer in answers.values()}, {200})
                arrow = pa.ipc.open_stream(answers["arrow"].content).read_all()
                self.assertEqual(arrow.num_rows, len(expected))
                self.assertTrue(pq.read_table(io.BytesIO(answers["parquet"].content)).equals(arrow))
                read = csv.read_csv(io.BytesIO(answers["csv"].content)) if expected else arrow
                self.assertEqual((read.num_rows, read.column_names), (len(expected), arrow.column_names))

    def test_types_of_columns(self) -> None:
        answer = self.browser.get("/api/v1/measurements?format=arrow")
        schema = pa.ipc.open_stream(answer.content).read_all().schema
        types = {name: str(schema.field(name).type) for name in ("visit", "value", "n", "obs_time", "band")}
        expected = {"visit": "int64", "value": "double", "n": "int64", "band": "string"}
        self.assertEqual(types, {**expected, "obs_time": "timestamp[us, tz=UTC]"})

    def test_next_page_of_a_table(self) -> None:
        first = self.browser.get("/api/v1/runs?limit=2&format=csv")
        link = first.headers["link"]
        self.assertRegex(link, r'^<\?.*>; rel="next"$')
        second = self.browser.get(f"/api/v1/runs{link[1 : link.index('>')]}")
        self.assertEqual(len(second.text.splitlines()), 2)
        self.assertNotIn("link", second.headers)

    def test_one_shape_of_error(self) -> None:
        for path, status, code in (
            ("runs?limit=0", 422, "parameter"),
            ("runs?limit=x", 422, "parameter"),
            ("runs?cursor=x", 422, "parameter"),
            (f"runs?cursor={uuid.uuid4()}", 422, "input"),
            ("runs?name=none", 404, "unknown_name"),
            ("runs?format=xml", 422, "parameter"),
            ("verdicts", 422, "parameter"),
            ("measurements?metric=PA11", 404, "unknown_name"),
            ("measurements?cursor=1-99999999999999999999", 422, "parameter"),
            ("measurements?band=%00", 422, "input"),
            ("none", 404, "not_found"),
            ("jobs/none", 404, "unknown_name"),
            (f"tables/{uuid.uuid4()}", 404, "unknown_name"),
            ("tables/../../etc/passwd/rows", 404, "not_found"),
            ("tables/x/rows", 422, "parameter"),
        ):
            with self.subTest(path=path):
                answer = self.browser.get(f"/api/v1/{path}")
                self.assertEqual((answer.status_code, answer.json()["error"]["code"]), (status, code))
                self.assertEqual(set(answer.json()), {"error"})
                self.assertTrue(answer.json()["error"]["message"])
        answer = self.browser.send("PUT", "/api/v1/runs", None)
        self.assertEqual((answer.status_code, answer.json()["error"]["code"]), (405, "http"))
        self.assertIn("GET", answer.headers["allow"])

    def test_tags_and_compression(self) -> None:
        for path in ("runs", "measurements?format=arrow"):
            first = self.browser.get(f"/api/v1/{path}", accept_encoding="gzip")
            again = self.browser.get(f"/api/v1/{path}", if_none_match=first.headers["etag"])
            self.assertEqual((again.status_code, again.content), (304, b""))
        self.assertEqual(first.headers["content-encoding"], "gzip")


class OnSqliteTestCase(ApiTestCase, OnSqlite, unittest.TestCase):
    pass


class OnPostgresTestCase(ApiTestCase, OnPostgres, unittest.TestCase):
    pass


if __name__ == "__main__":
    unittest.main()
