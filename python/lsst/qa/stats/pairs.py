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

__all__ = ["direction", "hash_order", "mean_position", "pairs_in_annulus", "separation", "unit_vectors"]

from collections.abc import Callable

import numpy as np

from .tiles import tiles_of

_BLOCK = 1 << 16
"""Candidates at a time: the processor's cache holds them, and so small a
product of matrices is not spread over threads, which wait for each other for
longer than they work.
"""


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


def unit_vectors(ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the directions of points.

    Parameters
    ----------
    ra, dec : `numpy.ndarray`
        Coordinates in radians.

    Returns
    -------
    x, y, z : `numpy.ndarray`
        Components towards RA 0, RA 90 degrees and the pole.
    """
    across = np.cos(dec)
    return np.cos(ra) * across, np.sin(ra) * across, np.sin(dec)


def mean_position(
    ra: np.ndarray, dec: np.ndarray, mean: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
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
    return direction(*map(mean, unit_vectors(ra, dec)))


def direction(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where vectors point to.

    Parameters
    ----------
    x, y, z : `numpy.ndarray`
        Components as of `unit_vectors`, of any length.

    Returns
    -------
    ra, dec : `numpy.ndarray`
        Coordinates in radians.
    """
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
    points = np.stack(unit_vectors(ra, dec), axis=1)
    tiles = tiles_of(points, ra, dec)
    order = tiles.order
    ra, dec = ra[order], dec[order]
    left, right, slack = _squared_chords(points[order])
    chords = _chord(low), _chord(min(high, np.pi))
    # Small numbers keep more digits: no two points are farther apart.
    widest = 4.0 * float(right[:, 4].max(initial=0.0)) + slack
    near, far = chords[0] ** 2 - slack, min(chords[1] ** 2, widest) + slack
    left[:, 3] -= 0.5 * (near + far)  # so that one comparison does for both limits
    half = 0.5 * (far - near) + slack
    found: list[tuple[np.ndarray, np.ndarray]] = []
    salt = hash_order(keys[order])
    held = 0
    space = np.empty(_BLOCK, dtype=np.float32)
    for rows, others in tiles.partners(*chords):
        step = _BLOCK // (rows.stop - rows.start)
        for columns in (others[at : at + step] for at in range(0, len(others), step)):
            away = space[: (rows.stop - rows.start) * len(columns)].reshape(-1, len(columns))
            np.matmul(left[rows], right[columns].T, out=away)
            candidates = np.flatnonzero(np.abs(away, out=away) <= half)
            i, j = np.divmod(candidates, len(columns))
            i, j = i + rows.start, columns[j]
            # Single precision only sorts out: near the limits they are applied
            # exactly.
            within = away.ravel()[candidates] < half - 4.0 * slack
            unsure = np.flatnonzero(~within)
            angle = separation(ra[i[unsure]], dec[i[unsure]], ra[j[unsure]], dec[j[unsure]])
            within[unsure] = (angle >= low) & (angle < high)
            within &= j > i
            found.append((i[within], j[within]))
            held += len(found[-1][0])
        if most is not None and held > 4 * most:
            found = [_thin(found, salt, most)]
            held = most
    i, j = _thin(found, salt, most) if found else (np.zeros(0, np.int64), np.zeros(0, np.int64))
    return _by_keys(order[i], order[j], keys)


def _by_keys(i: np.ndarray, j: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Order pairs, and the two of each, by their keys."""
    by_key = np.argsort(keys, kind="stable")
    place = np.empty_like(by_key)
    place[by_key] = np.arange(len(keys))
    i, j = place[i], place[j]
    ranked = np.sort(np.minimum(i, j) * len(keys) + np.maximum(i, j))
    first, second = np.divmod(ranked, max(len(keys), 1))
    return by_key[first], by_key[second]


def _chord(angle: float) -> float:
    return float(2.0 * np.sin(0.5 * angle))


def _squared_chords(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return factors whose product is the squared chord between any two
    points, in single precision, and a bound of its error; the fourth column
    of the left one stands alone, so that a number can be taken from it.
    """
    points = points - (points.mean(axis=0) if len(points) else 0.0)  # small numbers keep more digits
    squares = np.sum(points**2, axis=1)
    ones = np.ones(len(points))
    left = np.column_stack((-2.0 * points, squares, ones)).astype(np.float32)
    right = np.column_stack((points, ones, squares)).astype(np.float32)
    return left, right, 16.0 * float(np.finfo(np.float32).eps) * float(squares.max(initial=0.0))


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
