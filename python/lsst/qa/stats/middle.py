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

"""Medians across a few columns, compared with each other as in a sorting
network.
"""

from __future__ import annotations

__all__ = ["MOST_COLUMNS", "middle"]

import functools
from collections.abc import Iterator

import numpy as np

MOST_COLUMNS = 16
"""Of more columns, sorting row by row costs less."""


def middle(columns: list[np.ndarray]) -> np.ndarray:
    """Return the median of each row.

    Parameters
    ----------
    columns : `list` [`numpy.ndarray`], (n,)
        The values, column by column; they are overwritten.

    Returns
    -------
    medians : `numpy.ndarray`, (n,)
        NaN where a value of the row is.
    """
    number = len(columns)
    spare = np.empty_like(columns[0])
    for low, high, lower, higher in _comparisons(number):
        # NaN goes into both, and so reaches the middle: any value may.
        if lower and higher:
            np.minimum(columns[low], columns[high], out=spare)
            np.maximum(columns[low], columns[high], out=columns[high])
            columns[low], spare = spare, columns[low]
        elif lower:
            np.minimum(columns[low], columns[high], out=columns[low])
        else:
            np.maximum(columns[low], columns[high], out=columns[high])
    return 0.5 * (columns[(number - 1) // 2] + columns[number // 2])


@functools.cache
def _comparisons(number: int) -> tuple[tuple[int, int, bool, bool], ...]:
    """List the comparisons that the values in the middle depend on: the two
    places, and whether the lower and the higher value is still needed.
    """
    needed = {(number - 1) // 2, number // 2}
    kept = []
    for low, high in reversed(list(_odd_even_merge_sort(number))):
        if low in needed or high in needed:
            kept.append((low, high, low in needed, high in needed))
            needed |= {low, high}
    return tuple(reversed(kept))


def _odd_even_merge_sort(number: int) -> Iterator[tuple[int, int]]:
    """List the comparisons of Batcher's network (Knuth, The Art of Computer
    Programming 3, algorithm 5.2.2M).
    """
    length = 1
    while length < number:
        step = length
        while step:
            for first in range(step % length, number - step, 2 * step):
                for low in range(first, min(first + step, number - step)):
                    if low // (2 * length) == (low + step) // (2 * length):
                        yield low, low + step
            step //= 2
        length *= 2
