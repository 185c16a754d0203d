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

"""Quantiles, fractions and moments of a sample, each with its 1-sigma error.

Errors hold for any distribution: a quantile's comes from the binomial scatter
of the number of values below it, read off at the sample's own quantiles. Where
values are not independent (several of one star, pairs that share stars) the
scatter is taken over the independent units, by linearization (Cochran 1977,
section 6; for pairs, Aronow, Samii and Assenova 2015).
"""

from __future__ import annotations

__all__ = [
    "MAD_TO_SIGMA",
    "count",
    "fraction",
    "mean",
    "median",
    "quantile",
    "rms_estimate",
    "sigma_mad",
    "stdev",
]

import numpy as np

MAD_TO_SIGMA = 1.482602218505602
"""Standard deviation of a Gaussian over its median absolute deviation."""

Moments = tuple[float, float, int]
NONE: Moments = (np.nan, np.nan, 0)


def quantile(values: np.ndarray, p: float, *units: np.ndarray) -> Moments:
    """Return a quantile of the finite values.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        The sample; values that are not finite are left out.
    p : `float`
        Which quantile, 0 to 1; interpolated linearly between values.
    *units : `numpy.ndarray` of `int`, (n,), optional
        The independent unit that each value belongs to, or the two units
        of a pair; without them every value is one.

    Returns
    -------
    value, error : `float`
        Quantile and 1-sigma error; NaN for no value, and the error NaN
        for fewer than two values or units.
    n : `int`
        Number of finite values.
    """
    values, units = _finite(values, units)
    n = len(values)
    if n == 0:
        return NONE
    ordered = values.copy()
    value = _quantile_in_place(ordered, p)
    if n < 2:
        return value, np.nan, n
    spread = _fraction_error(values <= value, p, units)
    if np.isnan(spread):
        return value, np.nan, n
    low, high = (_quantile_in_place(ordered, min(max(at, 0.0), 1.0)) for at in (p - spread, p + spread))
    return value, 0.5 * (high - low), n


def _quantile_in_place(values: np.ndarray, p: float) -> float:
    """Return a quantile, interpolated linearly, and leave the values partly
    ordered: another one of them then costs little.
    """
    place = p * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    values.partition((below, above))
    return float(values[below] + (place - below) * (values[above] - values[below]))


def median(values: np.ndarray, *units: np.ndarray) -> Moments:
    """Return the median of the finite values; see `quantile`.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        The sample.
    *units : `numpy.ndarray` of `int`, (n,), optional
        Independent units.

    Returns
    -------
    value, error : `float`
        Median and its error.
    n : `int`
        Number of finite values.
    """
    return quantile(values, 0.5, *units)


def sigma_mad(values: np.ndarray) -> Moments:
    """Return the scatter from the median absolute deviation.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        The sample; values that are not finite are left out.

    Returns
    -------
    value, error : `float`
        1.4826 times the median absolute deviation, and its error, NaN for
        fewer than three values: two always deviate alike.
    n : `int`
        Number of finite values.
    """
    values, _ = _finite(values, ())
    if len(values) == 0:
        return NONE
    value, error, n = median(np.abs(values - np.median(values)))
    return MAD_TO_SIGMA * value, MAD_TO_SIGMA * error if n > 2 else np.nan, n


def mean(values: np.ndarray) -> Moments:
    """Return the mean of the finite values.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        The sample; values that are not finite are left out.

    Returns
    -------
    value, error : `float`
        Mean and its standard error.
    n : `int`
        Number of finite values.
    """
    values, _ = _finite(values, ())
    n = len(values)
    if n == 0:
        return NONE
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan, n


def stdev(values: np.ndarray) -> Moments:
    """Return the standard deviation (ddof=1) of the finite values.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        The sample; values that are not finite are left out.

    Returns
    -------
    value, error : `float`
        Standard deviation and its error, from the fourth moment; NaN for
        fewer than three values, as two always deviate alike.
    n : `int`
        Number of finite values.
    """
    values, _ = _finite(values, ())
    n = len(values)
    if n < 2:
        return np.nan, np.nan, n
    squares = (values - values.mean()) ** 2
    value = float(np.sqrt(squares.sum() / (n - 1)))
    known = n > 2 and value > 0
    return value, float(squares.std(ddof=1) / np.sqrt(n) / (2.0 * value)) if known else np.nan, n


def rms_estimate(values: np.ndarray) -> Moments:
    """Return the root mean square, about zero, of the finite values.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        The sample; values that are not finite are left out.

    Returns
    -------
    value, error : `float`
        Root mean square and its error.
    n : `int`
        Number of finite values.
    """
    values, _ = _finite(values, ())
    square, error, n = mean(values**2)
    value = float(np.sqrt(square))
    return value, error / (2.0 * value) if value > 0 else np.nan, n


def fraction(mask: np.ndarray, *units: np.ndarray) -> Moments:
    """Return the fraction of true values, in percent.

    Parameters
    ----------
    mask : `numpy.ndarray` of `bool`, (n,)
        Whether each member of the sample counts.
    *units : `numpy.ndarray` of `int`, (n,), optional
        Independent units.

    Returns
    -------
    value, error : `float`
        Percent, and its error: never 0, since none of n seen does not
        make a fraction of 0 certain (Wilson's interval).
    n : `int`
        Size of the sample.
    """
    n = len(mask)
    if n == 0:
        return NONE
    p = float(np.count_nonzero(mask)) / n
    return 100.0 * p, 100.0 * _fraction_error(mask, p, units), n


def count(mask: np.ndarray) -> Moments:
    """Return the number of true values, with its Poisson error.

    Parameters
    ----------
    mask : `numpy.ndarray` of `bool`, (n,)
        Whether each row counts.

    Returns
    -------
    value, error : `float`
        Number, and its square root (1 for none); NaN where there is no
        row to look at.
    n : `int`
        Number of rows looked at.
    """
    if len(mask) == 0:
        return NONE
    number = int(np.count_nonzero(mask))
    return float(number), float(np.sqrt(max(number, 1))), len(mask)


def _finite(values: np.ndarray, units: tuple[np.ndarray, ...]) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    kept = np.isfinite(values)
    return (values, units) if kept.all() else (values[kept], tuple(unit[kept] for unit in units))


def _fraction_error(mask: np.ndarray, p: float, units: tuple[np.ndarray, ...]) -> float:
    """Return the 1-sigma error of the fraction ``p`` of true values."""
    n = len(mask)
    wilson = float(np.sqrt(p * (1.0 - p) / n + 0.25 / n**2) / (1.0 + 1.0 / n))
    if not units:
        return wilson
    units, size, number = _numbered(units)
    if number <= len(units):
        return np.nan
    away = mask - p
    sums = sum(np.bincount(unit, away, size) for unit in units)
    variance = float(np.sum(sums**2))
    if len(units) == 2:
        # A pair counts for both its stars, but it varies once.
        variance -= _pair_variance(away, np.minimum(*units) * size + np.maximum(*units))
    return max(np.sqrt(max(variance, 0.0) * number / (number - 1)) / n, wilson)


def _numbered(units: tuple[np.ndarray, ...]) -> tuple[tuple[np.ndarray, ...], int, int]:
    """Replace keys by numbers below a size, and say how many differ."""
    highest = max(int(unit.max()) for unit in units)
    if min(int(unit.min()) for unit in units) >= 0 and highest <= max(len(units[0]), 1 << 16):
        counts = sum(np.bincount(unit, minlength=highest + 1) for unit in units)
        return units, highest + 1, int(np.count_nonzero(counts))  # they are numbers already
    _, index = np.unique(np.concatenate(units), return_inverse=True)
    number = int(index.max()) + 1
    return tuple(np.split(index, len(units))), number, number


def _pair_variance(away: np.ndarray, pair: np.ndarray) -> float:
    """Return the sum of the squares of the pairs' sums."""
    first = np.ones(len(pair), dtype=bool)
    first[1:] = pair[1:] != pair[:-1]
    starts = np.flatnonzero(first)
    # The values of a pair lie together, mostly; these are then all its runs.
    sums, keys = np.add.reduceat(away, starts), pair[starts]
    _, index = np.unique(keys, return_inverse=True)
    return float(np.sum(np.bincount(index, sums) ** 2))
