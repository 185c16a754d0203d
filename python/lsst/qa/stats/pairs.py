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

"""Pairs of points on the sphere at a given separation, found without holding
all pairs.
"""

from __future__ import annotations

__all__ = ["hash_order", "mean_position", "pairs_in_annulus", "separation"]

import numpy as np

_BLOCK = 1 << 20


def separation(ra1: np.ndarray, dec1: np.ndarray, ra2: np.ndarray, dec2: np.ndarray) -> np.ndarray:
    """Return the angle between points.

    Parameters
    ----------
    ra1, dec1, ra2, dec2 : `numpy.ndarray`
        Coordinates in radians, of shapes that broadcast.

    Returns
    -------
    angle : `numpy.ndarray`
        Radians; by the haversine, which keeps the digits of small angles.
    """
    north = np.sin(0.5 * (dec1 - dec2)) ** 2
    east = np.sin(0.5 * (ra1 - ra2)) ** 2
    return 2.0 * np.arcsin(np.sqrt(np.minimum(north + np.cos(dec1) * np.cos(dec2) * east, 1.0)))


def mean_position(ra: np.ndarray, dec: np.ndarray, mean) -> tuple[np.ndarray, np.ndarray]:
    """Return the direction of a mean of unit vectors.

    Parameters
    ----------
    ra, dec : `numpy.ndarray`
        Coordinates in radians.
    mean : `~collections.abc.Callable`
        What averages each of the three components.

    Returns
    -------
    ra, dec : `numpy.ndarray`
        Coordinates of the mean in radians.
    """
    x, y, z = (mean(v) for v in (np.cos(ra) * np.cos(dec), np.sin(ra) * np.cos(dec), np.sin(dec)))
    return np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))


def hash_order(keys: np.ndarray) -> np.ndarray:
    """Return pseudo-random numbers that depend on the keys alone.

    Parameters
    ----------
    keys : `numpy.ndarray` of `int`
        Integer keys.

    Returns
    -------
    numbers : `numpy.ndarray` of `numpy.uint64`
        The SplitMix64 mix of each key (Steele, Lea and Flood 2014): a
        sample of the smallest is the same in whatever order or pieces
        the keys come.
    """
    mixed = keys.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def pairs_in_annulus(
    ra: np.ndarray, dec: np.ndarray, low: float, high: float, keys: np.ndarray, most: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Find the pairs of points with ``low <= separation < high``.

    Parameters
    ----------
    ra, dec : `numpy.ndarray`, (n,)
        Coordinates in radians.
    low, high : `float`
        Limits of the separation in radians.
    keys : `numpy.ndarray` of `int`, (n,)
        Keys of the points, by which pairs are thinned.
    most : `int`, optional
        If there are more pairs, that many are kept, chosen by a hash of
        their points' keys.

    Returns
    -------
    first, second : `numpy.ndarray` of `int`, (p,)
        Indices of the points; each pair once, in the order of their keys.
    """
    # Sorted by declination, the partners of a point lie in a window of it.
    order = np.argsort(dec, kind="stable")
    x, y, z = (
        np.cos(ra[order]) * np.cos(dec[order]),
        np.sin(ra[order]) * np.cos(dec[order]),
        np.sin(dec[order]),
    )
    ends = np.searchsorted(dec[order], dec[order] + high, side="right")
    near, far = np.cos(low), np.cos(min(high, np.pi))
    found: list[tuple[np.ndarray, np.ndarray]] = []
    salt = hash_order(keys[order])
    held = 0
    for begin, end in _blocks(ends):
        stop = int(ends[end - 1])
        across = x[begin:end, None] * x[begin:stop] + y[begin:end, None] * y[begin:stop]
        across += z[begin:end, None] * z[begin:stop]
        # The cosine loses the digits of tiny angles, so it only sorts out; the
        # limits are applied exactly below.
        i, j = np.nonzero((across <= near + 1e-12) & (across >= far - 1e-12))
        later = j > i
        i, j = i[later] + begin, j[later] + begin
        angle = separation(ra[order][i], dec[order][i], ra[order][j], dec[order][j])
        within = (angle >= low) & (angle < high)
        found.append((i[within], j[within]))
        held += int(np.count_nonzero(within))
        if most is not None and held > 4 * most:
            found = [_thin(found, salt, most)]
            held = most
    i, j = _thin(found, salt, most) if found else (np.zeros(0, np.int64), np.zeros(0, np.int64))
    first, second = order[i], order[j]
    swap = keys[first] > keys[second]
    first, second = np.where(swap, second, first), np.where(swap, first, second)
    ranked = np.lexsort((keys[second], keys[first]))
    return first[ranked], second[ranked]


def _blocks(ends: np.ndarray):
    """Cut points into runs whose windows hold about `_BLOCK` candidates."""
    begin = 0
    while begin < len(ends):
        width = max(int(ends[begin]) - begin, 1)
        end = min(len(ends), begin + max(_BLOCK // (2 * width), 1))
        yield begin, end
        begin = end


def _thin(
    found: list[tuple[np.ndarray, np.ndarray]], salt: np.ndarray, most: int | None
) -> tuple[np.ndarray, np.ndarray]:
    i, j = (np.concatenate(side) for side in zip(*found))
    if most is None or len(i) <= most:
        return i, j
    # Symmetric in the two points, so that it does not matter which comes
    # first.
    rank = hash_order(salt[i] + salt[j])
    kept = np.argpartition(rank, most)[:most]
    return i[kept], j[kept]
