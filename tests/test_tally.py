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

"""Counts of whole numbers, against what is made of their rows one by one."""

from __future__ import annotations

import unittest

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from support import steady

from lsst.qa.stats import quantile
from lsst.qa.stats.tally import tally


class TallyTestCase(unittest.TestCase):
    """Quantiles of counts are those of the rows."""

    @steady
    @given(
        st.integers(0, 300),
        st.integers(1, 9),
        st.sampled_from([0.1, 0.5, 0.75]),
        st.sampled_from([(0, 1.0), (-3, 1.0), (2, 0.25), (0, 1e7)]),
        st.integers(0, 99),
    )
    def test_quantiles(self, rows: int, units: int, p: float, numbers: tuple[int, float], seed: int) -> None:
        """Of whole numbers, few or far apart, negative ones and fractions."""
        rng, (first, step) = np.random.default_rng(seed), numbers
        values = step * (first + rng.poisson(4.0, rows).astype(float))
        values[rng.random(rows) < 0.1] = np.nan
        unit = rng.integers(0, units, rows)
        found = tally(values, unit)
        self.assertEqual(found.counts.sum(), np.isfinite(values).sum())
        np.testing.assert_allclose(found.quantile(p), quantile(values, p, unit), rtol=1e-12)
        middle = 3.0 * step
        np.testing.assert_allclose(
            found.distances(middle).quantile(p), quantile(np.abs(values - middle), p, unit), rtol=1e-12
        )


if __name__ == "__main__":
    unittest.main()
