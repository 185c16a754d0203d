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

"""The page of nights: visits against metrics."""

from __future__ import annotations

import unittest
from typing import Any

from support_dashboard import Browser
from support_store import OnPostgres, OnSqlite, batch, row

from lsst.qa.dashboard.arrange import dataset_of
from lsst.qa.dashboard.views.nights import table, tint
from lsst.qa.metric import srd
from lsst.qa.store.insertion import write_batch
from lsst.qa.store.nights import last_night, list_nights

NIGHT = 20261121


class NightsTests:
    """Two nights, one of them with two instruments."""

    def setUp(self) -> None:
        super().setUp()  # type: ignore[misc]
        rows = [
            row("m5", 24.0 + 0.1 * visit, visit=visit, unit="mag", day_obs=NIGHT, detector=detector)
            for visit in range(1, 7)
            for detector in (None, 3)
        ]
        rows += [row("m5", 20.0, visit=7, unit="mag", day_obs=NIGHT)]
        rows += [row("seeing", 1.0, visit=1, unit="arcsec", day_obs=NIGHT, status="undefined", message="why")]
        rows += [row("m5", 23.0, visit=50, unit="mag", day_obs=NIGHT, instrument="Other", band="g")]
        rows += [row("m5", 23.0, visit=2, unit="mag", day_obs=NIGHT - 7), row("AM1", 4.0, tract=1)]
        write_batch(self.engine, batch("u/nights", rows), "", "")  # type: ignore[attr-defined]

    def test_list(self: Any) -> None:
        found = [(one.day_obs, one.instrument, one.visits, one.bands) for one in list_nights(self.engine)]
        last = [(NIGHT, "Cam", 7, ("r",)), (NIGHT, "Other", 1, ("g",))]
        self.assertEqual(found, [*last, (NIGHT - 7, "Cam", 1, ("r",))])
        self.assertEqual(len(list_nights(self.engine, 1)), 2)
        self.assertEqual([one.day_obs for one in list_nights(self.engine, before=NIGHT)], [NIGHT - 7])
        self.assertEqual(last_night(self.engine)["day_obs"], NIGHT)


class SqliteTestCase(NightsTests, OnSqlite, unittest.TestCase):
    """In a file, with the page."""

    def test_page(self) -> None:
        browser = Browser(self.engine)
        shown = browser.get("/nights.json").json()
        self.assertEqual((shown["day_obs"], shown["instrument"]), (NIGHT, "Cam"))
        self.assertEqual([visit["visit"] for visit in shown["visits"]], [7, 6, 5, 4, 3, 2, 1])
        self.assertEqual(shown["visits"][0]["cells"]["m5"]["value"], 20.0)
        self.assertLess(shown["visits"][0]["cells"]["m5"]["away"], -10.0)
        page = browser.get(f"/nights/{NIGHT}").text
        self.assertIn("low-4", page)
        self.assertIn("why", page)
        other = browser.get(f"/nights/{NIGHT}.json?instrument=Other").json()
        self.assertEqual([visit["visit"] for visit in other["visits"]], [50])
        for path in ("/nights/20200101", "/nights/x", f"/nights/{NIGHT}?instrument=None"):
            self.assertEqual(browser.get(path).status_code, 404, path)
        self.assertIn(f"/nights/{NIGHT}", browser.get("/").text)


class PostgresTestCase(NightsTests, OnPostgres, unittest.TestCase):
    """On a server."""


class PartsTestCase(unittest.TestCase):
    """What the page is made of."""

    def test_thresholds_come_first(self) -> None:
        rows = [
            {**row(name, 1.0, visit=1), "obs_time": None, "physical_filter": None, "message": None}
            for name in ("a", "PA1.x", "PA1")
        ]
        shown = table(rows, {"PA1": srd(3, 2, 0.5, bands="r"), "PA1.x": srd(3, 0.5, 0.1)})
        self.assertEqual([metric["name"] for metric in shown["metrics"]], ["PA1", "PA1.x", "a"])
        states = {name: cell["state"] for name, cell in shown["visits"][0]["cells"].items()}
        self.assertEqual(states, {"a": "none", "PA1.x": "fail", "PA1": "pass"})
        self.assertIsNone(shown["visits"][0]["cells"]["a"]["away"])
        self.assertEqual((shown["judged"], shown["missed"]), (2, [{"metric": "PA1.x", "visits": 1}]))

    def test_tint(self) -> None:
        for away, style in ((None, ""), (1.9, ""), (2.0, "high-1"), (-3.5, "low-2"), (99.0, "high-4")):
            self.assertEqual(tint(away), style)

    def test_dataset(self) -> None:
        self.assertEqual(dataset_of("u/me/w_2026_45/20261102T140800Z"), "u/me/w_*_*")
        self.assertEqual(dataset_of("20261102T140800Z"), "20261102T140800Z")
        self.assertNotEqual(dataset_of("HSC/runs/RC2"), dataset_of("HSC/runs/RC3"))
