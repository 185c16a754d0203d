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

"""Declarations of metrics: what they say of themselves, and that wrong ones
are refused.
"""

from __future__ import annotations

import dataclasses
import math
import unittest
from typing import Any

import numpy as np

from lsst.qa.errors import DefinitionError, QaError
from lsst.qa.metric import ByBand, Estimate, Metric, Spec, metric, srd


def bright(psf_snr: np.ndarray, *, snr_min: float = 10.0) -> np.ndarray:
    return psf_snr > snr_min


def per_star(stars: Any, psf_mag: np.ndarray, *, min_visits: int = 2) -> dict[str, np.ndarray]:
    return {"mags": stars.mean(psf_mag)}


def summary(mags: np.ndarray, *, limit: float | ByBand = 1.0, about: str = "median") -> Estimate:
    return Estimate(limit, math.nan, len(mags))


def middle(psfFlux: np.ndarray) -> Estimate:
    """Median flux.

    median(F),
    of all
    """
    return Estimate(float(np.median(psfFlux)), math.nan, len(psfFlux))


def declared(**changes: Any) -> Metric:
    fields: dict[str, Any] = {
        "name": "X1",
        "function": summary,
        "table": "matched",
        "unit": "mmag",
        "doc": "Something.",
        "rows": bright,
        "steps": (per_star,),
    }
    return Metric(**{**fields, **changes})


class DeclarationTestCase(unittest.TestCase):
    """A declaration says all of itself, and cannot be changed."""

    def test_decorator_takes_the_docstring_apart(self) -> None:
        made = metric("m", table="source", unit="nJy")(middle)
        self.assertEqual((made.doc, made.formula), ("Median flux.", "median(F), of all"))
        self.assertEqual(made.columns, ("psfFlux",))
        self.assertFalse(made.grouped)
        with self.assertRaises(dataclasses.FrozenInstanceError):
            made.unit = "mJy"  # type: ignore[misc]

    def test_columns(self) -> None:
        """Those of selection and first step, and of the groups."""
        self.assertLessEqual({"psf_mag", "psf_snr", "star"}, set(declared().columns))
        self.assertNotIn("mags", declared().columns)
        self.assertIn("gauss_mag", declared(inputs={"psf_mag": "gauss_mag"}).columns)
        self.assertNotIn("psf_mag", declared(inputs={"psf_mag": "gauss_mag"}).columns)

    def test_columns_of_any_band(self) -> None:
        made = metric("m", table="object", unit="nJy")(middle)
        self.assertTrue(made.each_band)
        self.assertFalse(made.variant(".ids", inputs={"psfFlux": "objectId"}).each_band)
        self.assertFalse(made.variant(".r", inputs={"psfFlux": "r_psfFlux"}).each_band)

    def test_arguments(self) -> None:
        made = declared(constants={"snr_min": 20.0, "limit": ByBand(1.0, (("uzy", 2.0),))})
        self.assertEqual(made.arguments(bright, "u"), {"snr_min": 20.0})
        self.assertEqual(made.arguments(per_star, None), {"min_visits": 2})
        for band, limit in (("u", 2.0), ("z", 2.0), ("g", 1.0), (None, 1.0), ("", 1.0)):
            self.assertEqual(made.arguments(summary, band), {"limit": limit, "about": "median"}, band)


class VariantTestCase(unittest.TestCase):
    """A variant differs in what is named."""

    def test_kept_and_changed(self) -> None:
        base = declared(constants={"snr_min": 20.0}, specs=srd(3, 2, 1), inputs={"psf_mag": "gauss_mag"})
        made = base.variant(".peer", min_visits=5, reference="peer")
        self.assertEqual(made.name, "X1.peer")
        self.assertEqual(dict(made.constants), {"snr_min": 20.0, "min_visits": 5})
        self.assertEqual((made.specs, made.inputs, made.doc), (base.specs, base.inputs, base.doc))
        self.assertEqual(base.variant("X2").name, "X2")
        self.assertEqual(dict(base.constants), {"snr_min": 20.0}, "the base is untouched")

    def test_constants_of_what_is_replaced_go(self) -> None:
        made = declared(constants={"snr_min": 20.0, "limit": 4.0}).variant(".all", rows=None)
        self.assertEqual(dict(made.constants), {"limit": 4.0})

    def test_unknown_constant(self) -> None:
        with self.assertRaisesRegex(DefinitionError, "no constant 'snr_mim'.*mean 'snr_min'"):
            declared().variant(".bad", snr_mim=3.0)


class FaultsTestCase(unittest.TestCase):
    """Wrong declarations die when they are made, with all their faults."""

    def assertRefused(self, *texts: str, **changes: Any) -> None:
        with self.assertRaises(DefinitionError) as caught:
            declared(**changes)
        for text in texts:
            self.assertIn(text, str(caught.exception))
        self.assertIsInstance(caught.exception, QaError)
        self.assertIsInstance(caught.exception, ValueError)

    def test_each(self) -> None:
        def strange(stars: Any, psfMag: np.ndarray) -> dict[str, Any]:
            return {}

        for texts, changes in (
            (("name",), {"name": "1X"}),
            (("name",), {"name": "X.a.b"}),
            (("name",), {"name": "X Y"}),
            (("docstring",), {"doc": "  "}),
            (("no table 'matchd'", "'matched'"), {"table": "matchd"}),
            (("no column 'psfMag'", "'psf_mag'"), {"steps": (strange,)}),
            (("no column 'gauss'", "'gauss_mag'"), {"inputs": {"psf_mag": "gauss"}}),
            (("no groups",), {"table": "source"}),
            (("shared already",), {"shared": bright}),
            (("level 'desing'",), {"specs": (Spec("desing", 1.0),)}),
            (("operator '<'",), {"specs": (Spec("design", 1.0, "<"),)}),
            (("nan", "finite"), {"specs": (Spec("design", math.nan),)}),
            (("bands 'Q'",), {"specs": (Spec("design", 1.0, bands="gQ"),)}),
            (("snr_min", "not float"), {"constants": {"snr_min": "high"}}),
            (("snr_min", "not float"), {"constants": {"snr_min": [1.0, 2.0]}}),
            (("about", "not str"), {"constants": {"about": 3}}),
        ):
            with self.subTest(changes=changes):
                self.assertRefused("X" if "name" in changes else "'X1'", *texts, **changes)

    def test_unit(self) -> None:
        """Units are Astropy's words; checked where the catalogue is tested."""
        self.assertEqual(declared(unit="mmag").unit, "mmag")

    def test_all_at_once(self) -> None:
        self.assertRefused(
            "docstring",
            "level 'worst'",
            "operator '=='",
            "no constant 'snr_max'",
            "no column 'mag'",
            doc="",
            specs=(Spec("worst", 1.0), Spec("design", 1.0, "==")),
            constants={"snr_max": 1.0},
            inputs={"psf_mag": "mag"},
        )


class SpecTestCase(unittest.TestCase):
    """Thresholds apply to their bands, and NaN never passes."""

    def test_bands(self) -> None:
        for bands, band, holds in (
            ("", None, True),
            ("", "g", True),
            ("gri", "r", True),
            ("gri", "u", False),
            ("gri", None, False),
        ):
            self.assertEqual(Spec("design", 1.0, bands=bands).holds_in(band), holds, (bands, band))

    def test_passes(self) -> None:
        for op, value, passes in (
            ("<=", 1.0, True),
            ("<=", 1.1, False),
            ("<=", math.nan, False),
            (">=", 1.0, True),
            (">=", 0.9, False),
            (">=", math.nan, False),
        ):
            self.assertEqual(Spec("design", 1.0, op).passes(value), passes, (op, value))

    def test_srd(self) -> None:
        made = srd(8.0, 5.0, 3.0, bands="gri")
        self.assertEqual(
            [(s.level, s.value) for s in made], [("minimum", 8.0), ("design", 5.0), ("stretch", 3.0)]
        )
        self.assertEqual({(s.op, s.bands, s.source) for s in made}, {("<=", "gri", "LPM-17")})


if __name__ == "__main__":
    unittest.main()
