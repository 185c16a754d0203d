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

"""Matching by position and the motion of stars, against plain ways."""

from __future__ import annotations

import math
import unittest

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord, angular_separation, get_body_barycentric
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st
from support import steady

from lsst.qa.stats.line import slope
from lsst.qa.stats.matching import close_pairs, mutual_nearest, tangent_offsets
from lsst.qa.stats.motion import moved, observer
from lsst.qa.stats.zeropoints import sky_cell, uniformity, zero_points
from lsst.sphgeom import HealpixPixelization, LonLat, UnitVector3d

CENTRES = st.tuples(
    st.sampled_from([0.0, 1e-6, math.pi, 2.0 * math.pi - 1e-6]),
    st.sampled_from([0.0, 0.8, 0.5 * math.pi, -0.5 * math.pi, 0.5 * math.pi - 3e-6]),
)
STEPS = st.integers(-4, 4) | st.none()
"""Steps on a grid, so that separations are equal and points are twins; none
for a place that is not known.
"""
POINTS = st.lists(st.tuples(STEPS, STEPS), max_size=12)
GRID = 2e-6


def places(points: list[tuple[int | None, int | None]], centre: tuple[float, float]) -> np.ndarray:
    """Lay points out on the tangent plane of a place; NaN for none."""
    x, y = (np.array([math.nan if p[i] is None else GRID * p[i] for p in points], float) for i in (0, 1))
    ra, dec = centre
    away = np.arctan2(x, np.cos(dec) - y * np.sin(dec))
    up = np.arctan2(np.sin(dec) + y * np.cos(dec), np.hypot(x, np.cos(dec) - y * np.sin(dec)))
    return np.stack([np.mod(ra + away, 2.0 * np.pi), up])


class MatchingTestCase(unittest.TestCase):
    """All pairs, and the nearest ones."""

    @steady
    @given(POINTS, POINTS, CENTRES, st.sampled_from([1.5, 2.5, 4.5]))
    def test_all_pairs(self, one: list, other: list, centre: tuple[float, float], steps: float) -> None:
        a, b, radius = places(one, centre), places(other, centre), steps * GRID
        first, second, angle = close_pairs(*a, *b, radius)
        apart = angular_separation(a[0][:, None], a[1][:, None], b[0][None], b[1][None])
        expected = [(i, j) for i in range(len(one)) for j in range(len(other)) if apart[i, j] <= radius]
        self.assertEqual(list(zip(first.tolist(), second.tolist())), expected)
        np.testing.assert_allclose(angle, apart[first, second], rtol=0.0, atol=1e-14)

    @steady
    @given(
        st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 3) | st.none()), max_size=25)
    )
    def test_mutual_nearest(self, pairs: list[tuple[int, int, int | None]]) -> None:
        """By looking at every other pair, whatever their order."""
        first, second = (np.array([pair[i] for pair in pairs], dtype=np.int64) for i in (0, 1))
        angle = np.array([math.nan if pair[2] is None else float(pair[2]) for pair in pairs])
        found = mutual_nearest(first, second, angle)

        def before(i: int, j: int) -> bool:
            return (angle[i], first[i], second[i], i) < (angle[j], first[j], second[j], j)

        expected = [
            math.isfinite(angle[j])
            and not any(
                before(i, j) and math.isfinite(angle[i])
                for i in range(len(pairs))
                if first[i] == first[j] or second[i] == second[j]
            )
            for j in range(len(pairs))
        ]
        self.assertEqual(found.tolist(), expected)
        order = np.random.default_rng(1).permutation(len(pairs))
        again = mutual_nearest(first[order], second[order], angle[order])
        self.assertEqual(
            sorted(zip(first[found].tolist(), second[found].tolist())),
            sorted(zip(first[order][again].tolist(), second[order][again].tolist())),
        )

    def test_one_to_one(self) -> None:
        """Two that want the same partner: the nearer has it, the other none,
        though another star is in reach.
        """
        first, second = np.array([1, 2, 2]), np.array([7, 7, 8])
        self.assertEqual(
            mutual_nearest(first, second, np.array([1.0, 2.0, 3.0])).tolist(), [True, False, False]
        )

    def test_nothing(self) -> None:
        nothing, one = np.zeros(0), np.ones(1)
        for a, b in ((nothing, one), (one, nothing), (nothing, nothing), (one * np.nan, one)):
            self.assertEqual([len(part) for part in close_pairs(a, a, b, b, 1.0)], [0, 0, 0])
        keys = np.zeros(0, dtype=np.int64)
        self.assertEqual(len(mutual_nearest(keys, keys, nothing)), 0)

    @steady
    @given(CENTRES, st.integers(-4, 4), st.integers(-4, 4))
    def test_offsets(self, centre: tuple[float, float], x: int, y: int) -> None:
        point = places([(x, y)], centre)
        east, north = tangent_offsets(*point, *map(np.float64, centre))
        np.testing.assert_allclose([east[0], north[0]], [GRID * x, GRID * y], rtol=1e-9, atol=1e-15)


class MotionTestCase(unittest.TestCase):
    """Proper motion and parallax."""

    def setUp(self) -> None:
        rng = np.random.default_rng(2)
        self.n = 100
        self.ra = rng.uniform(0.0, 2.0 * np.pi, self.n)
        self.dec = np.arcsin(rng.uniform(-1.0, 1.0, self.n))
        self.dec[:2] = [0.5 * np.pi, -0.5 * np.pi]
        self.pm = rng.normal(0.0, 5e-7, (2, self.n))
        self.parallax = rng.uniform(0.0, 1e-6, self.n)
        self.epoch, self.mjd = np.full(self.n, 57388.5), np.full(self.n, 60500.25)
        self.none = np.zeros(self.n)

    def test_against_astropy(self) -> None:
        ra, dec = moved(self.ra, self.dec, *self.pm, self.none, self.epoch, self.mjd)
        start = SkyCoord(
            self.ra * u.rad,
            self.dec * u.rad,
            distance=np.full(self.n, 1.0) * u.kpc,
            pm_ra_cosdec=self.pm[0] * u.rad / u.yr,
            pm_dec=self.pm[1] * u.rad / u.yr,
            radial_velocity=self.none * u.km / u.s,
            obstime=Time(self.epoch, format="mjd", scale="tai"),
        )
        end = start.apply_space_motion(new_obstime=Time(self.mjd, format="mjd", scale="tai"))
        self.assertLess(end.separation(SkyCoord(ra * u.rad, dec * u.rad)).mas.max(), 1e-5)

    def test_against_vectors(self) -> None:
        """The equation, written out; across RA 0 and at the poles."""
        earth = get_body_barycentric("earth", Time(self.mjd[0], format="mjd", scale="tai")).xyz.to_value("au")
        np.testing.assert_allclose(observer(self.mjd)[0], earth, rtol=0.0, atol=1e-9)
        for ra0 in (self.ra, np.full(self.n, 1e-9), np.full(self.n, 2.0 * np.pi - 1e-9)):
            sin, cos = np.sin(ra0), np.cos(ra0)
            r = np.stack([np.cos(self.dec) * cos, np.cos(self.dec) * sin, np.sin(self.dec)])
            p = np.stack([-sin, cos, self.none])
            q = np.stack([-np.sin(self.dec) * cos, -np.sin(self.dec) * sin, np.cos(self.dec)])
            years = (self.mjd - self.epoch) / 365.25
            expected = r + (p * self.pm[0] + q * self.pm[1]) * years - self.parallax * earth[:, None]
            expected /= np.linalg.norm(expected, axis=0)
            ra, dec = moved(ra0, self.dec, *self.pm, self.parallax, self.epoch, self.mjd)
            found = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
            np.testing.assert_allclose(found, expected, rtol=0.0, atol=2e-15)
            self.assertTrue(np.all((ra >= 0.0) & (ra < 2.0 * np.pi)))

    def test_unknown(self) -> None:
        """What is not known moves nothing, and is not made up."""
        lost = np.full(self.n, np.nan)
        for pm, parallax, epoch, mjd in (
            ((lost, lost), lost, self.epoch, self.mjd),
            (self.pm, self.parallax, lost, self.mjd),
            (self.pm, self.parallax, self.epoch, lost),
        ):
            ra, dec = moved(self.ra, self.dec, *pm, parallax, epoch, mjd)
            np.testing.assert_array_equal([ra, dec], [self.ra, self.dec])
        ra, dec = moved(lost, self.dec, *self.pm, self.parallax, self.epoch, self.mjd)
        self.assertTrue(np.isnan(ra).all())


class ZeroPointsTestCase(unittest.TestCase):
    """Parts of the sky."""

    def test_parts(self) -> None:
        values = np.array([1.0, 5.0, 2.0, np.nan, 3.0, 7.0, 9.0, np.inf])
        part = np.array([4, 9, 4, 4, 4, 9, -1, 9])
        medians, errors = zero_points(values, part, 3)
        self.assertEqual(medians.tolist(), [2.0])
        self.assertEqual(zero_points(values, part, 2)[0].tolist(), [2.0, 6.0])
        self.assertEqual(len(errors), 1)
        self.assertEqual([len(column) for column in zero_points(values[:0], part[:0], 1)], [0, 0])

    def test_uniformity(self) -> None:
        rng = np.random.default_rng(3)
        trials = 400
        zero = rng.normal(0.0, 8.0, (trials, 40))
        noise = 6.0
        found = np.array([uniformity(row + noise * rng.normal(size=40), np.full(40, noise)) for row in zero])
        self.assertAlmostEqual(np.sqrt(np.mean(found[:, 0] ** 2)), 8.0, delta=0.3)
        within = np.mean(np.abs(found[:, 0] - 8.0) < found[:, 1])
        self.assertAlmostEqual(within, 0.68, delta=0.07)
        for medians in ([], [1.0]):
            value, error, n = uniformity(np.array(medians), np.ones(len(medians)))
            self.assertTrue(math.isnan(value) and math.isnan(error))
            self.assertEqual(n, len(medians))
        self.assertEqual(uniformity(np.array([1.0, -1.0, 0.0]), np.full(3, 5.0))[0], 0.0)

    @steady
    @given(st.integers(-1000, 7000), st.integers(-1500, 1500))
    def test_cells(self, x: int, y: int) -> None:
        ra, dec = 1e-3 * x + 1.7e-5, 1e-3 * y + 2.9e-5  # on no edge of a cell
        pixels = HealpixPixelization(9)
        expected = pixels.index(UnitVector3d(LonLat.fromRadians(ra, dec)))
        self.assertEqual(sky_cell(np.array([ra]), np.array([dec]), 512).tolist(), [expected])

    def test_cell_of_nowhere(self) -> None:
        lost = np.array([np.nan, 0.0, np.inf, 1.0])
        self.assertEqual(sky_cell(lost, np.array([0.0, np.nan, 0.0, 3.0]), 4).tolist(), [-1] * 4)


class SlopeTestCase(unittest.TestCase):
    """A line's slope, and how sure it is."""

    def test_exactly(self) -> None:
        x = np.array([1.0, 2.0, 4.0, np.nan, 3.0])
        value, error, n = slope(x, 3.0 * x + 1.0)
        self.assertAlmostEqual(value, 3.0, places=12)
        self.assertEqual(n, 4)
        self.assertTrue(math.isnan(slope(x[:1], x[:1])[0]))
        self.assertTrue(math.isnan(slope(x[:2], x[:2])[1]))

    def test_coverage(self) -> None:
        """Where the scatter grows along the line."""
        rng = np.random.default_rng(4)
        x = rng.uniform(0.0, 1.0, (1000, 80))
        found = np.array([slope(row, 2.0 * row + rng.normal(0.0, 0.1 + row)) for row in x])
        self.assertAlmostEqual(np.mean(np.abs(found[:, 0] - 2.0) < found[:, 1]), 0.68, delta=0.05)


if __name__ == "__main__":
    unittest.main()
