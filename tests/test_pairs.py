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

"""Pairs of points on the sphere against all pairs, one by one."""

from __future__ import annotations

import itertools
import math
import tracemalloc
import unittest

import numpy as np
from astropy.coordinates import angular_separation
from hypothesis import given
from hypothesis import strategies as st
from support import LARGEST_ID, steady

from lsst.qa import stats

RA = st.floats(-4.0, 7.0) | st.sampled_from([0.0, 2.0 * math.pi, 2.0 * math.pi - 1e-4, 1e-4, math.pi])
DEC = st.floats(-0.5 * math.pi, 0.5 * math.pi) | st.sampled_from(
    [0.5 * math.pi, -0.5 * math.pi, 0.5 * math.pi - 1e-4, 0.0, 1e-4]
)
POINTS = st.lists(st.tuples(RA, DEC), max_size=14)
LIMITS = st.tuples(st.sampled_from([0.0, 1e-4, 0.1, 1.0, 3.0]), st.floats(1e-5, 3.2))


def arrays(points: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    ra, dec = (np.array([point[axis] for point in points], dtype=float) for axis in (0, 1))
    return ra, dec


def pair_keys(pairs: tuple[np.ndarray, np.ndarray], keys: np.ndarray) -> list[tuple[int, int]]:
    return list(zip(keys[pairs[0]].tolist(), keys[pairs[1]].tolist()))


class SeparationTestCase(unittest.TestCase):
    """Angles agree with another formula, and keep the digits of small ones."""

    @steady
    @given(RA, DEC, RA, DEC)
    def test_against_astropy(self, ra1: float, dec1: float, ra2: float, dec2: float) -> None:
        expected = angular_separation(ra1, dec1, ra2, dec2)
        # Close to the antipode the haversine loses half of the digits.
        near = 1e-15 if expected < 3.0 else 3e-8
        self.assertAlmostEqual(
            float(stats.separation(*map(np.float64, (ra1, dec1, ra2, dec2)))), float(expected), delta=8 * near
        )

    def test_milliarcseconds(self) -> None:
        step = math.radians(1e-3 / 3600.0)
        for dec in (0.0, 1.2):
            ra2 = 3.0 + step / math.cos(dec)
            found = stats.separation(np.array([3.0]), np.array([dec]), np.array([ra2]), np.array([dec]))
            self.assertAlmostEqual(found[0] / step, 1.0, places=6)

    def test_mean_position(self) -> None:
        """Across RA 0, and around the pole, where means of RA are wrong."""
        for points, expected in (
            ([(2.0 * math.pi - 0.01, 0.3), (0.01, 0.3)], 0.0),
            ([(angle, 1.5) for angle in (0.0, 0.5 * math.pi, math.pi, 1.5 * math.pi)], None),
        ):
            ra, dec = stats.mean_position(*arrays(points), np.mean)
            if expected is None:
                self.assertAlmostEqual(dec, 0.5 * math.pi)
            else:
                self.assertAlmostEqual(math.remainder(ra - expected, 2.0 * math.pi), 0.0)
                self.assertAlmostEqual(dec, 0.3, places=4)


class PairsTestCase(unittest.TestCase):
    """The pairs found are those of a loop over all pairs."""

    @steady
    @given(POINTS, LIMITS)
    def test_against_all_pairs(self, points: list[tuple[float, float]], limits: tuple[float, float]) -> None:
        low, high = limits
        ra, dec = arrays(points)
        # From the largest down, so that keys are in another order than points.
        keys = LARGEST_ID - np.arange(len(points), dtype=np.int64)
        found = pair_keys(stats.pairs_in_annulus(ra, dec, low, high, keys), keys)
        self.assertEqual(found, sorted(set(found)), "each once, in the order of keys")
        for i, j in itertools.combinations(range(len(points)), 2):
            angle = float(stats.separation(ra[i], dec[i], ra[j], dec[j]))
            pair = (int(keys[j]), int(keys[i]))
            if abs(angle - high) > 1e-12:
                self.assertEqual(pair in found, low <= angle < high, (points[i], points[j], angle))
        self.assertTrue(all(one < other for one, other in found))

    def test_many_points_anywhere(self) -> None:
        """All around the sphere, about the poles, and across RA 0."""
        rng = np.random.default_rng(6)
        ra, height = rng.uniform(0.0, 2.0 * math.pi, 300), rng.uniform(-1.0, 1.0, 300)
        keys = np.arange(300)
        for name, dec, width in (
            ("sphere", np.arcsin(height), 1.0),
            ("pole", 0.5 * math.pi - 0.1 * np.sqrt(np.abs(height)), 1.0),
            ("other pole", 0.1 * np.sqrt(np.abs(height)) - 0.5 * math.pi, 1.0),
            ("belt", 0.05 * height, 1.0),
            ("field at RA 0", 0.05 * height, 0.02),
        ):
            turned = (width * (ra - math.pi)) % (2.0 * math.pi)
            angles = stats.separation(turned[:, None], dec[:, None], turned, dec)
            for low, high in ((0.0, 0.03), (0.02, 0.3), (1.0, 1.2), (2.9, 4.0)):
                expected = np.argwhere(np.triu((angles >= low) & (angles < high), 1)).tolist()
                found = stats.pairs_in_annulus(turned, dec, low, high, keys)
                with self.subTest(name, low=low, high=high):
                    self.assertEqual(np.stack(found, axis=1).tolist(), expected)

    def test_limits_are_half_open(self) -> None:
        step = 0.25  # exact in binary, so the separations along a meridian are
        ra, dec = np.zeros(4), step * np.arange(4)
        angles = stats.separation(ra[:1], dec[:1], ra[1:], dec[1:])
        pairs = stats.pairs_in_annulus(ra, dec, float(angles[0]), float(angles[1]), np.arange(4))
        self.assertIn((0, 1), pair_keys(pairs, np.arange(4)))
        self.assertNotIn((0, 2), pair_keys(pairs, np.arange(4)))

    def test_coincident_points(self) -> None:
        ra, dec, keys = np.full(3, 1.0), np.full(3, 1.0), np.arange(3)
        self.assertEqual(
            pair_keys(stats.pairs_in_annulus(ra, dec, 0.0, 0.1, keys), keys), [(0, 1), (0, 2), (1, 2)]
        )
        self.assertEqual(pair_keys(stats.pairs_in_annulus(ra, dec, 1e-9, 0.1, keys), keys), [])

    def field(self, number: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rng = np.random.default_rng(3)
        keys = rng.permutation(np.arange(number)) + 2**62
        return rng.uniform(-0.01, 0.01, number), rng.uniform(-0.01, 0.01, number), keys

    def test_thinning(self) -> None:
        ra, dec, keys = self.field()
        whole = pair_keys(stats.pairs_in_annulus(ra, dec, 0.002, 0.004, keys), keys)
        some = pair_keys(stats.pairs_in_annulus(ra, dec, 0.002, 0.004, keys, 200), keys)
        self.assertEqual(len(some), 200)
        self.assertLess(set(some), set(whole))
        # The chosen few are spread over the stars: not one corner of them.
        self.assertGreater(len({key for pair in some for key in pair}), 150)
        for seed in range(3):
            order = np.random.default_rng(seed).permutation(len(keys))
            again = stats.pairs_in_annulus(ra[order], dec[order], 0.002, 0.004, keys[order], 200)
            self.assertEqual(pair_keys(again, keys[order]), some)
        self.assertEqual(
            pair_keys(stats.pairs_in_annulus(ra, dec, 0.002, 0.004, keys, len(whole)), keys), whole
        )

    def test_the_choice_depends_on_keys_alone(self) -> None:
        """Stars far away have no pairs, and do not change which are chosen."""
        ra, dec, keys = self.field()
        some = pair_keys(stats.pairs_in_annulus(ra, dec, 0.002, 0.004, keys, 200), keys)
        lonely = np.linspace(-1.2, -0.8, 7)
        more = [np.concatenate(both) for both in ((lonely, ra), (lonely, dec), (np.arange(7), keys))]
        self.assertEqual(
            pair_keys(stats.pairs_in_annulus(*more[:2], 0.002, 0.004, more[2], 200), more[2]), some
        )

    def test_memory_is_bounded(self) -> None:
        """A star far from all others does not make one block of everything."""
        rng = np.random.default_rng(4)
        ra, dec = rng.uniform(0.0, 0.02, 4000), rng.uniform(0.0, 0.02, 4000)
        dec[0] = -1.0
        tracemalloc.start()
        try:
            stats.pairs_in_annulus(ra, dec, 0.0011, 0.0017, np.arange(4000), 10_000)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        self.assertLess(peak, 64e6)


class HashTestCase(unittest.TestCase):
    """Pseudo-random numbers of keys do not depend on anything else."""

    def test_published_values(self) -> None:
        """The first outputs of SplitMix64 from the seed 1234567."""
        mask, gamma = 2**64 - 1, 0x9E3779B97F4A7C15
        states = np.array([(1234567 + i * gamma) & mask for i in range(3)], dtype=np.uint64)
        self.assertEqual(
            stats.hash_order(states).tolist(),
            [6457827717110365317, 3203168211198807973, 9817491932198370423],
        )

    @steady
    @given(st.lists(st.integers(-LARGEST_ID - 1, LARGEST_ID), min_size=1, unique=True))
    def test_each_key_by_itself(self, keys: list[int]) -> None:
        together = stats.hash_order(np.array(keys)).tolist()
        self.assertEqual(together, [stats.hash_order(np.array([key]))[0] for key in keys])
        self.assertEqual(len(set(together)), len(keys))

    def test_neighbours_are_strangers(self) -> None:
        uniform = stats.hash_order(np.arange(4000)) / 2.0**64
        self.assertAlmostEqual(uniform.mean(), 0.5, delta=0.02)
        self.assertLess(abs(np.corrcoef(uniform[1:], uniform[:-1])[0, 1]), 0.05)


if __name__ == "__main__":
    unittest.main()
