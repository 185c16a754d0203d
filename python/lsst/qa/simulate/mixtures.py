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

"""Quantiles of mixtures of distributions, in closed form or solved for: the
mathematics of truth.
"""

from __future__ import annotations

__all__ = [
    "deviation_quantile",
    "deviations",
    "median_rms",
    "normal_quantile",
    "normal_sigma_mad",
    "outside",
    "resampled_deviations",
]

from collections.abc import Callable

import numpy as np

SIGMA_MAD = 1.482602218505602


def normal_quantile(mean: np.ndarray, sigma: np.ndarray, quantile: float = 0.5) -> float:
    """Return a quantile of a mixture of normal distributions.

    Parameters
    ----------
    mean, sigma : `numpy.ndarray`, (n,)
        Of each, all of the same weight; sigma may be 0.
    quantile : `float`, optional
        From 0 to 1.

    Returns
    -------
    value : `float`
        NaN if there is none.
    """
    from scipy.special import ndtr

    if not len(mean):
        return np.nan
    sigma = _positive(sigma)
    reach = 8.0 * sigma.max()
    return _solved(
        lambda x: float(np.mean(ndtr((x - mean) / sigma))), mean.min() - reach, mean.max() + reach, quantile
    )


def normal_sigma_mad(mean: np.ndarray, sigma: np.ndarray) -> float:
    """Return the scaled median absolute deviation of a normal mixture.

    Parameters
    ----------
    mean, sigma : `numpy.ndarray`, (n,)
        Of each, all of the same weight.

    Returns
    -------
    value : `float`
        The standard deviation, where all are alike; NaN if there is none.
    """
    return SIGMA_MAD * deviation_quantile(mean - normal_quantile(mean, sigma), sigma, 0.5)


def deviation_quantile(mean: np.ndarray, sigma: np.ndarray, quantile: float) -> float:
    """Return a quantile of the absolute values of a normal mixture.

    Parameters
    ----------
    mean, sigma : `numpy.ndarray`, (n,)
        Of each, all of the same weight.
    quantile : `float`
        From 0 to 1.

    Returns
    -------
    value : `float`
        NaN if there is none.
    """
    if not len(mean):
        return np.nan
    reach = np.abs(mean).max() + 8.0 * _positive(sigma).max()
    return _solved(lambda x: 1.0 - outside(mean, sigma, x), 0.0, reach, quantile)


def outside(mean: np.ndarray, sigma: np.ndarray, limit: float) -> float:
    """Return the share of a normal mixture whose absolute value exceeds a
    limit.

    Parameters
    ----------
    mean, sigma : `numpy.ndarray`, (n,)
        Of each, all of the same weight.
    limit : `float`
        The limit.

    Returns
    -------
    share : `float`
        From 0 to 1; NaN if there is none.
    """
    from scipy.special import ndtr

    if not len(mean):
        return np.nan
    sigma = _positive(sigma)
    return float(np.mean(ndtr((mean - limit) / sigma) + ndtr((-mean - limit) / sigma)))


def deviations(mean: np.ndarray, sigma: np.ndarray, present: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distribution of each measurement's deviation from its group's
    mean.

    Parameters
    ----------
    mean, sigma : `numpy.ndarray`, (n, v)
        Of the normal distribution of each measurement of each group.
    present : `numpy.ndarray` of `bool`, (n, v)
        Which measurements there are.

    Returns
    -------
    mean, sigma : `numpy.ndarray`, (m,)
        Of the deviations of all measurements that there are.
    """
    count = present.sum(axis=1, keepdims=True)
    variance = np.where(present, sigma**2, 0.0)
    centre = np.where(present, mean, 0.0).sum(axis=1, keepdims=True) / count
    spread = np.sqrt(variance * (1.0 - 2.0 / count) + variance.sum(axis=1, keepdims=True) / count**2)
    return (mean - centre)[present], spread[present]


def median_rms(mean: np.ndarray, sigma: np.ndarray, present: np.ndarray) -> float:
    """Return the median, over groups, of the unbiased rms of their
    measurements.

    Parameters
    ----------
    mean, sigma : `numpy.ndarray`, (n, v)
        Of the normal distribution of each measurement of each group.
    present : `numpy.ndarray` of `bool`, (n, v)
        Which measurements there are, at least two of each group.

    Returns
    -------
    value : `float`
        NaN if there is no group.

    Notes
    -----
    The sum of squares about the mean is a quadratic form in normal variables.
    Where all have one sigma and one mean it is that sigma squared times a
    chi-square variable of n - 1 degrees of freedom; otherwise it is taken for
    the scaled and shifted non-central chi-square variable that has its first
    three cumulants, and as nearly as may be its fourth (Liu, Tang and Zhang
    2009).
    """
    from scipy.special import chndtr

    if not len(mean):
        return np.nan
    freedom = present.sum(axis=1) - 1.0
    c1, c2, c3, c4 = _cumulants(mean, sigma, present)
    s1, s2 = c3 / c2**1.5, c4 / c2**2
    root = np.sqrt(np.maximum(s1**2 - s2, 0.0))
    a = 1.0 / (s1 - root)
    noncentral = np.maximum(s1 * a**3 - a**2, 0.0)
    # With a noncentrality of 0 the third cumulant is met, not the fourth.
    noncentral[root == 0.0] = 0.0
    degrees = a**2 - 2.0 * noncentral

    def below(rms: float) -> float:
        standard = (rms**2 * freedom - c1) / np.sqrt(2.0 * c2)
        matched = standard * np.sqrt(2.0) * a + degrees + noncentral
        return float(
            np.mean(np.where(matched > 0.0, chndtr(np.maximum(matched, 0.0), degrees, noncentral), 0.0))
        )

    return _solved(below, 0.0, 8.0 * float(np.sqrt((c1 / freedom).max())), 0.5)


def resampled_deviations(
    rng: np.random.Generator, mean: np.ndarray, sigma: np.ndarray, present: np.ndarray, draws: int
) -> np.ndarray:
    """Integrate numerically over the noise: deviations from the groups'
    medians.

    Parameters
    ----------
    rng : `numpy.random.Generator`
        Source of random numbers.
    mean, sigma : `numpy.ndarray`, (n, v)
        Of the normal distribution of each measurement of each group.
    present : `numpy.ndarray` of `bool`, (n, v)
        Which measurements there are, at least one of each group.
    draws : `int`
        How many times the noise is drawn.

    Returns
    -------
    deviations : `numpy.ndarray`, (m,)
        Absolute deviations, sorted, of all draws.

    Notes
    -----
    The deviation from a median of unlike variables has no distribution in
    closed form.
    """
    rows = np.arange(len(mean))
    last = present.sum(axis=1) - 1
    found = [np.zeros(0)]
    for _ in range(draws):
        drawn = np.where(present, mean + sigma * rng.standard_normal(mean.shape), np.inf)
        ranked = np.sort(drawn, axis=1)
        median = 0.5 * (ranked[rows, last // 2] + ranked[rows, (last + 1) // 2])
        found.append(np.abs(drawn - median[:, None])[present])
    return np.sort(np.concatenate(found))


def _cumulants(mean: np.ndarray, sigma: np.ndarray, present: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return cumulants 1 to 4, over ``2^(k-1) (k-1)!``, of the sums of squares
    about the mean.

    With D the diagonal matrix of variances, P the projection that subtracts
    the mean, and b = P mean, the k-th is ``tr (P D)^k + k b' (D P)^(k-1) b``.
    """
    n = present.sum(axis=1, keepdims=True).astype(np.float64)

    def projected(values: np.ndarray) -> np.ndarray:
        values = np.where(present, values, 0.0)
        return np.where(present, values - values.sum(axis=1, keepdims=True) / n, 0.0)

    variance = np.where(present, sigma**2, 0.0)
    b0 = projected(mean)
    b1 = projected(variance * b0)
    d1, d2, d3, d4 = ((variance**k).sum(axis=1) for k in range(1, 5))
    n = n[:, 0]
    traces = (
        d1 - d1 / n,
        d2 - 2.0 * d2 / n + d1**2 / n**2,
        d3 - 3.0 * d3 / n + 3.0 * d1 * d2 / n**2 - d1**3 / n**3,
        d4 - 4.0 * d4 / n + (4.0 * d1 * d3 + 2.0 * d2**2) / n**2 - 4.0 * d1**2 * d2 / n**3 + d1**4 / n**4,
    )
    # b' D b, b' D P D b and b' D P D P D b, in turn.
    squares = (b0 * b0, variance * b0 * b0, b1 * b1, variance * b1 * b1)
    return tuple(trace + k * square.sum(axis=1) for k, (trace, square) in enumerate(zip(traces, squares), 1))


def _positive(sigma: np.ndarray) -> np.ndarray:
    return np.maximum(sigma, 1e-300)


def _solved(function: Callable[[float], float], low: float, high: float, value: float) -> float:
    """Find where an increasing function takes a value."""
    from scipy.optimize import brentq

    low, high = float(low), float(high)
    if high <= low or function(high) <= value:
        return high
    return float(
        brentq(lambda x: function(x) - value, low, high, xtol=1e-12 * max(abs(low), abs(high)), rtol=1e-10)
    )
