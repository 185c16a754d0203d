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

"""Rows of groups laid out by the groups' size, so that the first rows of all
groups of a size lie beside each other, then the second ones, and so on.
"""

from __future__ import annotations

__all__ = ["Laid"]

import numpy as np

from .middle import MOST_COLUMNS, middle

_FEW = 256
"""Groups of one size that are sooner sorted than compared column by column."""


class Laid:
    """Groups of at most `MOST_COLUMNS` rows.

    Parameters
    ----------
    starts : `numpy.ndarray` of `int`, (g,)
        First row of each group.
    counts : `numpy.ndarray` of `int`, (g,)
        Number of rows of each group; larger groups are left out.

    Attributes
    ----------
    order : `numpy.ndarray` of `int`, (k,)
        Which groups these are, size by size.
    """

    def __init__(self, starts: np.ndarray, counts: np.ndarray):
        size = np.minimum(counts, MOST_COLUMNS + 1).astype(np.uint8)
        number = np.bincount(size, minlength=MOST_COLUMNS + 2)[: MOST_COLUMNS + 1]
        # A radix sort, for so short an integer.
        self.order = np.argsort(size, kind="stable")[: number.sum()]
        self._rows = np.empty(int(number @ np.arange(MOST_COLUMNS + 1)), dtype=np.int64)
        self._blocks: list[tuple[slice, slice, int]] = []
        first, group, row = starts[self.order], 0, 0
        for count in np.flatnonzero(number).tolist():
            groups = slice(group, group + int(number[count]))
            rows = slice(row, row + count * int(number[count]))
            block = self._rows[rows].reshape(count, -1)
            np.add(np.arange(count)[:, None], first[groups], out=block)
            self._blocks.append((groups, rows, count))
            group, row = groups.stop, rows.stop

    def medians(self, values: np.ndarray) -> np.ndarray:
        """Return the median of each of these groups.

        Parameters
        ----------
        values : `numpy.ndarray`, (r,)
            One value per row.

        Returns
        -------
        medians : `numpy.ndarray`, (k,)
            NaN where a value of the group is.
        """
        laid, medians = values.take(self._rows), np.empty(len(self.order))
        for groups, rows, count in self._blocks:
            block = laid[rows].reshape(count, -1)
            if block.shape[1] >= _FEW:
                medians[groups] = middle([*block])
                continue
            block.sort(axis=0)
            half = 0.5 * (block[(count - 1) // 2] + block[count // 2])
            medians[groups] = np.where(np.isnan(block[-1]), np.nan, half)  # NaN sorts last
        return medians

    def squares(self, values: np.ndarray) -> np.ndarray:
        """Add up the squares of each of these groups' deviations from its
        mean.

        Parameters
        ----------
        values : `numpy.ndarray` of `float`, (r,)
            One value per row.

        Returns
        -------
        squares : `numpy.ndarray`, (k,)
            NaN where a value of the group is not finite.
        """
        laid, squares = values.take(self._rows), np.empty(len(self.order))
        for groups, rows, count in self._blocks:
            block = laid[rows].reshape(count, -1)
            # An origin within the group keeps the digits that a large offset
            # would cost: what is taken away is no more than the count times
            # what is left.
            block -= np.minimum.reduce(block, axis=0)
            sums = _added(block)
            np.square(block, out=block)
            squares[groups] = _added(block) - sums * sums / count
        return squares


def _added(block: np.ndarray) -> np.ndarray:
    """Add up columns, one row after the other: each sum is the same to its
    last bit, whatever is beside it.
    """
    # NumPy would add up a single column in another order.
    return np.add.reduce(block, axis=0) if block.shape[1] > 1 else np.add.accumulate(block)[-1]
