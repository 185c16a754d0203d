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

"""Sizes, and residuals by magnitude."""

from __future__ import annotations

import unittest
from typing import Any

import numpy as np
from support_shapes import visit

from lsst.qa import measure


def rows(table: dict[str, Any], *names: str) -> list[dict[str, Any]]:
    return list(measure(table, names, kind="source"))


class SizesTestCase(unittest.TestCase):
    """The radii."""

    def test_values(self) -> None:
        table = visit()
        xx, yy, xy, pxx, pyy, pxy = (
            table[f"i{axes}{psf}"] for psf in ("", "PSF") for axes in ("xx", "yy", "xy")
        )
        trace, psf_trace = np.sqrt((xx + yy) / 2), np.sqrt((pxx + pyy) / 2)
        ratio = trace / psf_trace - 1.0
        for name, expected in (
            ("star_trace_radius", np.median(trace)),
            ("psf_trace_radius", np.median(psf_trace)),
            ("star_determinant_radius", np.median((xx * yy - xy**2) ** 0.25)),
            ("psf_determinant_radius", np.median((pxx * pyy - pxy**2) ** 0.25)),
            ("size_residual_median.trace", np.median(ratio)),
            ("size_residual_scatter.trace", 1.482602218505602 * np.median(np.abs(ratio - np.median(ratio)))),
        ):
            (row,) = rows(table, name)
            self.assertAlmostEqual(row["value"], expected, 12)
            self.assertGreater(row["error"], 0.0)

    def test_counts(self) -> None:
        table = visit()
        table["psfFlux"] = np.linspace(0.0, 1e5, 400)
        for name, limit in (("", 50.0), (".lowSN", 100.0), (".highSN", 500.0)):
            (row,) = rows(table, f"n_residual_stars{name}")
            self.assertEqual(row["value"], np.count_nonzero(table["psfFlux"] / 100.0 > limit))


class ByMagnitudeTestCase(unittest.TestCase):
    """A row per bin."""

    def test_slope(self) -> None:
        """A residual that grows with magnitude is seen to, bin by bin."""
        table = visit()
        mag = np.linspace(16.0, 20.0, 400, endpoint=False) + 0.005
        table["psfFlux"] = 10.0 ** (0.4 * (31.4 - mag))
        for name in ("ixx", "iyy", "ixy"):
            table[name] = table[f"{name}PSF"] = np.full(400, 2.0 if name != "ixy" else 0.0)
        grown = 0.01 * (mag - 16.0)
        table["ixx"], table["iyy"] = 2.0 * (1.0 + grown), 2.0 * (1.0 - grown)
        found = rows(table, "e1_residual_by_mag")
        self.assertEqual(
            [(row["bin_low"], row["bin_high"]) for row in found], [(m, m + 1.0) for m in range(16, 24)]
        )
        for row in found[:4]:
            self.assertAlmostEqual(row["value"], 0.01 * (row["bin_low"] + 0.5 - 16.0), 9)
            self.assertEqual(row["n"], 100)
        self.assertEqual({row["status"] for row in found[4:]}, {"empty"})
        (first, *_) = rows(table, "ellipticity_by_mag")
        self.assertAlmostEqual(first["value"], found[0]["value"], 12)
        for row in rows(table, "e2_residual_by_mag")[:4]:
            self.assertEqual(row["value"], 0.0)
        expected = np.median(((1.0 - grown**2) ** 0.25)[:100] - 1.0)
        self.assertAlmostEqual(rows(table, "size_residual_by_mag")[0]["value"], expected, 12)


class ByColourTestCase(unittest.TestCase):
    """A row per bin of g-i."""

    def test_slope(self) -> None:
        """A PSF that is longer for red stars is seen to be."""
        number = 400
        colour = np.linspace(0.0, 2.0, number, endpoint=False) + 0.0025
        length = 0.02 * colour
        table: dict[str, Any] = {
            "objectId": np.arange(number),
            "detect_isPrimary": np.ones(number, dtype=bool),
            "g_psfFlux": 10.0 ** (0.4 * (31.4 - 20.0 - colour)),
            "i_psfFlux": np.full(number, 10.0 ** (0.4 * 11.4)),
        }
        for band in "gi":
            table |= {f"{band}_psfFluxErr": np.full(number, 1.0), f"{band}_extendedness": np.zeros(number)}
            for name in ("psfFlux_flag", "pixelFlags_saturatedCenter"):
                table[f"{band}_{name}"] = np.zeros(number, dtype=bool)
            for axes, size in (("xx", 2.0), ("yy", 2.0), ("xy", 0.0)):
                table[f"{band}_i{axes}"] = table[f"{band}_i{axes}PSF"] = np.full(number, size)
        table["i_ixx"], table["i_iyy"] = 2.0 * (1.0 + length), 2.0 * (1.0 - length)
        for name in ("coadd_e1_residual_by_colour", "coadd_ellipticity_by_colour"):
            rows = measure(table, [name], kind="object")
            found = [row for row in rows if row["status"] == "ok" and row["band"] == "i"]
            self.assertEqual([row["bin_low"] for row in found], [0.0, 0.5, 1.0, 1.5])
            for row in found:
                self.assertAlmostEqual(row["value"], 0.02 * (row["bin_low"] + 0.25), 9)
                self.assertEqual((row["n"], row["band"]), (100, "i"))
        for row in measure(table, ["coadd_e2_residual_by_colour"], kind="object"):
            self.assertIn(row["value"] if row["status"] == "ok" else 0.0, (0.0,))
        sizes = measure(table, ["coadd_size_residual_by_colour"], kind="object")
        (first,) = (row for row in sizes if row["band"] == "i" and row["bin_low"] == 0.0)
        expected = np.median(((1.0 - length**2) ** 0.25)[:100] - 1.0)
        self.assertAlmostEqual(first["value"], expected, 12)


if __name__ == "__main__":
    unittest.main()
