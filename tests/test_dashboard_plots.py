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

"""The plots of a data ID, drawn of the tables of a simulated survey."""

from __future__ import annotations

import datetime
import json
import math
import tempfile
import unittest
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from support_dashboard import HOSTILE, Browser, row

from lsst.qa.catalogue import METRICS
from lsst.qa.dashboard.copying import copy_site
from lsst.qa.results import from_rows
from lsst.qa.simulate import Survey, visit_ids, write_repository
from lsst.qa.store.batches import Batch, Origin, Provenance
from lsst.qa.store.database import connect
from lsst.qa.store.definitions import synchronize
from lsst.qa.store.insertion import write_batch

SURVEY = Survey(stars=300, galaxies=100, visits=3, bands="gri")
VISIT = visit_ids(SURVEY)[0]
TRACT = "skymap=sim_v1&tract=0"
OF_VISIT = f"instrument=SimCam&visit={VISIT}"


def fill(engine: sa.Engine, repo: str, run: str, rows: list[dict[str, Any]]) -> None:
    """Load rows of results of a repository."""
    made = Provenance("sourceMetrics", 1, "0" * 64, datetime.datetime(2026, 1, 9), {"numpy": "2"})
    origin = Origin(str(uuid.uuid4()), run, "qa_source_metrics", None, made)
    write_batch(engine, Batch([origin], np.array([len(rows)]), from_rows(rows)), repo, "u/me")


class PlotsTestCase(unittest.TestCase):
    """Pages over a repository that is at hand, and one that is not."""

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        repo = Path(folder.name) / "repo"
        write_repository(repo, SURVEY, lambda *_: None)
        engine = connect(f"sqlite:///{folder.name}/qa.sqlite3", create=True)
        cls.addClassCleanup(engine.dispose)
        synchronize(engine, {name: METRICS[name] for name in ("PA1", "e1_residual_median")})
        here = {"instrument": "SimCam", "skymap": None, "tract": None, "visit": VISIT}
        fill(
            engine,
            str(repo),
            "u/me/here",
            [
                row("e1_residual_median", "g", 0.1, **here),
                row("e1_residual_median", "g", 0.1, **here, detector=4),
                row("e1_residual_median", "g", math.nan, **here, detector=99),
                row("PA1", "r", 5.0, instrument="SimCam", skymap="sim_v1", tract=0),
                row("PA1", "r", 5.0, instrument="SimCam", skymap="sim_v1", tract=77),
            ],
        )
        fill(engine, f"{folder.name}/nowhere", "u/me/gone", [row("PA1", "r", 5.0, **{**here, "visit": 5})])
        cls.engine, cls.folder = engine, Path(folder.name)
        cls.browser = Browser(engine)

    def shown(self, path: str, status: int = 200) -> Any:
        answer = self.browser.get(path)
        self.assertEqual(answer.status_code, status, answer.text[:500])
        return answer.json() if ".json" in path else answer.text

    def test_plots_that_there_are(self) -> None:
        plots = {one["name"]: one for one in self.shown(f"/data.json?{TRACT}")["plots"]}
        self.assertEqual(plots["magnitude_scatter"]["bands"], ["g", "r", "i"])
        wanted = {"repeatability", "stellar_locus", "completeness", "size_magnitude", "rho_statistics"}
        self.assertLessEqual(wanted, set(plots))
        visit = {one["name"] for one in self.shown(f"/data.json?{OF_VISIT}")["plots"]}
        self.assertLessEqual({"sky_sources", "sky_background", "residual_whiskers"}, visit)
        self.assertNotIn("repeatability", visit)
        page = self.shown(f"/data?{OF_VISIT}")
        self.assertIn('id="chart-plot"', page)
        self.assertIn("plot.pdf?", page)

    def test_copied(self) -> None:
        """Pages as files have as many plots as are asked for."""
        for plots in (0, 2):
            copied = copy_site(self.engine, self.folder / "site", ["u/me/here"], 100, plots)
            root = copied.index.parent
            self.assertEqual((copied.faults, len(list(root.glob("plot/*.html")))), ([], plots))
            self.assertGreater(copied.left_out, 0)
        self.assertIn('id="chart-plot"', next(root.glob("plot/*.html")).read_text())

    def test_nothing_to_draw(self) -> None:
        page = self.shown(f"/plot?{OF_VISIT}&detector=99&name=sky_sources")
        self.assertIn("There is nothing to draw", page)
        self.assertIn("Plots", self.shown(f"/data?{OF_VISIT}&detector=99"))

    def test_every_plot(self) -> None:
        for place in (TRACT, OF_VISIT):
            for one in self.shown(f"/data.json?{place}")["plots"]:
                path = f"?{place}&name={one['name']}"
                with self.subTest(path):
                    twin = self.shown(f"/plot.json{path}")
                    self.assertGreater(twin["n"], 0)
                    self.assertEqual(twin["drawing"]["n"], twin["n"])
                    page = self.shown(f"/plot{path}")
                    self.assertIn('id="chart-plot"', page)
        picture = self.browser.get(f"/plot.png?{OF_VISIT}&name=sky_sources")
        self.assertEqual(picture.headers["content-type"], "image/png")
        self.assertTrue(picture.content.startswith(b"\x89PNG"))
        picture = self.browser.get(f"/plot.pdf?{TRACT}")
        self.assertEqual(picture.headers["content-type"], "application/pdf")

    def test_instrument_and_skymap_may_be_left_out(self) -> None:
        self.assertEqual(self.shown("/plot.json?tract=0")["data_id"]["skymap"], "sim_v1")
        self.assertEqual(self.shown(f"/plot.json?visit={VISIT}")["data_id"]["instrument"], "SimCam")

    def test_detector_and_band(self) -> None:
        whole = self.shown(f"/plot.json?{OF_VISIT}&name=size_magnitude")
        part = self.shown(f"/plot.json?{OF_VISIT}&detector=4&name=size_magnitude")
        self.assertTrue(0 < part["n"] < whole["n"])
        drawn = {self.shown(f"/plot.json?{TRACT}&name=size_magnitude&band={band}")["n"] for band in "gr"}
        self.assertEqual(len(drawn), 2)

    def test_chart_opens_a_source(self) -> None:
        page = self.shown(f"/plot?{OF_VISIT}&name=size_magnitude")
        text = page.partition('id="chart-plot-data">')[2].partition("</script>")[0]
        chart = json.loads(text)
        held = next(columns for columns in chart["columns"].values() if "id" in columns)
        rows = self.shown(chart["row"].replace("/rows?", "/rows.json?") + held["id"][0])["rows"]
        self.assertEqual([one[0] for one in rows], [held["id"][0]])

    def test_rows(self) -> None:
        found = self.shown(f"/rows.json?{OF_VISIT}&metric=e1_residual_median")
        self.assertEqual((found["table"], found["key"]), ("source", "sourceId"))
        self.assertTrue(found["rows"])
        detector = list(found["columns"]).index("detector")
        part = self.shown(f"/rows.json?{OF_VISIT}&metric=e1_residual_median&detector=4")
        self.assertEqual({one[detector] for one in part["rows"]}, {"4"})
        page = self.shown(f"/rows?{TRACT}&metric=PA1&band=r")
        self.assertIn("The rows behind PA1", page)
        self.assertIn("offset=100", page)
        following = self.shown(f"/rows.json?{TRACT}&metric=PA1&band=r&offset=100")
        self.assertEqual(following["offset"], 100)
        self.assertIn("/rows?", self.shown(f"/data?{OF_VISIT}"))

    def test_no_repository(self) -> None:
        page = self.shown("/data?instrument=SimCam&visit=5")
        self.assertIn("cannot be opened from here", page)
        self.assertNotIn("chart-plot", page)
        for path in ("/plot", "/rows", "/plot.png"):
            self.assertIn("cannot be opened", self.shown(f"{path}?instrument=SimCam&visit=5", 404))

    def test_no_tables(self) -> None:
        told = self.shown("/data.json?skymap=sim_v1&tract=77")["no_plots"]
        self.assertIn("no table of it", told)

    def test_hostile(self) -> None:
        for path, status in (
            ("/plot", 422),
            ("/plot?visit=one", 422),
            (f"/plot?{TRACT}&name={HOSTILE}", 404),
            (f"/plot?{TRACT}&name=..%2F..%2Fetc%2Fpasswd", 404),
            (f"/plot?{TRACT}&name=sky_background", 404),
            (f"/plot?{TRACT}&name=size_magnitude&band={HOSTILE}", 404),
            (f"/plot?{TRACT}&run={HOSTILE}", 404),
            (f"/plot?skymap={HOSTILE}&tract=0", 404),
            ("/plot?skymap=' OR 1=1 --&tract=0", 404),
            ("/plot?tract=99999999999999999999", 422),
            ("/plot?visit=-1", 404),
            (f"/rows?{TRACT}&metric={HOSTILE}", 404),
            (f"/rows?{TRACT}&table={HOSTILE}", 404),
            (f"/rows?{TRACT}&table=execution", 404),
            (f"/rows?{TRACT}&offset=-1", 422),
            (f"/rows?{TRACT}&id=99999999999999999999", 422),
            (f"/rows?{TRACT}&table=object&band={HOSTILE}", 200),
        ):
            answer = self.browser.get(path)
            with self.subTest(path):
                self.assertEqual(answer.status_code, status, answer.text[:300])
                self.assertNotIn("<script>alert", answer.text)


if __name__ == "__main__":
    unittest.main()
