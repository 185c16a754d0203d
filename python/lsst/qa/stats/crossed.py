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
"""Errors of means of rows that vary in two ways which cross: with their star,
and with their visit.
"""

from __future__ import annotations

__all__ = ["crossed_error"]

import numpy as np

from .units import mean_error, numbered


def crossed_error(values: np.ndarray, unit: np.ndarray, *others: np.ndarray) -> float:
    """Return the 1-sigma error of a mean over rows that are alike if they
    share a star, and also if they share a visit.

    The variance is that over stars, and to it is added what visits make of
    their own: the variance over them less that of rows that share both
    (Cameron, Gelbach and Miller 2011), where it is more than chance makes of
    as many visits that are all alike.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        By how much each row is off, 0 in the mean.
    unit : `numpy.ndarray` of `int`, (n,)
        Star of each row.
    *others : `numpy.ndarray` of `int`, (n,)
        Visit of each row, or the two visits of a pair.

    Returns
    -------
    error : `float`
        NaN for fewer than two stars; of no more visits than one, or two of
        pairs, nothing can be told, and nothing is added.
    """
    own = mean_error(values, (unit,))
    shared = mean_error(values, others)
    if np.isnan(own) or np.isnan(shared):
        return own
    (star,), _, _ = numbered((unit,))
    visits, size, number = numbered(others)
    both = mean_error(values, tuple(star.astype(np.int64) * size + visit for visit in visits))
    extra = shared**2 - both**2
    # A variance over a few scatters by so much of itself, 1 sigma.
    chance = both**2 * np.sqrt(2.0 / (number - 1))
    return float(np.sqrt(own**2 + extra if extra > chance else own**2))
