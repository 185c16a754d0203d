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

"""Quantiles without a copy and medians across columns, against sorting."""

from __future__ import annotations

import unittest
from unittest import mock

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from support import steady

from lsst.qa.stats import Groups, group_rows
from lsst.qa.stats.middle import MOST_COLUMNS, middle
from lsst.qa.stats.selection import quantiles


def of_sorted(values: np.ndarray, p: float) -> float:
    ordered, place = np.sort(values), p * (len(values) - 1)
    below = ordered[int(place)]
    return float(below + (place - int(place)) * (ordered[min(int(place) + 1, len(values) - 1)] - below))


class QuantilesTestCase(unittest.TestCase):
    """They are those of the sorted values, to the last digit."""

    def setUp(self) -> None:
        for name, size in (("_MANY", 200), ("_PROBES", 20), ("_PART", 70)):
            self.enterContext(mock.patch(f"lsst.qa.stats.selection.{name}", size))

    def check(self, values: np.ndarray, ps: list[float]) -> None:
        before = values.copy()
        self.assertEqual(quantiles(values, *ps), [of_sorted(values, p) for p in ps])
        np.testing.assert_array_equal(values, before)

    @steady
    @given(
        st.integers(1, 2000),
        st.lists(st.floats(0.0, 1.0), min_size=1, max_size=4),
        st.sampled_from([0, 1, 3]),
        st.integers(0, 9),
    )
    def test_any(self, size: int, ps: list[float], digits: int, seed: int) -> None:
        """Ties too, where digits are few."""
        self.check(np.round(np.random.default_rng(seed).normal(size=size), digits), ps)

    def test_ends(self) -> None:
        self.check(np.random.default_rng(1).normal(size=1000), [0.0, 1.0, 0.5, 0.5])

    def test_probes_unlike_the_others(self) -> None:
        """Every value that is looked at first is one of the largest."""
        values = np.random.default_rng(1).normal(size=1000)
        values[::50] += 100.0
        self.check(values, [0.3, 0.9])

    def test_digit_by_digit(self) -> None:
        """Where even what is between the limits would be too much."""
        self.enterContext(mock.patch("lsst.qa.stats.selection._INSIDE", 5))
        rng = np.random.default_rng(2)
        for values in (rng.normal(size=1000), 1e300 * rng.normal(size=1000), np.round(rng.normal(size=1000))):
            self.check(values, [0.0, 0.3, 0.5, 0.999, 1.0])
        self.check(rng.integers(-5, 1 << 40, 1000), [0.0, 0.3, 0.5, 1.0])

    def test_values_that_many_share(self) -> None:
        """They are not copied, however many they are."""
        self.enterContext(mock.patch("lsst.qa.stats.selection._by_digits", side_effect=AssertionError))
        self.enterContext(mock.patch("lsst.qa.stats.selection._INSIDE", 200))
        self.enterContext(mock.patch("lsst.qa.stats.selection._PROBES", 400))
        self.check(np.random.default_rng(3).integers(0, 4, 2000).astype(float), [0.3, 0.5, 0.51, 0.7])

    def test_orders(self) -> None:
        for values in (np.arange(1000.0), np.arange(1000.0)[::-1], np.zeros(1000), np.arange(1000.0) % 7):
            self.check(values, [0.01, 0.5, 0.51, 0.99])


class MiddleTestCase(unittest.TestCase):
    def test_any_number(self) -> None:
        rng = np.random.default_rng(1)
        for number in range(1, MOST_COLUMNS + 1):
            rows = rng.normal(size=(50, number))
            np.testing.assert_allclose(middle([*rows.T.copy()]), np.median(rows, axis=1), rtol=1e-15)

    def test_nan_anywhere(self) -> None:
        """Of each place a way leads to the middle."""
        for number in range(1, MOST_COLUMNS + 1):
            rows = np.where(np.eye(number), np.nan, np.random.default_rng(1).normal(size=(number, number)))
            self.assertTrue(np.isnan(middle([*rows.T.copy()])).all())


class GroupsTestCase(unittest.TestCase):
    """What is remembered of an array is of no other."""

    def setUp(self) -> None:
        rng = np.random.default_rng(2)
        self.keys = np.sort(rng.integers(0, 900, 5000))
        self.values, self.others = rng.normal(size=(2, 5000))
        self.others[::70] = np.nan

    def groups(self) -> Groups:
        return group_rows(self.keys)[1]

    def test_two_arrays(self) -> None:
        groups = self.groups()
        for _ in range(2):
            for values in (self.values, self.others):
                expected = [np.median(part) for part in np.split(values, groups.starts[1:])]
                np.testing.assert_allclose(groups.median(values), expected, rtol=1e-15)
                np.testing.assert_array_equal(groups.finite(values), np.isfinite(expected))
                for ddof in (0, 1):
                    np.testing.assert_array_equal(groups.rms(values, ddof), self.groups().rms(values, ddof))

    def test_others_do_not_matter(self) -> None:
        """To the last bit: a table may be cut into any pieces."""
        keys = np.repeat(np.arange(60), np.arange(60) % 20 + 1)
        values = np.random.default_rng(4).normal(20.0, 0.02, len(keys))
        groups = group_rows(keys)[1]
        for name, args in (("rms", (1,)), ("median", ()), ("median_at_least", (20.0,))):
            alone = []
            for key in range(60):
                own = keys == key
                alone.append(getattr(group_rows(keys[own])[1], name)(values[own], *args)[0])
            np.testing.assert_array_equal(getattr(groups, name)(values, *args), alone)

    def test_limits_by_rows_and_by_medians(self) -> None:
        """The first limits of an array are told by counting."""
        limits = [-0.5, 0.0, *np.nextafter(self.values[:2], 9.0), *self.values[:4]]
        for values in (self.values, self.others):
            for function in ("median_at_least", "median_below"):
                together = self.groups()
                for limit in limits:
                    np.testing.assert_array_equal(
                        getattr(together, function)(values, limit),
                        getattr(self.groups(), function)(values, limit),
                    )

    def test_arrays_that_are_gone(self) -> None:
        """One that is made where another was is not taken for it."""
        groups = self.groups()
        for number in range(50):
            np.testing.assert_array_equal(
                groups.median(np.full(5000, float(number))), np.full(len(groups), number)
            )


if __name__ == "__main__":
    unittest.main()
