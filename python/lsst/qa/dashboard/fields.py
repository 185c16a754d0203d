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

"""Fields of the sky: regions that lie together."""

from __future__ import annotations

__all__ = ["Field", "around", "fields_of", "grown"]

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

Outline = Sequence[Sequence[float]]

_CELL = 2.0  # deg
_TOGETHER = 8.0  # deg


class Field(NamedTuple):
    """Regions that lie together.

    Attributes
    ----------
    ra, dec : `float`
        Its middle in degrees.
    members : `tuple` [`int`, ...]
        Places of its regions in what was given.
    """

    ra: float
    dec: float
    members: tuple[int, ...]


def fields_of(outlines: Sequence[Outline | None]) -> list[Field]:
    """Find regions that lie together, each within some degrees of another.

    Parameters
    ----------
    outlines : `~collections.abc.Sequence`
        Corners of the regions, pairs in degrees; `None` where unknown.

    Returns
    -------
    fields : `list` [`Field`]
        The one of most regions first.
    """
    known = [place for place, outline in enumerate(outlines) if outline]
    if not known:
        return []
    vectors = np.array([_middle(outlines[place] or ()) for place in known])
    # A tract has many patches: cells of them are enough to tell neighbours.
    cells, cell_of = np.unique(np.round(vectors / math.radians(_CELL)), axis=0, return_inverse=True)
    cell_of = cell_of.ravel()
    near = 2.0 * math.sin(math.radians(_TOGETHER / 2.0)) / math.radians(_CELL)
    labels = _together(cells, near)[cell_of]
    found = []
    for label in range(labels.max() + 1):
        mine = np.flatnonzero(labels == label)
        x, y, z = vectors[mine].mean(axis=0)
        ra, dec = math.degrees(math.atan2(y, x)) % 360.0, math.degrees(math.atan2(z, math.hypot(x, y)))
        found.append(Field(ra, dec, tuple(known[place] for place in mine)))
    return sorted(found, key=lambda field: -len(field.members))


def _together(points: np.ndarray, near: float) -> np.ndarray:
    """Give points near each other the same number."""
    labels = np.full(len(points), -1)
    for start in range(len(points)):
        if labels[start] >= 0:
            continue
        labels[start] = label = labels.max() + 1
        waiting = [start]
        while waiting:
            away = points - points[waiting.pop()]
            reached = np.flatnonzero((labels < 0) & (np.einsum("ij,ij->i", away, away) <= near**2))
            labels[reached] = label
            waiting += reached.tolist()
    return labels


def _middle(outline: Outline) -> np.ndarray:
    ra, dec = np.radians(np.asarray(outline, dtype=np.float64)).T
    vector = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)]).mean(axis=1)
    return vector / np.linalg.norm(vector)


def around(outline: Outline, ra: float) -> list[list[float]]:
    """Write corners within half a turn of a right ascension.

    Parameters
    ----------
    outline : `~collections.abc.Sequence`
        Corners, pairs in degrees.
    ra : `float`
        Right ascension in degrees.

    Returns
    -------
    outline : `list` [`list` [`float`]]
        The corners, of which those of one region stay together.
    """
    first = outline[0][0]
    turned = ra + (first - ra + 180.0) % 360.0 - 180.0
    return [[turned + (corner - first + 180.0) % 360.0 - 180.0, dec] for corner, dec in outline]


def grown(outline: Outline, size: float) -> list[list[float]]:
    """Make a region large enough to be seen.

    Parameters
    ----------
    outline : `~collections.abc.Sequence`
        Corners, pairs in degrees that do not jump by a turn.
    size : `float`
        How large it has to be at least, in degrees of either axis.

    Returns
    -------
    outline : `list` [`list` [`float`]]
        The corners, farther from their middle where it is smaller.
    """
    corners = np.asarray(outline, dtype=np.float64)
    low, high = corners.min(axis=0), corners.max(axis=0)
    factor = np.maximum(size / np.maximum(high - low, 1e-9), 1.0)
    middle = (low + high) / 2.0
    moved: list[list[float]] = np.round(middle + (corners - middle) * factor, 6).tolist()
    return moved
