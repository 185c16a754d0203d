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

"""Matching of two catalogues by position.

Pairs are found with a tree of unit vectors and measured by the haversine, so
neither the poles nor right ascension 0 are anything special.
"""

from __future__ import annotations

__all__ = ["close_pairs", "mutual_nearest", "tangent_offsets"]

import numpy as np

from .pairs import separation

_SLACK = 1e-12
"""Radians by which the tree looks too far: more than its vectors round off."""


def close_pairs(
    ra1: np.ndarray, dec1: np.ndarray, ra2: np.ndarray, dec2: np.ndarray, radius: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find all pairs of points of two catalogues that are close to each other.

    Parameters
    ----------
    ra1, dec1 : `numpy.ndarray`, (n,)
        Coordinates of the one in radians; what is not finite has no partner.
    ra2, dec2 : `numpy.ndarray`, (m,)
        Coordinates of the other.
    radius : `float`
        Largest separation in radians, itself included.

    Returns
    -------
    first, second : `numpy.ndarray` of `int`, (p,)
        Places in the one and in the other, ordered by them.
    angle : `numpy.ndarray`, (p,)
        Separations in radians.
    """
    from scipy.spatial import cKDTree  # only where catalogues are matched

    one = np.flatnonzero(np.isfinite(ra1) & np.isfinite(dec1))
    other = np.flatnonzero(np.isfinite(ra2) & np.isfinite(dec2))
    if not len(one) or not len(other):
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing, np.zeros(0)
    trees = [cKDTree(_vectors(ra, dec)) for ra, dec in ((ra1[one], dec1[one]), (ra2[other], dec2[other]))]
    chord = 2.0 * np.sin(0.5 * min(radius + _SLACK, np.pi)) + _SLACK
    found = trees[0].sparse_distance_matrix(trees[1], chord, output_type="ndarray")
    first, second = one[found["i"]], other[found["j"]]
    angle = separation(ra1[first], dec1[first], ra2[second], dec2[second])
    kept = np.flatnonzero(angle <= radius)
    kept = kept[np.lexsort((second[kept], first[kept]))]
    return first[kept], second[kept], angle[kept]


def mutual_nearest(first: np.ndarray, second: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Tell which pairs are each other's nearest partners.

    Parameters
    ----------
    first, second : `numpy.ndarray` of `int`, (p,)
        What is paired, by keys; a pair that is there twice counts once.
    angle : `numpy.ndarray`, (p,)
        Separations; what is not finite is no pair.

    Returns
    -------
    mutual : `numpy.ndarray` of `bool`, (p,)
        True for at most one pair of each key. Of equal separations the one
        of the smaller keys is nearer, so the order of the pairs does not
        matter.
    """
    order = np.lexsort((second, first, np.where(np.isfinite(angle), angle, np.inf)))
    order = order[np.isfinite(angle[order])]
    # Ranked by one order of all pairs, the first of a key is its nearest.
    mutual = np.zeros(len(angle), dtype=bool)
    nearest = [_first_of(keys[order]) for keys in (first, second)]
    mutual[order[nearest[0] & nearest[1]]] = True
    return mutual


def tangent_offsets(
    ra: np.ndarray, dec: np.ndarray, ra0: np.ndarray, dec0: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return how far points are to the east and to the north of others.

    Parameters
    ----------
    ra, dec : `numpy.ndarray`
        Coordinates in radians.
    ra0, dec0 : `numpy.ndarray`
        Coordinates of the points that they are seen from.

    Returns
    -------
    east, north : `numpy.ndarray`
        Components, in radians, along the plane that touches the sky at the
        second point; NaN where a coordinate is not finite.
    """
    with np.errstate(invalid="ignore"):
        away, across = ra - ra0, np.cos(dec)
        east = across * np.sin(away)
        # sin(dec - dec0), and what the bending of the parallel adds.
        north = np.sin(dec - dec0) + 2.0 * across * np.sin(dec0) * np.sin(0.5 * away) ** 2
    return east, north


def _vectors(ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    return np.stack([np.cos(ra) * np.cos(dec), np.sin(ra) * np.cos(dec), np.sin(dec)], axis=1)


def _first_of(keys: np.ndarray) -> np.ndarray:
    """Tell where each key comes for the first time."""
    first = np.zeros(len(keys), dtype=bool)
    first[np.unique(keys, return_index=True)[1]] = True
    return first
