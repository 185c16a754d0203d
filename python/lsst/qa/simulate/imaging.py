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

"""What the image of an object gives: its fluxes and their errors, and its
shape.
"""

from __future__ import annotations

__all__ = ["AB_NANOJANSKY", "APERTURE", "FLUXES", "areas", "fluxes", "moments"]

import numpy as np

AB_NANOJANSKY = 31.4
"""AB magnitude of 1 nJy."""

FLUXES = ("psfFlux", "ap09Flux", "calibFlux", "gaussianFlux")

APERTURE = 9.0
"""Radius, in pixels, of the aperture that residual sky is stated in."""

_CALIBRATION_APERTURE = 12.0


def areas(psf_sigma: float | np.ndarray) -> np.ndarray:
    """Return the number of sky pixels in each kind of flux.

    Parameters
    ----------
    psf_sigma : `float` or `numpy.ndarray`, (n,)
        Width of the PSF in pixels.

    Returns
    -------
    areas : `numpy.ndarray`, (4,) or (4, n)
        Of the PSF flux, the flux in the 9-pixel aperture, the flux that
        calibrates, and the Gaussian flux.
    """
    neff = 4.0 * np.pi * np.square(psf_sigma)
    apertures = np.pi * APERTURE**2, np.pi * _CALIBRATION_APERTURE**2
    return np.stack(np.broadcast_arrays(neff, *apertures, 1.2 * neff))


def fluxes(
    mag: np.ndarray,
    width: np.ndarray,
    psf_sigma: float | np.ndarray,
    flux5: float | np.ndarray,
    gamma: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the fluxes of objects and their random errors.

    Parameters
    ----------
    mag : `numpy.ndarray`, (n,)
        Magnitudes.
    width : `numpy.ndarray`, (n,)
        Gaussian widths in pixels, 0 for stars.
    psf_sigma : `float` or `numpy.ndarray`, (n,)
        Width of the PSF in pixels.
    flux5 : `float` or `numpy.ndarray`, (n,)
        Flux of a point source at S/N = 5, in nJy.
    gamma : `float`
        Share of the sky in the errors.

    Returns
    -------
    flux, error : `numpy.ndarray`, (4, n)
        The `FLUXES` in nJy. The error of a star's PSF flux f is
        ``f sqrt((0.04 - gamma) x + gamma x^2)``, x = flux5 / f (Ivezić et
        al. 2019, equation 5); that of the others has the sky of their area.
    """
    total = 10.0 ** (-0.4 * (mag - AB_NANOJANSKY))
    squared, area = (width / psf_sigma) ** 2, areas(psf_sigma + np.zeros_like(mag))
    # What a Gaussian PSF fitted to a wider Gaussian finds of its flux; what an
    # aperture holds of it.
    psf = total * 2.0 / (2.0 + squared)
    held = -np.expm1(-0.5 * area[1] / np.pi / np.square(psf_sigma) / (1.0 + squared))
    flux = np.stack([psf, total * held, total, total])
    area[3] *= 1.0 + squared
    return flux, np.sqrt((0.04 - gamma) * flux5 * flux + gamma * np.square(flux5) * area / area[0])


def moments(e1: np.ndarray, e2: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the second moments of a shape.

    Parameters
    ----------
    e1, e2 : `numpy.ndarray`
        Distortion, of modulus below 1.
    size : `numpy.ndarray`
        Determinant radius.

    Returns
    -------
    ixx, iyy, ixy : `numpy.ndarray`
        In the square of the unit of ``size``.
    """
    half = size**2 / np.sqrt(1.0 - e1**2 - e2**2)
    return half * (1.0 + e1), half * (1.0 - e1), half * e2
