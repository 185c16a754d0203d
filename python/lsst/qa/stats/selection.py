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

"""Quantiles of many values without a copy of them."""

from __future__ import annotations

__all__ = ["at_places", "quantiles", "slices"]

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

_PART = 1 << 18
"""Values at a time, so that what is made of them stays small."""

_MANY = 1 << 14
"""Of fewer values a copy is made, and put in order."""

_PROBES, _SPARSE = 1 << 15, 4
"""Values that tell between which others a quantile lies: so many, but no more
than one of so many.
"""

_INSIDE = 1 << 22
"""Of no more values that a quantile may be among, a copy is made."""

_DIGIT = 16
"""Bits of a number that are told apart in one go over the values."""

_SIGN, _ALL = 1 << 63, (1 << 64) - 1
"""The bit of a number's sign, and all of them."""


def quantiles(values: np.ndarray, *ps: float) -> list[float]:
    """Return quantiles, interpolated linearly.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        Finite values, at least one.
    *ps : `float`
        Which quantiles, 0 to 1.

    Returns
    -------
    quantiles : `list` [`float`]
        One for each. A sample tells limits that enclose them, and what lies
        between these limits is put in order (Floyd and Rivest 1975); where
        that is too much, they are found digit by digit.
    """
    last = len(values) - 1
    places = [p * last for p in ps]
    if len(values) < _MANY:
        return at_places(values.copy(), places)
    probes = np.sort(values[:: max(len(values) // _PROBES, _SPARSE)])
    found: dict[float, float] = {}
    for together in _beside(sorted(places), _margin(probes) * len(values) / len(probes)):
        found.update(zip(together, _between(values, probes, together)))
    return [found[place] for place in places]


def at_places(values: np.ndarray, places: Sequence[float]) -> list[float]:
    """Return values at places in the order of all, interpolated linearly.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        Finite values, at least one; put in order in part.
    places : `~collections.abc.Sequence` [`float`]
        The places, 0 to n - 1; between two for a value between these.

    Returns
    -------
    found : `list` [`float`]
        A value for each.
    """
    pairs = [_pair(place, len(values) - 1) for place in places]
    values.partition(sorted({at for pair in pairs for at in pair}))
    return [_interpolated(values, place, pair) for place, pair in zip(places, pairs)]


def slices(size: int) -> Iterator[slice]:
    """Cut a sample into parts of which copies may be made.

    Parameters
    ----------
    size : `int`
        Number of values.

    Yields
    ------
    part : `slice`
        Values beside each other.
    """
    return (slice(at, min(at + _PART, size)) for at in range(0, size, _PART))


def _margin(probes: np.ndarray) -> float:
    """Return how many probes a place may be off: four times the scatter."""
    return 2.0 * float(np.sqrt(len(probes))) + 2.0


def _beside(places: Sequence[float], far: float) -> list[list[float]]:
    """Put places together that are not far from each other."""
    groups = [[places[0]]]
    for place in places[1:]:
        if place - groups[-1][-1] < far:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


def _between(values: np.ndarray, probes: np.ndarray, places: Sequence[float]) -> list[float]:
    """Return the values at places that are near each other, in ascending
    order.
    """
    scale = len(probes) / len(values)
    low = int(places[0] * scale - _margin(probes))
    high = int((places[-1] + 1.0) * scale + _margin(probes)) + 1
    least = probes[low] if low > 0 else -np.inf
    most = probes[high] if high < len(probes) else np.inf
    below, lowest, highest, size = 0, 0, 0, 0
    kept = [np.zeros(0)]
    for part in slices(len(values)):
        some = values[part]
        if least == most:  # as of whole numbers: nothing lies between
            below += int(np.count_nonzero(some < least))
            lowest += int(np.count_nonzero(some == least))
            continue
        above = some >= least
        below += len(some) - int(np.count_nonzero(above))
        some = some[above & (some <= most)]
        # Values that many share are counted, as they may be nearly all.
        lowest += int(np.count_nonzero(some == least))
        highest += int(np.count_nonzero(some == most))
        kept.append(some[(some > least) & (some < most)])
        size += len(kept[-1])
        if size > _INSIDE:
            break
    pairs = [_pair(place, len(values) - 1) for place in places]
    wanted = sorted({at for pair in pairs for at in pair})
    if size > _INSIDE or wanted[0] < below or wanted[-1] >= below + lowest + size + highest:
        # The probes were not like the others.
        found: dict[int, float] = {at: _by_digits(values, at) for at in wanted}
    else:
        inside, first = np.concatenate(kept), below + lowest
        if among := [at - first for at in wanted if first <= at < first + size]:
            inside.partition(among)
        found = {
            at: least if at < first else most if at >= first + size else inside[at - first] for at in wanted
        }
    return [_interpolated(found, place, pair) for place, pair in zip(places, pairs)]


def _pair(place: float, last: int) -> tuple[int, int]:
    """Return the places that one lies between."""
    return int(place), min(int(place) + 1, last)


def _interpolated(values: Any, place: float, pair: tuple[int, int]) -> float:
    below, above = pair
    return float(values[below] + (place - below) * (values[above] - values[below]))


def _by_digits(values: np.ndarray, place: int) -> float:
    """Return the value at a place, found digit by digit from the highest: in
    so many goes over the values, with no more than the counts of a digit.
    """
    prefix, size = 0, 1 << _DIGIT
    for shift in range(64 - _DIGIT, -1, -_DIGIT):
        counts = np.zeros(size, dtype=np.int64)
        for part in slices(len(values)):
            keys = _ordered(values[part])
            digits = keys >> np.uint64(shift)
            if shift + _DIGIT < 64:
                digits = digits[digits >> np.uint64(_DIGIT) == np.uint64(prefix)]
            counts += np.bincount((digits % np.uint64(size)).astype(np.int64), minlength=size)
        ends = np.cumsum(counts)
        digit = int(np.searchsorted(ends, place, side="right"))
        place -= int(ends[digit] - counts[digit])
        prefix = prefix << _DIGIT | digit
    # The highest bit tells which way the number was turned.
    bits = prefix ^ _SIGN if prefix & _SIGN else ~prefix
    return float(np.array(bits & _ALL, dtype=np.uint64).view(np.float64))


def _ordered(values: np.ndarray) -> np.ndarray:
    """Turn numbers into integers of the same order."""
    bits = values.astype(np.float64).view(np.uint64)
    return np.where(bits & np.uint64(_SIGN), ~bits, bits | np.uint64(_SIGN))
