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
"""Every page in a real Chromium: drawn, sound, and doing what it is for."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect
from support_browser import NIGHT, RUNS, SQUARES, TOKEN, Chromium, fill_all, serving

from lsst.qa.dashboard.views import views
from lsst.qa.store.database import connect
from lsst.qa.store.jobs import list_jobs

PAGES = {
    "landing": ["/"],
    "nights": ["/nights", f"/nights/{NIGHT}?instrument=Cam"],
    "data_id": ["/data?instrument=Cam&visit=1001", "/data?skymap=rings&tract=9813"],
    "runs": ["/runs"],
    "run": [f"/runs/{RUNS[-1]}"],
    "metrics": ["/metrics"],
    "metric": ["/metrics/PA1", "/metrics/seeing?band=r&dataset=all"],
    "maps": [f"/maps?metric=seeing&kind={kind}" for kind in ("sky", "camera", "matrix")],
    "compare": ["/compare?sort=metric", "/compare?metric=seeing&band=r"],
    "search": ["/search", "/search?q=stars", "/search?kind=logs&instrument=Cam", "/search?q=nowhere"],
    "quantum": ["/quanta/1"],
    "jobs": ["/jobs"],
    "job": ["/jobs/{job}"],
    "notes": ["/notes"],
    "publishing": ["/publishing"],
    "sign_in": ["/sign-in"],
}
"""Pages of each view; a view that is missing here is opened by its name."""

CHARTS = {"/metrics/PA1": 1, "/metrics/seeing?band=r&dataset=all": 2, "/maps?metric=seeing&kind=sky": 1}
ASKED_FOR_DATA = {"plot", "rows"}
"""Views that answer for tables of a repository, tested with one."""


class EmptyTestCase(Chromium):
    """A database that is new: each page says what to do."""

    def test_pages(self) -> None:
        folder = self.enterContext(tempfile.TemporaryDirectory())
        engine = connect(str(Path(folder) / "qa.sqlite3"), create=True)
        self.addCleanup(engine.dispose)
        url = self.enterContext(serving(engine))
        page = self.open(dark=True, narrow=True)
        for view in views():
            if view.label or view.name == "landing":
                with self.subTest(view.name):
                    page.goto(f"{url}/{view.name if view.label else ''}")
                    self.assert_sound(page)
                    self.assertGreater(len(page.locator("main p").all_inner_texts()), 0)


class BrowserTestCase(Chromium):
    """One database, one server and one browser for all of them."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.engine = connect(str(Path(folder) / "qa.sqlite3"), create=True)
        cls.addClassCleanup(cls.engine.dispose)
        fill_all(cls.engine)
        cls.url = cls.enterClassContext(serving(cls.engine))

    def addresses(self) -> list[str]:
        (job,) = list_jobs(self.engine)[-1:]
        named = {view.name: PAGES.get(view.name, [f"/{view.name}"]) for view in views()}
        return [
            path.format(job=job.name)
            for name, paths in named.items()
            if name not in ASKED_FOR_DATA
            for path in paths
        ]

    def go(self, page: Page, path: str) -> Page:
        answer = page.goto(self.url + path)
        assert answer is not None
        self.assertEqual(answer.status, 200, path)
        return page

    def signed_in(self, **how: bool) -> Page:
        page = self.go(self.open(**how), "/sign-in")
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("link", name="erin")).to_be_visible()
        return page

    def test_wide(self) -> None:
        page = self.open()
        for path in self.addresses():
            with self.subTest(path):
                self.assert_sound(self.go(page, path), axe=False)
                if path in CHARTS:
                    self.assertEqual(self.drawn(page), CHARTS[path])

    def test_wide_and_dark(self) -> None:
        page = self.open(dark=True)
        for path in self.addresses():
            with self.subTest(path):
                self.assert_sound(self.go(page, path))

    def test_narrow(self) -> None:
        page = self.signed_in(narrow=True)
        for path in self.addresses():
            with self.subTest(path):
                self.assert_sound(self.go(page, path))

    def test_narrow_and_dark(self) -> None:
        page = self.open(dark=True, narrow=True)
        for path in self.addresses():
            with self.subTest(path):
                self.assert_sound(self.go(page, path), axe=False)

    def test_without_script(self) -> None:
        """Values and what they mean are text."""
        page = self.open(script=False)
        for path, told in (
            ("/", "4 of 7 requirements not met"),
            ("/metrics/PA1", "8.00 ± 0.20"),
            (f"/runs/{RUNS[-1]}", "8.00 ± 0.20"),
            (f"/nights/{NIGHT}?instrument=Cam", "1005"),
            ("/compare?metric=PA1&band=g", "worse"),
            ("/search?q=stars", "No stars are left."),
            ("/data?instrument=Cam&visit=1001", "seeing"),
        ):
            with self.subTest(path):
                self.assertIn(told, self.go(page, path).locator("main").inner_text())
        for kind in ("sky", "matrix"):
            self.go(page, f"/maps?metric=seeing&kind={kind}").locator(
                "summary", has_text="as a table"
            ).click()
            expect(page.locator("main table").first).to_be_visible()

    def test_keyboard(self) -> None:
        page = self.go(self.open(), "/")
        page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to the content")
        expect(skip).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="lsst.qa")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_role("navigation", name="Site").get_by_role("link", name="Nights")).to_be_focused()
        skip.focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        self.assertTrue(page.evaluate("document.querySelector('main').contains(document.activeElement)"))
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("/runs/"))

    def test_verdicts_filter(self) -> None:
        page = self.go(self.open(), f"/runs/{RUNS[-1]}")
        page.get_by_role("link", name=re.compile(r"\bfail\b")).first.click()
        expect(page).to_have_url(re.compile("state=fail"))
        expect(page.locator(".of-verdict .is-pass")).to_have_count(0)
        expect(page.locator(".of-verdict .is-fail")).to_have_count(3)

    def test_metric(self) -> None:
        page = self.go(self.open(), "/metrics/PA1")
        page.get_by_role("navigation", name="Band").get_by_role("link", name="r", exact=True).click()
        expect(page).to_have_url(re.compile("band=r"))
        self.drawn(page)
        # The point of one run, found where the chart itself says it is.
        place = page.evaluate(
            """() => {
                const view = Object.values(Bokeh.index)[0] ?? [...Bokeh.index][0];
                const find = (v) => [v, ...(v.child_views ?? []).flatMap(find)];
                const plot = find(view).find((v) => v.model.type === "Figure");
                const holds = (r) => r.data_source?.data.url && r.glyph.type === "Scatter";
                const drawn = plot.model.renderers.find(holds);
                const { x, y } = drawn.data_source.data;
                const at = plot.canvas_view.el.getBoundingClientRect();
                return [at.x + plot.frame.x_scale.compute(x[1]), at.y + plot.frame.y_scale.compute(y[1])];
            }"""
        )
        page.mouse.move(*place)
        expect(page.locator(".bk-Tooltip").first).to_be_visible()
        page.mouse.click(*place)
        expect(page).to_have_url(re.compile(f"/runs/{RUNS[1]}"))

    def test_marks_of_a_history(self) -> None:
        """What is noted of a run tells, and leads on."""
        page = self.go(self.open(), "/metrics/PA1")
        self.drawn(page)
        place = page.evaluate(
            """() => {
                const view = Object.values(Bokeh.index)[0] ?? [...Bokeh.index][0];
                const find = (v) => [v, ...(v.child_views ?? []).flatMap(find)];
                const plot = find(view).find((v) => v.model.type === "Figure");
                const drawn = plot.model.renderers.find((r) => r.data_source?.name === "notes");
                const { x } = drawn.data_source.data;
                const at = plot.canvas_view.el.getBoundingClientRect();
                return [at.x + plot.frame.x_scale.compute(x[0]), at.y + plot.frame.bbox.top + 12];
            }"""
        )
        page.mouse.move(*place)
        expect(page.locator(".bk-Tooltip").first).to_contain_text("erin: The first week.")
        page.mouse.click(*place)
        expect(page).to_have_url(re.compile("#notes$"))

    def test_four_clicks_to_the_rows(self) -> None:
        """From the landing page to a metric, a visit and what was measured."""
        page = self.go(self.open(), "/")
        page.get_by_role("link", name="m5").first.click()
        page.locator("section, main").get_by_role("link", name="visit 1005").last.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("visit 1005")
        expect(page.get_by_role("heading", name="Its data")).to_be_visible()

    def test_copied_and_found(self) -> None:
        """Code is copied at a click, and the search is a key away."""
        page = self.open()
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.go(page, "/data?instrument=Cam&visit=1001")
        page.get_by_role("button", name="Copy").first.click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        self.assertIn("butler.get('qa_", page.evaluate("navigator.clipboard.readText()"))
        page.keyboard.press("Control+k")
        expect(page).to_have_url(re.compile("/search$"))

    def test_maps(self) -> None:
        page = self.go(self.open(), "/maps?metric=seeing")
        kinds = page.get_by_role("navigation", name="Kind of map")
        kinds.get_by_role("link", name="Visits and detectors").click()
        expect(page).to_have_url(re.compile("kind=matrix"))
        self.assertEqual(self.drawn(page), 1)
        page.get_by_label("Metric").select_option("m5")
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("m5")

    def test_compare(self) -> None:
        page = self.go(self.open(), "/compare")
        expect(page.get_by_label("Before")).to_have_value(RUNS[1])
        page.get_by_role("link", name="Swap").click()
        expect(page.get_by_label("Before")).to_have_value(RUNS[2])
        page.get_by_role("navigation", name="Filter by direction").get_by_role("link", name="better").click()
        expect(page.locator("table.changes .direction").first).to_have_text("better")
        page.locator("table.changes tbody a").first.click()
        expect(page.get_by_role("heading", name="Visit by visit, tract by tract")).to_be_visible()

    def test_night(self) -> None:
        page = self.go(self.open(), "/nights")
        expect(page.locator("tbody tr")).to_have_count(SQUARES)
        self.assertIn("TAI", page.locator("tbody time").first.get_attribute("title") or "")
        page.get_by_role("link", name="1005").click()
        expect(page).to_have_url(re.compile("visit=1005"))

    def test_search(self) -> None:
        page = self.go(self.open(), "/search")
        expect(page.get_by_role("searchbox")).to_be_focused()
        page.keyboard.type("stars")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Log messages").click()
        expect(page.locator(".hits li")).to_have_count(2)
        page.get_by_role("link", name="ERROR and up").click()
        expect(page.locator(".hits li")).to_have_count(1)
        page.get_by_role("link", name="sourceMetrics").last.click()
        expect(page).to_have_url(re.compile("/quanta/1"))

    def test_jobs(self) -> None:
        page = self.signed_in()
        self.go(page, "/jobs")
        page.locator("article", has_text="demo").get_by_role("button", name="Start").first.click()
        expect(page.locator("#state")).to_contain_text("queued")
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator("#state")).to_contain_text("cancelled")

    def test_notes(self) -> None:
        page = self.signed_in()
        self.go(page, "/metrics/PA1")
        page.locator("textarea").fill("Looks <b>odd</b>.")
        page.get_by_role("button", name="Write it down").click()
        notes = page.locator(".notes li")
        expect(notes).to_contain_text(["Looks <b>odd</b>.", "The first week."])
        expect(notes.last.get_by_role("link")).to_have_text(RUNS[0])
        notes.first.get_by_role("button", name="Take back").click()
        expect(notes).to_have_count(1)

    def test_publishing(self) -> None:
        page = self.signed_in()
        self.go(page, "/publishing")
        expect(page.get_by_role("heading", level=1)).to_have_text("1 dataset not delivered")
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("1 dataset on the way")
