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

import datetime
import json
import math
import unittest
import urllib.parse

from hypothesis import given
from hypothesis import strategies as st

from lsst.qa.dashboard import arrange, bars, text
from lsst.qa.dashboard.charts.history import history_chart
from lsst.qa.dashboard.charts.levels import room
from lsst.qa.dashboard.charts.rows import rows_chart
from lsst.qa.dashboard.charts.thin import thinned
from lsst.qa.dashboard.links import Links, split_twin
from lsst.qa.metric import Spec, srd


class TextTestCase(unittest.TestCase):
    """Numbers and times as a reader sees them."""

    def test_rounded(self) -> None:
        for value, error, expected in (
            (4.3123, 0.0812, "4.312 ± 0.081"),
            (4.40731e-7, 1.2e-8, "(4.41 ± 0.12) × 10⁻⁷"),
            (-3.2, 0.0996, "−3.20 ± 0.10"),
            (4.3, None, "4.300"),
            (-103.0, None, "−103"),
            (103.0, 10.1, "103 ± 10"),
            (1.5e-9, None, "1.500 × 10⁻⁹"),
            (math.nan, 1.0, "–"),
            (None, None, "–"),
        ):
            self.assertEqual(text.rounded(value, error), expected)

    def test_number(self) -> None:
        values = (5.0, 7.5, 2e-7, -25.0, 0.0, math.inf, None)
        self.assertEqual([text.number(v) for v in values], ["5", "7.5", "2 × 10⁻⁷", "−25", "0", "–", "–"])

    def test_short(self) -> None:
        values = (24.66, 0.023456, 123456.0, 4003.2, 151.2, 9.0, -0.5, math.nan)
        expected = ["24.7", "0.0235", "1.23 × 10⁵", "4003", "151", "9", "−0.500", "–"]
        self.assertEqual([text.short(v) for v in values], expected)

    def test_a_change_is_told_apart(self) -> None:
        for before, after, expected in (
            (24.031, 23.964, "24.03 → 23.96"),
            (0.2, 0.3, "0.200 → 0.300"),
            (5.0, 5.0, "5 → 5"),
            (5.0, None, "5 → –"),
        ):
            self.assertEqual(text.change(before, after), expected)

    def test_units(self) -> None:
        units = ("mag / arcsec2", "pixel2", "mmag", "s-1", "", None)
        self.assertEqual(
            [text.unit(name) for name in units], ["mag / arcsec²", "pixel²", "mmag", "s⁻¹", "", ""]
        )
        self.assertEqual([text.labelled("PA1", name) for name in ("mmag", "")], ["PA1 (mmag)", "PA1"])

    def test_times_are_utc(self) -> None:
        zone = datetime.timezone(datetime.timedelta(hours=-3))
        for time in (datetime.datetime(2026, 3, 1, 4, 30), datetime.datetime(2026, 3, 1, 1, 30, tzinfo=zone)):
            self.assertEqual(text.utc(time), "2026-03-01 04:30 UTC")
            self.assertEqual(text.iso(time), "2026-03-01T04:30:00Z")
        self.assertEqual(text.utc(None), "–")

    def test_times_in_full_are_tai_too(self) -> None:
        for time, expected in (
            (datetime.datetime(2026, 3, 1, 4, 30), "2026-03-01 04:30:00 UTC = 04:30:37 TAI"),
            (
                datetime.datetime(2016, 12, 31, 23, 59, 30, 5000),
                "2016-12-31 23:59:30.005 UTC = 2017-01-01 00:00:06.005 TAI",
            ),
            (datetime.datetime(2080, 1, 1), "2080-01-01 00:00:00 UTC = 00:00:37 TAI"),
        ):
            self.assertEqual(text.moment(time), expected)

    def test_json_has_no_nan(self) -> None:
        with self.assertRaises(ValueError):
            text.to_json({"value": math.nan})


class LinksTestCase(unittest.TestCase):
    """Every name has an address, and every address one name."""

    @given(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
        st.sampled_from(["", "/qa", "a b/"]),
        st.booleans(),
    )
    def test_runs_come_back(self, name: str, root: str, twin: bool) -> None:
        links = Links(root)
        parts = urllib.parse.urlsplit(links.run(name, twin=twin, state="fail"))
        self.assertTrue(links.run(name).isascii())
        self.assertEqual(f"{parts.scheme}{parts.netloc}{parts.fragment}", "")
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
        self.assertEqual(query.pop("state"), "fail")
        path, is_twin = split_twin(urllib.parse.unquote(parts.path.removeprefix(links.root)))
        self.assertEqual(is_twin, twin)
        self.assertEqual(path.removeprefix("/runs/") if path != "/run" else query["name"], name)

    def test_pages(self) -> None:
        links = Links("/qa/")
        self.assertEqual(links.page(), "/qa/")
        self.assertEqual(links.page(twin=True), "/qa/index.json")
        self.assertEqual(
            links.metric("PA1.faro", twin=True, band="r", run=None), "/qa/metrics/PA1.faro.json?band=r"
        )


class ArrangeTestCase(unittest.TestCase):
    """Orders and shapes."""

    def test_natural_key(self) -> None:
        names = ["AM10", "e1", "AM2", "AM2.faro", "10", "PA1"]
        self.assertEqual(
            sorted(names, key=arrange.natural_key), ["10", "AM2", "AM2.faro", "AM10", "PA1", "e1"]
        )

    def test_bands(self) -> None:
        bands = ["y", None, "u", "clear", "r"]
        self.assertEqual(sorted(bands, key=arrange.band_key), ["u", "r", "y", "clear", None])

    def test_a_visit_tells_its_day(self) -> None:
        row = {"instrument": "HSC", "day_obs": 20150518, "physical_filter": "HSC-R"}
        self.assertEqual(arrange.where(row), "HSC, day_obs 20150518")
        self.assertEqual(arrange.where({**row, "visit": 7, "detector": 0}), "HSC, visit 7, detector 0")
        self.assertEqual(arrange.place({**row, "visit": 7, "tract": None}), {"instrument": "HSC", "visit": 7})

    def test_matrix(self) -> None:
        cells = [{"metric": m, "band": b} for m, b in (("A", "r"), ("A", "g"), ("B", "r"))]
        drawn = arrange.matrix(cells)
        self.assertEqual(drawn["bands"], ["g", "r"])
        self.assertEqual(drawn["rows"], [("A", [cells[1], cells[0]]), ("B", [None, cells[2]])])

    def test_worst_first(self) -> None:
        def judged(value: float | None, state: str, op: str = "<=") -> dict[str, object]:
            return {"value": value, "threshold": 5.0, "op": op, "state": state}

        rows = [judged(4.0, "pass"), judged(6.0, "fail"), judged(None, "unknown"), judged(9.0, "fail")]
        self.assertEqual([row["value"] for row in arrange.worst_first(rows)], [9.0, 6.0, None, 4.0])
        rows = [judged(4.0, "fail", ">="), judged(1.0, "fail", ">=")]
        self.assertEqual([row["value"] for row in arrange.worst_first(rows)], [1.0, 4.0])


class BarTestCase(unittest.TestCase):
    """A value beside its threshold."""

    def test_places(self) -> None:
        drawn = bars.bar(2.5, 1.0, 5.0, "<=", [8.0, 5.0, 3.0])
        half, inner = bars.WIDTH / 2, bars.WIDTH / 2 - 6
        self.assertEqual(drawn.threshold, half)
        self.assertEqual(drawn.value, half - inner / 2)
        self.assertAlmostEqual(drawn.high - drawn.value, inner / 5, delta=0.11)
        self.assertAlmostEqual(drawn.value - drawn.low, inner / 5, delta=0.11)
        self.assertEqual((drawn.good_from, drawn.good_to), (0.0, half))
        self.assertEqual(len(drawn.levels), 2)
        self.assertEqual((drawn.beyond, drawn.ratio), (0, 0.5))

    def test_depths_are_drawn_on_the_scale_of_their_levels(self) -> None:
        drawn = bars.bar(24.5, 0.05, 24.7, ">=", [24.3, 24.7, 24.8])
        self.assertAlmostEqual(drawn.value, bars.WIDTH / 2 - (bars.WIDTH / 2 - 6) / 4, delta=0.11)
        self.assertEqual((drawn.good_from, drawn.good_to), (bars.WIDTH / 2, bars.WIDTH))

    def test_outside(self) -> None:
        self.assertEqual(bars.bar(50.0, None, 5.0, "<=").beyond, 1)
        self.assertEqual(bars.bar(10.0, None, 24.7, ">=", [24.3]).beyond, -1)

    def test_nothing_to_draw(self) -> None:
        for value, threshold in ((None, 5.0), (math.nan, 5.0), (3.0, None)):
            self.assertIsNone(bars.bar(value, 0.1, threshold, "<="))

    @given(*[st.floats(-1e9, 1e9) for _ in range(3)], st.sampled_from(["<=", ">="]))
    def test_all_is_inside(self, value: float, error: float, threshold: float, op: str) -> None:
        drawn = bars.bar(value, abs(error), threshold, op, [threshold, threshold + 1])
        places = (drawn.value, drawn.low, drawn.high, drawn.good_from, drawn.good_to, *drawn.levels)
        self.assertTrue(all(0 <= place <= bars.WIDTH for place in places))
        self.assertLessEqual(drawn.low, drawn.value)
        self.assertLessEqual(drawn.value, drawn.high)


class ChartTestCase(unittest.TestCase):
    """What goes to the browser to be drawn."""

    @staticmethod
    def point(
        band: str | None, value: float, minute: int = 0, error: float | None = 0.5
    ) -> dict[str, object]:
        time = datetime.datetime(2026, 1, 1, 0, minute)
        return {
            "band": band,
            "time": time,
            "value": value,
            "error": error,
            "n": 3,
            "state": "pass",
            "run": "</script>",
        }

    def test_history(self) -> None:
        points = [self.point("y", 1.0), self.point("g", 2.0, error=None), self.point(None, math.nan)]
        written = history_chart(points, srd(8, 5, 3, bands="gri"), "PA1 (mmag)")
        self.assertNotIn("<", written)
        chart = json.loads(written)
        self.assertEqual(
            [name for name in chart["columns"] if "band" in name], ["band:g", "band:y", "band:all"]
        )
        self.assertEqual(chart["columns"]["band:y"]["x"], [1767225600000])
        self.assertEqual(chart["columns"]["band:y"]["error"], [0.5])
        self.assertEqual(chart["columns"]["band:g"]["error"], [None])
        self.assertEqual(chart["columns"]["band:all"]["y"], [None])
        self.assertEqual(chart["columns"]["missing"]["x"], [1767225600000])
        named = {"y": [8], "label": ["minimum gri ≤ 8"], "offset": [2]}
        self.assertEqual(chart["columns"]["level:minimum"], named)
        self.assertEqual(chart["columns"]["frame"]["y"], [5, 0.5, 1.5])

    def test_the_frame_has_room_for_error_bars_and_names(self) -> None:
        numbers = {"y": [1.0, 2.0, 3.0, 9.0], "error": [0.5, 0.5, 50.0, 0.1]}
        held = {"band:r": {"x": [0, 50, 100, None], **numbers}}
        # The third is hardly known, the fourth has no place.
        self.assertEqual(room(held, ()), {"x": [0, 0], "y": [0.5, 2.5]})
        self.assertEqual(room(held, srd(8, 5, 3)), {"x": [-10.0] * 3, "y": [5, 0.5, 2.5]})
        self.assertEqual(room({"band:r": {"x": [1], "y": [2.0], "error": [7.0]}}, ())["y"], [-5.0, 9.0])
        self.assertEqual(room({"band:r": {"x": [1], "y": [None], "error": [None]}}, srd(8, 5, 3))["y"], [])

    def test_what_changed_with_a_run_opens(self) -> None:
        time = datetime.datetime(2026, 1, 1)
        told = {"time": time, "told": "numpy 1 → 2", "url": "/compare", "shifts": [], "packages": [1]}
        note = {"time": time, "told": "erin: odd", "url": "#notes"}
        columns = json.loads(history_chart([self.point("r", 1.0)], (), "x", [told], [note]))["columns"]
        self.assertEqual(columns["packages"]["url"], ["/compare"])
        self.assertEqual(columns["shifts"]["x"], [])
        self.assertEqual(columns["notes"]["told"], ["erin: odd"])

    def test_sources_have_the_columns_that_are_sent(self) -> None:
        """Columns of a chart's description and of its data are named apart."""
        points = [self.point("r", float(k), k) for k in range(3)]
        for chart in map(json.loads, (history_chart(points, (), "x"), rows_chart(points, (), "x"))):
            described = {name: set(columns) for name, columns in _sources(chart["item"]["doc"])}
            sent = {name: set(columns) for name, columns in chart["columns"].items()}
            # What the script adds where there are errors.
            added = {"low", "high", "text"}
            self.assertEqual(
                described, {name: held | added if "error" in held else held for name, held in sent.items()}
            )

    def test_rows(self) -> None:
        points = [self.point("r", value, k) for k, value in enumerate((1.0, 1.0, 3.0, math.nan))]
        columns = json.loads(rows_chart(points, [Spec("design", 2.0)], "x"))["columns"]
        self.assertEqual(len(columns["band:r"]["y"]), 3)
        self.assertEqual((columns["bars"]["count"][0], columns["bars"]["count"][-1]), (2.0, 1.0))
        self.assertEqual((columns["bars"]["bottom"][0], columns["bars"]["top"][-1]), (1.0, 3.0))

    def test_long_columns_say_nothing_twice(self) -> None:
        points = [self.point(band, float(k), k % 60) for band in "gr" for k in range(60)]
        columns = json.loads(history_chart(points, (), "x"))["columns"]
        self.assertEqual(columns["band:g"]["y"], [float(k) for k in range(60)])
        self.assertEqual(columns["band:g"]["error"], {"words": [0.5], "at": [0] * 60})
        self.assertEqual({columns["band:r"][name] for name in ("x", "y", "error")}, {"band:g"})

    def test_many_points_are_thinned(self) -> None:
        start = datetime.datetime(2026, 1, 1)
        many = [
            {**self.point("r", math.sin(k / 999.0)), "time": start + datetime.timedelta(minutes=k)}
            for k in range(100_000)
        ]
        many[50_017]["value"], many[70_001]["value"] = 5.0, math.nan
        kept = thinned(many, 1000)
        self.assertLess(len(kept), 1001)
        self.assertEqual(kept, sorted(kept, key=lambda point: point["time"]))
        self.assertEqual(max(point["value"] for point in kept if point["value"] == point["value"]), 5.0)
        self.assertIn(many[70_001], kept)
        self.assertEqual(thinned(many[:1000], 1000), many[:1000])
        same = [{**point, "time": start} for point in many[:500]]
        self.assertLess(len(thinned(same, 100)), 100)

    def test_equal_values(self) -> None:
        points = [self.point("r", 0.0, k) for k in range(2)]
        columns = json.loads(rows_chart(points, (), "x"))["columns"]
        self.assertEqual(sum(columns["bars"]["count"]), 2)

    def test_too_few_rows(self) -> None:
        points = [self.point("r", 1.0), self.point("r", math.nan), {**self.point("r", 1.0), "time": None}]
        self.assertIsNone(rows_chart(points, (), "x"))


def _sources(described: object) -> list[tuple[str, list[str]]]:
    """Find the sources in Bokeh's description of a document."""
    if isinstance(described, list):
        return [source for item in described for source in _sources(item)]
    if not isinstance(described, dict):
        return []
    found = [source for item in described.values() for source in _sources(item)]
    if described.get("name") == "ColumnDataSource":
        held = described["attributes"]
        found.append((held["name"], [name for name, _ in held["data"]["entries"]]))
    return found


if __name__ == "__main__":
    unittest.main()
