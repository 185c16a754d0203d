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
"""Errors of rows that stars and visits share, and of what is relative to the
mean of the same rows, against loops and against leaving rows out.
"""

from __future__ import annotations

import unittest

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from support import steady

from lsst.qa import stats
from lsst.qa.stats.units import quantile_reach


def by_loops(values: np.ndarray, star: np.ndarray, visits: np.ndarray) -> float:
    """Add up the products of all rows that share something; rows of visits are
    rows' visits.
    """
    n = len(values)
    own = shared = both = 0.0
    for i in range(n):
        for j in range(n):
            product = values[i] * values[j]
            together = bool(set(visits[i].tolist()) & set(visits[j].tolist()))
            own += product * (star[i] == star[j])
            shared += product * together
            both += product * (together and star[i] == star[j])
    numbers = [
        len(set(star.tolist())),
        len(set(visits.ravel().tolist())),
        len({(s, v) for s, row in zip(star.tolist(), visits.tolist()) for v in row}),
    ]
    sums = (max(own, 0.0), max(shared, 0.0), max(both, 0.0))
    own, shared, both = (total * k / (k - 1) for total, k in zip(sums, numbers))
    extra = shared - both
    return float(np.sqrt(own + (extra if extra > both * np.sqrt(2.0 / (numbers[1] - 1)) else 0.0))) / n


class CrossedErrorTestCase(unittest.TestCase):
    """Rows of a star are alike, and rows of a visit."""

    @steady
    @given(st.integers(0, 10_000), st.integers(2, 6), st.integers(4, 6), st.booleans(), st.floats(0.0, 3.0))
    def test_against_loops(self, seed: int, stars: int, visits: int, pairs: bool, alike: float) -> None:
        rng = np.random.default_rng(seed)
        star, visit = (part.ravel() for part in np.indices((stars, visits)))
        rows = visit[:, None]
        if pairs:
            kept = visit < visits - 2
            star, rows = star[kept], np.stack([visit[kept], rng.integers(visits - 2, visits, kept.sum())], 1)
        values = rng.standard_normal(len(star)) + alike * rng.standard_normal(visits)[rows].sum(axis=1)
        values -= values.mean()
        # Keys need be no small numbers.
        found = stats.crossed_error(values, star + (1 << 60), *(rows.T + (1 << 40)))
        np.testing.assert_allclose(found, by_loops(values, star, rows), rtol=1e-9)

    def test_few(self) -> None:
        """Of one star nothing is known, of one visit what stars tell."""
        values, one = np.array([-1.0, 0.0, 1.0]), np.zeros(3, np.int64)
        self.assertTrue(np.isnan(stats.crossed_error(values, one, np.arange(3))))
        self.assertAlmostEqual(stats.crossed_error(values, np.arange(3), one), np.sqrt(1.0 / 3.0))


class MovesTestCase(unittest.TestCase):
    """Influence, against leaving out a hundredth of the rows."""

    def setUp(self) -> None:
        self.rng = np.random.default_rng(3)
        self.values = self.rng.rayleigh(12.0, 40_000)

    def check(self, whole: float, part: float, moves: np.ndarray, kept: np.ndarray) -> None:
        """A value without some rows is less by what these make of it."""
        expected = (moves - moves.mean())[kept].mean()
        self.assertAlmostEqual((part - whole) / expected, 1.0, delta=0.1)

    def test_fraction_about_the_mean(self) -> None:
        def share(values: np.ndarray) -> float:
            return float(np.mean(np.abs(values - values.mean()) > 9.0))

        mean = float(self.values.mean())
        moves = stats.beyond_moves(self.values, mean, self.values - mean, 9.0, 9.0)
        kept = self.skewed()
        self.check(share(self.values), share(self.values[kept]), moves, kept)

    def test_quantile_about_the_mean(self) -> None:
        def limit(values: np.ndarray) -> float:
            return float(np.quantile(np.abs(values - values.mean()), 0.9))

        mean = float(self.values.mean())
        moves = stats.distance_moves(self.values, mean, self.values - mean, 0.9)
        kept = self.skewed()
        self.check(limit(self.values), limit(self.values[kept]), moves, kept)

    def skewed(self) -> np.ndarray:
        """Leave out some of the largest values."""
        return (self.values < np.quantile(self.values, 0.9)) | (self.rng.random(len(self.values)) > 0.1)


class SmallSampleTestCase(unittest.TestCase):
    """Errors of few values."""

    def test_reach(self) -> None:
        """Far quantiles of few values are told by values nearby."""
        for p, n, expected in (
            (0.5, 400, 0.05),
            (0.9, 49, 0.0603),
            (0.95, 10_000, 2.0 * 0.05**0.5 * 0.00974679),
        ):
            with self.subTest(p=p, n=n):
                self.assertAlmostEqual(quantile_reach(p, np.sqrt(p * (1.0 - p) / n)), expected, places=3)
        self.assertEqual(quantile_reach(1.0, 0.01), 0.02)

    def test_stdev_by_jackknife(self) -> None:
        values = np.random.default_rng(4).gamma(3.0, 1.0, 12)
        without = np.array([np.var(np.delete(values, i), ddof=1) for i in range(12)])
        expected = np.sqrt(11.0 / 12.0 * np.sum((without - without.mean()) ** 2)) / (
            2.0 * np.std(values, ddof=1)
        )
        self.assertAlmostEqual(stats.stdev(values)[1], expected)


if __name__ == "__main__":
    unittest.main()
