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

"""Width of the stellar locus: simulated loci, another way to fit them, and
real stars.
"""

from __future__ import annotations

import unittest
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from support import SHARED, needs_shared, steady

from lsst.qa import measure
from lsst.qa.catalogue import METRICS
from lsst.qa.metrics.locus import EXTINCTION, LOCI, distances, middle
from lsst.qa.stats.line import least_squares, total_least_squares

BOX = {"x_low": 0.28, "x_high": 1.0, "y_low": 0.02, "y_high": 0.48}
SLOPES = {"wPerp": (0.483, -0.042), "yPerp": (0.385, 0.064)}


def blue(number: int, width: float, seed: int, slope: float = 0.483) -> tuple[np.ndarray, np.ndarray]:
    """Scatter stars about a line, across it, by so many mag."""
    draw = np.random.default_rng(seed)
    along, across = draw.uniform(0.1, 1.3, number), width * draw.standard_normal(number)
    cosine, sine = 1.0 / np.hypot(1.0, slope), slope / np.hypot(1.0, slope)
    return along * cosine - across * sine, -0.042 + along * sine + across * cosine


def table(
    x: np.ndarray, y: np.ndarray, bands: str, ebv: float = 0.0, camera: str = "LSSTCam"
) -> dict[str, Any]:
    """Make objects of these colours, behind some dust."""
    number = len(x)
    mags = {bands[0]: 19.0 + x, bands[1]: np.full(number, 19.0), bands[2]: 19.0 - y}
    made: dict[str, Any] = {
        "objectId": np.arange(number),
        "ebv": np.full(number, ebv),
        "detect_isPrimary": np.ones(number, dtype=bool),
    }
    for band, mag in mags.items():
        flux = 10.0 ** (0.4 * (31.4 - mag - ebv * EXTINCTION[camera][band]))
        made |= {
            f"{band}_psfFlux": flux,
            f"{band}_cModelFlux": flux,
            f"{band}_extendedness": np.zeros(number),
        }
        made |= {f"{band}_psfFluxErr": flux / 500.0, f"{band}_cModelFluxErr": flux / 500.0}
        made |= {f"{band}_{flag}": np.zeros(number, dtype=bool) for flag in FLAGS}
    return made


FLAGS = ("psfFlux_flag", "pixelFlags_saturatedCenter")


def value(columns: dict[str, Any], name: Any) -> Any:
    return measure(columns, [name], kind="object")[0]


class LineTestCase(unittest.TestCase):
    """Fits of straight lines."""

    @steady
    @given(st.floats(-1.5, 1.5), st.floats(-3.0, 3.0), st.integers(0, 10**6))
    def test_against_singular_vectors(self, angle: float, offset: float, seed: int) -> None:
        draw = np.random.default_rng(seed)
        along, across = draw.standard_normal(40), 0.1 * draw.standard_normal(40)
        x = along * np.cos(angle) - across * np.sin(angle) + offset
        y = along * np.sin(angle) + across * np.cos(angle) - offset
        line = total_least_squares(x, y)
        points = np.stack([x - x.mean(), y - y.mean()])
        axis = np.linalg.svd(points)[0][:, 0]
        assert line is not None
        self.assertAlmostEqual(abs(axis @ [line.along_x, line.along_y]), 1.0, 12)
        self.assertAlmostEqual(float(line.distance(x, y).sum()), 0.0, 9)
        self.assertGreater(line.along_y if line.steep else line.along_x, 0.0)
        crossed = np.array(line.crossing(1.0, 1.0))
        self.assertAlmostEqual(float(line.distance(*crossed)), 0.0, 9)

    def test_least_squares(self) -> None:
        x = np.array([0.0, 1.0, 2.0, 5.0])
        y = np.array([1.0, 0.5, 2.5, 3.0])
        np.testing.assert_allclose(least_squares(x, y), np.polyfit(x, y, 1), rtol=1e-12)
        self.assertTrue(np.isnan(least_squares(np.ones(4), y)).all())

    def test_no_line(self) -> None:
        """A single place has no direction, nor has a square."""
        self.assertIsNone(total_least_squares(np.ones(3), np.ones(3)))
        square = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0, 1.0])
        self.assertIsNone(total_least_squares(*square))


class LocusTestCase(unittest.TestCase):
    """The widths and medians."""

    def test_width_is_what_was_put_in(self) -> None:
        for name, (slope, _) in SLOPES.items():
            x, y = blue(20_000, 0.015, 3, slope) if name == "wPerp" else red_in_riz(20_000, 0.015)
            for ending in ("", ".cmodel", ".analysis_tools", ".analysis_tools_cmodel"):
                row = value(table(x, y, LOCI[name][1]), name + ending)
                self.assertAlmostEqual(row["value"], 15.0, delta=4.0 * row["error"])
                self.assertLess(row["error"], 0.3)

    def test_steep_locus(self) -> None:
        draw = np.random.default_rng(2)
        y = draw.uniform(0.8, 1.6, 5000)
        x = 1.27 + 0.02 * draw.standard_normal(5000)
        row = value(table(x, y, "gri"), "xPerp")
        self.assertAlmostEqual(row["value"], 20.0, delta=4.0 * row["error"])

    def test_dust(self) -> None:
        """Dereddened, dust changes nothing; to the peer it shifts stars."""
        x, y = blue(3000, 0.02, 5)
        clear, dusty = (table(x, y, "gri", ebv) for ebv in (0.0, 0.3))
        # What reddens by a little more is selected for its brightness in r.
        for made in (clear, dusty):
            made["r_psfFluxErr"] = made["r_psfFlux"] / 500.0
        self.assertAlmostEqual(value(clear, "wPerp")["value"], value(dusty, "wPerp")["value"], 9)
        self.assertNotEqual(
            value(clear, "wPerp.analysis_tools")["value"], value(dusty, "wPerp.analysis_tools")["value"]
        )
        hsc = METRICS["wPerp.HSC"]
        self.assertAlmostEqual(
            value(table(x, y, "gri", 0.3, "HSC"), hsc)["value"], value(clear, "wPerp")["value"], 9
        )

    def test_outliers(self) -> None:
        """A tenth of the stars far off the locus hardly moves it."""
        x, y = blue(3000, 0.02, 6)
        y[::10] += 0.2
        row = value(table(x, y, "gri"), "wPerp")
        self.assertAlmostEqual(row["value"], 20.0, delta=2.0)

    def test_selection(self) -> None:
        x, y = blue(600, 0.02, 7)
        good = table(x, y, "gri")
        whole = value(good, "wPerp")["n"]
        for name, values in (
            ("r_psfFluxErr", good["r_psfFlux"] / 299.0),
            ("g_extendedness", np.ones(600)),
            ("i_pixelFlags_saturatedCenter", np.ones(600, dtype=bool)),
            ("detect_isPrimary", np.zeros(600, dtype=bool)),
        ):
            kept = np.arange(600) < 300
            spoilt = {**good, name: np.where(kept, good[name], values)}
            self.assertLess(value(spoilt, "wPerp")["n"], 0.7 * whole)
        self.assertEqual(value({k: v[:6] for k, v in good.items()}, "wPerp")["status"], "empty")

    def test_peer_by_slopes_and_intercepts(self) -> None:
        """The same stars and line, written as the peer writes them."""
        differing = 0
        for seed in range(20):
            x, y = blue(200, 0.08, seed)
            kept = (x > 0.28) & (x < 1.0) & (y > 0.02) & (y < 0.48)
            slope, intercept = by_slope(x[kept], y[kept])
            perpendicular = -1.0 / slope
            for sigmas in (3.5, 5.0):
                ends = [slope * at + intercept - perpendicular * at for at in (0.28, 1.0)]
                kept = (y > perpendicular * x + ends[0]) & (y < perpendicular * x + ends[1])
                away = (y - slope * x - intercept) / np.hypot(1.0, slope)
                low, high = np.percentile(away[kept], [25, 75])
                kept &= np.abs(away) <= sigmas * 0.74 * (high - low)
                slope, intercept = by_slope(x[kept], y[kept])
            expected = 1000.0 * (y - slope * x - intercept)[kept] / np.hypot(1.0, slope)
            np.testing.assert_allclose(distances(x, y, *BOX.values(), turning=False), expected, atol=1e-9)
            differing += len(distances(x, y, *BOX.values(), turning=True)) != len(expected)
        self.assertGreater(differing, 3)

    def test_errors(self) -> None:
        """The scatter of many loci is what the errors say."""
        found = [distances(*blue(300, 0.02, seed), *BOX.values(), turning=True) for seed in range(300)]
        medians = [middle(away) for away in found]
        spread = np.std([m.value for m in medians], ddof=1)
        self.assertAlmostEqual(np.mean([m.error for m in medians]) / spread, 1.0, delta=0.15)

    @needs_shared
    def test_golden(self) -> None:
        """Real stars, with one E(B-V) for all in place of a map of dust."""
        from astropy.io import fits

        stars = fits.getdata(SHARED / "faro" / "tract9813_patches55to72_gri_filtered.fits.gz", 1)
        columns = {name: np.asarray(stars[name]) for name in stars.names}
        columns["ebv"] = np.full(len(stars), 0.02)
        row = value(columns, METRICS["wPerp.faro"].variant("filtered", rows=None))
        self.assertAlmostEqual(row["value"], 12.1958, 4)
        self.assertAlmostEqual(row["value"] / 12.18208045737346, 1.0, delta=0.002)
        self.assertEqual(row["n"], 80)


def red_in_riz(number: int, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Scatter stars about the red part of the locus in r, i and z."""
    draw = np.random.default_rng(9)
    along, across = draw.uniform(0.6, 2.3, number), width * draw.standard_normal(number)
    cosine, sine = 1.0 / np.hypot(1.0, 0.385), 0.385 / np.hypot(1.0, 0.385)
    return along * cosine - across * sine, 0.064 + along * sine + across * cosine


def by_slope(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Fit by total least squares, by the formula for the slope."""
    xx, yy = np.var(x), np.var(y)
    xy = np.mean((x - x.mean()) * (y - y.mean()))
    slope = (yy - xx + np.sqrt((yy - xx) ** 2 + 4 * xy**2)) / (2 * xy)
    return slope, y.mean() - slope * x.mean()


if __name__ == "__main__":
    unittest.main()
