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

"""Variants declared as text in a pipeline, and the choice of metrics there."""

from __future__ import annotations

import unittest
from pathlib import Path

import numpy as np
from support_seeded import make_table

from lsst.qa import measure
from lsst.qa.catalogue import METRICS
from lsst.qa.errors import DefinitionError, UnknownNameError
from lsst.qa.variants import chosen_metrics, parse_variant


class ParseTestCase(unittest.TestCase):
    """A variant's text is a metric's name and the constants that differ."""

    def test_constants(self) -> None:
        made = parse_variant("PA1_deep", "PA1(snr_min=100, min_visits=5)")
        self.assertEqual(made.name, "PA1_deep")
        self.assertEqual(dict(made.constants), {"snr_min": 100, "min_visits": 5})
        self.assertEqual((made.unit, made.specs), (METRICS["PA1"].unit, METRICS["PA1"].specs))
        self.assertIn("snr_min=100", made.doc)

    def test_of_a_variant(self) -> None:
        made = parse_variant("mine", "PA1.faro(more_than=5)")
        self.assertEqual(made.constants["ddof"], 0)
        self.assertEqual(made.constants["more_than"], 5)

    def test_fields(self) -> None:
        made = parse_variant("cal", "flag_fraction.psfFlux_flag(inputs={'flag': 'sky_source'}, doc='Sky.')")
        self.assertEqual(made.columns, ("sky_source",))
        self.assertEqual(made.doc, "Sky.")

    def test_it_measures(self) -> None:
        """Fewer outliers need a larger limit."""
        table = make_table("matched")
        strict = measure(table, [METRICS["PA2"], parse_variant("PA2_5", "PA2(outliers=5)")])
        self.assertEqual([row["metric"] for row in strict], ["PA2", "PA2_5"])
        self.assertGreater(strict[1]["value"], strict[0]["value"])

    def test_bad_text(self) -> None:
        """Each says what the text should read like, and none of it is run."""
        witness = Path("a_file_that_no_variant_writes")
        for text in (
            "",
            "PA1",
            "PA1(",
            "PA1(100)",
            "PA1(*[1])",
            "PA1(**{'snr_min': 1})",
            "PA1(snr_min=1) + 1",
            "PA1(snr_min=open)",
            f"PA1(snr_min=open({str(witness)!r}, 'w'))",
            f"PA1(snr_min=__import__('pathlib').Path({str(witness)!r}).touch())",
            "lambda: PA1(snr_min=1)",
            "PA1(snr_min=1, snr_min=2)",
            "PA1(snr_min=1)\nPA1(snr_min=2)",
            "PA1(unit='milimag')",
            "PA1(snr_min=" + "9" * 5000 + ")",
            "(" * 500 + "PA1" + ")" * 500 + "(snr_min=1)",
        ):
            with self.subTest(text=text[:60]):
                with self.assertRaises(DefinitionError) as caught:
                    parse_variant("mine", text)
                self.assertIn("'PA1(snr_min=100)'", str(caught.exception))
                self.assertIn("'mine'", str(caught.exception))
        self.assertFalse(witness.exists())

    def test_bad_names(self) -> None:
        with self.assertRaisesRegex(DefinitionError, "'PA2'.*one of its own"):
            parse_variant("PA2", "PA1(snr_min=100)")
        with self.assertRaisesRegex(UnknownNameError, "Did you mean.*'PA1.faro'"):
            parse_variant("mine", "PA1.fara(snr_min=100)")
        with self.assertRaisesRegex(UnknownNameError, "no metric .__import__"):
            parse_variant("mine", "__import__('os').system(command='true')")
        with self.assertRaisesRegex(DefinitionError, "name"):
            parse_variant("not a name", "PA1(snr_min=100)")

    def test_bad_constants(self) -> None:
        with self.assertRaisesRegex(DefinitionError, "'snr_mn'.*'snr_min'"):
            parse_variant("mine", "PA1(snr_mn=100)")
        # Another field of the declaration is no constant.
        for field in ("function=None", "table='source'", "specs=()", "rows=None", "steps=()", "name='x'"):
            with self.subTest(field=field), self.assertRaisesRegex(DefinitionError, "no constant"):
                parse_variant("mine", f"PA1({field})")
        for field in ("doc=3", "unit=None", "inputs='psf_mag'", "inputs=[]"):
            with self.subTest(field=field), self.assertRaisesRegex(DefinitionError, "is not (str|dict)"):
                parse_variant("mine", f"PA1({field})")
        for value in ("'high'", "[1, 2]", "{}", "None", "True", "(1,)", "1j"):
            with self.subTest(value=value), self.assertRaisesRegex(DefinitionError, "snr_min.*not float"):
                parse_variant("mine", f"PA1(snr_min={value})")


class ChosenTestCase(unittest.TestCase):
    """A task's list of metrics is checked against its table."""

    def test_order(self) -> None:
        found = chosen_metrics(
            "matched", ["PF1", "deep", "PA1"], {"more": "PF1(limit=5)", "deep": "PA1(ddof=0)"}
        )
        self.assertEqual([metric.name for metric in found], ["PF1", "deep", "PA1", "more"])
        self.assertEqual([metric.name for metric in chosen_metrics("matched", ["PA1", "PA1"], {})], ["PA1"])

    def test_faults(self) -> None:
        with self.assertRaisesRegex(DefinitionError, "'seeing' is of table 'visit_summary'.*'matched'"):
            chosen_metrics("matched", ["seeing"], {})
        with self.assertRaisesRegex(DefinitionError, "'wide'.*'visit_summary'.*'matched'"):
            chosen_metrics("matched", [], {"wide": "seeing(scale=2.0)"})
        with self.assertRaisesRegex(UnknownNameError, "'PA1'"):
            chosen_metrics("matched", ["PA1x"], {})
        with self.assertRaisesRegex(UnknownNameError, "'deep'"):
            chosen_metrics("matched", ["deeep"], {"deep": "PA1(ddof=0)"})

    def test_it_is_what_a_table_is_measured_by(self) -> None:
        rows = measure(
            make_table("visit_summary"), chosen_metrics("visit_summary", [], {"twice": "seeing(scale=2)"})
        )
        once = measure(make_table("visit_summary"), "seeing")
        np.testing.assert_allclose([r["value"] for r in rows], [2 * r["value"] for r in once])


if __name__ == "__main__":
    unittest.main()
