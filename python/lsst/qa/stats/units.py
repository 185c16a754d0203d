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

"""Errors of means over independent units: single values, or those of a star,
or pairs that share stars.
"""

from __future__ import annotations

__all__ = [
    "NONE",
    "Moments",
    "at_least_binomial",
    "finite",
    "fraction_error",
    "mean_error",
    "numbered",
    "quantile_in_place",
    "quantile_reach",
]

from statistics import NormalDist

import numpy as np

from .selection import at_places, slices

Moments = tuple[float, float, int]
"""Value, error and size of the sample."""

NONE: Moments = (np.nan, np.nan, 0)
"""What there is of an empty sample."""


def finite(values: np.ndarray, units: tuple[np.ndarray, ...]) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Leave out values that are not finite.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        The sample.
    units : `tuple` [`numpy.ndarray`, ...], each (n,)
        Independent unit, or the two units of a pair, of each value.

    Returns
    -------
    values, units
        What is left, of both.
    """
    kept = np.isfinite(values)
    return (values, units) if kept.all() else (values[kept], tuple(unit[kept] for unit in units))


def quantile_in_place(values: np.ndarray, p: float) -> float:
    """Return a quantile, interpolated linearly, and leave the values partly
    ordered: another one of them then costs little.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        Finite values, at least one; changed in place.
    p : `float`
        Which quantile, 0 to 1.

    Returns
    -------
    value : `float`
        The quantile.
    """
    return at_places(values, [p * (len(values) - 1)])[0]


def quantile_reach(p: float, spread: float) -> float:
    """Return how far from a quantile others still tell of the density there.

    Parameters
    ----------
    p : `float`
        Which quantile, 0 to 1.
    spread : `float`
        The 1-sigma error of the fraction of values below it.

    Returns
    -------
    reach : `float`
        Twice the error, since more values tell the density better, where the
        distribution is not too curved for it: the width that suits an
        interval of 1 sigma of a normal one (Hall and Sheather 1988).
    """
    room = 1.0
    if 0.0 < p < 1.0:
        z = NormalDist().inv_cdf(p)
        room = (1.5 * NormalDist().pdf(z) ** 2 / (2.0 * z**2 + 1.0) * spread**2 / (p * (1.0 - p))) ** (1 / 3)
    return max(min(2.0 * spread, room), spread)


def fraction_error(mask: np.ndarray, p: float, units: tuple[np.ndarray, ...]) -> float:
    """Return the 1-sigma error of a fraction of true values.

    Parameters
    ----------
    mask : `numpy.ndarray` of `bool`, (n,)
        Whether each member of the sample counts.
    p : `float`
        The fraction, 0 to 1.
    units : `tuple` [`numpy.ndarray`, ...], each (n,)
        Independent units.

    Returns
    -------
    error : `float`
        Half of Wilson's interval at least, and for a fraction of 0 or 1 all
        of it, 1 / (1 + n) of n units, since it lies on one side of the value;
        NaN for too few units.
    """
    n = len(mask)
    error = mean_error(mask, units, p) if units else 0.0
    if 0.0 < p < 1.0 or np.isnan(error):
        return at_least_binomial(error, p, n)
    # Rows of one unit are alike: that none is seen tells as much as one does.
    return 1.0 / (1.0 + (numbered(units)[2] if units else n))


def at_least_binomial(error: float, p: float, n: int) -> float:
    """Return an error of a fraction that is no less than without units.

    Parameters
    ----------
    error : `float`
        1-sigma error, as units tell it.
    p : `float`
        The fraction, 0 to 1.
    n : `int`
        Size of the sample.

    Returns
    -------
    error : `float`
        Half of Wilson's interval at least; NaN for NaN.
    """
    return float(np.maximum(error, np.sqrt(p * (1.0 - p) / n + 0.25 / n**2) / (1.0 + 1.0 / n)))


def mean_error(values: np.ndarray, units: tuple[np.ndarray, ...], mean: float = 0.0) -> float:
    """Return the 1-sigma error of a mean.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        The sample.
    units : `tuple` [`numpy.ndarray`, ...], each (n,)
        Independent units.
    mean : `float`, optional
        Its mean.

    Returns
    -------
    error : `float`
        NaN for no more units than one, or two of pairs.
    """
    n = len(values)
    if not units:
        return float(np.sqrt(np.sum((values - mean) ** 2) / (n - 1) / n))
    units, size, number = numbered(units)
    if number <= len(units):
        return np.nan
    sums, pairs = np.zeros(size), []
    for part in slices(n):
        away, own = _run_sums(values[part] - mean, [unit[part] for unit in units])
        for unit in own:
            sums += np.bincount(unit, away, size)
        if len(units) == 2:
            pairs.append((away, np.minimum(*own) * size + np.maximum(*own)))
    variance = float(np.sum(sums**2))
    if pairs:
        # A pair counts for both its stars, but it varies once.
        variance -= _pair_variance(*map(np.concatenate, zip(*pairs)))
    return float(np.sqrt(max(variance, 0.0) * number / (number - 1)) / n)


def _run_sums(values: np.ndarray, units: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Add up values of the same units that lie beside each other, as those of
    a pair mostly do.
    """
    first = np.ones(len(values), dtype=bool)
    np.not_equal(units[0][1:], units[0][:-1], out=first[1:])
    for unit in units[1:]:
        first[1:] |= unit[1:] != unit[:-1]
    if 2 * np.count_nonzero(first) > len(values):
        return values, units  # too few do
    starts = np.flatnonzero(first)
    return np.add.reduceat(values, starts), [unit[starts] for unit in units]


def numbered(units: tuple[np.ndarray, ...]) -> tuple[tuple[np.ndarray, ...], int, int]:
    """Replace keys by numbers below a size, and say how many differ.

    Parameters
    ----------
    units : `tuple` [`numpy.ndarray`, ...] of `int`, each (n,)
        Keys.

    Returns
    -------
    units : `tuple` [`numpy.ndarray`, ...] of `int`, each (n,)
        Numbers in their place, the same for the same key.
    size, number : `int`
        What all numbers are below, and how many of them there are.
    """
    highest = max(int(unit.max()) for unit in units)
    if min(int(unit.min()) for unit in units) >= 0 and highest <= max(len(units[0]), 1 << 16):
        there = np.zeros(highest + 1, dtype=bool)
        for unit in units:
            for part in slices(len(unit)):
                there[unit[part]] = True
        return units, highest + 1, int(np.count_nonzero(there))  # they are numbers already
    _, index = np.unique(np.concatenate(units), return_inverse=True)
    number = int(index.max()) + 1
    return tuple(np.split(index, len(units))), number, number


def _pair_variance(away: np.ndarray, pair: np.ndarray) -> float:
    """Return the sum of the squares of the pairs' sums."""
    _, index = np.unique(pair, return_inverse=True)
    return float(np.sum(np.bincount(index, away) ** 2))
