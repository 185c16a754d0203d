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

"""The camera: nine detectors in a raft, and the way from the sky to their
pixels.
"""

from __future__ import annotations

__all__ = [
    "DETECTORS",
    "EDGE",
    "FIELD_PIXELS",
    "PIXELS",
    "Placing",
    "corners",
    "deproject",
    "detector_name",
    "from_pixels",
    "to_pixels",
]

from typing import NamedTuple

import numpy as np

DETECTORS = 9

PIXELS = 4000
"""Pixels along a side of a detector."""

EDGE = 8
"""Width of the border, in pixels, in which the edge flag is set."""

_PITCH = 4050
FIELD_PIXELS = 2 * _PITCH + PIXELS
"""Width of the focal plane in pixels, gaps included."""

ARCSEC = np.pi / 180.0 / 3600.0


class Placing(NamedTuple):
    """How a visit lays the camera on the tangent plane of its tract.

    Attributes
    ----------
    x, y : `float`
        Pointing, in arcseconds east and north of the tract's centre.
    angle : `float`
        Angle from east to the camera's x axis, through north, in radians.
    scale : `float`
        Arcseconds per pixel.
    """

    x: float
    y: float
    angle: float
    scale: float


def detector_name(detector: int) -> tuple[str, str]:
    """Return the names of a detector.

    Parameters
    ----------
    detector : `int`
        Its number, 0 to 8.

    Returns
    -------
    raft, slot : `str`
        As in "R22" and "S01".
    """
    return "R22", f"S{detector // 3}{detector % 3}"


def to_pixels(x: np.ndarray, y: np.ndarray, placing: Placing) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find where points of the sky fall on the detectors.

    Parameters
    ----------
    x, y : `numpy.ndarray`, (n,)
        Arcseconds on the tangent plane.
    placing : `Placing`
        Where the camera looks.

    Returns
    -------
    detector : `numpy.ndarray` of `numpy.int16`, (n,)
        Detector, -1 in a gap or off the focal plane.
    px, py : `numpy.ndarray`, (n,)
        Pixel; centres are whole numbers. Of no meaning off the detectors.
    """
    cos, sin = np.cos(placing.angle), np.sin(placing.angle)
    dx, dy = (x - placing.x) / placing.scale, (y - placing.y) / placing.scale
    u, v = cos * dx + sin * dy + 0.5 * FIELD_PIXELS, cos * dy - sin * dx + 0.5 * FIELD_PIXELS
    column, row = np.floor(u / _PITCH), np.floor(v / _PITCH)
    px, py = u - column * _PITCH, v - row * _PITCH
    on = (column >= 0) & (column < 3) & (row >= 0) & (row < 3) & (px < PIXELS) & (py < PIXELS)
    return np.where(on, 3 * row + column, -1).astype(np.int16), px - 0.5, py - 0.5


def from_pixels(
    detector: np.ndarray, px: np.ndarray, py: np.ndarray, placing: Placing
) -> tuple[np.ndarray, np.ndarray]:
    """Find the points of the sky that fall on given pixels.

    Parameters
    ----------
    detector : `numpy.ndarray` of `int`, (n,)
        Detectors.
    px, py : `numpy.ndarray`, (n,)
        Pixels.
    placing : `Placing`
        Where the camera looks.

    Returns
    -------
    x, y : `numpy.ndarray`, (n,)
        Arcseconds on the tangent plane.
    """
    cos, sin = np.cos(placing.angle), np.sin(placing.angle)
    u = (px + 0.5 + (detector % 3) * _PITCH - 0.5 * FIELD_PIXELS) * placing.scale
    v = (py + 0.5 + (detector // 3) * _PITCH - 0.5 * FIELD_PIXELS) * placing.scale
    return placing.x + cos * u - sin * v, placing.y + sin * u + cos * v


def corners(placing: Placing) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners of the detectors.

    Parameters
    ----------
    placing : `Placing`
        Where the camera looks.

    Returns
    -------
    x, y : `numpy.ndarray`, (9, 4)
        Arcseconds of the centres of the corner pixels: lower left, upper
        left, upper right, lower right.
    """
    last = PIXELS - 1.0
    shape = (DETECTORS, 4)
    detector = np.broadcast_to(np.arange(DETECTORS)[:, None], shape)
    px, py = np.broadcast_to([0.0, 0.0, last, last], shape), np.broadcast_to([0.0, last, last, 0.0], shape)
    return from_pixels(detector, px, py, placing)


def deproject(ra: float, dec: float, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sky coordinates of points on a tangent plane.

    Parameters
    ----------
    ra, dec : `float`
        Tangent point, in degrees.
    x, y : `numpy.ndarray`
        Arcseconds east and north of it.

    Returns
    -------
    ra, dec : `numpy.ndarray`
        Degrees, right ascension in [0, 360).
    """
    xi, eta = x * ARCSEC, y * ARCSEC
    sin, cos = np.sin(np.radians(dec)), np.cos(np.radians(dec))
    along = cos - eta * sin
    east = np.degrees(np.arctan2(xi, along))
    north = np.degrees(np.arctan2(sin + eta * cos, np.hypot(xi, along)))
    # Adding 360 rounds a tiny negative angle up to 360 itself.
    turned = np.mod(ra + east, 360.0)
    return np.where(turned >= 360.0, 0.0, turned), north
