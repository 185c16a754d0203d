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

"""What metrics must know of a camera that no table tells: pixel scale, gain
and read noise.
"""

from __future__ import annotations

__all__ = ["CAMERAS", "Camera", "camera_of"]

import math
from typing import NamedTuple


class Camera(NamedTuple):
    """Constants of a camera.

    Attributes
    ----------
    pixel_scale : `float`
        Arcseconds per pixel, of its images and of its coadds.
    gain : `float`
        Electrons per count of its processed images.
    read_noise : `float`
        Noise of reading and of dark current in a pixel, in counts.
    """

    pixel_scale: float
    gain: float
    read_noise: float


_LSST = Camera(0.2, 1.0, 8.8)
CAMERAS = {
    # SMTN-002, LSE-40: 8.8 electrons; processed images are in electrons.
    "LSSTCam": _LSST,
    "LSSTComCam": _LSST,
    "LSSTComCamSim": _LSST,
    "LSSTCam-imSim": _LSST,
    "SimCam": _LSST,
    # Subaru's table of HSC's parameters: 3.0 e-/ADU, 4.5 e-; its images and
    # coadds have 0.168 arcsec (Aihara et al. 2018, PASJ 70, S4).
    "HSC": Camera(0.168, 3.0, 1.5),
    # NOIRLab's table of DECam's characteristics: 4 e-/ADU, 7 e-; 0.263 arcsec
    # after Flaugher et al. 2015, AJ 150, 150.
    "DECam": Camera(0.263, 4.0, 1.75),
}
"""Cameras by the name of their instrument."""

_UNKNOWN = Camera(math.nan, math.nan, math.nan)


def camera_of(instrument: str | None, camera: str | None = None) -> Camera:
    """Return the constants of a camera.

    Parameters
    ----------
    instrument : `str` or `None`
        Name of the instrument, where it is known.
    camera : `str`, optional
        Name of the one to take whatever the instrument.

    Returns
    -------
    constants : `Camera`
        Those of LSSTCam where nothing says which; NaN for a camera that is
        not among `CAMERAS`.
    """
    return CAMERAS.get(camera or instrument or "LSSTCam", _UNKNOWN)
