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
"""What skies of true sources and detections are made of."""

from __future__ import annotations

__all__ = [
    "BANDS",
    "BRIGHT",
    "COLOUR",
    "CONFUSED",
    "DEPTH",
    "FAINT",
    "FALSE",
    "MANY",
    "NOISE",
    "ROWS",
    "SHIFT",
    "STEEPNESS",
    "flux_error",
    "flux_of",
    "shifted",
]

from typing import Any

import numpy as np

ROWS, MANY = 12000, 100_000
BANDS = "ugrizy"
BRIGHT, FAINT = 20.0, 26.0
DEPTH, STEEPNESS = {True: 24.9, False: 24.4}, 0.4
"""Magnitude at which half of the stars, and of the galaxies, are detected.
Where a curve of bins bends, in the middle of one, its crossings are biased by
up to a fifth of their error: with these depths none is close to it, and the
more sources, the less it bends within an error.
"""

FALSE, CONFUSED = 0.12, 0.08
COLOUR, SHIFT, ERROR, NOISE = 0.15, 4.0, 60.0, 20.0
"""Colour of all, in mag per band; shift of what is measured, in mmag and in
mas; error of a flux, in nJy; scatter of a position, in mas."""


def flux_of(mag: Any) -> Any:
    """Return fluxes.

    Parameters
    ----------
    mag : `float` or `numpy.ndarray`
        AB magnitudes.

    Returns
    -------
    flux : `float` or `numpy.ndarray`
        In nJy.
    """
    return 10.0 ** (-0.4 * (mag - 31.4))


def shifted(mag: np.ndarray, place: int) -> np.ndarray:
    """Return what is measured without noise in a band.

    Parameters
    ----------
    mag : `numpy.ndarray`, (n,)
        True magnitudes.
    place : `int`
        Number of the band, from the bluest.

    Returns
    -------
    flux : `numpy.ndarray`, (n,)
        In nJy.
    """
    return np.asarray(flux_of(mag + 1e-3 * SHIFT * (place + 1)))


def flux_error(flux: np.ndarray) -> np.ndarray:
    """Return the noise of a flux, which grows with it, so that S/N is at most
    50.

    Parameters
    ----------
    flux : `numpy.ndarray`, (n,)
        In nJy.

    Returns
    -------
    error : `numpy.ndarray`, (n,)
        In nJy.
    """
    return np.asarray(np.hypot(ERROR, 0.02 * flux))
