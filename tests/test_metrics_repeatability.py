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

"""Repeatability by brightness and by coordinate."""

from __future__ import annotations

import unittest
from typing import Any

import numpy as np
from support import SHARED, needs_shared

from lsst.qa.catalogue import METRICS
from lsst.qa.metrics import repeatability
from lsst.qa.tables.measure import measure

MAS = np.radians(1.0 / 3600e3)


def stars(mags: np.ndarray, snr: float = 30.0, extendedness: float = 0.0) -> dict[str, np.ndarray]:
    """Make a table of stars by visits with these magnitudes."""
    number, visits = mags.shape
    size = mags.size
    star = np.repeat(np.arange(number), visits)
    return {
        "star": star,
        "visit": np.tile(np.arange(visits), number),
        "sourceId": np.arange(size),
        "ra": np.full(size, 10.0),
        "dec": np.full(size, -5.0),
        "psf_mag": mags.ravel(),
        "gauss_mag": mags.ravel() + 0.5 * (mags - mags.mean(axis=1, keepdims=True)).ravel(),
        "psf_snr": np.full(size, snr),
        "extendedness": np.full(size, extendedness),
        "clean": np.ones(size, dtype=bool),
        "detect_isPrimary": np.ones(size, dtype=bool),
    }


def value(table: Any, name: Any) -> Any:
    """Measure one metric."""
    return measure(table, [name], kind="matched", band="r")[0]


class BinsTestCase(unittest.TestCase):
    """The magnitudes of stars and galaxies in bins of S/N."""

    def setUp(self) -> None:
        scatter = np.linspace(0.01, 0.05, 21)[:, None] * np.array([-1.0, 0.0, 1.0])
        self.mags = 20.0 + scatter

    def test_closed_form(self) -> None:
        """Three visits at -s, 0 and s have an rms of s, or of s sqrt(2/3)."""
        table = stars(self.mags)
        self.assertAlmostEqual(value(table, "psfPhotRepStar3")["value"], 30.0, 9)
        self.assertAlmostEqual(value(table, "modelPhotRepStar3")["value"], 45.0, 9)
        self.assertAlmostEqual(value(table, "psfPhotRepStar3.faro")["value"], 30.0 * np.sqrt(2 / 3), 9)

    def test_bins(self) -> None:
        """A bin holds both its ends, and galaxies are no stars."""
        for snr, extendedness, full in (
            (5.0, 0.0, "psfPhotRepStar1"),
            (20.0, 0.0, "psfPhotRepStar2 psfPhotRepStar3"),
            (80.0, 1.0, "modelPhotRepGal4"),
            (80.1, 1.0, ""),
        ):
            table = stars(self.mags, snr, extendedness)
            rows = measure(table, list(repeatability.REPEAT), kind="matched")
            found = {
                row["metric"] for row in rows if row["n"] and not row["metric"].startswith("modelPhotRepStar")
            }
            self.assertEqual(found, set(full.split()))

    def test_few(self) -> None:
        """The peer asks for more than ten stars; ten do for the plain name."""
        table = stars(self.mags[:10])
        self.assertEqual(value(table, "psfPhotRepStar3")["status"], "ok")
        self.assertEqual(value(table, "psfPhotRepStar3.faro")["status"], "undefined")

    def test_one_bad_magnitude(self) -> None:
        """A star counts only if it was measured every time."""
        table = stars(self.mags)
        table["psf_mag"][4] = np.nan
        self.assertEqual(value(table, "psfPhotRepStar3")["n"], len(self.mags) - 1)

    def test_thresholds(self) -> None:
        for name, limit in (
            ("psfPhotRepStar1", 120.0),
            ("modelPhotRepGal4", 22.5),
            ("modelPhotRepStar3", 30.0),
        ):
            self.assertEqual([spec.value for spec in METRICS[name].specs], [limit])

    @needs_shared
    def test_same_estimator_as_the_peers_golden_value(self) -> None:
        """With the bin of PA1 it gives what faro expects of PA1."""
        path = SHARED / "faro/matchedCatalogTract_0_i.fits.gz"
        bright = METRICS["psfPhotRepStar4.faro"].variant("bright", snr_low=200.0, snr_high=np.inf)
        self.assertAlmostEqual(value(path, bright)["value"], 6.8097958008538, 9)

    @needs_shared
    def test_oracle(self) -> None:
        """A loop over the stars of a real table gives the same."""
        from astropy.io import fits

        path = SHARED / "faro/matchedCatalogTract_0_r.fits.gz"
        table = fits.getdata(path, 1)
        names = ("PsfFlux_mag", "GaussianFlux_mag", "PsfFlux_snr", "ClassificationExtendedness_value")
        psf, model, snr, kind = (np.asarray(table[f"base_{name}"], dtype=float) for name in names)
        objects = np.asarray(table["object"])
        for name, mag, low, high, star in (
            ("psfPhotRepStar3.faro", psf, 20.0, 40.0, True),
            ("modelPhotRepGal2.faro", model, 10.0, 20.0, False),
        ):
            found = []
            for key in np.unique(objects):
                rows = objects == key
                alike = (kind[rows] < 0.9) if star else (kind[rows] > 0.9)
                whole = np.isfinite(psf[rows] + mag[rows]).all() and alike.all()
                if rows.sum() > 2 and whole and low <= np.median(snr[rows]) <= high:
                    found.append(1000.0 * np.std(mag[rows]))
            self.assertAlmostEqual(value(path, name)["value"], float(np.median(found)), 9)


class PositionTestCase(unittest.TestCase):
    """The positions of stars, coordinate by coordinate."""

    def sky(self, ra: float, dec: float) -> dict[str, np.ndarray]:
        """Scatter stars' positions by 10 mas to the east, 20 to the north."""
        table = stars(np.full((25, 3), 19.0), snr=100.0)
        step = np.tile([-1.0, 0.0, 1.0], 25) * MAS
        east, north = 10.0 * step, 20.0 * np.roll(step, 1)
        table["dec"] = np.degrees(np.radians(dec) + north)
        table["ra"] = np.degrees(np.radians(ra) + east / np.cos(np.radians(table["dec"]))) % 360.0
        return table

    def test_closed_form(self) -> None:
        """Anywhere: at RA 0, and near a pole."""
        for ra, dec in ((150.0, 2.0), (0.0, -30.0), (359.9999999, 60.0), (12.0, 89.9)):
            with self.subTest(ra=ra, dec=dec):
                table = self.sky(ra, dec)
                self.assertAlmostEqual(value(table, "dmL2AstroErr_RA")["value"], 10.0, 3)
                self.assertAlmostEqual(value(table, "dmL2AstroErr_Dec")["value"], 20.0, 3)

    def test_peer(self) -> None:
        """RA cos(Dec) carries the scatter in Dec, the more the larger RA."""
        table = self.sky(200.0, -45.0)
        ra, dec = np.radians(table["ra"]).reshape(-1, 3), np.radians(table["dec"]).reshape(-1, 3)
        expected = np.median(np.std(ra * np.cos(dec), axis=1, ddof=1)) / MAS
        self.assertGreater(expected, 40.0)
        self.assertAlmostEqual(value(table, "dmL2AstroErr_RA.analysis_tools")["value"], expected, 5)
        self.assertAlmostEqual(value(table, "dmL2AstroErr_Dec.analysis_tools")["value"], 20.0, 5)

    def test_error(self) -> None:
        """The spread of many skies is what the error says."""
        draw = np.random.default_rng(5)
        rows = []
        for _ in range(150):
            table = stars(np.full((60, 4), 19.0), snr=100.0)
            table["dec"] = np.degrees(np.radians(-30.0) + 5.0 * MAS * draw.standard_normal(240))
            rows.append(value(table, "dmL2AstroErr_Dec"))
        spread = np.std([row["value"] for row in rows], ddof=1)
        self.assertAlmostEqual(np.mean([row["error"] for row in rows]) / spread, 1.0, delta=0.2)


if __name__ == "__main__":
    unittest.main()
