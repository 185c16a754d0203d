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

"""Tables of sources and visits whose every number can be worked out by
hand.
"""

from __future__ import annotations

import math
import unittest
from typing import Any

import numpy as np

from lsst.qa import measure


def value(table: dict[str, Any], name: str, **data_id: Any) -> float:
    (row,) = measure(table, name, **data_id)
    return float(row["value"])


class ShapesTestCase(unittest.TestCase):
    """Stars whose moments differ from the PSF's by simple ratios."""

    @staticmethod
    def table(ixx: list[float], iyy: list[float], ixy: list[float]) -> dict[str, Any]:
        rows = len(ixx)
        flags = {
            f"pixelFlags_{name}": np.zeros(rows, dtype=bool) for name in ("bad", "cr", "edge", "saturated")
        }
        return {
            **flags,
            "sourceId": np.arange(rows),
            "ra": np.zeros(rows),
            "dec": np.zeros(rows),
            "detect_isPrimary": np.ones(rows, dtype=bool),
            "calib_psf_used": np.ones(rows, dtype=bool),
            "extendedness": np.zeros(rows),
            "psfFlux": np.full(rows, 1000.0),
            "psfFluxErr": np.ones(rows),
            "ixx": np.array(ixx),
            "iyy": np.array(iyy),
            "ixy": np.array(ixy),
            "ixxPSF": np.full(rows, 4.0),
            "iyyPSF": np.full(rows, 4.0),
            "ixyPSF": np.zeros(rows),
        }

    def test_ellipticity(self) -> None:
        """e1 = 0.25, 0, -0.5 and e2 = 0.1, 0, 0.3 off a round PSF."""
        table = self.table([5.0, 4.0, 2.0], [3.0, 4.0, 6.0], [0.4, 0.0, 1.2])
        self.assertAlmostEqual(value(table, "e1_residual_median"), 0.0)
        self.assertAlmostEqual(value(table, "e1_residual_scatter"), 1.482602218505602 * 0.25)
        self.assertAlmostEqual(value(table, "e2_residual_median"), 0.1)
        self.assertAlmostEqual(value(table, "e2_residual_scatter"), 1.482602218505602 * 0.1)
        self.assertAlmostEqual(value(table, "e2_residual_median.pipe_tasks"), 0.1)

    def test_size(self) -> None:
        """Moments 1.21 times the PSF's are 1.1 times the size."""
        table = self.table([4.84, 4.0, 9.0], [4.84, 4.0, 9.0], [0.0] * 3)
        self.assertAlmostEqual(value(table, "size_residual_median"), 0.1)
        self.assertAlmostEqual(value(table, "size_residual_scatter"), 1.482602218505602 * 0.1)
        self.assertAlmostEqual(value(table, "size_residual_median.pipe_tasks"), 0.2)  # of 2 pixels
        self.assertAlmostEqual(value(table, "size_residual_scatter.pipe_tasks"), 1.482602218505602 * 0.2)

    def test_models(self) -> None:
        """Model fluxes 0, 1 and 10 % off, and one that is none."""
        table = self.table([4.0] * 4, [4.0] * 4, [0.0] * 4)
        table["gaussianFlux"] = 1000.0 * np.array([1.0, 1.01, 1.1, -1.0])
        off = 2500.0 * np.log10([1.0, 1.01, 1.1])
        self.assertAlmostEqual(value(table, "psf_model_offset"), off[1])
        self.assertAlmostEqual(value(table, "psf_model_scatter"), 1.482602218505602 * off[1])
        self.assertAlmostEqual(value(table, "psf_model_outlier_fraction"), 100.0 / 3.0)

    def test_who_counts(self) -> None:
        """Only the last star is bright enough for both limits."""
        table = self.table([4.84, 4.0, 9.0], [4.84, 4.0, 9.0], [0.0] * 3)
        table["psfFlux"] = np.array([40.0, 400.0, 600.0])
        self.assertAlmostEqual(value(table, "size_residual_median"), 0.25)
        self.assertAlmostEqual(value(table, "size_residual_median.highSN"), 0.5)
        self.assertAlmostEqual(value(table, "size_residual_median.lowSN"), 0.25)


class SkyTestCase(unittest.TestCase):
    """Sky sources of 1, 2, 3 and 10 nJy, and what is none."""

    def table(self) -> dict[str, Any]:
        return {
            "sourceId": np.arange(7),
            "ra": np.zeros(7),
            "dec": np.zeros(7),
            "ap09Flux": np.array([1.0, 2.0, 3.0, 10.0, 1e6, 50.0, 100.0]),
            "sky_source": np.array([True] * 4 + [False] + [True] * 2),
            "pixelFlags_edge": np.array([False] * 5 + [True, False]),
            "pixelFlags_nodata": np.array([False] * 6 + [True]),
        }

    def test_moments(self) -> None:
        self.assertAlmostEqual(value(self.table(), "sky_flux_mean"), 4.0)
        self.assertAlmostEqual(value(self.table(), "sky_flux_median"), 2.5)
        self.assertAlmostEqual(value(self.table(), "sky_flux_stdev"), math.sqrt(50.0 / 3.0))
        # |x - 2.5| = 1.5, 0.5, 0.5, 7.5
        self.assertAlmostEqual(value(self.table(), "sky_flux_sigma_mad"), 1.482602218505602)

    def test_as_faro_selects(self) -> None:
        """With the one that lacks data."""
        self.assertAlmostEqual(value(self.table(), "sky_flux_mean.faro"), 116.0 / 5)

    def test_on_coadds(self) -> None:
        renamed = {
            {"sourceId": "objectId", "sky_source": "sky_object"}.get(name, name): values
            for name, values in self.table().items()
        }
        banded = {
            name if name in ("objectId", "ra", "dec", "sky_object") else f"r_{name}": values
            for name, values in renamed.items()
        }
        (row,) = measure(banded, "coadd_sky_flux_mean", kind="object")
        self.assertEqual((row["value"], row["band"]), (4.0, "r"))


class CountsTestCase(unittest.TestCase):
    """Five sources, four of them primary."""

    def test_counts(self) -> None:
        table = {
            "sourceId": np.arange(5),
            "ra": np.zeros(5),
            "dec": np.zeros(5),
            "detect_isPrimary": np.array([True, True, True, True, False]),
            "extendedness": np.array([0.0, 0.0, 1.0, np.nan, 0.0]),
            "psfFlux": np.array([1.0, np.nan, 3.0, 4.0, np.inf]),
            "psfFlux_flag": np.array([True, False, False, False, True]),
            "pixelFlags_bad": np.zeros(5, dtype=bool),
        }
        for name, expected, n in (
            ("n_sources", 5.0, 5),
            ("n_primary", 4.0, 5),
            ("n_stars", 2.0, 3),
            ("psf_flux_finite_fraction", 75.0, 4),
            ("flag_fraction.psfFlux_flag", 40.0, 5),
            ("flag_fraction.pixelFlags_bad", 0.0, 5),
        ):
            (row,) = measure(table, name)
            self.assertEqual((row["value"], row["n"]), (expected, n), name)


class VisitTestCase(unittest.TestCase):
    """A visit of three detectors."""

    def table(self) -> dict[str, Any]:
        return {
            "visit": np.full(3, 7),
            "detector": np.arange(3),
            "psfSigma": np.array([2.0, 2.5, 4.0]),
            "pixelScale": np.full(3, 0.2),
            "psfArea": np.array([100.0, 100.0, 400.0]),
            "skyNoise": np.array([10.0, 20.0, 40.0]),
            "zeroPoint": np.array([32.0, 32.0, np.nan]),
            "astromOffsetMean": np.array([0.010, 0.020, 0.040]),
            "nPsfStar": np.array([40, 50, 90]),
        }

    def test_medians(self) -> None:
        for name, expected in (
            ("seeing", 2.355 * 2.5 * 0.2),
            ("psf_sigma", 2.5),
            ("zero_point", 32.0),
            ("astrom_offset_mean", 20.0),
            ("n_psf_stars", 50.0),
            ("n_detectors", 2.0),
        ):
            self.assertAlmostEqual(value(self.table(), name), expected, msg=name)

    def test_depth(self) -> None:
        """5 sigma of 10 counts over 100 pixels are 500 counts."""
        faint = 32.0 - 2.5 * math.log10(500.0)
        fainter = 32.0 - 2.5 * math.log10(1000.0)
        self.assertAlmostEqual(value(self.table(), "m5_background"), 0.5 * (faint + fainter))


if __name__ == "__main__":
    unittest.main()
