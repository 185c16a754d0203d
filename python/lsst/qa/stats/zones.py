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

"""Pairs of points on the sphere within a range of separations, found in time
that grows with the number of points and pairs, and without holding them.

Points are sorted into zones of declination and by right ascension within each
(Gray, Nieto-Santisteban and Szalay 2006): the partners of a point then lie in
a few runs of consecutive points.
"""

from __future__ import annotations

__all__ = ["Runs", "Zones", "runs_of_partners", "zones_of"]

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

_TURN = 2.0 * np.pi
_STRIDE = 8.0  # more than a turn
_ZONES_PER_RANGE = 5
_MOST_ZONES = 1 << 16
_POINTS = 1 << 16
_MARGIN = 1e-9
"""Radians by which a run may reach too far; more than a key rounds off."""


class Zones(NamedTuple):
    """Points in zones.

    Attributes
    ----------
    order : `numpy.ndarray` of `int`, (n,)
        What sorts the points.
    ra, dec : `numpy.ndarray`, (n,)
        Sorted coordinates; the right ascension is counted from opposite
        the points' middle.
    zone : `numpy.ndarray` of `int`, (n,)
        Zone of each.
    bottom, height : `float`
        Declination where zone 0 begins, and height of each.
    """

    order: np.ndarray
    ra: np.ndarray
    dec: np.ndarray
    zone: np.ndarray
    bottom: float
    height: float


class Runs(NamedTuple):
    """Candidates for pairs: a point and consecutive others.

    Attributes
    ----------
    point, begin, end : `numpy.ndarray` of `int`, (r,)
        A point, and the range that its partners are in, by their places
        among the sorted points.
    """

    point: np.ndarray
    begin: np.ndarray
    end: np.ndarray


def zones_of(ra: np.ndarray, dec: np.ndarray, reach: float) -> Zones:
    """Sort points into zones.

    Parameters
    ----------
    ra, dec : `numpy.ndarray`, (n,)
        Coordinates in radians, finite.
    reach : `float`
        Largest separation of interest, in radians.

    Returns
    -------
    zones : `Zones`
        The points.
    """
    bottom = float(dec.min()) if len(dec) else 0.0
    span = float(dec.max()) - bottom if len(dec) else 0.0
    height = max(reach / _ZONES_PER_RANGE, span / _MOST_ZONES, _MARGIN)
    zone = ((dec - bottom) / height).astype(np.int64)
    middle = np.arctan2(np.sin(ra).sum(), np.cos(ra).sum())
    turned = np.mod(ra - middle + np.pi, _TURN)
    turned[turned >= _TURN] = 0.0
    order = np.lexsort((turned, zone))
    return Zones(order, turned[order], dec[order], zone[order], bottom, height)


def runs_of_partners(zones: Zones, low: float, high: float) -> Iterator[Runs]:
    """Find the runs that hold each pair with ``low <= separation < high``
    once.

    Parameters
    ----------
    zones : `Zones`
        The points.
    low, high : `float`
        Limits in radians, ``high`` no more than a turn's half.

    Yields
    ------
    runs : `Runs`
        Some points' runs; they hold some pairs outside the limits as well.
    """
    key = zones.zone * _STRIDE + zones.ra
    last = int(zones.zone[-1]) if len(key) else -1
    for start in range(0, len(key), _POINTS):
        points = np.arange(start, min(start + _POINTS, len(key)))
        found = [
            run
            for up in range(min(int(np.ceil(high / zones.height)), last) + 1)
            for run in _runs(zones, key, points[zones.zone[points] + up <= last], up, low, high)
        ]
        if found:
            point, begin, end = (np.concatenate(part) for part in zip(*found))
            kept = end > begin
            yield Runs(point[kept], begin[kept], end[kept])


def _runs(
    zones: Zones, key: np.ndarray, points: np.ndarray, up: int, low: float, high: float
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield the runs of some points in the zone ``up`` zones higher."""
    ra, there = zones.ra[points], zones.zone[points] + up
    least, most = _widths(zones, points, up, low, high)
    far = most >= np.pi
    base = there * _STRIDE
    sides = [(ra + least, np.where(far & (up == 0), 2.0 * _TURN, ra + most), 1)]
    if up:
        sides.append((ra - most, ra - least, -1))
    for begin, end, side in sides:
        first, past = _places(key, base, begin, end)
        # In its own zone a point looks east only, so that a pair is found
        # once; where that is all around, each looks at those after it.
        yield points, first if up else np.maximum(np.where(far, 0, first), points + 1), past
        beyond = ~(far & (up == 0)) & ((end > _TURN) if side > 0 else (begin < 0.0))
        if beyond.any():
            turn = -side * _TURN
            yield points[beyond], *_places(key, base[beyond], begin[beyond] + turn, end[beyond] + turn)


def _places(
    key: np.ndarray, base: np.ndarray, begin: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the points of a zone with ``begin <= ra < end``."""
    return (
        np.searchsorted(key, base + np.clip(begin, 0.0, _TURN)),
        np.searchsorted(key, base + np.clip(end, 0.0, _TURN)),
    )


def _widths(
    zones: Zones, points: np.ndarray, up: int, low: float, high: float
) -> tuple[np.ndarray, np.ndarray]:
    """Bound the difference in right ascension to partners in another zone:
    nearer than ``least`` all are too near, beyond ``most`` all are too far.
    """
    dec = zones.dec[points]
    floor = zones.bottom + (zones.zone[points] + up) * zones.height
    ceiling = floor + zones.height
    gap = np.maximum(floor - dec, 0.0)
    gap = np.maximum(gap - _MARGIN, 0.0)
    farthest = np.maximum(np.abs(ceiling - dec), np.abs(dec - floor)) + _MARGIN
    cosines = np.cos(np.clip([floor - _MARGIN, ceiling + _MARGIN], -0.5 * np.pi, 0.5 * np.pi))
    across = np.where((floor <= 0.0) & (ceiling >= 0.0), 1.0, cosines.max(axis=0))
    own = np.maximum(np.cos(dec), 0.0)
    # Within a zone all look equally far, as they take turns.
    outer = own if up else np.maximum(cosines.min(axis=0), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = (np.sin(0.5 * high) ** 2 - np.sin(0.5 * gap) ** 2) / (outer * cosines.min(axis=0))
        inner = (np.sin(0.5 * low) ** 2 - np.sin(0.5 * farthest) ** 2) / (own * across)
    most = np.where(reach >= 0.0, 2.0 * np.arcsin(np.sqrt(np.clip(reach, 0.0, 1.0))) + _MARGIN, 0.0)
    most = np.where(np.isnan(reach) | (reach >= 1.0), np.pi, np.minimum(most, np.pi))
    least = 2.0 * np.arcsin(np.sqrt(np.clip(np.nan_to_num(inner, posinf=0.0), 0.0, 1.0))) - _MARGIN
    return np.clip(least, 0.0, most), most
