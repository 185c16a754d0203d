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

"""Quantiles and fractions relative to another quantile of the same sample,
each with its 1-sigma error.
"""

from __future__ import annotations

__all__ = [
    "beyond_moves",
    "distance_moves",
    "fraction_beyond",
    "quantile_moves",
    "quantile_range",
    "unbiased_place",
]

import numpy as np

from .units import NONE, Moments, finite, fraction_error, mean_error, quantile_in_place, quantile_reach


def quantile_range(
    values: np.ndarray, p: float, q: float, *units: np.ndarray, unbiased: bool = False
) -> Moments:
    """Return the difference of two quantiles of the finite values.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        The sample.
    p, q : `float`
        Which quantiles, 0 to 1: that of ``p`` less that of ``q``.
    *units : `numpy.ndarray` of `int`, (n,), optional
        Independent units, as of `quantile`.
    unbiased : `bool`, optional
        Whether the value is made of median-unbiased quantiles (Hyndman and
        Fan 1996, definition 8), which matters for few values.

    Returns
    -------
    value, error : `float`
        The difference, and its error: quantiles of one sample vary
        together.
    n : `int`
        Number of finite values.
    """
    values, units = finite(values, units)
    n = len(values)
    if n == 0:
        return NONE
    ordered = values.copy()
    high, low = (quantile_in_place(ordered, unbiased_place(at, n) if unbiased else at) for at in (p, q))
    if n < 3:
        return high - low, np.nan, n
    moved = quantile_moves(values, p) - quantile_moves(values, q)
    return high - low, mean_error(moved - moved.mean(), units), n


def quantile_moves(values: np.ndarray, p: float) -> np.ndarray:
    """Return by how much each value moves a quantile of all of them.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        Finite values, at least one.
    p : `float`
        Which quantile, 0 to 1.

    Returns
    -------
    moves : `numpy.ndarray`, (n,)
        The influence function (Serfling 1980, section 2.5.1).
    """
    ordered = values.copy()
    return (p - (values <= quantile_in_place(ordered, p))) * _slope(ordered, p)


def unbiased_place(p: float, n: int) -> float:
    """Return the quantile, interpolated linearly, that is median-unbiased.

    Parameters
    ----------
    p : `float`
        Which quantile, 0 to 1.
    n : `int`
        Size of the sample.

    Returns
    -------
    place : `float`
        Which quantile of the sample to take (Hyndman and Fan 1996,
        definition 8).
    """
    return min(max((p * (n + 1.0 / 3.0) - 2.0 / 3.0) / (n - 1.0), 0.0), 1.0) if n > 1 else 0.0


def fraction_beyond(values: np.ndarray, above: float, *units: np.ndarray, below: float = np.inf) -> Moments:
    """Return the fraction of the finite values that are far from their median,
    in percent.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        The sample.
    above : `float`
        How far above the median a value has to be, exclusive.
    *units : `numpy.ndarray` of `int`, (n,), optional
        Independent units, as of `quantile`.
    below : `float`, optional
        How far below it.

    Returns
    -------
    value, error : `float`
        Percent, and its error, to which that of the median adds.
    n : `int`
        Number of finite values.
    """
    values, units = finite(values, units)
    n = len(values)
    if n == 0:
        return NONE
    centre = float(np.median(values))
    far = (values - centre > above) | (centre - values > below)
    p = float(np.count_nonzero(far)) / n
    error = fraction_error(far, p, units)
    if n > 2 and 0.0 < p < 1.0:
        moved = beyond_moves(values, centre, quantile_moves(values, 0.5), above, below)
        error = mean_error(moved - moved.mean(), units)
    return 100.0 * p, 100.0 * error, n


def beyond_moves(
    values: np.ndarray, centre: float, moves: np.ndarray, above: float, below: float
) -> np.ndarray:
    """Return by how much each value moves the fraction of all that are far
    from their centre.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        Finite values, at least one.
    centre : `float`
        Their median, mean or the like.
    moves : `numpy.ndarray`, (n,)
        By how much each value moves that.
    above, below : `float`
        How far above or below it a value has to be, exclusive.

    Returns
    -------
    moves : `numpy.ndarray`, (n,)
        The influence function, but for a constant.
    """
    ordered = values.copy()
    # A centre that is higher lets some in below, and loses some above.
    lean = _density(ordered, centre - below) - _density(ordered, centre + above)
    return ((values - centre > above) | (centre - values > below)) + lean * moves


def distance_moves(values: np.ndarray, centre: float, moves: np.ndarray, p: float) -> np.ndarray:
    """Return by how much each value moves a quantile of the distances of all
    from their centre.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        Finite values, at least one.
    centre : `float`
        Their median, mean or the like.
    moves : `numpy.ndarray`, (n,)
        By how much each value moves that.
    p : `float`
        Which quantile, 0 to 1.

    Returns
    -------
    moves : `numpy.ndarray`, (n,)
        The influence function, but for a constant.
    """
    away, ordered = np.abs(values - centre), values.copy()
    limit = quantile_in_place(away.copy(), p)
    below, above = _density(ordered, centre - limit), _density(ordered, centre + limit)
    # A centre that is higher is nearer to what is above, farther from below.
    lean = (below - above) / (below + above) if below + above > 0.0 else 0.0
    return quantile_moves(away, p) + lean * moves


def _slope(ordered: np.ndarray, p: float) -> float:
    """Return how fast a sample's quantile grows with ``p``."""
    spread = float(np.sqrt(p * (1.0 - p) / len(ordered)))
    reach = quantile_reach(p, spread)
    below, above = max(p - reach, 0.0), min(p + reach, 1.0)
    return (quantile_in_place(ordered, above) - quantile_in_place(ordered, below)) / (above - below)


def _density(ordered: np.ndarray, at: float) -> float:
    """Return the density of a sample at a value."""
    p = float(np.count_nonzero(ordered <= at)) / len(ordered)
    slope = _slope(ordered, p) if 0.0 < p < 1.0 else 0.0
    return 1.0 / slope if slope > 0.0 else 0.0
