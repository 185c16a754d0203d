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

"""The recorded truth: what large samples of the simulated tables come to."""

from __future__ import annotations

import unittest

import numpy as np

from lsst.qa.catalogue import METRICS
from lsst.qa.simulate import Survey, Truth, matched_rows, objects, sources, truth, visit_ids
from lsst.qa.simulate.mixtures import (
    deviation_quantile,
    deviations,
    median_rms,
    normal_quantile,
    normal_sigma_mad,
    outside,
    resampled_deviations,
)


def by_name(truths: list[Truth], **place: object) -> dict[str, Truth]:
    """Pick the truths of one visit or tract, by metric."""
    wanted = {"visit": None, "detector": None, "tract": None, **place}
    return {t.metric: t for t in truths if all(getattr(t, name) == value for name, value in wanted.items())}


class MixturesTestCase(unittest.TestCase):
    """Closed forms against samples, and against each other."""

    def setUp(self) -> None:
        self.rng = np.random.default_rng(5)

    def test_alike(self) -> None:
        mean, sigma = np.full(7, 3.0), np.full(7, 2.0)
        self.assertAlmostEqual(normal_quantile(mean, sigma), 3.0)
        self.assertAlmostEqual(normal_sigma_mad(mean, sigma), 2.0)
        self.assertAlmostEqual(normal_quantile(mean, sigma, 0.8413447460685429), 5.0)
        self.assertAlmostEqual(outside(np.zeros(3), sigma[:3], 4.0), 0.0455002638963584)
        self.assertAlmostEqual(deviation_quantile(np.zeros(3), sigma[:3], 1.0 - 0.0455002638963584), 4.0)

    def test_chi(self) -> None:
        """Where all are alike the rms is a chi variable."""
        from scipy.stats import chi

        for visits in (2, 3, 10, 200):
            shape = (4, visits)
            value = median_rms(np.full(shape, 5.0), np.full(shape, 2.0), np.ones(shape, dtype=bool))
            expected = 2.0 * chi.median(visits - 1) / np.sqrt(visits - 1)
            self.assertAlmostEqual(value / expected, 1.0, places=9)

    def test_unlike(self) -> None:
        mean, sigma = self.rng.normal(0.0, 3.0, (300, 9)), self.rng.uniform(2.0, 5.0, (300, 9))
        present = self.rng.random((300, 9)) < 0.85
        drawn = np.where(present, mean + sigma * self.rng.standard_normal((600, 300, 9)), np.nan)
        rms = np.nanstd(drawn, axis=2, ddof=1)
        self.assertAlmostEqual(median_rms(mean, sigma, present) / np.median(rms), 1.0, delta=0.006)
        about_mean = np.abs(drawn - np.nanmean(drawn, axis=2, keepdims=True))[:, present]
        shifts, spreads = deviations(mean, sigma, present)
        expected = np.quantile(about_mean, 0.9)
        self.assertAlmostEqual(deviation_quantile(shifts, spreads, 0.9) / expected, 1.0, delta=0.005)
        self.assertAlmostEqual(outside(shifts, spreads, 5.0), np.mean(about_mean > 5.0), delta=0.003)
        about_median = np.abs(drawn[:60] - np.nanmedian(drawn[:60], axis=2, keepdims=True))[:, present]
        sample = resampled_deviations(self.rng, mean, sigma, present, 100)
        self.assertEqual(len(sample), 100 * present.sum())
        self.assertAlmostEqual(np.quantile(sample, 0.9) / np.quantile(about_median, 0.9), 1.0, delta=0.015)

    def test_nothing(self) -> None:
        none, nobody = np.zeros(0), np.zeros((0, 3))
        for value in (
            normal_quantile(none, none),
            normal_sigma_mad(none, none),
            outside(none, none, 1.0),
            median_rms(nobody, nobody, nobody > 0.0),
        ):
            self.assertTrue(np.isnan(value))
        self.assertEqual(len(resampled_deviations(self.rng, nobody, nobody, nobody > 0.0, 0)), 0)


class VisitTruthTestCase(unittest.TestCase):
    """A visit's table meets what is said of it."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.survey = Survey(stars=30_000, galaxies=20_000, visits=1, bands="i", sky_sources=500, seed=8)
        cls.visit = visit_ids(cls.survey)[0]
        cls.table = sources(cls.survey, cls.visit)
        cls.truths = list(truth(cls.survey))
        cls.true = by_name(cls.truths, visit=cls.visit)

    def test_counts_are_exact(self) -> None:
        compact = self.table["detect_isPrimary"] & (self.table["extendedness"] < 0.5)
        self.assertEqual(self.true["n_sources"].value, len(self.table["sourceId"]))
        self.assertEqual(self.true["n_primary"].value, self.table["detect_isPrimary"].sum())
        self.assertEqual(self.true["n_stars"].value, compact.sum())

    def test_flags(self) -> None:
        n = len(self.table["sourceId"])
        flags = [name for name in self.true if name.startswith("flag_fraction.")]
        self.assertGreater(len(flags), 15)
        for name in flags:
            share, value = (
                self.table[name.removeprefix("flag_fraction.")].mean(),
                self.true[name].value / 100.0,
            )
            with self.subTest(name):
                self.assertGreater(value, 0.0)
                self.assertAlmostEqual(share, value, delta=4.5 * np.sqrt(value * (1.0 - value) / n))

    def test_sky(self) -> None:
        flux = self.table["ap09Flux"][self.table["sky_source"] & ~self.table["ap09Flux_flag"]]
        noise = self.true["sky_flux_stdev"].value / np.sqrt(len(flux))
        mad = 1.482602218505602 * np.median(np.abs(flux - np.median(flux)))
        self.assertAlmostEqual(np.median(flux), self.true["sky_flux_median"].value, delta=4.0 * 1.26 * noise)
        self.assertAlmostEqual(flux.mean(), self.true["sky_flux_mean"].value, delta=4.0 * noise)
        self.assertAlmostEqual(flux.std(), self.true["sky_flux_stdev"].value, delta=4.0 * 0.71 * noise)
        self.assertAlmostEqual(mad, self.true["sky_flux_sigma_mad"].value, delta=4.0 * 1.17 * noise)

    def test_psf_residuals(self) -> None:
        table = self.table
        good = table["detect_isPrimary"] & (table["extendedness"] < 0.5) & ~table["pixelFlags_saturated"]
        good &= table["psfFlux"] > 50.0 * table["psfFluxErr"]
        parts = {}
        for psf in ("", "PSF"):
            ixx, iyy, ixy = (table[f"i{axes}{psf}"][good] for axes in ("xx", "yy", "xy"))
            trace = ixx + iyy
            parts[psf] = (ixx - iyy) / trace, 2.0 * ixy / trace, (ixx * iyy - ixy**2) ** 0.25
        e1, e2, ratio = (
            parts[""][0] - parts["PSF"][0],
            parts[""][1] - parts["PSF"][1],
            parts[""][2] / parts["PSF"][2],
        )
        for name, values in (("e1", e1), ("e2", e2), ("size", ratio - 1.0)):
            scatter = self.true[f"{name}_residual_scatter"].value
            noise = scatter / np.sqrt(len(values))
            mad = 1.482602218505602 * np.median(np.abs(values - np.median(values)))
            with self.subTest(name):
                self.assertAlmostEqual(
                    np.median(values), self.true[f"{name}_residual_median"].value, delta=5.0 * noise
                )
                self.assertAlmostEqual(mad, scatter, delta=6.0 * noise)
                # The difference is seen: without the model's errors there
                # would be none.
                self.assertGreater(abs(self.true[f"{name}_residual_median"].value), 0.0)

    def test_names_and_units(self) -> None:
        """What the catalogue also has, it has in the same unit."""
        known = [t for t in self.truths if t.metric in METRICS]
        self.assertGreater(len({t.metric for t in known}), 60)
        for found in known:
            self.assertEqual(found.unit, METRICS[found.metric].unit, found.metric)

    def test_summary_by_detector(self) -> None:
        for name, unit in (("seeing", "arcsec"), ("zero_point", "mag"), ("astrom_offset_mean", "mas")):
            detectors = [t.value for t in self.truths if t.metric == name and t.detector is not None]
            self.assertEqual(len(detectors), 9)
            self.assertEqual(self.true[name].value, np.median(detectors))
            self.assertEqual(self.true[name].unit, unit)


class TractTruthTestCase(unittest.TestCase):
    """Stars that repeat, and coadds, meet what is said of them."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.survey = Survey(stars=4000, galaxies=1000, visits=8, bands="r", seed=4, sky_sources=300)
        cls.true = by_name(list(truth(cls.survey)), tract=0)
        rows = matched_rows(cls.survey, "r", 0, cls.survey.stars)
        usable = ~rows["pixelFlags_saturated"] & ~rows["pixelFlags_edge"]
        cls.rows = {name: values[usable] for name, values in rows.items()}

    def by_star(self, name: str) -> np.ndarray:
        """Lay a column out by star and visit, NaN where there is no row."""
        _, star = np.unique(self.rows["isolated_star_id"], return_inverse=True)
        _, visit = np.unique(self.rows["visit"], return_inverse=True)
        laid = np.full((star.max() + 1, visit.max() + 1), np.nan)
        laid[star, visit] = self.rows[name]
        return laid

    def bright(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return magnitudes, median S/N and number of visits of each star."""
        flux = self.by_star("psfFlux")
        with np.errstate(invalid="ignore"):
            mag = 31.4 - 2.5 * np.log10(flux)
        return mag, np.nanmedian(flux / self.by_star("psfFluxErr"), axis=1), np.isfinite(flux).sum(axis=1)

    def test_photometry(self) -> None:
        mag, snr, visits = self.bright()
        mag = 1000.0 * mag[(snr >= 200.0) & (visits >= 3)]
        self.assertGreater(len(mag), 200)
        rms = np.nanstd(mag, axis=1, ddof=1)
        deviation = np.abs(mag - np.nanmean(mag, axis=1, keepdims=True))
        deviation = deviation[np.isfinite(deviation)]
        true = self.true["PA1"].value
        self.assertAlmostEqual(np.median(rms), true, delta=4.0 * 1.25 * rms.std() / np.sqrt(len(rms)))
        self.assertAlmostEqual(np.quantile(deviation, 0.9) / self.true["PA2"].value, 1.0, delta=0.06)
        self.assertAlmostEqual(100.0 * np.mean(deviation > 15.0), self.true["PF1"].value, delta=0.4)
        # The parts that no error column tells of are in it.
        self.assertGreater(true, np.hypot(self.survey.systematic, 0.6 * self.survey.zero_point_scatter))

    def test_astrometry(self) -> None:
        mag, snr, _ = self.bright()
        chosen = (np.nanmedian(mag, axis=1) >= 17.0) & (np.nanmedian(mag, axis=1) < 21.5) & (snr >= 50.0)
        ra, dec = (np.radians(self.by_star(name)[chosen]) for name in ("ra", "dec"))
        first, second = np.triu_indices(len(ra), 1)
        centre_ra, centre_dec = np.nanmean(ra, axis=1), np.nanmean(dec, axis=1)
        apart = _separation(centre_ra[first], centre_dec[first], centre_ra[second], centre_dec[second])
        arcmin = np.degrees(apart) * 60.0
        for digit, distance, limit in (("1", 5.0, 20.0), ("2", 20.0, 20.0)):
            pairs = np.flatnonzero(np.abs(arcmin - distance) < 1.0)
            i, j = first[pairs], second[pairs]
            each = np.degrees(_separation(ra[i], dec[i], ra[j], dec[j])) * 3.6e6
            count = np.isfinite(each).sum(axis=1)
            rms = np.nanstd(each[count >= 2], axis=1, ddof=1)
            often = each[count >= 3]
            residual = np.abs(often - np.nanmedian(often, axis=1, keepdims=True))
            residual = residual[np.isfinite(residual)]
            with self.subTest(digit):
                self.assertGreater(len(pairs), 3000)
                self.assertAlmostEqual(np.median(rms) / self.true[f"AM{digit}"].value, 1.0, delta=0.06)
                self.assertAlmostEqual(
                    np.quantile(residual, 0.9) / self.true[f"AD{digit}"].value, 1.0, delta=0.06
                )
                self.assertAlmostEqual(
                    100.0 * np.mean(residual > limit), self.true[f"AF{digit}"].value, delta=0.8
                )
        # 200 arcmin do not fit into this tract.
        self.assertTrue(np.isnan(self.true["AM3"].value))

    def test_coadd(self) -> None:
        table = objects(self.survey, 0)
        compact = table["detect_isPrimary"] & (table["r_extendedness"] < 0.5)
        self.assertEqual(self.true["coadd_n_objects"].value, len(table["objectId"]))
        self.assertEqual(self.true["coadd_n_primary"].value, table["detect_isPrimary"].sum())
        self.assertEqual(self.true["coadd_n_stars"].value, compact.sum())
        self.assertIsNone(self.true["coadd_n_objects"].band)
        self.assertAlmostEqual(
            100.0 * table["r_pixelFlags_edge"].mean(), self.true["coadd_flag_fraction.pixelFlags_edge"].value
        )
        flux = table["r_ap09Flux"][table["sky_object"] & (table["r_inputCount"] > 0)]
        noise = self.true["coadd_sky_flux_stdev"].value / np.sqrt(len(flux))
        self.assertAlmostEqual(flux.mean(), self.true["coadd_sky_flux_mean"].value, delta=4.0 * noise)
        self.assertAlmostEqual(flux.std(), self.true["coadd_sky_flux_stdev"].value, delta=4.0 * noise)

    def test_wide_field(self) -> None:
        """With a field as wide as the real camera's, AM3 has pairs."""
        survey = Survey(
            stars=400, galaxies=0, visits=3, bands="r", tract_size=3.6, pixel_scale=1.1, sky_sources=0
        )
        true = by_name(list(truth(survey)), tract=0)
        self.assertTrue(5.0 < true["AM3"].value < 30.0)
        self.assertGreater(true["AD3"].value, true["AM3"].value)

    def test_one_visit(self) -> None:
        survey = Survey(stars=50, galaxies=0, visits=1, bands="u", sky_sources=0)
        true = by_name(list(truth(survey)), tract=0)
        for name in ("PA1", "PF1", "PA2", "AM1", "AD1", "AF1"):
            self.assertTrue(np.isnan(true[name].value), name)


def _separation(ra1: np.ndarray, dec1: np.ndarray, ra2: np.ndarray, dec2: np.ndarray) -> np.ndarray:
    points = [
        np.stack([np.cos(a) * np.cos(d), np.sin(a) * np.cos(d), np.sin(d)])
        for a, d in ((ra1, dec1), (ra2, dec2))
    ]
    return 2.0 * np.arcsin(0.5 * np.sqrt(((points[0] - points[1]) ** 2).sum(axis=0)))


if __name__ == "__main__":
    unittest.main()
