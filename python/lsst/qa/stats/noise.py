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

"""Noise of a point source's flux, and the magnitudes that follow from it."""

from __future__ import annotations

__all__ = ["clipped_stdev", "limiting_counts"]

import numpy as np

from .robust import stdev

_ROUNDS = 10

_NEAR = 0.15
"""Share of a limit by which its density is told."""


def limiting_counts(
    snr: float, background: np.ndarray, area: np.ndarray, gain: float, read_noise: float
) -> np.ndarray:
    """Return the counts of the point source that has a given S/N (SMTN-002).

    Parameters
    ----------
    snr : `float`
        The signal-to-noise ratio S.
    background : `numpy.ndarray`, (n,)
        Counts of the sky in a pixel.
    area : `numpy.ndarray`, (n,)
        Effective area of the PSF in pixels.
    gain : `float`
        Electrons per count.
    read_noise : `float`
        Counts.

    Returns
    -------
    counts : `numpy.ndarray`, (n,)
        C such that ``C / sqrt(C / gain + (background / gain +
        read_noise**2) area) = S``; NaN where the noise is not real.
    """
    with np.errstate(invalid="ignore"):
        noise = (background / gain + read_noise**2) * area
        return snr**2 / (2.0 * gain) + np.sqrt(snr**4 / (4.0 * gain**2) + snr**2 * noise)


def clipped_stdev(values: np.ndarray, sigmas: float) -> tuple[float, float, int]:
    """Return the standard deviation of what is near the mean.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        The sample; values that are not finite are left out.
    sigmas : `float`
        Values that are so many standard deviations off the median are
        left out, again and again until all are near.

    Returns
    -------
    value, error : `float`
        Standard deviation (ddof=1) and its error, from the fourth moment
        and from what a wider limit would let in.
    n : `int`
        Number of values that are left.
    """
    kept = values[np.isfinite(values)]
    for _ in range(_ROUNDS):
        if len(kept) < 2:
            break
        near = np.abs(kept - np.median(kept)) <= sigmas * kept.std()
        if near.all():
            break
        kept = kept[near]
    value, error, n = stdev(kept)
    if not value > 0.0:
        return value, error, n
    # The limit is so many times what it limits, so it goes with it.
    limit = sigmas * value
    away = np.abs(values[np.isfinite(values)] - np.median(kept))
    density = np.count_nonzero(np.abs(away - limit) < _NEAR * limit) / (2.0 * _NEAR * limit * n)
    feedback = sigmas * density * (limit**2 - value**2) / (2.0 * value)
    return value, error / (1.0 - min(feedback, 0.8)), n
