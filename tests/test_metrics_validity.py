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

"""Validity of columns, and counts of classes."""

from __future__ import annotations

import unittest
from typing import Any

import numpy as np

from lsst.qa import measure


def table() -> dict[str, Any]:
    """Make ten sources, nine of them primary."""
    return {
        "sourceId": np.arange(10),
        "visit": np.full(10, 3),
        "band": np.full(10, "r"),
        "ra": np.full(10, 5.0),
        "dec": np.full(10, 5.0),
        "detect_isPrimary": np.arange(10) < 9,
        "psfFlux": np.array([1.0, np.nan, np.inf, -np.inf, 0.05, 0.1, 1e9, -3.0, 5.0, np.nan]),
        "extendedness": np.array([0.0, 0.2, 0.49, 0.5, 1.0, 1.0, 1.0, np.nan, np.nan, 1.0]),
        "sky_source": np.arange(10) == 9,
    }


class ValidityTestCase(unittest.TestCase):
    """Counted by hand."""

    def test_values(self) -> None:
        for name, expected, n in (
            ("nan_fraction.psfFlux", 100.0 / 9.0, 9),
            ("finite_fraction.psfFlux", 600.0 / 9.0, 9),
            ("valid_fraction.psfFlux", 300.0 / 9.0, 9),
            ("nan_fraction.extendedness", 200.0 / 9.0, 9),
            ("finite_fraction.ra", 100.0, 9),
            ("n_stars", 3.0, 7),
            ("n_galaxies", 4.0, 7),
            ("n_unclassified", 2.0, 9),
            ("n_sky", 1.0, 10),
        ):
            with self.subTest(name):
                (row,) = measure(table(), [name], kind="source")
                self.assertAlmostEqual(row["value"], expected, 12)
                self.assertEqual(row["n"], n)
                self.assertGreater(row["error"], 0.0)

    def test_ranges(self) -> None:
        """Percentiles of the finite values of primary sources."""
        made = {**table(), "detect_isPrimary": np.ones(10, dtype=bool)}
        flux = np.sort(made["psfFlux"][np.isfinite(made["psfFlux"])])
        for name, expected in (("low", 0.01), ("high", 0.99)):
            (row,) = measure(made, [f"range_{name}.psfFlux"], kind="source")
            self.assertAlmostEqual(row["value"], np.quantile(flux, expected), 6)
            self.assertEqual((row["n"], row["unit"]), (6, "nJy"))
            self.assertGreater(row["error"], 0.0)

    def test_objects(self) -> None:
        made = {"objectId": np.arange(4), "detect_isPrimary": np.ones(4, dtype=bool)}
        made |= {"g_cModelFlux": np.array([1.0, np.nan, 2.0, 3.0]), "sky_object": np.arange(4) < 1}
        made["g_extendedness"] = np.array([0.0, 1.0, 1.0, np.nan])
        for name, expected in (
            ("coadd_nan_fraction.cModelFlux", 25.0),
            ("coadd_n_galaxies", 2.0),
            ("coadd_n_unclassified", 1.0),
            ("coadd_n_sky", 1.0),
        ):
            (row,) = measure(made, [name], kind="object")
            self.assertEqual(row["value"], expected)
            self.assertEqual(row["band"], None if name.endswith("sky") else "g")


if __name__ == "__main__":
    unittest.main()
