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

"""Reading measurements and definitions that other packages wrote."""

from __future__ import annotations

import json
import math
import tempfile
import unittest
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from support_formats import BUNDLE, DATA, MEASUREMENT, needs_data, opened

from lsst.qa.errors import NotATableError
from lsst.qa.readers import Context, read_bundle, read_job, read_metric_value
from lsst.qa.readers.bundle import split_band
from lsst.qa.readers.package import read_package, read_specifications
from lsst.qa.results import SCHEMA
from lsst.resources import ResourcePath


class BundleTestCase(unittest.TestCase):
    """Bundles of analysis_tools."""

    def test_rows(self) -> None:
        data_id = {"skymap": "sky", "tract": 3}
        rows = read_bundle(
            opened(json.dumps(BUNDLE)), Context("objectTableCore_metrics", data_id)
        ).to_pylist()
        self.assertEqual(
            [(r["metric"], r["band"], r["value"], r["unit"], r["status"], r["tract"]) for r in rows],
            [
                ("analysis_tools.skyFlux.meanSky", "i", 12.5, "nJy", "ok", 3),
                ("analysis_tools.skyFlux.stdSky", "i", rows[1]["value"], "nJy", "undefined", 3),
                ("analysis_tools.skyFlux.frac", None, 3.0, "%", "ok", 3),
                ("analysis_tools.wPerp.wPerp", "g", -0.0, "mmag", "ok", 3),
            ],
        )
        self.assertTrue(math.isnan(rows[1]["value"]))

    def test_bands(self) -> None:
        for name, expected in (
            ("i_meanSky", ("i", "meanSky")),
            ("iz_color", (None, "iz_color")),
            ("i_", (None, "i_")),
            ("_x", (None, "_x")),
            ("meanSky", (None, "meanSky")),
        ):
            self.assertEqual(split_band(name), expected)
        self.assertEqual(split_band("N921_x", frozenset({"N921"})), ("N921", "x"))

    def test_not_a_bundle(self) -> None:
        for text in (
            "",
            "[]",
            "{",
            '{"a": 1}',
            '{"a": [1]}',
            '{"a": [{}]}',
            "[" * 100_000,
            '{"a": [{"metric": ""}]}',
        ):
            with self.subTest(text=text[:20]), self.assertRaises(NotATableError):
                read_bundle(opened(text), Context("x_metrics", {}))

    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
            lambda x: (
                st.lists(x, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["metric", "value", "unit", "a", "__x"]) | st.text(max_size=3),
                    x,
                    max_size=4,
                )
            ),
            max_leaves=12,
        )
    )
    @settings(deadline=None, max_examples=150)
    def test_any_json(self, found: object) -> None:
        """Whatever is in it: rows, or an error of ours."""
        for text in (json.dumps(found), json.dumps({"a": [found]}), json.dumps({"measurements": [found]})):
            for read in (read_bundle, read_job):
                try:
                    self.assertEqual(read(opened(text), Context("x", {})).schema.names, SCHEMA.names)
                except NotATableError:
                    pass


class MeasurementTestCase(unittest.TestCase):
    """Single measurements of lsst.verify."""

    def test_row(self) -> None:
        context = Context(
            "metricvalue_pipe_tasks_ProcessCcdTime", {"instrument": "HSC", "visit": 7, "detector": 3}
        )
        (found,) = read_metric_value(opened(MEASUREMENT), context).to_pylist()
        self.assertEqual(
            (found["metric"], found["value"], found["unit"]), ("pipe_tasks.ProcessCcdTime", 0.1, "s")
        )
        self.assertEqual((found["visit"], found["detector"], found["status"]), (7, 3, "ok"))
        (found,) = read_metric_value(opened(MEASUREMENT.replace("0.1", ".nan")), context).to_pylist()
        self.assertEqual(found["status"], "undefined")
        (found,) = read_metric_value(opened(MEASUREMENT.replace("0.1", "[1, 2]")), context).to_pylist()
        self.assertEqual((found["status"], found["message"]), ("failed", "the value is no number but a list"))

    def test_nothing_is_executed(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            mark = Path(folder, "mark")
            for tag in (
                "!!python/object/apply:os.system",
                "!!python/object/new:os.system",
                "!!python/name:os.system",
            ):
                text = MEASUREMENT.replace("notes: {}", f"notes: {tag} ['touch {mark}']")
                with self.subTest(tag=tag), self.assertRaises(NotATableError):
                    read_metric_value(opened(text), Context("x", {}))
            self.assertFalse(mark.exists())

    @given(
        st.binary(max_size=60)
        | st.text(st.sampled_from("!<>lsst.verify.Measurement{}[]:,&*-\n '\"0x_?|"), max_size=60)
    )
    @settings(deadline=None, max_examples=200)
    def test_any_yaml(self, text: str | bytes) -> None:
        with self.assertRaises(NotATableError):
            read_metric_value(opened(text), Context("x", {}))


@needs_data
class RealJobsTestCase(unittest.TestCase):
    """Three Jobs of 2017 to 2021."""

    def rows(self, name: str) -> list[dict]:
        """Read a Job."""
        return read_job(ResourcePath(str(DATA / "squash" / name)), Context("verify_job", {})).to_pylist()

    def test_measurements(self) -> None:
        for name, number, undefined, instrument, band in (
            ("CfhtQuick_output_r.json", 42, 14, "CFHT", "r"),
            ("Cfht_output_r.json", 30, 7, "CFHT", "r"),
            ("job-768_decam.json", 21, 0, None, "z"),
        ):
            with self.subTest(name=name):
                rows = self.rows(name)
                said = {
                    m["metric"]: m for m in json.loads((DATA / "squash" / name).read_text())["measurements"]
                }
                self.assertEqual(len(rows), number)
                self.assertEqual(sum(r["status"] == "undefined" for r in rows), undefined)
                for r in rows:
                    self.assertEqual(r["unit"], said[r["metric"]]["unit"])
                    if r["status"] == "ok":
                        self.assertEqual(r["value"], said[r["metric"]]["value"])
                self.assertEqual({r["instrument"] for r in rows}, {instrument})
                self.assertLessEqual({r["band"] for r in rows}, {band, None})


@needs_data
class RealSpecificationsTestCase(unittest.TestCase):
    """Thresholds of verify_metrics, with what they inherit."""

    def test_thresholds(self) -> None:
        expected = set()
        package = ""
        for line in (DATA / "specs" / "specs_flat.txt").read_text().splitlines():
            if line.startswith("##"):
                package = line.split()[1]
            elif line.strip() and package.startswith("validate_drp/") and "/" in package:
                expected.add((package.split("/")[-1], *line.split(" tags=")[0].rsplit(" ", 3)))
        n_checked = 0
        for name in ("AA1", "AB1", "AB2", "ABF1", "ADx", "AFx", "AMx", "LPM-17-PA1", "TEx"):
            file = DATA / "specs" / f"{name}.yaml"
            for spec in read_specifications(file, "validate_drp"):
                flat = [e for e in expected if e[0] == file.name and f"validate_drp.{e[1]}" == spec["name"]]
                for _, _, op, value, _ in flat:
                    self.assertEqual((spec["operator"], float(spec["value"])), (op, float(value)))
                    n_checked += 1
        self.assertGreater(n_checked, 20)

    def test_package(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "metrics").mkdir()
        (folder / "specs" / "validate_drp").mkdir(parents=True)
        text = "PA1: {description: 'a  b', unit: mmag, reference: {doc: LPM-17, page: 21}}\n"
        text += "AM1: {unit: marcsec}\n"
        (folder / "metrics" / "validate_drp.yaml").write_text(text)
        for name in ("AMx", "LPM-17-PA1"):
            (folder / "specs" / "validate_drp" / f"{name}.yaml").write_text(
                (DATA / "specs" / f"{name}.yaml").read_text()
            )
        found = read_package(folder)
        pa1, am1 = found["validate_drp.PA1"], found["validate_drp.AM1"]
        self.assertEqual((pa1.doc, pa1.reference), ("a b", "LPM-17, p. 21"))
        self.assertEqual({(s.level, s.bands): s.value for s in pa1.specs}["minimum", "gri"], 8.0)
        self.assertEqual({s.level: s.value for s in am1.specs}["design"], 10.0)


class SpecificationsTestCase(unittest.TestCase):
    """Files of thresholds that are wrong."""

    def test_faults(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        file = folder / "x.yaml"
        for text, expected in (
            ("id: a\nbase: '#a'\nmetric: A\n---\nname: b\nbase: '#a'", "inherits itself"),
            ("name: b\nbase: '#c'", "there is no #c"),
            ("- 1", "no mapping"),
            ("a: [", "cannot be read"),
            ("!!python/object/apply:os.getcwd []", "cannot be read"),
        ):
            file.write_text(text)
            with self.subTest(text=text), self.assertRaises(NotATableError) as caught:
                read_specifications(file, "p")
            self.assertIn(expected, str(caught.exception))
            self.assertIn("x.yaml", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
