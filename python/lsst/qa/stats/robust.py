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

from .selection import quantiles
from .units import NONE, Moments, finite, fraction_error, quantile_reach

MAD_TO_SIGMA = 1.482602218505602
"""Standard deviation of a Gaussian over its median absolute deviation."""

_SIDE = 0.15
"""Share of a sample to either side of a quantile that its density is told by.
"""


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
    values, units = finite(values, units)
    n = len(values)
    if n == 0:
        return NONE
    value = quantiles(values, p)[0] if units or n < 2 else np.nan
    if n < 2:
        return value, np.nan, n
    # Without units the size of the sample tells the error, before the value.
    spread = fraction_error(values <= value if units else values, p, units)
    if np.isnan(spread):
        return value, np.nan, n
    reach = quantile_reach(p, spread)
    below, above = max(p - reach, 0.0), min(p + reach, 1.0)
    value, low, high = quantiles(values, p, below, above)
    return value, (high - low) * spread / (above - below), n


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
    values, _ = finite(values, ())
    if len(values) == 0:
        return NONE
    sides = 0.5 - _SIDE, 0.5 + _SIDE
    centre, low, high = quantiles(values, 0.5, *sides)
    away = values - centre
    size = np.abs(away)
    value, error, n = median(size)
    if n <= 2:
        return MAD_TO_SIGMA * value, np.nan, n
    inner, outer = quantiles(size, *sides)
    skewed = _skewed(away, size, value, high - low, inner, outer)
    return MAD_TO_SIGMA * value, MAD_TO_SIGMA * error * skewed, n


def _skewed(
    away: np.ndarray, size: np.ndarray, middle: float, width: float, inner: float, outer: float
) -> float:
    """Return by how much more a median absolute deviation scatters because the
    median that it is about does.

    Of a symmetric distribution that is nothing: the median moves as many
    values in as out (Falk 1997, on the joint distribution of the two).
    """
    near = (size >= inner) & (size <= outer)
    if not (outer > inner and width > 0.0):
        return 1.0
    above, below, n = away > 0.0, away < 0.0, len(away)
    # Densities at both ends, their difference over that at the median.
    lean = (np.count_nonzero(near & above) - np.count_nonzero(near & below)) / n
    lean *= width / (outer - inner) / (2.0 * _SIDE)
    far, close = size > middle, size < middle
    alike = np.count_nonzero(above & far) + np.count_nonzero(below & close)
    unlike = np.count_nonzero(above & close) + np.count_nonzero(below & far)
    return float(np.sqrt(max(1.0 + lean**2 - 2.0 * lean * (alike - unlike) / n, 0.25)))


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
    values, _ = finite(values, ())
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
        Standard deviation and its error, from the variances of all values
        but one (jackknife, Efron and Stein 1981); NaN for fewer than three
        values, as two always deviate alike.
    n : `int`
        Number of finite values.
    """
    values, _ = finite(values, ())
    n = len(values)
    if n < 2:
        return np.nan, np.nan, n
    squares = (values - values.mean()) ** 2
    value = float(np.sqrt(squares.sum() / (n - 1)))
    if not (n > 2 and value > 0):
        return value, np.nan, n
    # Without a value the variance is less by n / (n - 2) of what it adds.
    return value, float(squares.std(ddof=1) * np.sqrt(n) / (n - 2) / (2.0 * value)), n


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
    values, _ = finite(values, ())
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
        make a fraction of 0 certain (Wilson's interval: half of it, or
        all of it for a fraction of 0 or 1).
    n : `int`
        Size of the sample.
    """
    n = len(mask)
    if n == 0:
        return NONE
    p = float(np.count_nonzero(mask)) / n
    return 100.0 * p, 100.0 * fraction_error(mask, p, units), n


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
