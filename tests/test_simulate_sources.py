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

"""The simulated table of sources: whole, and as noisy as it says it is."""

from __future__ import annotations

import unittest

import numpy as np

from lsst.qa.simulate import Survey, observe, sources, visit_ids, visit_summary
from lsst.qa.simulate.camera import deproject, from_pixels, to_pixels
from lsst.qa.simulate.fields import evaluate
from lsst.qa.simulate.populations import sky
from lsst.qa.simulate.sky import FIRST_GALAXY, FIRST_SKY

NUMBER = (1 << 21) - 1  # the bits of a source's id that hold its object's number


class SourcesTestCase(unittest.TestCase):
    """The table of sources, of a large visit without zero-point errors."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.survey = Survey(
            stars=20_000, galaxies=20_000, visits=1, bands="r", sky_sources=400, seed=3, systematic=0.0
        )
        cls.visit = observe(cls.survey, visit_ids(cls.survey)[0])
        cls.table = sources(cls.survey, cls.visit.id)
        cls.sky = sky(cls.survey, 0)
        cls.number = cls.table["sourceId"] & NUMBER
        cls.at = np.minimum(np.searchsorted(cls.sky.number, cls.number), len(cls.sky.number) - 1)
        cls.star = cls.number < FIRST_GALAXY
        cls.empty = cls.table["sky_source"]

    def test_columns(self) -> None:
        flags = {name for name, values in self.table.items() if values.dtype.kind == "b"}
        pixel = (
            "bad cr crCenter edge interpolated interpolatedCenter nodata saturated saturatedCenter suspect"
        )
        self.assertLessEqual({f"pixelFlags_{name}" for name in pixel.split()}, flags)
        self.assertLessEqual({"psfFlux_flag", "centroid_flag", "sky_source", "detect_isPrimary"}, flags)
        real = {name for name, values in self.table.items() if values.dtype.kind == "f"}
        fluxes = {f"{name}Flux{err}" for name in ("psf", "ap09", "calib", "gaussian") for err in ("", "Err")}
        moments = {f"i{axes}{psf}" for axes in ("xx", "yy", "xy") for psf in ("", "PSF")}
        self.assertLessEqual(fluxes | moments | {"ra", "dec", "coord_ra", "x", "y", "extendedness"}, real)
        self.assertEqual({len(values) for values in self.table.values()}, {len(self.number)})

    def test_ids(self) -> None:
        ids = self.table["sourceId"]
        self.assertEqual(len(np.unique(ids)), len(ids))
        self.assertEqual(ids.dtype, np.int64)
        self.assertGreater(ids.min(), 1 << 61)
        # A float would not hold them.
        self.assertTrue((ids.astype(np.float64).astype(np.int64) != ids).any())

    def test_blends(self) -> None:
        blend = self.table["deblend_nChild"] > 0
        child = self.table["parentSourceId"] > 0
        self.assertGreater(blend.sum(), 10)
        self.assertFalse(self.table["detect_isPrimary"][blend | self.empty].any())
        self.assertTrue(self.table["detect_isPrimary"][~(blend | self.empty)].all())
        parents, count = np.unique(self.table["parentSourceId"][child], return_counts=True)
        np.testing.assert_array_equal(parents, np.sort(self.table["sourceId"][blend]))
        self.assertTrue((count == 2).all())

    def test_flux_errors(self) -> None:
        """Measured minus true flux over its error has a deviation of 1."""
        zero_point = 10.0 ** (-0.4 * self.visit.offsets[self.table["detector"]])
        true = 10.0 ** (-0.4 * (self.sky.mag[self.at, 2] - 31.4)) * zero_point
        good = self.star & ~self.table["pixelFlags_saturatedCenter"]
        for name in ("psfFlux", "calibFlux", "gaussianFlux"):
            chi = ((self.table[name] - true) / self.table[f"{name}Err"])[good]
            chi = chi[np.isfinite(chi)]
            with self.subTest(name):
                self.assertGreater(len(chi), 8000)
                self.assertAlmostEqual(chi.mean(), 0.0, delta=4.0 / np.sqrt(len(chi)))
                self.assertAlmostEqual(chi.std(), 1.0, delta=4.0 / np.sqrt(2.0 * len(chi)))

    def test_published_error_model(self) -> None:
        mag = self.sky.mag[self.at, 2][self.star]
        x = 10.0 ** (0.4 * (mag - self.visit.m5))
        expected = np.sqrt((0.04 - 0.039) * x + 0.039 * x**2) * 10.0 ** (-0.4 * (mag - 31.4))
        measured = self.table["psfFluxErr"][self.star]
        fine = np.isfinite(measured)
        np.testing.assert_allclose(measured[fine], expected[fine], rtol=1e-12)

    def test_zero_points(self) -> None:
        """Bright stars of a detector tell what its zero point is off by."""
        mag = 31.4 - 2.5 * np.log10(
            self.table["psfFlux"], where=self.star, out=np.full(len(self.star), np.nan)
        )
        snr = self.table["psfFlux"] / self.table["psfFluxErr"]
        bright = self.star & (snr > 200.0) & ~self.table["pixelFlags_saturatedCenter"]
        for detector in range(9):
            chosen = bright & (self.table["detector"] == detector)
            shift = (mag - self.sky.mag[self.at, 2])[chosen]
            self.assertAlmostEqual(
                np.median(shift), self.visit.offsets[detector], delta=5.0 * 0.004 / np.sqrt(len(shift))
            )
        summary = visit_summary(self.survey, self.visit.id)
        np.testing.assert_allclose(
            summary["zeroPoint"] - self.visit.zero_point, self.visit.offsets, atol=1e-12
        )

    def test_positions(self) -> None:
        """Positions scatter about the jitter by the centroid error."""
        dx, dy = evaluate(self.visit.jitter, self.sky.x[self.at], self.sky.y[self.at]) / 1000.0
        ra, dec = deproject(
            self.survey.ra, self.survey.dec, self.sky.x[self.at] + dx, self.sky.y[self.at] + dy
        )
        east = (self.table["ra"] - ra) * np.cos(np.radians(dec)) / self.table["raErr"].clip(1e-12)
        north = (self.table["dec"] - dec) / self.table["decErr"].clip(1e-12)
        for chi in (east[self.star], north[self.star]):
            self.assertAlmostEqual(chi.std(), 1.0, delta=0.03)
        self.assertGreater(np.hypot(dx, dy).mean() * 1000.0, 2.0)
        np.testing.assert_array_equal(self.table["ra"], self.table["coord_ra"])

    def test_pixels_and_sky_agree(self) -> None:
        """The pixel of a source is where the camera sees its coordinates."""
        true = self.sky.x[self.at], self.sky.y[self.at]
        detector, px, py = to_pixels(*true, self.visit.placing)
        np.testing.assert_array_equal(detector[self.star], self.table["detector"][self.star])
        self.assertLess(np.abs(self.table["x"] - px)[self.star].max(), 3.0)
        self.assertLess(np.abs(self.table["y"] - py)[self.star].max(), 3.0)
        seen = from_pixels(self.table["detector"], self.table["x"], self.table["y"], self.visit.placing)
        east, north = np.stack(seen) + evaluate(self.visit.jitter, *true) / 1000.0
        ra, dec = deproject(self.survey.ra, self.survey.dec, east, north)
        np.testing.assert_allclose(self.table["ra"][self.star], ra[self.star], rtol=0.0, atol=1e-10)
        np.testing.assert_allclose(self.table["dec"][self.star], dec[self.star], rtol=0.0, atol=1e-10)

    def test_sky_sources(self) -> None:
        flux = self.table["ap09Flux"][self.empty]
        error = self.table["ap09FluxErr"][self.empty]
        flux, error = flux[np.isfinite(flux)], error[np.isfinite(flux)]
        self.assertGreater(len(flux), 3500)
        self.assertAlmostEqual(
            flux.mean(), self.visit.sky_residual, delta=4.0 * error[0] / np.sqrt(len(flux))
        )
        self.assertAlmostEqual(flux.std() / error[0], 1.0, delta=4.0 / np.sqrt(2.0 * len(flux)))
        for name in ("extendedness", "ixx", "iyy", "ixy"):
            self.assertTrue(np.isnan(self.table[name][self.empty]).all(), name)
        self.assertTrue((self.number[self.empty] >= FIRST_SKY).all())

    def test_shapes(self) -> None:
        """Stars are the PSF; galaxies are not."""
        e1 = {p: self._e1(p) for p in ("", "PSF")}
        snr = self.table["psfFlux"] / self.table["psfFluxErr"]
        bright = self.star & (snr > 50.0)
        chi = (e1[""] - e1["PSF"])[bright] / np.hypot(2.0 / snr[bright], self.survey.psf_residual)
        self.assertAlmostEqual(chi.std(), 1.0, delta=0.15)
        size = (self.table["ixx"] + self.table["iyy"]) / (self.table["ixxPSF"] + self.table["iyyPSF"])
        galaxy = ~self.star & ~self.empty & (snr > 50.0)
        self.assertGreater(np.median(size[galaxy]), 1.3)
        self.assertTrue(self.table["extendedness"][bright].max() == 0.0)
        self.assertGreater(self.table["extendedness"][galaxy].mean(), 0.95)

    def test_saturation(self) -> None:
        saturated = self.table["pixelFlags_saturatedCenter"]
        self.assertTrue(0 < saturated.sum() < 400)
        self.assertLess(self.sky.mag[self.at, 2][saturated].max(), self.visit.saturation)
        self.assertTrue(self.table["pixelFlags_interpolatedCenter"][saturated].all())
        flux = 10.0 ** (-0.4 * (self.sky.mag[self.at, 2][saturated] - 31.4))
        self.assertLess(np.nanmax(self.table["psfFlux"][saturated] / flux), 0.8)

    def test_flags_take_the_flux_away(self) -> None:
        for name in ("psfFlux", "ap09Flux"):
            np.testing.assert_array_equal(np.isnan(self.table[name]), self.table[f"{name}_flag"])

    def test_number_counts_and_locus(self) -> None:
        whole = sky(self.survey, 0)
        stars = whole.mag[whole.number < FIRST_GALAXY]
        self.assertEqual(len(stars), 20_000)
        self.assertTrue(((stars[:, 2] >= 16.0) & (stars[:, 2] <= 26.0)).all())
        ratio = np.sum(stars[:, 2] < 20.0) / np.sum(stars[:, 2] < 23.0)
        self.assertAlmostEqual(ratio, (10**3.2 - 10**2.56) / (10**3.68 - 10**2.56), delta=0.02)
        gr, ri = stars[:, 1] - stars[:, 2], stars[:, 2] - stars[:, 3]
        straight = (gr > 0.3) & (gr < 0.95)
        off = (ri - 0.483 * gr + 0.042)[straight]
        self.assertLess(abs(np.median(off)), 0.003)
        self.assertLess(off.std(), 0.02)

    def _e1(self, psf: str) -> np.ndarray:
        ixx, iyy = self.table[f"ixx{psf}"], self.table[f"iyy{psf}"]
        return (ixx - iyy) / (ixx + iyy)


if __name__ == "__main__":
    unittest.main()
