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

"""Points on the sphere in tiles, each of which is near to few others."""

from __future__ import annotations

__all__ = ["Tiles", "tiles_of"]

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .ranges import rows_of_runs

_POINTS = 96
"""Points of a tile: of fewer there are too many tiles, more lie too far apart.
"""

_ROUNDING = 1e-12
"""More than distances between points on the unit sphere round off."""


class Tiles(NamedTuple):
    """Points, tile by tile.

    Attributes
    ----------
    order : `numpy.ndarray` of `int`, (n,)
        What sorts the points.
    edges : `numpy.ndarray` of `int`, (t + 1,)
        Where each tile begins among the sorted points, and the last one ends.
    centres : `numpy.ndarray`, (t, 3)
        A point in space amid those of each tile.
    radii : `numpy.ndarray`, (t,)
        How far the points of a tile are from it at most.
    """

    order: np.ndarray
    edges: np.ndarray
    centres: np.ndarray
    radii: np.ndarray

    def partners(self, low: float, high: float) -> Iterator[tuple[slice, np.ndarray]]:
        """Find points that may be so far apart, each two of them once.

        Parameters
        ----------
        low, high : `float`
            Limits of the chord between two points of the unit sphere.

        Yields
        ------
        points : `slice`
            The points of a tile, among the sorted ones.
        others : `numpy.ndarray` of `int`, (m,)
            Those of this tile and of later ones that may be partners.
        """
        counts = np.diff(self.edges)
        for tile, (begin, end) in enumerate(zip(self.edges[:-1].tolist(), self.edges[1:].tolist())):
            away = np.sqrt(np.sum((self.centres[tile:] - self.centres[tile]) ** 2, axis=1))
            reach = self.radii[tile:] + self.radii[tile] + _ROUNDING
            near = tile + np.flatnonzero((away - reach <= high) & (away + reach >= low))
            if len(near):
                yield slice(begin, end), rows_of_runs(self.edges[near], counts[near])


def tiles_of(points: np.ndarray, ra: np.ndarray, dec: np.ndarray) -> Tiles:
    """Sort points into tiles: strips of declination, cut by right ascension.

    Parameters
    ----------
    points : `numpy.ndarray`, (n, 3)
        Unit vectors of the points, from any origin.
    ra, dec : `numpy.ndarray`, (n,)
        Their coordinates in radians.

    Returns
    -------
    tiles : `Tiles`
        As many strips as tiles in each, of about as many points each.
    """
    size = len(points)
    strips = int(np.ceil(np.sqrt(size / _POINTS)))
    tile = np.arange(size) * strips**2 // max(size, 1)
    order = np.argsort(dec, kind="stable")
    order = order[np.lexsort((ra[order], tile // max(strips, 1)))]
    edges = np.unique(np.searchsorted(tile, np.arange(strips**2 + 1)))
    counts = np.diff(edges)
    if not size:
        return Tiles(order, edges, np.zeros((0, 3)), np.zeros(0))
    points = points[order]
    centres = np.add.reduceat(points, edges[:-1]) / counts[:, None]
    far = np.sqrt(np.sum((points - np.repeat(centres, counts, axis=0)) ** 2, axis=1))
    return Tiles(order, edges, centres, np.maximum.reduceat(far, edges[:-1]))
