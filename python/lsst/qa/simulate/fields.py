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

"""Smooth random functions of position: the jitter of a visit, its PSF, the
errors of its PSF model.
"""

from __future__ import annotations

__all__ = ["Field", "draw_field", "evaluate"]

from typing import NamedTuple

import numpy as np

_MODES = 16


class Field(NamedTuple):
    """A sum of waves with random directions, lengths and amplitudes.

    Attributes
    ----------
    kx, ky : `numpy.ndarray`, (m,)
        Wave vectors, in radians per arcsecond.
    cosine, sine : `numpy.ndarray`, (c, m)
        Amplitudes of each component.
    mean : `numpy.ndarray`, (c,)
        What the waves are added to.
    """

    kx: np.ndarray
    ky: np.ndarray
    cosine: np.ndarray
    sine: np.ndarray
    mean: np.ndarray


def draw_field(rng: np.random.Generator, length: float, sigma: np.ndarray, mean: np.ndarray) -> Field:
    """Draw a Gaussian field with a Gaussian correlation.

    Parameters
    ----------
    rng : `numpy.random.Generator`
        Source of random numbers.
    length : `float`
        Correlation length L in arcseconds.
    sigma, mean : `numpy.ndarray`, (c,)
        Standard deviation and mean of each component.

    Returns
    -------
    field : `Field`
        Independent components; over many draws the covariance of one at two
        points a distance d apart is ``sigma^2 exp(-d^2 / 2 L^2)``.
    """
    kx, ky = rng.normal(0.0, 1.0 / length, (2, _MODES))
    amplitude = rng.normal(0.0, 1.0, (2, len(sigma), _MODES)) * np.asarray(sigma)[:, None] / np.sqrt(_MODES)
    return Field(kx, ky, amplitude[0], amplitude[1], np.asarray(mean, dtype=np.float64))


def evaluate(field: Field, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Evaluate a field.

    Parameters
    ----------
    field : `Field`
        The field.
    x, y : `numpy.ndarray`, (n,)
        Position on the tangent plane in arcseconds.

    Returns
    -------
    values : `numpy.ndarray`, (c, n)
        Components at each position.
    """
    # Single precision: 1e-7 of a small correction is nothing, and its sines
    # are several times faster.
    x32, y32 = x.astype(np.float32), y.astype(np.float32)
    cosine, sine = field.cosine.astype(np.float32), field.sine.astype(np.float32)
    total = np.zeros((len(field.mean), len(x)), dtype=np.float32)
    # One wave after another: the sum does not depend on how many positions are
    # asked for at a time.
    for mode in range(len(field.kx)):
        phase = np.float32(field.kx[mode]) * x32 + np.float32(field.ky[mode]) * y32
        c, s = np.cos(phase), np.sin(phase)
        for component in range(len(total)):
            total[component] += cosine[component, mode] * c + sine[component, mode] * s
    return total.astype(np.float64) + field.mean[:, None]
