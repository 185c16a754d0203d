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

"""What every metric of the catalogue declares."""

from __future__ import annotations

import itertools
import unittest

from astropy import units

from lsst.qa.catalogue import METRICS, described, find, of_table
from lsst.qa.columns import TABLES
from lsst.qa.errors import UnknownNameError
from lsst.qa.spec import LEVELS, Spec


class DeclarationsTestCase(unittest.TestCase):
    """Every metric says what it is."""

    def test_words(self) -> None:
        for name, metric in METRICS.items():
            with self.subTest(name):
                self.assertEqual(metric.name, name)
                self.assertRegex(metric.doc.removeprefix(name.partition(".")[0]), r"^[A-Z ].*\.$")
                self.assertNotIn("\n", metric.doc)
                self.assertTrue(metric.formula or metric.reference)
                self.assertTrue(metric.reference)
                self.assertGreater(metric.bytes_per_row, 0)

    def test_units(self) -> None:
        for name, metric in METRICS.items():
            with self.subTest(name):
                self.assertEqual(units.Unit(metric.unit).to_string(), units.Unit(metric.unit).to_string())

    def test_thresholds(self) -> None:
        """Each level is at least as strict as the one below it."""
        for name, metric in METRICS.items():
            for band, (op, sign) in itertools.product((None, *"ugrizy"), (("<=", -1.0), (">=", 1.0))):
                held = [spec for spec in metric.specs if spec.op == op and spec.holds_in(band)]
                levels = [spec.level for spec in held]
                self.assertEqual(len(levels), len(set(levels)), f"one threshold a level: {name} in {band}")
                strict = [sign * spec.value for spec in sorted(held, key=_level)]
                self.assertEqual(strict, sorted(strict), f"minimum, design, stretch: {name} in {band}")

    def test_requirements_of_the_documents(self) -> None:
        """Thresholds of LPM-17 as they are read from it, not from the code."""
        for name, band, values in (
            ("PA1", "g", (8.0, 5.0, 3.0)),
            ("PA1", "u", (12.0, 7.5, 4.5)),
            ("PF1", "r", (20.0, 10.0, 5.0)),
            ("PA2", "i", (15.0, 15.0, 10.0)),
            ("PA2", "z", (22.5, 22.5, 15.0)),
            ("AM1", "r", (20.0, 10.0, 5.0)),
            ("AM2", "i", (20.0, 10.0, 5.0)),
            ("AM3", "i", (30.0, 15.0, 10.0)),
            ("AF1", "r", (20.0, 10.0, 5.0)),
            ("AF3", "r", (20.0, 10.0, 5.0)),
            ("AD1", "r", (40.0, 20.0, 10.0)),
            ("AD2", "r", (40.0, 20.0, 10.0)),
            ("AD3", "r", (50.0, 30.0, 20.0)),
            ("AM1", "g", ()),
            ("m5", "r", (24.3, 24.7, 24.8)),
            ("m5", "y", (21.7, 22.1, 22.2)),
        ):
            held = sorted((spec for spec in METRICS[name].specs if spec.holds_in(band)), key=_level)
            with self.subTest(name, band=band):
                self.assertEqual(tuple(spec.value for spec in held), values)

    def test_columns(self) -> None:
        for name, metric in METRICS.items():
            with self.subTest(name):
                self.assertTrue(metric.columns)
                self.assertEqual([c for c in metric.columns if TABLES[metric.table].column(c) is None], [])

    def test_described(self) -> None:
        facts = described(METRICS["PF1"])
        self.assertEqual(facts["constants"]["limit"]["default"], 15.0)
        self.assertEqual(facts["constants"]["snr_min"], 200.0)
        self.assertEqual(facts["defined_in"], "lsst.qa.metrics.photometry.PF1")

    def test_lookup(self) -> None:
        self.assertIs(find("PA1"), METRICS["PA1"])
        for wrong, near in (("pa1", "'PA1'"), ("PA1.Faro", "'PA1.faro'"), ("seing", "'seeing'")):
            with self.assertRaisesRegex(UnknownNameError, f"Did you mean.*{near}"):
                find(wrong)
        self.assertEqual(sum(len(of_table(kind)) for kind in TABLES), len(METRICS))


def _level(spec: Spec) -> int:
    return LEVELS.index(spec.level)


if __name__ == "__main__":
    unittest.main()
