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

"""Zero points of parts of the sky, and how much they differ."""

from __future__ import annotations

__all__ = ["sky_cell", "uniformity", "zero_points"]

import numpy as np

from .robust import median
from .units import Moments


def sky_cell(ra: np.ndarray, dec: np.ndarray, nside: int) -> np.ndarray:
    """Return the numbers of the HEALPix cells that places are in.

    Parameters
    ----------
    ra, dec : `numpy.ndarray`, (n,)
        Coordinates in radians.
    nside : `int`
        Resolution, a power of 2: cells are 58.6 degrees over it wide.

    Returns
    -------
    cell : `numpy.ndarray` of `int`, (n,)
        Number in the nested scheme (Górski et al. 2005); -1 for a place that
        is not known.
    """
    import hpgeom  # only where cells are asked for

    cell = np.full(len(ra), -1, dtype=np.int64)
    known = np.isfinite(ra) & np.isfinite(dec) & (np.abs(dec) <= 0.5 * np.pi)
    theta, phi = 0.5 * np.pi - dec[known], np.mod(ra[known], 2.0 * np.pi)
    cell[known] = hpgeom.angle_to_pixel(nside, theta, phi, lonlat=False, degrees=False)
    return cell


def zero_points(values: np.ndarray, part: np.ndarray, fewest: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the median of each part of the sky.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        The sample; values that are not finite are left out.
    part : `numpy.ndarray` of `int`, (n,)
        Number of the part that each value is from; below 0 for none.
    fewest : `int`
        Fewest values of a part.

    Returns
    -------
    medians, errors : `numpy.ndarray`, (k,)
        Median and its 1-sigma error of each part with enough values, in the
        order of their numbers.
    """
    used = np.isfinite(values) & (part >= 0)
    values, part = values[used], part[used]
    order = np.argsort(part, kind="stable")
    starts = np.flatnonzero(np.diff(part[order], prepend=-1))
    parts = np.split(values[order], starts[1:]) if len(starts) else []
    found = [median(own)[:2] for own in parts if len(own) >= fewest]
    medians, errors = np.array(found, dtype=np.float64).reshape(-1, 2).T
    return medians, errors


def uniformity(medians: np.ndarray, errors: np.ndarray) -> Moments:
    """Return the rms of zero points about their mean, less what their own
    errors make of it.

    Parameters
    ----------
    medians, errors : `numpy.ndarray`, (k,)
        Zero points and their errors.

    Returns
    -------
    value, error : `float`
        ``sqrt(max(variance(ddof=1) - mean(errors^2), 0))``; its error takes
        zero points for normally distributed. NaN for fewer than two, the
        error for fewer than three.
    n : `int`
        Number of zero points.
    """
    n = len(medians)
    if n < 2:
        return np.nan, np.nan, n
    spread = float(np.var(medians, ddof=1))
    square = spread - float(np.mean(np.nan_to_num(errors) ** 2))
    value = float(np.sqrt(max(square, 0.0)))
    error = spread * float(np.sqrt(2.0 / (n - 1)))
    # What one sigma of the square makes of its root: near zero that is far
    # from what the derivative tells.
    above, below = np.sqrt(max(square, 0.0) + error), np.sqrt(max(square - error, 0.0))
    step = float(max(0.5 * (above - below), above - value))
    return value, step if n > 2 and step > 0.0 else np.nan, n
