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

"""Thresholds of files, and what they take the place of."""

from __future__ import annotations

import contextlib
import tempfile
import unittest
from pathlib import Path

from support import SHARED, needs_shared

from lsst.qa.catalogue import METRICS
from lsst.qa.errors import InputError
from lsst.qa.readers.thresholds import Threshold, overridden_for, read_thresholds
from lsst.qa.spec import Spec, overridden
from lsst.qa.store.database import connect
from lsst.qa.store.definitions import specifications, synchronize

OWN = """
specs:
  - {metric: PA1, level: design, value: 6, bands: gri, source: science board}
  - {metric: PA1, level: design, value: 9.5, instrument: HSC}
  - {metric: AM1, level: minimum, value: 0.015, unit: arcsec, dataset: 'u/*/rc2', bands: i}
  - {metric: m5, level: design, value: 24, bands: r}
"""
PARTIAL = """
id: base
threshold: {unit: marcsec, operator: "<="}
---
id: AM1-base
base: "#base"
metric: AM1
---
name: design
base: "#AM1-base"
threshold: {value: 12.0}
tags: [design]
---
metric: PF1_stretch_uzy
name: srd
base: "#base"
threshold: {value: 4.0, unit: percent}
tags: [stretch]
"""


class FilesTestCase(unittest.TestCase):
    """What files say."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def read(self, text: str, name: str = "own.yaml") -> list[Threshold]:
        (self.folder / name).write_text(text)
        return read_thresholds([self.folder / name])

    def test_own(self) -> None:
        one, two, three, four = self.read(OWN)
        self.assertEqual(one, Threshold("PA1", Spec("design", 6.0, "<=", "gri", "science board")))
        self.assertEqual((two.instrument, two.spec.source), ("HSC", "own.yaml"))
        self.assertEqual((three.spec.value, three.dataset), (15.0, "u/*/rc2"), "in mas")
        self.assertEqual(four.spec.op, ">=", "as the metric's own")

    def test_of_verify(self) -> None:
        am1, pf1 = self.read(PARTIAL, "AMx.yaml")
        self.assertEqual(am1, Threshold("AM1", Spec("design", 12.0, "<=", "", "AMx.yaml")))
        self.assertEqual(pf1, Threshold("PF1", Spec("stretch", 4.0, "<=", "uzy", "AMx.yaml")))

    def test_faults(self) -> None:
        """All of a file at once, with what would be right."""
        for text, message in (
            (
                "specs: [{metric: PA1, level: best, value: x}]",
                r"specs\.0\.level: .*found 'best'; specs\.0\.value",
            ),
            ("specs: [{metric: PA1, level: design}]", r"specs\.0\.value is missing"),
            ("specs: [{metric: PA1, level: design, value: 1, band: r}]", r"specs\.0\.band: extra inputs"),
            ("specs: [{metric: PA1, level: design, value: 1, bands: x}]", "bands"),
            ("specs: [{metric: PA1, level: design, value: .nan}]", "finite"),
            (
                "specs: [{metric: PA11, level: design, value: 1}, {metric: PA1, level: design, value: 1,"
                " unit: mas}]",
                r"no metric 'PA11'.*Did you mean 'PA1'.*specs\.1: 'mas' does not convert to 'mmag'",
            ),
            ("specs: [{metric: TE1, level: design, value: 1}]", "limits on both sides, so op must be given"),
            ("- 1", "A good file|as in"),
            ("{", "cannot be read"),
            (
                "metric: unheard\nname: design\nthreshold: {value: 1, operator: '<='}",
                "none of its thresholds",
            ),
        ):
            with self.subTest(text), self.assertRaisesRegex(InputError, f"(?s)own.yaml.*({message})"):
                self.read(text)

    @needs_shared
    def test_real_ones(self) -> None:
        """Those of the peer are declared here as well, but one that is known
        to be wrong there.
        """
        widths = {("wPerp", "minimum", ""), ("xPerp", "minimum", "")}
        differing, number = set(), 0
        for name in ("AA1", "ADx", "AFx", "AMx", "LPM-17-PA1", "LPM-17-PA2", "LPM-17-PF1", "TEx"):
            for one in read_thresholds([SHARED / "specs" / f"{name}.yaml"]):
                number += 1
                same = [
                    s for s in METRICS[one.metric].specs if (s.level, s.op) == (one.spec.level, one.spec.op)
                ]
                if one.spec.value not in [s.value for s in same]:
                    differing.add(one.metric)
        self.assertEqual((differing, number), ({"TE2"}, 54))
        locus = read_thresholds([SHARED / "specs" / "stellar_locus_width.yaml"])
        self.assertEqual({(one.metric, one.spec.level, one.spec.bands) for one in locus}, widths)
        self.assertTrue(all(one.spec.value in [s.value for s in METRICS[one.metric].specs] for one in locus))


class PrecedenceTestCase(unittest.TestCase):
    """Which threshold holds."""

    def test_bands(self) -> None:
        declared = (Spec("design", 5.0, bands="gri"), Spec("design", 7.5, bands="uzy"), Spec("minimum", 8.0))
        found = overridden(declared, [Spec("design", 6.0, bands="ru")])
        self.assertEqual({(s.level, s.value, s.bands) for s in found}, {
            ("design", 6.0, "ru"), ("design", 5.0, "gi"), ("design", 7.5, "zy"), ("minimum", 8.0, ""),
        })  # fmt: skip
        self.assertEqual(
            {(s.level, s.value) for s in overridden(declared, [Spec("design", 1.0)])},
            {("design", 1.0), ("minimum", 8.0)},
        )
        both = overridden([Spec("design", 3.0)], [Spec("design", 4.0, bands="r")])
        self.assertEqual({(s.value, s.bands) for s in both}, {(3.0, ""), (4.0, "r")})

    def test_instrument_and_dataset(self) -> None:
        every, hsc, run = (
            Threshold("PA1", Spec("design", value), instrument, dataset)
            for value, instrument, dataset in ((1.0, "", ""), (2.0, "HSC", ""), (3.0, "HSC", "u/*/rc2"))
        )
        for instruments, name, value in (
            (["HSC"], "u/me/rc2", 3.0),
            (["HSC"], "u/me/other", 2.0),
            (["LSSTCam"], "u/me/rc2", 1.0),
            (["HSC", "LSSTCam"], "u/me/rc2", 1.0),
        ):
            with self.subTest(instruments=instruments, name=name):
                found = overridden_for({"PA1": (Spec("design", 5.0),)}, [run, hsc, every], instruments, name)
                self.assertEqual([spec.value for spec in found["PA1"]], [value])


class DatabaseTestCase(unittest.TestCase):
    """Thresholds that a database keeps."""

    def test_kept_until_others_come(self) -> None:
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            engine = connect(f"sqlite:///{folder}/a.sqlite3", create=True)
            stack.callback(engine.dispose)
            own = [Threshold("PA1", Spec("design", 6.0, "<=", "gri", "board.yaml"))]
            synchronize(engine, METRICS, own)
            synchronize(engine, METRICS)
            held = [spec for spec in specifications(engine)["PA1"] if spec.level == "design"]
            self.assertEqual(
                [(spec.bands, spec.value, spec.source) for spec in held],
                [("gri", 6.0, "file: board.yaml"), ("uzy", 7.5, "LPM-17")],
            )
            synchronize(engine, METRICS, [])
            self.assertNotIn(6.0, [spec.value for spec in specifications(engine)["PA1"]])
            with self.assertRaisesRegex(InputError, "holds for HSC only.*check --specs"):
                synchronize(engine, METRICS, [own[0]._replace(instrument="HSC")])


if __name__ == "__main__":
    unittest.main()
