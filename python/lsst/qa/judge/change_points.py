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

"""Change points: since when a metric's values are of another level."""

from __future__ import annotations

__all__ = ["FEWEST", "Shift", "segments", "shifts"]

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..stats import median
from .changes import SIGNIFICANT

FEWEST = 3
"""Fewest values on either side of a change."""

_STRICTNESS = 3.0
"""Penalty of a change, in units of the ranks' variance times log n."""


class Shift(NamedTuple):
    """A change of level.

    Attributes
    ----------
    place : `int`
        Place of the first value of the new level.
    before, after : `float`
        Medians of the values up to the changes around.
    """

    place: int
    before: float
    after: float


def shifts(values: Sequence[float] | np.ndarray) -> list[Shift]:
    """Find where a series changes its level.

    The levels are told apart by the ranks of the values, so that a single
    value that is far off changes nothing: exact segmentation of a
    piecewise constant mean, as `segments` makes it. A change counts if the
    medians differ by more than three standard errors.

    Parameters
    ----------
    values : `~collections.abc.Sequence` [`float`] or `numpy.ndarray`, (n,)
        The values in the order of time; those that are not finite are
        passed over.

    Returns
    -------
    shifts : `list` [`Shift`]
        In the order of time.
    """
    held = np.asarray(values, dtype=float)
    known = np.flatnonzero(np.isfinite(held))
    series = held[known]
    if len(series) < 2 * FEWEST or series.min() == series.max():
        return []
    order = np.argsort(series, kind="stable")
    ranks = np.empty(len(series))
    ranks[order] = np.arange(len(series))
    _, twins = np.unique(series, return_inverse=True)
    ranks = (np.bincount(twins, ranks) / np.bincount(twins))[twins]
    penalty = _STRICTNESS * float(np.var(ranks)) * np.log(len(series))
    ends = [0, *segments(ranks, penalty)]
    parts = [series[begin:end] for begin, end in zip(ends, ends[1:])]
    return [
        Shift(int(known[end]), float(np.median(before)), float(np.median(after)))
        for end, before, after in zip(ends[1:], parts, parts[1:])
        if _differ(before, after)
    ]


def segments(values: np.ndarray, penalty: float) -> list[int]:
    """Part a series where its mean changes: exact optimal partitioning
    (Jackson et al. 2005).

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        The series, at least `FEWEST` finite values.
    penalty : `float`
        What a change costs, to be less than what it takes away from the sum
        of squares about the means.

    Returns
    -------
    ends : `list` [`int`]
        Where each part ends, the last at n; none is shorter than `FEWEST`.
    """
    n = len(values)
    about = values - np.mean(values)
    sums = np.concatenate([[0.0], np.cumsum(about)])
    squares = np.concatenate([[0.0], np.cumsum(about**2)])
    least = np.full(n + 1, np.inf)
    least[0] = 0.0
    begins = np.zeros(n + 1, dtype=int)
    for end in range(FEWEST, n + 1):
        starts = np.arange(end - FEWEST + 1)
        parted = (sums[end] - sums[starts]) ** 2 / (end - starts)
        costs = least[starts] + squares[end] - squares[starts] - parted
        begins[end] = np.argmin(costs)
        least[end] = costs[begins[end]] + penalty
    ends = [n]
    while begin := int(begins[ends[-1]]):
        ends.append(begin)
    return ends[::-1]


def _differ(before: np.ndarray, after: np.ndarray) -> bool:
    (first, first_error, _), (second, second_error, _) = median(before), median(after)
    return bool(abs(second - first) > SIGNIFICANT * np.hypot(first_error, second_error))
