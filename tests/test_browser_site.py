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
"""Pages copied to files: what is there, and that it opens from disk."""

from __future__ import annotations

import os
import re
import tempfile
import unittest
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet
import sqlalchemy as sa
from click.testing import CliRunner
from playwright.sync_api import expect
from support_browser import NIGHT, RUNS, Chromium, fill_all
from support_store import OnSqlite

from lsst.qa.cli.site import site_command
from lsst.qa.dashboard.copying import copy_site
from lsst.qa.dashboard.copying.links import Plan, relinked
from lsst.qa.errors import InputError, UnknownNameError
from lsst.qa.store.database import connect
from lsst.qa.store.gathered import open_gathered
from lsst.qa.store.query import get_run


def count_rows(engine: sa.Engine) -> int:
    """Count the rows of the last run."""
    run = get_run(engine, RUNS[-1])
    assert run is not None
    return run.n_measurements


ADDRESS = re.compile(r'\b(?:href|src)="([^"#]+)')


class CopiedTestCase(Chromium):
    """The copy of one database, opened in a browser."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.url = str(cls.folder / "qa.sqlite3")
        engine = connect(cls.url, create=True)
        cls.addClassCleanup(engine.dispose)
        fill_all(engine)
        cls.engine = engine
        cls.copied = copy_site(engine, cls.folder / "site")

    def test_links(self) -> None:
        """All lead to files of the copy."""
        root = self.copied.index.parent
        pages = sorted(root.rglob("*.html"))
        self.assertEqual((self.copied.runs, self.copied.faults), ([RUNS[-1]], []))
        self.assertEqual((self.copied.pages, self.copied.left_out), (len(pages), 0))
        for page in pages:
            text = page.read_text()
            self.assertNotIn("<form", text, page)
            for address in ADDRESS.findall(text):
                target = page.parent / address
                self.assertTrue(target.is_file(), f"{page}: {address}")
                self.assertTrue(target.resolve().is_relative_to(root), address)

    def test_rows(self) -> None:
        """All of a run, to be read by any program."""
        root = self.copied.index.parent
        page = next(root.glob("runs/*w_2026_07*.html"))
        names = [page.parent / name for name in re.findall(r'href="(\.\./rows/[^"]+)"', page.read_text())]
        self.assertEqual([name.suffix for name in names], [".parquet", ".csv"])
        table = pyarrow.parquet.read_table(names[0])
        held = count_rows(self.engine)
        self.assertEqual((table.num_rows, set(table["run"].to_pylist())), (held, {RUNS[-1]}))
        self.assertEqual(pyarrow.csv.read_csv(names[1]).num_rows, held)
        with open_gathered(str(names[0])) as file:
            self.assertEqual(file.metadata.num_rows, held)

    def test_opened(self) -> None:
        """From disk, with charts, from page to page."""
        page = self.open()
        page.goto(self.copied.index.as_uri())
        self.assert_sound(page)
        expect(page.get_by_role("navigation", name="Site")).not_to_contain_text("Search")
        page.get_by_role("row", name="PA1").get_by_role("link").nth(1).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("PA1")
        self.assertEqual(self.drawn(page), 1)
        self.assert_sound(page)
        for name in ("Maps", "Compare", "Nights", "Metrics", "Runs"):
            page.get_by_role("navigation", name="Site").get_by_role("link", name=name).click()
            self.assert_sound(page, axe=False)
        page.get_by_role("link", name=re.compile("w_2026_07")).click()
        expect(page.locator("h1")).to_contain_text("w_2026_07")
        self.assertTrue(page.url.startswith("file://"))

    def test_night_to_visit(self) -> None:
        page = self.open(dark=True, narrow=True)
        page.goto((self.copied.index.parent / "nights.html").as_uri())
        expect(page.get_by_role("heading", level=1)).to_contain_text(str(NIGHT))
        page.get_by_role("link", name="1005").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("1005")
        self.assert_sound(page)

    def test_command(self) -> None:
        """Replaces its own folder, and nobody else's."""
        folder = self.folder / "again"
        arguments = [str(folder), "--db", self.url, "--most", "5", "--run", RUNS[0]]
        for _ in range(2):
            result = CliRunner().invoke(site_command, arguments)
            self.assertEqual(result.exit_code, 0, result.output)
            self.assertIn("5 pages", result.output)
            self.assertIn("more were left out", result.output)
        self.assertEqual(len(list(folder.rglob("*.html"))), 5)
        (folder / "mine.txt").write_text("keep")
        result = CliRunner().invoke(site_command, arguments)
        self.assertIsInstance(result.exception, InputError)
        self.assertIn("mine.txt", str(result.exception))
        self.assertEqual((folder / "mine.txt").read_text(), "keep")


class RefusedTestCase(OnSqlite, unittest.TestCase):
    """What cannot be copied, or not to there."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_nothing_to_copy(self) -> None:
        with self.assertRaisesRegex(InputError, "no run"):
            copy_site(self.engine, self.folder / "site")
        with self.assertRaisesRegex(UnknownNameError, "u/x"):
            copy_site(self.engine, self.folder / "site", ["u/x"])
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_file(self) -> None:
        (self.folder / "site").write_text("")
        with self.assertRaisesRegex(InputError, "is a file"):
            copy_site(self.engine, self.folder / "site")


class PlanTestCase(unittest.TestCase):
    """Which page is in which file."""

    def test_files(self) -> None:
        """Names that every file system has, one for each page."""
        plan = Plan(["u/a b", "u-a-b", "../x"], ["PA1", "pa1"], ["PA1"])
        pages = ["/runs/u/a%20b", "/runs/u-a-b", "/metrics/PA1", "/metrics/pa1", "/run?name=..%2Fx"]
        files = [plan.file(plan.page(page) or "") for page in pages]
        self.assertEqual(len({file.lower() for file in files}), len(pages))
        for file in files:
            self.assertRegex(file, r"^(runs|metrics|run)/[A-Za-z0-9_-][A-Za-z0-9_.-]*\.html$")
        self.assertEqual(plan.file("/metrics/PA1"), "metrics/PA1.html")

    def test_pages(self) -> None:
        plan = Plan(["u/a"], ["PA1", "n"], ["PA1"])
        for address, page in (
            ("/", "/"),
            ("/metrics/PA1?band=r", "/metrics/PA1"),
            ("/metrics/PA1?run=u%2Fa&band=r", "/metrics/PA1?run=u%2Fa"),
            ("/metrics/PA1?run=u%2Fb", None),
            ("/metrics/PA1.json", None),
            ("/metrics/other", None),
            ("/maps?run=u%2Fa&metric=n", None),
            ("/search?q=x", None),
            ("/jobs", None),
            ("https://example.org/runs", None),
            ("//example.org/runs", None),
        ):
            with self.subTest(address):
                self.assertEqual(plan.page(address), page)

    def test_relinked(self) -> None:
        page = '<a href="/runs?a=1&amp;b=2#x">r</a> <a href="#y"></a> <a href="/no">n</a>'
        found = relinked(page, "metrics/a.html", {"/runs?a=1&b=2": "runs.html"}.get)
        self.assertIn('<a href="../runs.html#x">r</a> <a href="#y"></a>', found)
        self.assertIn('<a title="This is not in the copy">n</a>', found)
