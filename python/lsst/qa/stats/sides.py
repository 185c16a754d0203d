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

"""On which side of a limit the medians of groups are, told by counting."""

from __future__ import annotations

__all__ = ["number_in", "on_side"]

import numpy as np

from .ranges import rows_of_runs


def on_side(
    values: np.ndarray, starts: np.ndarray, counts: np.ndarray, limit: float, than: np.ufunc
) -> np.ndarray:
    """Compare medians with a limit without working them out: they are on the
    side on which most rows are.

    Parameters
    ----------
    values : `numpy.ndarray`, (r,)
        One value per row; NaN is on neither side.
    starts, counts : `numpy.ndarray` of `int`, (g,)
        First row and number of rows of each group, of one after another.
    limit : `float`
        The limit.
    than : `numpy.ufunc`
        `numpy.less` or `numpy.greater_equal`.

    Returns
    -------
    held : `numpy.ndarray` of `bool`, (g,)
        What ``than(medians, limit)`` tells; where there is a NaN, whether
        more than half the rows are on that side.
    """
    mask = than(values, limit)
    excess = 2 * number_in(mask, starts, counts) - counts
    held: np.ndarray = excess > 0
    even = np.flatnonzero(excess == 0)
    if len(even):
        # As many rows are on either side: the two in the middle are the
        # nearest ones.
        rows = rows_of_runs(starts[even], counts[even])
        first = np.cumsum(counts[even]) - counts[even]
        values, mask = values[rows], mask[rows]
        nearest, infinite = (np.minimum, np.inf) if than is np.greater_equal else (np.maximum, -np.inf)
        farther = np.maximum if nearest is np.minimum else np.minimum
        with np.errstate(invalid="ignore"):  # two infinite values may have no mean
            one = nearest.reduceat(np.where(mask, values, infinite), first)
            other = farther.reduceat(np.where(mask, -infinite, values), first)
            held[even] = than(0.5 * (one + other), limit)
    return held


def number_in(mask: np.ndarray, starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Count the rows of each group for which a condition holds.

    Parameters
    ----------
    mask : `numpy.ndarray` of `bool`, (r,)
        The condition; of fewer than 2^31 rows.
    starts, counts : `numpy.ndarray` of `int`, (g,)
        First row and number of rows of each group, of one after another.

    Returns
    -------
    number : `numpy.ndarray` of `int`, (g,)
        How many they are.
    """
    if not len(starts):
        return np.zeros(0, dtype=np.int32)
    up_to = np.cumsum(mask.view(np.int8), dtype=np.int32).take(starts + (counts - 1))
    number: np.ndarray = up_to.copy()
    number[1:] -= up_to[:-1]
    return number
