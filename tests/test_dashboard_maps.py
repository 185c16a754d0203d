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

"""Where visits, tracts and detectors are, and the maps of them."""

from __future__ import annotations

import json
import tempfile
import unittest
from typing import Any

from support_butler import INSTRUMENT, SKYMAP, make_repository, put
from support_dashboard import Browser
from support_store import OnPostgres, OnSqlite, batch, row

from lsst.daf.butler import Butler
from lsst.qa.dashboard.charts.maps import shades
from lsst.qa.dashboard.fields import around, fields_of, grown
from lsst.qa.results import from_rows
from lsst.qa.store.database import connect
from lsst.qa.store.insertion import write_batch
from lsst.qa.store.load import load
from lsst.qa.store.regions import Places, Region, keep_regions, lacking, regions, regions_of

SQUARE = ((359.5, -0.5), (0.5, -0.5), (0.5, 0.5), (359.5, 0.5))


class RegionsTests:
    """Regions in a database; a kind of database inherits."""

    engine: Any

    def test_kept_once(self: Any) -> None:
        one = Region("visit", SQUARE, instrument="Old", visit=3)
        two = Region("detector", SQUARE, instrument="Old", detector=0, name="R00")
        for _ in range(2):
            keep_regions(self.engine, [one, two, Region("tract", SQUARE, skymap="sky", tract=5)])
        self.assertEqual(regions(self.engine, "visit", instrument="Old"), [one])
        self.assertEqual(regions(self.engine, "detector", instrument="Old"), [two])
        self.assertEqual(regions(self.engine, "tract", skymap="other"), [])
        wanted = Places({("Old", 3), ("Old", 4), ("New", 1)}, {("sky", 5)})
        left, cameras = lacking(self.engine, wanted)
        self.assertEqual((left.visits, left.tracts, cameras), ({("Old", 4), ("New", 1)}, set(), {"New"}))


class SqliteTestCase(RegionsTests, OnSqlite, unittest.TestCase):
    """In a file, with the pages."""

    def setUp(self) -> None:
        super().setUp()
        rows = [
            row("seeing", 0.5 + 0.1 * visit + 0.01 * (detector or 0), visit=visit, detector=detector)
            for visit in (1, 2, 3)
            for detector in (None, 0, 1, 2)
        ]
        rows.append(row("PA3", 7.0, skymap="sky", tract=5, instrument=None))
        write_batch(self.engine, batch("u/maps", rows), "", "")
        keep_regions(
            self.engine, [Region("visit", SQUARE, instrument="Cam", visit=visit) for visit in (1, 2)]
        )
        self.browser = Browser(self.engine)

    def shown(self, query: str) -> Any:
        answer = self.browser.get(f"/maps.json?{query}")
        self.assertEqual(answer.status_code, 200, answer.text)
        return answer.json()

    def test_sky(self) -> None:
        shown = self.shown("metric=seeing")
        self.assertEqual((len(shown["places"]), shown["unplaced"]), (3, 1))
        outlines = {place["data_id"]["visit"]: place["outline"] for place in shown["places"]}
        self.assertEqual(outlines[1][1][0] - outlines[1][0][0], 1.0, "a region over RA 0 is not torn")
        self.assertIsNone(outlines[3])
        page = self.browser.get("/maps?metric=seeing&band=r").text
        self.assertIn("1 of these values have no region", page)
        self.assertEqual(self.shown("metric=PA3")["unplaced"], 1)
        self.assertIn("does not know where", self.browser.get("/maps?metric=PA3").text)

    def test_fields(self) -> None:
        """What lies far apart is not drawn as slivers on one map."""
        far = [(ra + 150.0, dec + 2.0) for ra, dec in ((0, 0), (1, 0), (1, 1), (0, 1))]
        keep_regions(self.engine, [Region("visit", tuple(far), instrument="Cam", visit=3)])
        shown = self.shown("metric=seeing")
        self.assertEqual([field["n"] for field in shown["fields"]], [2, 1])
        self.assertAlmostEqual(shown["fields"][1]["ra"], 150.5, delta=0.01)
        self.assertEqual([place["field"] for place in shown["places"]], [0, 0, 1])
        for field, drawn in (("0", 2), ("1", 1), ("all", 3)):
            page = self.browser.get(f"/maps?metric=seeing&field={field}").text
            held = page.partition('id="chart-map-data">')[2].partition("</script>")[0]
            self.assertEqual(len(json.loads(held)["columns"]["map"]["xs"]), drawn)
        self.assertIn("150°, +3°", page)
        self.assertEqual(self.browser.get("/maps?metric=seeing&field=2").status_code, 404)

    def test_what_is_judged_comes_first(self) -> None:
        self.assertEqual(self.shown("")["metric"], "PA3")

    def test_camera(self) -> None:
        """Without a layout detectors stand in rows, else where they are."""
        places = self.shown("metric=seeing&kind=camera")["places"]
        self.assertEqual([round(place["value"], 6) for place in places], [0.7, 0.71, 0.72])
        self.assertEqual(len({str(place["outline"]) for place in places}), 3)
        held = [Region("detector", SQUARE, instrument="Cam", detector=d, name=f"S{d}") for d in range(3)]
        keep_regions(self.engine, held)
        places = self.shown("metric=seeing&kind=camera&visit=3")["places"]
        self.assertEqual(
            [(p["name"], round(p["value"], 6)) for p in places], [("S0", 0.8), ("S1", 0.81), ("S2", 0.82)]
        )

    def test_matrix(self) -> None:
        shown = self.shown("metric=seeing&kind=matrix")
        cells = [(place["detector"], place["row"]) for place in shown["places"]]
        self.assertEqual((len(cells), max(cells), shown["dropped"]), (9, (2, 2), 0))
        self.assertIn("chart-map", self.browser.get("/maps?metric=seeing&kind=matrix").text)
        self.assertIn("by: [detector]", self.browser.get("/maps?metric=PA3&kind=camera").text)

    def test_misuse(self) -> None:
        for query, status in (("metric=nothing", 404), ("run=nowhere", 404), ("kind=globe", 422)):
            self.assertEqual(self.browser.get(f"/maps?{query}").status_code, status, query)


class EmptyTestCase(OnSqlite, unittest.TestCase):
    """A database that is new."""

    def test_page_says_what_to_do(self) -> None:
        self.assertIn("lsst-qa load", Browser(self.engine).get("/maps").text)


class LoadTestCase(unittest.TestCase):
    """Regions come with the measurements."""

    def test_from_a_repository(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        butler = make_repository(f"{folder.name}/repo")
        self.addCleanup(butler.close)
        run = Butler.from_config(butler=butler, run="u/run")
        fields = {"value": 1.0, "n": 1, "unit": "", "status": "ok"}
        visit = [{"metric": "seeing", "instrument": INSTRUMENT, "visit": 11, "band": "r", **fields}]
        tract = [{"metric": "PA1", "skymap": SKYMAP, "tract": 0, "band": "r", **fields}]
        put(run, "qa_source_metrics", from_rows(visit), "ArrowTable", visit=11)
        put(run, "qa_object_metrics", from_rows(tract), "ArrowTable", tract=0)
        url = f"sqlite:///{folder.name}/qa.sqlite3"
        load(f"{folder.name}/repo", ["u/run"], url)
        engine = connect(url)
        self.addCleanup(engine.dispose)
        (found,) = regions(engine, "visit")
        self.assertEqual((found.instrument, found.visit, len(found.outline)), (INSTRUMENT, 11, 4))
        self.assertEqual([one.tract for one in regions(engine, "tract")], [0])
        for asked in ([11, 12, 13, 21], [11, 13], [12], [12, 13]):  # ranges, single ones, both
            wanted = Places(visits={(INSTRUMENT, visit) for visit in asked})
            self.assertEqual(sorted(one.visit or 0 for one in regions_of(butler, wanted)), asked)


class PostgresTestCase(RegionsTests, OnPostgres, unittest.TestCase):
    """On a server."""


class FieldsTestCase(unittest.TestCase):
    """Regions that lie together."""

    @staticmethod
    def square(ra: float, dec: float, size: float = 1.0) -> list[tuple[float, float]]:
        return [((ra + x) % 360.0, dec + y) for x, y in ((0, 0), (size, 0), (size, size), (0, size))]

    def test_found(self) -> None:
        outlines = [self.square(358.0, 0), None, self.square(1.0, 0), self.square(100.0, 88.0)]
        outlines += [self.square(280.0, 88.0), self.square(40.0, -30.0)]
        found = fields_of(outlines)
        self.assertEqual({field.members for field in found}, {(0, 2), (3, 4), (5,)})
        self.assertEqual(len(found[-1].members), 1)
        turned = around(outlines[2], 359.5)
        self.assertEqual([corner[0] for corner in turned], [361.0, 362.0, 362.0, 361.0])
        self.assertEqual(fields_of([None]), [])

    def test_a_chain_is_one_field(self) -> None:
        outlines = [self.square(5.0 * step, 0.0) for step in range(12)]
        self.assertEqual([field.members for field in fields_of(outlines)], [tuple(range(12))])

    def test_grown(self) -> None:
        made = grown(self.square(10.0, 20.0, 0.5), 3.0)
        self.assertEqual((made[0], made[2]), ([8.75, 18.75], [11.75, 21.75]))
        self.assertEqual(grown(self.square(10.0, 20.0, 4.0), 3.0)[2], [14.0, 24.0])


class ShadesTestCase(unittest.TestCase):
    """Colours."""

    def test_one_far_off(self) -> None:
        values = [*map(float, range(100)), 1e9, None]
        found = shades(values)
        self.assertLess(max(one for one in found if one is not None), 101.0)
        self.assertIsNone(found[-1])
        self.assertEqual(shades([None]), [None])
