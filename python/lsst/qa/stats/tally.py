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

"""Whole numbers of many rows, counted: what a sample of them tells is told by
how often each is there.
"""

from __future__ import annotations

__all__ = ["Tally", "tally"]

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .selection import slices
from .units import NONE, Moments, at_least_binomial, quantile_reach

_MOST = 1 << 22
"""Counts that are kept at most."""


class Tally(NamedTuple):
    """How often each value is there in each unit.

    Attributes
    ----------
    values : `numpy.ndarray`, (k,)
        The values, ascending.
    counts : `numpy.ndarray` of `int`, (u, k)
        Number of rows by independent unit and value.
    """

    values: np.ndarray
    counts: np.ndarray

    def distances(self, origin: float) -> Tally:
        """Return how far values are from one of them.

        Parameters
        ----------
        origin : `float`
            The value.

        Returns
        -------
        distances : `Tally`
            Those of the same rows.
        """
        away = np.abs(self.values - origin)
        order = np.argsort(away, kind="stable")
        return Tally(away[order], self.counts[:, order])

    def quantile(self, p: float) -> Moments:
        """Return a quantile of the values.

        Parameters
        ----------
        p : `float`
            Which quantile, between 0 and 1.

        Returns
        -------
        value, error : `float`
            As `lsst.qa.stats.quantile` of the rows and their units.
        n : `int`
            Number of rows.
        """
        by_unit = self.counts.sum(axis=1)
        n, number = int(by_unit.sum()), int(np.count_nonzero(by_unit))
        if n == 0:
            return NONE
        value = self._at(p)
        if number < 2:
            return value, np.nan, n
        below = self.counts[:, self.values <= value].sum(axis=1)
        clustered = np.sqrt(np.sum((below - p * by_unit) ** 2) * number / (number - 1)) / n
        spread = at_least_binomial(float(clustered), p, n)
        reach = quantile_reach(p, spread)
        low, high = max(p - reach, 0.0), min(p + reach, 1.0)
        return value, (self._at(high) - self._at(low)) * spread / (high - low), n

    def _at(self, p: float) -> float:
        """Return a quantile, interpolated linearly between rows."""
        ends = np.cumsum(self.counts.sum(axis=0))
        place = p * (int(ends[-1]) - 1)
        below, above = int(place), min(int(place) + 1, int(ends[-1]) - 1)
        one, other = self.values[np.searchsorted(ends, [below, above], side="right")].tolist()
        return float(one + (place - below) * (other - one))


def tally(values: np.ndarray, unit: np.ndarray) -> Tally:
    """Count values.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        The sample; what is not finite is left out.
    unit : `numpy.ndarray` of `int`, (n,)
        Independent unit of each value, from 0.

    Returns
    -------
    tally : `Tally`
        Going over the rows part by part, as fast as one can count where the
        values are whole numbers that are not too far apart.
    """
    size, least, most, whole = 1, 0, 0, True
    for known, own in _parts(values, unit):
        least, most = min(least, int(known.min())), max(most, int(known.max()))
        size = max(size, int(own.max()) + 1)
        whole = whole and bool(np.all(known == np.trunc(known))) and int(own.min()) >= 0
    span = most - least + 1
    if whole and size * span <= _MOST:
        counts = np.zeros(size * span, dtype=np.int64)
        for known, own in _parts(values, unit):
            counts += np.bincount(own * span + (known.astype(np.int64) - least), minlength=len(counts))
        by_unit = counts.reshape(size, span)
        there = np.flatnonzero(by_unit.any(axis=0))
        return Tally((there + least).astype(np.float64), by_unit[:, there])
    distinct, units = np.zeros(0), np.zeros(0, dtype=np.int64)
    for known, own in _parts(values, unit):
        distinct, units = np.union1d(distinct, known), np.union1d(units, own)
    by_unit = np.zeros((len(units), len(distinct)), dtype=np.int64)
    for known, own in _parts(values, unit):
        np.add.at(by_unit, (np.searchsorted(units, own), np.searchsorted(distinct, known)), 1)
    return Tally(distinct, by_unit)


def _parts(values: np.ndarray, unit: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Go over the values that are finite, and their units."""
    for part in slices(len(values)):
        known, own = values[part], unit[part]
        kept = np.isfinite(known)
        if not kept.all():
            known, own = known[kept], own[kept]
        if len(known):
            yield known, own
