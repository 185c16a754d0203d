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

"""Totals and ratios of totals over independent units, with their errors."""

from __future__ import annotations

__all__ = ["by_unit", "count_ratio", "ratio", "share", "total"]

import numpy as np

from .selection import slices
from .units import NONE, Moments

_HIGHEST = 1 << 16
"""Numbers of units up to this are places in a table."""


def ratio(over: np.ndarray, under: np.ndarray) -> Moments:
    """Return the ratio of two totals over the same units.

    Parameters
    ----------
    over, under : `numpy.ndarray`, (n,)
        What each independent unit adds to either total; a unit that does not
        know one of them is left out.

    Returns
    -------
    value, error : `float`
        Ratio of the totals, NaN where the lower one is not positive, and
        its 1-sigma error by linearization (Cochran 1977, section 6.3); NaN
        for fewer than two units.
    n : `int`
        Number of units.
    """
    known = np.isfinite(over) & np.isfinite(under)
    over, under = over[known].astype(np.float64), under[known].astype(np.float64)
    n, whole = len(over), float(under.sum())
    if n == 0:
        return NONE
    if not whole > 0.0:
        return np.nan, np.nan, n
    value = float(over.sum()) / whole
    if n < 2:
        return value, np.nan, n
    away = over - value * under
    return value, float(np.sqrt(n / (n - 1) * np.sum(away**2)) / whole), n


def share(over: np.ndarray, under: np.ndarray) -> Moments:
    """Return what percentage one total of counts is of another.

    Parameters
    ----------
    over, under : `numpy.ndarray`, (n,)
        As in `ratio`: counts, of which the upper are among the lower ones.

    Returns
    -------
    value, error : `float`
        Percent, and its error; never 0, since none of so many does not make
        a share of 0 certain (the upper end of Wilson's interval then).
    n : `int`
        Number of units.
    """
    value, error, n = ratio(over, under)
    counted = under[np.isfinite(over) & np.isfinite(under)]
    return 100.0 * value, 100.0 * max(error, 1.0 / (1.0 + float(np.sum(counted)))), n


def total(values: np.ndarray) -> Moments:
    """Return the total over units whose number varies as a Poisson variate.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        What each independent unit adds; one that is not known is left out.

    Returns
    -------
    value, error : `float`
        Total, and the root of the sum of squares (compound Poisson), 1 at
        least; NaN for no unit.
    n : `int`
        Number of units.
    """
    known = values[np.isfinite(values)].astype(np.float64)
    if not len(known):
        return NONE
    return float(known.sum()), float(np.sqrt(max(np.sum(known**2), 1.0))), len(known)


def count_ratio(over: np.ndarray, under: np.ndarray) -> Moments:
    """Return the ratio of two Poisson counts of different rows.

    Parameters
    ----------
    over, under : `numpy.ndarray` of `bool`, (n,)
        Whether a row counts above, or below; none does both.

    Returns
    -------
    value, error : `float`
        Ratio, NaN where nothing counts below, and its error; a count of 0
        has that of 1.
    n : `int`
        Number of rows that count.
    """
    one, other = int(np.count_nonzero(over)), int(np.count_nonzero(under))
    if other == 0:
        return np.nan, np.nan, one
    value = one / other
    return value, float(np.sqrt(max(one, 1) / other**2 + value**2 / other)), one + other


def by_unit(unit: np.ndarray, *values: np.ndarray) -> tuple[np.ndarray, ...]:
    """Add values up by the unit that they belong to.

    Parameters
    ----------
    unit : `numpy.ndarray` of `int`, (n,)
        The unit of each value.
    *values : `numpy.ndarray`, (n,)
        Values.

    Returns
    -------
    totals : `tuple` [`numpy.ndarray`, ...]
        The total of each unit, in the order of their numbers.
    """
    if len(unit) and int(unit.min()) >= 0 and (highest := int(unit.max())) <= _HIGHEST:
        # Counting takes a tenth of the time of sorting.
        size = highest + 1
        there = np.zeros(size, dtype=bool)
        totals = [np.zeros(size) for _ in values]
        for part in slices(len(unit)):
            numbers = unit[part]
            there[numbers] = True
            for total, value in zip(totals, values):
                total += np.bincount(numbers, value[part], size)
        return tuple(total[there] for total in totals)
    _, index = np.unique(unit, return_inverse=True)
    return tuple(np.bincount(index, value) for value in values)
