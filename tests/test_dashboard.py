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

import html
import json
import math
import re
import tempfile
import time
import unittest
import unittest.mock
import urllib.parse
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from support_dashboard import HOSTILE, RUNS, Browser, fill, row

from lsst.qa.dashboard.views import landing, runs
from lsst.qa.store.database import connect, writing

LINK = re.compile(r'(?:href|src)="([^"#]+)')
DATA = re.compile(r'<script type="application/json"[^>]*>(.*?)</script>', re.DOTALL)


def _refuse(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


def parsed(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse)


class DashboardTestCase(unittest.TestCase):
    """Pages over a database of three runs."""

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.engine = connect(str(Path(folder.name) / "qa.sqlite3"), create=True)
        cls.addClassCleanup(cls.engine.dispose)
        start = datetime(2026, 1, 7, 2)
        for number, run in enumerate(RUNS):
            visits = [
                row(
                    "seeing",
                    "r",
                    0.7 + 0.01 * k,
                    unit="arcsec",
                    visit=k,
                    obs_time=start + timedelta(minutes=k),
                )
                for k in range(30)
            ]
            fill(cls.engine, run, [row("PA1", "r", 4.0 + number, 0.25), row("PA1", "u", 4.0), *visits])
        failed = {"n": 0, "status": "failed", "message": f"log of {HOSTILE}"}
        fill(
            cls.engine,
            RUNS[-1],
            [
                row("PA1", "g", math.nan, math.nan, **failed),
                row("PA1.faro", "r", 5.5),
                row("PF1", "r", 9.0, unit="%"),
                row("homemade", None, 3.0, unit="furlong"),
            ],
        )
        cls.browser = Browser(cls.engine)

    def page(self, path: str, status: int = 200) -> str:
        answer = self.browser.get(path)
        self.assertEqual(answer.status_code, status, answer.text[:400])
        self.assertEqual(answer.headers["content-type"], "text/html; charset=utf-8")
        return answer.text

    def data(self, path: str, status: int = 200) -> Any:
        answer = self.browser.get(path)
        self.assertEqual(answer.status_code, status, answer.text[:400])
        self.assertEqual(answer.headers["content-type"], "application/json")
        return parsed(answer.text)

    def test_landing(self) -> None:
        data = self.data("/index.json")
        (group,) = data["groups"]
        self.assertEqual((group["dataset"], group["earlier"]), ("u/someone/qa/w_*_*", 2))
        self.assertEqual(group["baseline"]["name"], RUNS[-2])
        self.assertEqual(data["jobs"], [])
        latest = group["run"]
        self.assertEqual(latest["name"], RUNS[-1])
        self.assertEqual(latest["counts"], {"pass": 2, "fail": 1, "unknown": 1, "none": 2})
        self.assertEqual(latest["variant_counts"], {"pass": 0, "fail": 1, "unknown": 0, "none": 0})
        self.assertEqual(latest["instruments"], ["HSC"])
        page = self.page("/")
        self.assertIn("2 of 4 requirements not met", page)
        self.assertIn(f'href="/runs/{RUNS[-1]}"', page)
        self.assertIn("2026-01-07 04:00 UTC", page)
        self.assertIn("PA1 r: 6.00 ± 0.25 mmag, should be ≤ 5, n 1,234", page)
        self.assertIn("1 other definitions", page)

    def test_runs(self) -> None:
        self.assertEqual([run["name"] for run in self.data("/runs.json")["runs"]], RUNS[::-1])
        self.assertIn(RUNS[0].rpartition("/")[2], self.page("/runs"))

    def test_run(self) -> None:
        data = self.data(f"/runs/{RUNS[-1]}.json")
        self.assertEqual(data["run"]["packages"], {"numpy": "2.4.6"})
        cells = {(cell["metric"], cell["band"]): cell for cell in data["verdicts"]}
        self.assertEqual(cells["PA1", "r"]["state"], "fail")
        self.assertEqual(cells["PA1", "r"]["threshold"], 5.0)
        self.assertEqual(cells["PA1", "r"]["levels"], {"minimum": 8.0, "design": 5.0, "stretch": 3.0})
        self.assertEqual(cells["PA1", "u"]["state"], "pass")
        self.assertEqual(cells["homemade", None]["state"], "none")
        self.assertIsNone(cells["PA1", "g"]["value"])
        self.assertEqual(cells["PA1", "g"]["n_failed"], 1)
        self.assertEqual(cells["seeing", "r"]["n_rows"], 30)
        page = self.page(f"/runs/{RUNS[-1]}")
        for text in ("6.00 ± 0.25", "numpy", "2.4.6", "≤ 5", "furlong", "1,234", "no threshold"):
            self.assertIn(text, page)
        self.assertIn(html.escape(f"log of {HOSTILE}", quote=False)[:20], page)

    def test_run_by_state(self) -> None:
        path = f"/runs/{RUNS[-1]}"
        cells = self.data(f"{path}.json?state=fail")["verdicts"]
        self.assertEqual([(c["metric"], c["band"]) for c in cells], [("PA1", "r"), ("PA1.faro", "r")])
        self.assertNotIn("furlong", self.page(f"{path}?state=fail"))
        self.assertIn("No value of this run is in this state", self.page(f"/runs/{RUNS[0]}?state=unknown"))
        self.assertEqual(self.data(f"{path}.json?state=bad", 422)["error"]["code"], "parameter")

    def test_run_by_identifier(self) -> None:
        name = self.data("/index.json")["groups"][0]["run"]
        self.assertEqual(self.data(f"/runs/{name['uuid']}.json")["run"]["name"], name["name"])

    def test_metrics(self) -> None:
        names = [metric["name"] for metric in self.data("/metrics.json")["metrics"]]
        self.assertIn("PA1.faro", names)
        self.assertIn('href="/metrics/PA1.faro"', self.page("/metrics"))

    def test_metric(self) -> None:
        data = self.data("/metrics/PA1.json")
        self.assertEqual(data["bands"], ["u", "g", "r"])
        values = [
            (point["run"], point["value"], point["state"])
            for point in data["history"]
            if point["band"] == "r"
        ]
        states = ["pass", "pass", "fail"]
        self.assertEqual(values, [(run, 4.0 + k, states[k]) for k, run in enumerate(RUNS)])
        self.assertEqual(data["history"][0]["time"], "2026-01-05T04:00:00Z")
        self.assertEqual(data["run"], RUNS[-1])
        self.assertEqual({cell["tract"] for cell in data["rows"]}, {9813})
        page = self.page("/metrics/PA1")
        for text in ("LPM-17", "7.5", "minimum", "History over runs", "6.00 ± 0.25", "HSC, tract 9813"):
            self.assertIn(text, page)

    def test_metric_of_band_and_run(self) -> None:
        data = self.data(f"/metrics/PA1.json?band=u&run={RUNS[0]}")
        self.assertEqual({point["band"] for point in data["history"]}, {"u"})
        self.assertEqual([(cell["band"], cell["value"]) for cell in data["rows"]], [("u", 4.0)])
        self.assertEqual(data["run"], RUNS[0])
        self.assertIn("has measured PA1 in the band q", self.page("/metrics/PA1?band=q"))
        self.data("/metrics/PA1.json?run=nothing", 404)

    def test_variant(self) -> None:
        """A metric's name may have a dot, as its twin's address has."""
        self.assertEqual(self.data("/metrics/PA1.faro.json")["metric"]["name"], "PA1.faro")
        self.assertIn("<h1>PA1.faro", self.page("/metrics/PA1.faro"))

    def test_charts(self) -> None:
        held = [parsed(text) for text in DATA.findall(self.page("/metrics/PA1"))]
        self.assertEqual(len(held), 1)
        columns = held[0]["columns"]
        self.assertEqual(columns["band:r"]["y"], [4.0, 5.0, 6.0])
        self.assertEqual(columns["band:r"]["error"], [0.25] * 3)
        self.assertEqual(columns["band:r"]["url"][0], f"/runs/{RUNS[0]}")
        self.assertEqual(columns["band:g"]["y"], [None])
        self.assertEqual(columns["missing"]["x"], columns["band:r"]["x"][-1:])
        self.assertEqual(sorted(columns["level:design"]["y"]), [5.0, 7.5])
        self.assertEqual(columns["level:stretch"]["y"], [])
        history, rows = (parsed(text) for text in DATA.findall(self.page("/metrics/seeing?band=r")))
        self.assertEqual(len(rows["columns"]["band:r"]["y"]), 30)
        self.assertEqual(sum(rows["columns"]["bars"]["count"]), 30)
        self.assertEqual(history["label"], "seeing (arcsec)")

    def test_every_link_leads_somewhere(self) -> None:
        for root, stripped in (("", ""), ("/qa/my site", ""), ("/qa/my site", "/qa/my%20site")):
            browser = Browser(self.engine, root)
            root = urllib.parse.quote(root)
            seen, waiting, asked = set(), [f"{root}/"], 0
            # All of them once; of those with a prefix enough to meet every
            # kind of page.
            while waiting and (not root or asked < 60):
                path, asked = waiting.pop(0), asked + 1
                answer = browser.get(path.removeprefix(stripped))
                self.assertEqual(answer.status_code, 200, path)
                if answer.headers["content-type"].startswith("text/html"):
                    found = {html.unescape(link) for link in LINK.findall(answer.text)} - seen
                    self.assertEqual([link for link in found if not link.startswith(f"{root}/")], [])
                    seen |= found
                    # Tables in repositories are another test's.
                    waiting += {link for link in found if "/api/v1/tables/" not in link}
            self.assertGreater(len(seen), 25)

    def test_headers(self) -> None:
        for path in ("/", "/metrics/PA1", "/index.json", "/nothing", "/static/qa.css", f"/runs/{RUNS[0]}"):
            answer = self.browser.get(path)
            policy = dict(
                part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; ")
            )
            self.assertEqual(policy["default-src"], "'none'")
            self.assertEqual(policy["script-src"], "'self'")
            charted = path == "/metrics/PA1"
            self.assertEqual(policy["style-src"], "'self' 'unsafe-inline'" if charted else "'self'")
            self.assertEqual(answer.headers["x-content-type-options"], "nosniff")

    def test_nothing_is_inline(self) -> None:
        """The policy would silently drop inline styles and handlers."""
        for path in ("/", "/metrics/PA1", "/metrics", f"/runs/{RUNS[-1]}"):
            page = self.page(path)
            self.assertNotRegex(page, r"<[^>]*\s(style|on\w+)=")
            self.assertNotIn("<style", page)
            self.assertNotRegex(page, r"(src|href)=\"(https?:)?//")

    def test_unchanged_pages_are_not_sent_again(self) -> None:
        for path in ("/", "/index.json", "/static/qa.css"):
            tag = self.browser.get(path).headers["etag"]
            again = self.browser.get(path, if_none_match=tag)
            self.assertEqual((again.status_code, again.content), (304, b""))
        style = re.search(r'"(/static/qa.css\?v=\w+)"', self.page("/"))[1]
        self.assertIn("immutable", self.browser.get(style).headers["cache-control"])

    def test_what_is_asked_again_is_not_made_again(self) -> None:
        browser = Browser(self.engine)
        first = browser.get("/")
        with unittest.mock.patch.object(landing, "data", side_effect=AssertionError):
            again = browser.get("/")
            self.assertEqual((again.text, again.headers), (first.text, first.headers))
            self.assertEqual(browser.get("/", if_none_match=first.headers["etag"]).status_code, 304)
            self.assertEqual(browser.get("/index.json").status_code, 500)
        with writing(self.engine) as connection:
            connection.exec_driver_sql("UPDATE run SET loaded_by = loaded_by || 1")
        with unittest.mock.patch.object(landing, "data", side_effect=AssertionError):
            self.assertEqual(browser.get("/").status_code, 500)

    def test_what_tells_of_the_present_is_soon_made_again(self) -> None:
        browser = Browser(self.engine)
        now = time.monotonic()
        for path, module, seconds in (("/", landing, 10), ("/runs", runs, 600)):
            self.assertNotIn("x-qa-fresh", browser.get(path).headers)
            with unittest.mock.patch.object(module, "data", side_effect=AssertionError):
                for late, status in ((seconds - 5, 200), (seconds + 500, 500)):
                    clock = unittest.mock.Mock(monotonic=unittest.mock.Mock(return_value=now + late))
                    with unittest.mock.patch("lsst.qa.dashboard.kept.time", clock):
                        self.assertEqual(browser.get(path).status_code, status)

    def test_compressed(self) -> None:
        for path in ("/", "/static/bokeh.js"):
            self.assertEqual(
                self.browser.get(path, accept_encoding="gzip").headers["content-encoding"], "gzip"
            )
            self.assertNotIn("content-encoding", self.browser.get(path, accept_encoding="identity").headers)

    def test_head(self) -> None:
        answer = self.browser.get("/", method="HEAD")
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(self.browser.get("/index.json", method="POST").json()["error"]["code"], "http")

    def test_not_found(self) -> None:
        self.assertIn("Did you mean &#39;PA1&#39;", self.page("/metrics/PA11", 404))
        message = self.data(f"/runs/{RUNS[0]}x.json", 404)["error"]
        self.assertEqual(message["code"], "unknown_name")
        self.assertIn(f"Did you mean '{RUNS[0]}'", message["message"])
        self.assertEqual(self.data("/nothing.json", 404)["error"]["code"], "not_found")
        for path in (
            "/static/other.css",
            "/static/..%2fapp.py",
            "/static/%2e%2e/app.py",
            "/docs",
            "/openapi.json",
        ):
            self.assertEqual(self.browser.get(path).status_code, 404, path)


class StrangeTestCase(unittest.TestCase):
    """Pages over databases that are empty, hostile or gone."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "qa.sqlite3"
        self.engine = connect(str(self.file), create=True)
        self.addCleanup(self.engine.dispose)
        self.browser = Browser(self.engine)

    def test_empty(self) -> None:
        for path in ("/", "/runs", "/metrics", "/nights", "/compare"):
            self.assertIn("lsst-qa load REPO COLLECTION", self.browser.get(path).text)
        self.assertEqual(self.browser.get("/index.json").json(), {"groups": [], "night": None, "jobs": []})
        self.assertEqual(self.browser.get("/metrics/PA1").status_code, 404)

    def test_hostile_names(self) -> None:
        fill(self.engine, HOSTILE, [row(HOSTILE, HOSTILE, 1.0, unit=HOSTILE, instrument=HOSTILE)])
        quoted = urllib.parse.quote(HOSTILE)
        for path in (
            "/",
            "/runs",
            "/metrics",
            f"/runs/{quoted}",
            f"/metrics/{quoted}",
            f"/metrics/{quoted}x",
        ):
            page = self.browser.get(path).text
            self.assertNotIn("<script>alert", page, path)
            self.assertIn("alert(", page, path)
            for held in DATA.findall(page):
                self.assertIn(HOSTILE, parsed(held)["columns"]["band:" + HOSTILE]["run"])

    def test_names_that_urls_cannot_hold(self) -> None:
        names = ["a/../b", "a//b", "plain.json", "what?#%41 &+ü", "/slash/", "."]
        for name in names:
            fill(self.engine, name, [row("PA1", "r", 4.0)])
        links = {
            html.unescape(link) for link in LINK.findall(self.browser.get("/runs").text) if "/run" in link
        }
        for kind in ("", ".json"):
            found = set()
            for link in links - {"/runs", "/runs.json"}:
                path, _, query = link.partition("?")
                answer = self.browser.get(f"{path}{kind}?{query}")
                self.assertEqual(answer.status_code, 200, link)
                held = answer.json()["run"]["name"] if kind else re.search("<title>(.*) ·", answer.text)[1]
                found.add(held if kind else html.unescape(held))
            self.assertEqual(found, set(names))

    def test_numbers_that_are_none(self) -> None:
        rows = [
            row("PA1", "r", math.inf, math.nan),
            row("PA1", "g", math.nan, math.nan, status="undefined", n=None),
        ]
        fill(self.engine, "run", rows)
        for path in ("/index.json", "/runs/run.json", "/metrics/PA1.json"):
            parsed(self.browser.get(path).text)
        for path in ("/", "/runs/run", "/metrics/PA1"):
            answer = self.browser.get(path)
            self.assertEqual(answer.status_code, 200)
            self.assertNotRegex(DATA.sub("", answer.text), r"\b(nan|None)\b(?! yet)")

    def test_new_data_are_seen(self) -> None:
        fill(self.engine, "run", [row("PA1", "r", 4.0)])
        self.assertIn("The requirement met", self.browser.get("/").text)
        fill(self.engine, "run", [row("PF1", "r", 40.0)])
        self.assertIn("1 of 2 requirements not met", self.browser.get("/").text)

    def test_database_that_stopped_answering(self) -> None:
        self.engine.dispose()
        self.file.write_bytes(b"no database" * 1000)
        answer = self.browser.get("/index.json")
        self.assertEqual((answer.status_code, answer.json()["error"]["code"]), (503, "database"))
        self.assertNotIn(self.file.name, answer.text)
        self.assertIn("does not answer", self.browser.get("/").text)


if __name__ == "__main__":
    unittest.main()
