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
"""A dashboard in a real Chromium, for tests."""

from __future__ import annotations

__all__ = ["NIGHT", "RUNS", "SQUARES", "TOKEN", "Chromium", "fill_all", "serving"]

import contextlib
import datetime
import hashlib
import os
import shutil
import socket
import threading
import unittest
from collections.abc import Iterator
from typing import Any

import numpy as np
import sqlalchemy as sa
import uvicorn
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Error, Page, sync_playwright
from support_publish import shelf_of
from support_store import batch, row

from lsst.qa.catalogue import METRICS
from lsst.qa.dashboard.app import create_app
from lsst.qa.dashboard.settings import Settings, Token
from lsst.qa.publish.entries import Settled
from lsst.qa.publish.ledger import Ledger
from lsst.qa.store.annotations import add_annotation
from lsst.qa.store.database import tables
from lsst.qa.store.definitions import synchronize
from lsst.qa.store.fulltext import texts_indexed
from lsst.qa.store.insertion import write_batch
from lsst.qa.store.jobs import add_job
from lsst.qa.store.query import get_run
from lsst.qa.store.regions import Region, keep_regions

RUNS = [f"u/someone/qa/w_2026_{week:02d}/202601{week:02d}T040000Z" for week in (5, 6, 7)]
NIGHT = 20260107
TOKEN = "may-write-in-this-browser"
SQUARES = 12
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_BANDS = "gri"


def _rows(number: int) -> list[dict[str, Any]]:
    start = datetime.datetime(2026, 1, 7, 2)
    rng = np.random.default_rng(number)
    values = [
        row(
            metric,
            float(middle + 0.1 * rng.standard_normal() + (3.0 if metric == "seeing" and visit == 5 else 0.0)),
            error=0.02,
            unit=unit,
            band=_BANDS[visit % 3],
            visit=1000 + visit,
            detector=detector,
            day_obs=NIGHT,
            obs_time=start + datetime.timedelta(minutes=visit),
        )
        for visit in range(SQUARES)
        for metric, middle, unit in (("seeing", 0.9, "arcsec"), ("m5", 25.5, "mag"))
        for detector in (None, 0, 1)
    ]
    tract = {"instrument": None, "skymap": "rings", "tract": 9813}
    judged = [
        row("PA1", 4.0 + 2 * number + 0.1 * place, band=band, error=0.2, unit="mmag", **tract)
        for place, band in enumerate(_BANDS)
    ]
    failed = row(
        "PF1", float("nan"), error=float("nan"), unit="%", status="failed", message="no stars", **tract
    )
    return [*values, *judged, failed]


def fill_all(engine: sa.Engine) -> None:
    """Put something on every page.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        An empty metrics database.
    """
    synchronize(engine, {name: METRICS[name] for name in ("PA1", "PF1", "seeing", "m5")})
    for number, run in enumerate(RUNS):
        created = datetime.datetime(2026, 1, 7 * (number + 1), 4)
        write_batch(engine, batch(run, _rows(number), created=created), "/repo/main", "u/someone/qa")
    regions = [
        Region(
            "visit",
            tuple((10 + x + visit, y) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))),
            instrument="Cam",
            visit=1000 + visit,
        )
        for visit in range(SQUARES)
    ]
    keep_regions(engine, regions)
    _logs(engine)
    add_job(engine, "demo", {"stars": 200}, "erin", 3)
    add_annotation(engine, "erin", "The first week.", run=RUNS[0])
    ledger, planned = Ledger(engine), shelf_of(4).planned
    names = [one.dataset for one in planned]
    ledger.plan("archive", planned)
    ledger.claim("archive", names, 4)
    done = [Settled(name, "acknowledged", 9) for name in names[:3]]
    ledger.settle("archive", [*done, Settled(names[3], "dead", 9, None, [3], "value is not finite")])


def _logs(engine: sa.Engine) -> None:
    found = get_run(engine, RUNS[-1])
    assert found is not None
    quantum = {
        "run_id": found.run_id,
        "source": "s",
        "harvested_at": datetime.datetime(2026, 1, 8),
        "instrument": "Cam",
        "n_records": 3,
        "n_below": 1,
        "n_over": 0,
        "n_shortened": 0,
        "attempts": 1,
        "quantum_id": 1,
        "task": "sourceMetrics",
        "status": "failed",
        "content_hash": "1",
        "exception_type": "MetricRunError",
        "exception_message": "No stars are left.",
        "memory": 5 << 20,
        "memory_before": 2 << 20,
        "wall": 3.0,
        "visit": 1001,
        "data_id": "instrument=Cam visit=1001",
    }
    records = [
        {
            "record_id": number,
            "quantum_id": 1,
            "attempt": 1,
            "record_number": number,
            "level": level,
            "logger": "lsst",
            "message": message,
            "exception": "Traceback: at the end" if level == 40 else None,
        }
        for number, level, message in (
            (1, 20, "All is read."),
            (2, 30, "Few stars."),
            (3, 40, "No stars are left."),
        )
    ]
    with engine.begin() as connection:
        connection.execute(sa.insert(tables().quantum), [quantum])
        with texts_indexed(connection, tables().log_record):
            connection.execute(sa.insert(tables().log_record), records)


@contextlib.contextmanager
def serving(engine: sa.Engine) -> Iterator[str]:
    """Serve the dashboard of a database.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.

    Yields
    ------
    url : `str`
        Its address, without a slash at the end.
    """
    token = Token("erin", True, hashlib.sha256(TOKEN.encode()).digest())
    app = create_app(engine, Settings(tokens=(token,), rate=1e6))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


class Chromium(unittest.TestCase):
    """Tests that share one Chromium; a developer without one says so."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        if os.environ.get("QA_SKIP_BROWSER"):
            raise unittest.SkipTest("QA_SKIP_BROWSER is set")
        program = next((found for name in _PROGRAMS if (found := shutil.which(name))), None)
        playwright = cls.enterClassContext(sync_playwright())
        try:
            # Without a program on the path it is playwright's own, if any.
            cls.chromium = playwright.chromium.launch(
                executable_path=program, args=["--no-sandbox", "--disable-gpu"]
            )
        except Error as error:
            raise RuntimeError(f"No Chromium starts; QA_SKIP_BROWSER=1 skips these tests: {error}") from error
        cls.addClassCleanup(cls.chromium.close)

    def open(self, dark: bool = False, narrow: bool = False, script: bool = True) -> Page:
        """Open an empty page, whose errors make the test fail.

        Parameters
        ----------
        dark, narrow : `bool`, optional
            How it looks.
        script : `bool`, optional
            Whether it runs scripts.

        Returns
        -------
        page : `playwright.sync_api.Page`
            The page.
        """
        context = self.chromium.new_context(
            viewport={"width": 390, "height": 844} if narrow else {"width": 1280, "height": 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
        )
        self.addCleanup(context.close)
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda one: said.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        self.addCleanup(lambda: self.assertEqual(said, []))
        return page

    def drawn(self, page: Page) -> int:
        """Wait until all charts are drawn.

        Parameters
        ----------
        page : `playwright.sync_api.Page`
            The page.

        Returns
        -------
        number : `int`
            How many there are.
        """
        page.wait_for_function(
            "[...document.querySelectorAll('.chart')].every((node) => node.firstElementChild?.shadowRoot)"
        )
        return page.locator(".chart").count()

    def assert_sound(self, page: Page, axe: bool = True) -> None:
        """Check that a page fits its window and everybody can use it.

        Parameters
        ----------
        page : `playwright.sync_api.Page`
            The page.
        axe : `bool`, optional
            Whether to check the rules of accessibility, which takes longer.
        """
        self.drawn(page)
        self.assertEqual(page.evaluate("document.documentElement.scrollWidth - innerWidth"), 0, page.url)
        self.assertEqual(page.locator("h1").count(), 1, page.url)
        if axe:
            page.evaluate(AXE_SCRIPT)
            rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
            # It would read styles a second time, which files do not allow.
            asked = {"runOnly": rules, "resultTypes": ["violations"], "preload": False}
            found = page.evaluate("(asked) => axe.run(asked)", asked)
            told = [
                f"{fault['id']}: {node['target']} {node['failureSummary'][:300]}"
                for fault in found["violations"]
                for node in fault["nodes"][:3]
            ]
            self.assertEqual(told, [], page.url)
