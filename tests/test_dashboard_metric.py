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

"""The page of a metric measured by runs of several datasets."""

from __future__ import annotations

import datetime
import json
import tempfile
import unittest
from pathlib import Path
from typing import Any

from support_dashboard import Browser, fill, row

from lsst.qa.store.annotations import add_annotation
from lsst.qa.store.database import connect

WEEKLY = [f"u/someone/qa/w_2026_{week:02d}/202601{week:02d}T040000Z" for week in range(1, 21)]
NIGHTLY = [f"nightly/2026010{day}T120000Z" for day in (1, 2)]


class DatasetsTestCase(unittest.TestCase):
    """Runs of one dataset at a time, and what changed within it."""

    @classmethod
    def setUpClass(cls) -> None:
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        engine = connect(str(Path(folder) / "qa.sqlite3"), create=True)
        cls.addClassCleanup(engine.dispose)
        for name in NIGHTLY:
            fill(engine, name, [row("PA1", "r", 50.0, instrument="LSSTComCam")])
        for place, name in enumerate(WEEKLY):
            # As if another package had made it worse by half.
            fill(engine, name, [row("PA1", "r", (4.0 if place < 10 else 6.0) + 0.01 * (place % 3))])
        add_annotation(engine, "erin", "New camera.", run=WEEKLY[3])
        add_annotation(engine, "erin", "Another visit.", run=WEEKLY[3], instrument="HSC", visit=7)
        cls.browser = Browser(engine)

    def data(self, query: str = "", status: int = 200) -> dict[str, Any]:
        answer = self.browser.get(f"/metrics/PA1.json{query}")
        self.assertEqual(answer.status_code, status, answer.text)
        return answer.json()

    def test_the_dataset_of_the_latest_run_is_shown(self) -> None:
        data = self.data()
        self.assertEqual({point["run"] for point in data["history"]}, set(WEEKLY))
        self.assertEqual(data["dataset"], "u/someone/qa/w_*_*")
        self.assertEqual(sorted(data["datasets"]), ["nightly", "u/someone/qa/w_*_*"])

    def test_another_dataset(self) -> None:
        for query in ("?dataset=nightly", f"?run={NIGHTLY[0]}"):
            data = self.data(query)
            self.assertEqual({point["run"] for point in data["history"]}, set(NIGHTLY))
        self.assertEqual(self.data("?dataset=nightly")["run"], NIGHTLY[1])
        self.data("?dataset=monthly", 404)

    def test_all_datasets(self) -> None:
        data = self.data("?dataset=all")
        self.assertEqual(len(data["history"]), len(WEEKLY) + len(NIGHTLY))
        self.assertEqual(data["instruments"], ["HSC", "LSSTComCam"])
        data = self.data("?dataset=all&instrument=LSSTComCam")
        self.assertEqual({point["run"] for point in data["history"]}, set(NIGHTLY))
        self.data("?instrument=DECam", 404)

    def test_a_level_changes_within_a_dataset(self) -> None:
        """Not where a run of another dataset comes between."""
        for query in ("", "?dataset=all"):
            (change,) = self.data(query)["changes"]
            self.assertEqual((change["before"], change["run"]), (WEEKLY[9], WEEKLY[10]))
            self.assertAlmostEqual(change["shifts"][0]["after"], 6.01, delta=0.02)

    def test_what_is_noted_of_a_run_is_marked(self) -> None:
        self.assertEqual([note["text"] for note in self.data()["notes"]], ["New camera."])
        self.assertEqual(self.data("?dataset=nightly")["notes"], [])
        page = self.browser.get("/metrics/PA1").text
        held = page.partition('id="chart-history-data">')[2].partition("</script>")[0]
        columns = json.loads(held)["columns"]
        self.assertEqual(columns["notes"]["told"], ["erin: New camera."])
        self.assertIn("after=", columns["shifts"]["url"][0])
        self.assertIn(f'href="/data?run={WEEKLY[-1].replace("/", "%2F")}', page)


class LongRunTestCase(unittest.TestCase):
    """More values than a chart can hold."""

    def test_all_are_drawn_by_stretches_of_time(self) -> None:
        folder = self.enterContext(tempfile.TemporaryDirectory())
        engine = connect(str(Path(folder) / "qa.sqlite3"), create=True)
        self.addCleanup(engine.dispose)
        start = datetime.datetime(2026, 1, 1)
        rows = [
            row(
                "seeing",
                "r",
                9.0 if visit == 2500 else 1.0,
                unit="arcsec",
                visit=visit,
                tract=None,
                skymap=None,
                obs_time=start + datetime.timedelta(minutes=visit),
            )
            for visit in range(3000)
        ]
        fill(engine, WEEKLY[0], rows)
        browser = Browser(engine)
        data = browser.get("/metrics/seeing.json").json()
        self.assertEqual(len(data["rows"]), 2000)
        self.assertEqual(sum(one["n"] for one in data["course"]), 3000)
        page = browser.get("/metrics/seeing").text
        columns = json.loads(page.partition('id="chart-rows-data">')[2].partition("</script>")[0])["columns"]
        self.assertLessEqual(len(columns["band:r"]["x"]), 250)
        self.assertEqual(max(_plain(columns["band:r"]["high"])), 9.0)
        self.assertIn("mean of a stretch of time", page)


def _plain(column: Any) -> list[float]:
    """Write a column out that says nothing twice."""
    return column if isinstance(column, list) else [column["words"][place] for place in column["at"]]


if __name__ == "__main__":
    unittest.main()
