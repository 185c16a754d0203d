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

"""Statistics of groups, and of samples with their errors, against slow and
obvious ones.
"""

from __future__ import annotations

import math
import statistics
import unittest
from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from support import LARGEST_ID, steady

from lsst.qa import stats

KEYS = st.integers(-3, 3) | st.sampled_from([LARGEST_ID, LARGEST_ID - 1, -LARGEST_ID - 1])
VALUES = st.floats(-1e6, 1e6) | st.just(math.nan)
DETECTIONS = st.lists(st.tuples(KEYS, VALUES), max_size=25)


def by_key(detections: list[tuple[int, float]]) -> list[tuple[int, list[float]]]:
    """Gather values by key with nothing but Python: the slow, obvious way."""
    keys = sorted({key for key, _ in detections})
    return [(key, [value for other, value in detections if other == key]) for key in keys]


def plain_mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def plain_rms(values: list[float], ddof: int) -> float:
    if len(values) <= ddof or any(map(math.isnan, values)):
        return math.nan
    return math.sqrt(math.fsum((v - plain_mean(values)) ** 2 for v in values) / (len(values) - ddof))


def plain_median(values: list[float]) -> float:
    return math.nan if any(map(math.isnan, values)) else statistics.median(values)


def grouped(detections: list[tuple[int, float]]) -> tuple[np.ndarray, stats.Groups]:
    keys = np.array([key for key, _ in detections], dtype=np.int64)
    values = np.array([value for _, value in detections], dtype=np.float64)
    index, groups = stats.group_rows(keys)
    return values if index is None else values[index], groups


class GroupsTestCase(unittest.TestCase):
    """Statistics of each group are those of a loop over the groups."""

    def assertNear(self, found: np.ndarray, expected: list[float], scale: float = 1e6) -> None:
        np.testing.assert_allclose(found, np.array(expected, dtype=float), rtol=1e-12, atol=1e-12 * scale)

    @steady
    @given(DETECTIONS)
    def test_against_loops(self, detections: list[tuple[int, float]]) -> None:
        values, groups = grouped(detections)
        expected = by_key(detections)
        self.assertEqual(groups.keys.tolist(), [key for key, _ in expected])
        self.assertEqual(groups.counts.tolist(), [len(own) for _, own in expected])
        self.assertEqual(len(groups), len(expected))
        self.assertNear(groups.sum(values), [math.fsum(own) for _, own in expected], 1e8)
        self.assertNear(groups.mean(values), [plain_mean(own) for _, own in expected])
        self.assertNear(groups.median(values), [plain_median(own) for _, own in expected])
        for ddof in (0, 1):
            self.assertNear(groups.rms(values, ddof), [plain_rms(own, ddof) for _, own in expected])
        self.assertEqual(groups.all(values > 0).tolist(), [all(v > 0 for v in own) for _, own in expected])
        self.assertEqual(groups.labels.tolist(), [i for i, (_, own) in enumerate(expected) for _ in own])
        self.assertNear(
            groups.deviations(values), [v - m for v, m in zip(values, groups.spread(groups.mean(values)))]
        )

    @steady
    @given(DETECTIONS, st.integers(0, 2**32 - 1))
    def test_take(self, detections: list[tuple[int, float]], bits: int) -> None:
        values, groups = grouped(detections)
        chosen = np.array([bits >> i & 1 for i in range(len(groups))], dtype=bool)
        some, kept = groups.take(chosen), values[groups.spread(chosen)]
        self.assertEqual(some.keys.tolist(), groups.keys[chosen].tolist())
        self.assertEqual(some.counts.sum(), len(kept))
        np.testing.assert_array_equal(some.median(kept), groups.median(values)[chosen])
        np.testing.assert_array_equal(some.starts, np.flatnonzero(np.diff(some.labels, prepend=-1)))

    @steady
    @given(DETECTIONS, st.floats(-1e6, 1e6))
    def test_limits_of_medians(self, detections: list[tuple[int, float]], limit: float) -> None:
        """NaN is neither at least any limit nor below it."""
        values, groups = grouped(detections)
        limits = [limit, *(value for _, value in detections[:3] if not math.isnan(value))]
        for each in limits:
            for function, stand_in, holds in (
                (groups.median_at_least, -math.inf, lambda middle, each=each: middle >= each),
                (groups.median_below, math.inf, lambda middle, each=each: middle < each),
            ):
                known = [[stand_in if math.isnan(v) else v for v in own] for _, own in by_key(detections)]
                expected = [holds(statistics.median(own)) for own in known]
                self.assertEqual(function(values, each).tolist(), expected)

    def test_rows_that_lie_together(self) -> None:
        """They are left as they are; others are put beside each other."""
        self.assertIsNone(stats.group_rows(np.array([-1, 4, 4, LARGEST_ID]))[0])
        index, groups = stats.group_rows(np.array([LARGEST_ID, 4, LARGEST_ID, 4, 4]))
        assert index is not None
        self.assertEqual(sorted(index[:3].tolist()), [1, 3, 4])
        self.assertEqual((groups.keys.tolist(), groups.counts.tolist()), ([4, LARGEST_ID], [3, 2]))

    def test_large_offset_keeps_digits(self) -> None:
        values, groups = grouped([(1, 1e9 + 1e-3 * visit) for visit in range(3)])
        origin = float(np.spacing(1e9))
        self.assertAlmostEqual(groups.rms(values)[0], 1e-3, delta=origin)
        self.assertAlmostEqual(groups.deviations(values)[2], 1e-3, delta=origin)


class MomentsTestCase(unittest.TestCase):
    """Values are the textbook's; what is not finite is left out."""

    SAMPLE = st.lists(st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf]), max_size=30)

    @steady
    @given(SAMPLE)
    def test_values(self, sample: list[float]) -> None:
        finite = [v for v in sample if math.isfinite(v)]
        n = len(finite)
        middle = statistics.median(finite) if n else math.nan
        for function, least, expected in (
            (stats.median, 1, lambda: middle),
            (stats.mean, 1, lambda: statistics.fmean(finite)),
            (stats.stdev, 2, lambda: plain_rms(finite, 1)),
            (stats.rms_estimate, 1, lambda: math.sqrt(statistics.fmean([v * v for v in finite]))),
            (stats.sigma_mad, 1, lambda: 1.482602218505602 * plain_median([abs(v - middle) for v in finite])),
        ):
            value, error, number = function(np.array(sample))
            self.assertEqual(number, n)
            self.assertFalse(error < 0)
            if n < least:
                self.assertTrue(math.isnan(value) and math.isnan(error))
            else:
                self.assertTrue(math.isclose(value, expected(), rel_tol=1e-9, abs_tol=1e-6), function)
            if n < 2 or (n < 3 and function in (stats.stdev, stats.sigma_mad)):
                self.assertTrue(math.isnan(error), function)

    @steady
    @given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30), st.floats(0.0, 1.0))
    def test_quantile(self, sample: list[float], p: float) -> None:
        ordered = sorted(sample)
        at = p * (len(ordered) - 1)
        low, high = ordered[math.floor(at)], ordered[math.ceil(at)]
        value, error, n = stats.quantile(np.array(sample), p)
        self.assertAlmostEqual(value, low + (at - math.floor(at)) * (high - low), places=9)
        self.assertEqual(n, len(sample))
        self.assertFalse(error < 0)

    @steady
    @given(st.lists(st.booleans(), max_size=30))
    def test_fraction_and_count(self, mask: list[bool]) -> None:
        value, error, n = stats.fraction(np.array(mask, dtype=bool))
        number, number_error, looked_at = stats.count(np.array(mask, dtype=bool))
        self.assertEqual((n, looked_at), (len(mask), len(mask)))
        if not mask:
            self.assertTrue(all(map(math.isnan, (value, error, number, number_error))))
            return
        self.assertAlmostEqual(value, 100.0 * sum(mask) / len(mask))
        self.assertGreater(error, 0.0)
        self.assertEqual(number, sum(mask))
        self.assertEqual(number_error, math.sqrt(max(sum(mask), 1)))


class ErrorsTestCase(unittest.TestCase):
    """The error is 1 sigma: two values of three lie within it of the truth."""

    def coverage(
        self, draw: Callable[[np.random.Generator], tuple[float, float, int]], truth: float
    ) -> float:
        rng = np.random.default_rng(5)
        found = np.array([draw(rng)[:2] for _ in range(400)])
        return float(np.mean(np.abs(found[:, 0] - truth) < found[:, 1]))

    def assertCovers(
        self, draw: Callable[[np.random.Generator], tuple[float, float, int]], truth: float
    ) -> None:
        covered = self.coverage(draw, truth)
        # 0.683 with a standard deviation of 0.023 for 400 trials, and some
        # leave for the small samples.
        self.assertGreater(covered, 0.60)
        self.assertLess(covered, 0.78)

    def test_independent(self) -> None:
        for truth, draw in (
            (0.0, lambda rng: stats.median(rng.normal(0.0, 1.0, 60))),
            (1.0, lambda rng: stats.sigma_mad(rng.normal(0.0, 1.0, 200))),
            (1.0, lambda rng: stats.stdev(rng.normal(0.0, 1.0, 60))),
            (2.0, lambda rng: stats.mean(rng.exponential(2.0, 60))),
            (math.log(10.0), lambda rng: stats.quantile(rng.exponential(1.0, 200), 0.9)),
            (20.0, lambda rng: stats.fraction(rng.random(101) < 0.2)),
            (50.0, lambda rng: stats.count(rng.random(rng.poisson(250)) < 0.2)),
            (1.0, lambda rng: stats.rms_estimate(rng.normal(0.0, 1.0, 60))),
        ):
            with self.subTest(truth=truth):
                self.assertCovers(draw, truth)

    def test_none_or_all_seen(self) -> None:
        """A fraction that no unit, or each, shows is not taken for certain."""
        for seen in (False, True):
            mask, star = np.full(600, seen), np.repeat(np.arange(50), 12)
            with self.subTest(seen=seen):
                self.assertAlmostEqual(stats.fraction(mask)[1], 100.0 / 601)
                # Rows of a star tell together what one of them does.
                self.assertAlmostEqual(stats.fraction(mask, star)[1], 100.0 / 51)
        self.assertCovers(lambda rng: stats.fraction(rng.random(200) < 0.02), 2.0)

    @staticmethod
    def clustered(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Twelve values of each of 50 stars, which share most of their
        scatter.
        """
        star = np.repeat(np.arange(50) + LARGEST_ID - 60, 12)
        return np.repeat(rng.normal(0.0, 0.9, 50), 12) + rng.normal(0.0, math.sqrt(0.19), 600), star

    def test_clustered(self) -> None:
        def median(rng: np.random.Generator) -> tuple[float, float, int]:
            return stats.median(*self.clustered(rng))

        def percentage(rng: np.random.Generator) -> tuple[float, float, int]:
            values, star = self.clustered(rng)
            return stats.fraction(values > 1.0, star)

        self.assertCovers(median, 0.0)
        self.assertCovers(percentage, 100.0 * 0.15865525)
        # The same values taken for independent claim far too much.
        blind = self.coverage(lambda rng: stats.median(self.clustered(rng)[0]), 0.0)
        self.assertLess(blind, 0.4)

    def test_pairs_that_share_stars(self) -> None:
        first, second = np.triu_indices(30, 1)

        def pairs(rng: np.random.Generator) -> np.ndarray:
            size = rng.normal(0.0, 1.0, 30)
            return size[first] + size[second]

        def median(rng: np.random.Generator) -> tuple[float, float, int]:
            return stats.median(pairs(rng), first, second)

        def percentage(rng: np.random.Generator) -> tuple[float, float, int]:
            return stats.fraction(pairs(rng) > math.sqrt(2.0), second, first)

        self.assertCovers(median, 0.0)
        self.assertCovers(percentage, 100.0 * 0.15865525)

    def test_repeated_pairs(self) -> None:
        """All values of a pair vary together, once for both its stars."""
        star = np.arange(200)
        seen = np.random.default_rng(2).random(200) < 0.3
        once = stats.fraction(seen, 2 * star, 2 * star + 1)
        thrice = stats.fraction(*(np.repeat(each, 3) for each in (seen, 2 * star, 2 * star + 1)))
        self.assertAlmostEqual(once[1], thrice[1], places=12)
        self.assertAlmostEqual(once[1], 100.0 * math.sqrt(0.3 * 0.7 / 200), delta=0.3)

    def test_too_few_units(self) -> None:
        values = np.array([1.0, 2.0, 3.0])
        one = np.array([7, 7, 7])
        self.assertTrue(math.isnan(stats.median(values, one)[1]))
        self.assertTrue(math.isnan(stats.fraction(values > 1, one)[1]))
        self.assertTrue(math.isnan(stats.median(values, one, one + 1)[1]))
        self.assertTrue(math.isfinite(stats.median(values, np.array([7, 7, 8]))[1]))


if __name__ == "__main__":
    unittest.main()
