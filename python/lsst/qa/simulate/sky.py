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

"""The objects of a tract: what each is, where it is, and what it is called."""

from __future__ import annotations

__all__ = [
    "BLEND",
    "FIRST_BLEND",
    "FIRST_GALAXY",
    "FIRST_SKY",
    "GALAXY",
    "SKY",
    "STAR",
    "Sky",
    "empty_places",
    "joined",
    "object_id",
    "tract_centre",
]

from typing import NamedTuple

import numpy as np

from .camera import FIELD_PIXELS
from .survey import BANDS, Survey

STAR, GALAXY, BLEND, SKY = range(4)
"""Kinds of objects. A blend is what two overlapping galaxies are detected as
before they are parted; a sky object is an empty place."""

FIRST_GALAXY, FIRST_BLEND, FIRST_SKY = 1 << 20, (1 << 20) + (1 << 19), (1 << 20) + (1 << 19) + (1 << 18)
"""First number of each kind of object in a tract; the first star's is 0."""


class Sky(NamedTuple):
    """Objects of a tract as they are, without any error.

    Attributes
    ----------
    number : `numpy.ndarray` of `int`, (n,)
        Number within the tract, by which everything else knows the object.
    kind : `numpy.ndarray` of `int`, (n,)
        `STAR`, `GALAXY`, `BLEND` or `SKY`.
    parent : `numpy.ndarray` of `int`, (n,)
        Number of the blend that a galaxy is part of, else -1.
    x, y : `numpy.ndarray`, (n,)
        Arcseconds on the tract's tangent plane, east and north.
    mag : `numpy.ndarray`, (n, 6)
        AB magnitudes in ugrizy, infinite for a sky object.
    width : `numpy.ndarray`, (n,)
        Gaussian width in arcseconds, 0 for a star.
    e1, e2 : `numpy.ndarray`, (n,)
        Distortion of a galaxy before the PSF.
    deceit : `numpy.ndarray`, (n,)
        Normal deviate that says how easily the object is taken for one of
        the other class where it is faint.
    """

    number: np.ndarray
    kind: np.ndarray
    parent: np.ndarray
    x: np.ndarray
    y: np.ndarray
    mag: np.ndarray
    width: np.ndarray
    e1: np.ndarray
    e2: np.ndarray
    deceit: np.ndarray

    def take(self, rows: np.ndarray | slice) -> Sky:
        """Return some of the objects.

        Parameters
        ----------
        rows : `numpy.ndarray` or `slice`
            Mask, indices or slice.

        Returns
        -------
        sky : `Sky`
            Those objects.
        """
        return Sky(*(column[rows] for column in self))


def tract_centre(survey: Survey, tract: int) -> tuple[float, float]:
    """Return the centre of a tract.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`
        Its number.

    Returns
    -------
    ra, dec : `float`
        Degrees. Tracts are so far apart that no visit sees two of them.
    """
    step = 1.2 * FIELD_PIXELS * survey.pixel_scale / 3600.0 / np.cos(np.radians(survey.dec))
    return float((survey.ra + tract * step) % 360.0), survey.dec


def object_id(tract: int, number: np.ndarray) -> np.ndarray:
    """Return the ids of objects, alike in the tables of objects and of stars.

    Parameters
    ----------
    tract : `int`
        Tract.
    number : `numpy.ndarray` of `int`
        Numbers within the tract.

    Returns
    -------
    ids : `numpy.ndarray` of `int`
        Ids of 63 bits, which a float could not hold.
    """
    return (1 << 62) + (tract << 32) + number.astype(np.int64)


def empty_places(x: np.ndarray, y: np.ndarray) -> Sky:
    """Make sky objects.

    Parameters
    ----------
    x, y : `numpy.ndarray`, (n,)
        Arcseconds on the tract's tangent plane.

    Returns
    -------
    places : `Sky`
        Objects of no light.
    """
    n = len(x)
    zero = np.zeros(n)
    return Sky(
        number=np.arange(n) + FIRST_SKY,
        kind=np.full(n, SKY),
        parent=np.full(n, -1),
        x=x,
        y=y,
        mag=np.full((n, len(BANDS)), np.inf),
        width=zero,
        e1=zero,
        e2=zero,
        deceit=zero,
    )


def joined(parts: list[Sky]) -> Sky:
    """Join objects.

    Parameters
    ----------
    parts : `list` [`Sky`]
        Objects, perhaps none.

    Returns
    -------
    sky : `Sky`
        All of them, in order.
    """
    return Sky(*(np.concatenate(columns) for columns in zip(_NONE, *parts)))


_NONE = empty_places(np.zeros(0), np.zeros(0))
