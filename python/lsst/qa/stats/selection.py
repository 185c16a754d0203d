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

import numpy as np

_PART = 1 << 18
"""Values at a time, so that what is made of them stays small."""

_MANY = 1 << 18
"""Of fewer values a copy is made, and put in order."""

_PROBES = 1 << 15
"""Values that tell between which others a quantile lies."""


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
        between these limits is put in order (Floyd and Rivest 1975).
    """
    last = len(values) - 1
    places = [p * last for p in ps]
    if len(values) < _MANY:
        return at_places(values.copy(), places)
    probes = np.sort(values[:: len(values) // _PROBES])
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
    pairs = [(int(place), min(int(place) + 1, len(values) - 1)) for place in places]
    values.partition(sorted({at for pair in pairs for at in pair}))
    return [
        float(values[below] + (place - below) * (values[above] - values[below]))
        for place, (below, above) in zip(places, pairs)
    ]


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
    scale, last = len(probes) / len(values), len(values) - 1
    low = int(places[0] * scale - _margin(probes))
    high = int((places[-1] + 1.0) * scale + _margin(probes)) + 1
    least = probes[low] if low > 0 else -np.inf
    most = probes[high] if high < len(probes) else np.inf
    below, kept = 0, []
    for part in slices(len(values)):
        some = values[part]
        above = some >= least
        below += len(some) - int(np.count_nonzero(above))
        kept.append(some[above & (some <= most)])
    inside = np.concatenate(kept)
    if below <= int(places[0]) and min(int(places[-1]) + 1, last) < below + len(inside):
        return at_places(inside, [place - below for place in places])
    return at_places(values.copy(), places)  # the probes were not like the others
