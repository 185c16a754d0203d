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

"""Straight lines through points of the plane, with outliers left out."""

from __future__ import annotations

__all__ = ["Line", "clip_limit", "least_squares", "slope", "total_least_squares"]

from typing import NamedTuple

import numpy as np

IQR_TO_SIGMA = 0.74
"""Standard deviation of a Gaussian over its interquartile range, rounded as
the definitions of the stellar locus round it.
"""


class Line(NamedTuple):
    """A line through a point, in a direction.

    Attributes
    ----------
    x, y : `float`
        A point of the line.
    along_x, along_y : `float`
        Unit vector; it points up where the line is steep and to the right
        where it is not.
    """

    x: float
    y: float
    along_x: float
    along_y: float

    @property
    def steep(self) -> bool:
        """Whether it rises by more than 1 in 1."""
        return abs(self.along_y) > abs(self.along_x)

    def distance(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return how far points are from the line.

        Parameters
        ----------
        x, y : `numpy.ndarray`, (n,)
            The points.

        Returns
        -------
        distance : `numpy.ndarray`, (n,)
            Perpendicular distance, positive to the left of the direction.
        """
        return self.along_x * (y - self.y) - self.along_y * (x - self.x)

    def position(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return where points are along the line.

        Parameters
        ----------
        x, y : `numpy.ndarray`, (n,)
            The points.

        Returns
        -------
        position : `numpy.ndarray`, (n,)
            Distance from the line's own point, in its direction.
        """
        return self.along_x * (x - self.x) + self.along_y * (y - self.y)

    def crossing(self, x: float, y: float) -> tuple[float, float]:
        """Return the point of the line at an abscissa, or at an ordinate if
        it is steep.

        Parameters
        ----------
        x, y : `float`
            Abscissa and ordinate.

        Returns
        -------
        x, y : `float`
            The point.
        """
        if self.steep:
            return self.x + self.along_x / self.along_y * (y - self.y), y
        return x, self.y + self.along_y / self.along_x * (x - self.x)


def total_least_squares(x: np.ndarray, y: np.ndarray) -> Line | None:
    """Fit the line to which points are nearest, by their perpendicular
    distances.

    Parameters
    ----------
    x, y : `numpy.ndarray`, (n,)
        The points, finite.

    Returns
    -------
    line : `Line` or `None`
        Through the mean, along the main axis of the second moments;
        `None` where there is no main axis.
    """
    if len(x) < 2:
        return None
    mean_x, mean_y = float(x.mean()), float(y.mean())
    xx, yy = float(np.mean((x - mean_x) ** 2)), float(np.mean((y - mean_y) ** 2))
    xy = float(np.mean((x - mean_x) * (y - mean_y)))
    if np.hypot(xx - yy, 2.0 * xy) <= 1e-12 * (xx + yy):
        return None
    angle = 0.5 * np.arctan2(2.0 * xy, xx - yy)
    along_x, along_y = float(np.cos(angle)), float(np.sin(angle))
    forward = along_y > 0.0 if abs(along_y) > abs(along_x) else along_x > 0.0
    sign = 1.0 if forward else -1.0
    return Line(mean_x, mean_y, sign * along_x, sign * along_y)


def least_squares(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Fit the line to which points are nearest by their ordinates.

    Parameters
    ----------
    x, y : `numpy.ndarray`, (n,)
        The points, finite.

    Returns
    -------
    slope, intercept : `float`
        NaN for points that do not fix them.
    """
    if len(x) < 2 or np.ptp(x) <= 0.0:
        return np.nan, np.nan
    away = x - x.mean()
    slope = float(np.sum(away * (y - y.mean())) / np.sum(away**2))
    return slope, float(y.mean() - slope * x.mean())


def slope(x: np.ndarray, y: np.ndarray) -> tuple[float, float, int]:
    """Return the slope of the line of `least_squares`.

    Parameters
    ----------
    x, y : `numpy.ndarray`, (n,)
        The points; those with a coordinate that is not finite are left out.

    Returns
    -------
    value, error : `float`
        Slope and its 1-sigma error, from the residuals, whatever their
        distribution (White 1980, with n / (n - 2)); NaN for points that
        do not fix them.
    n : `int`
        Number of points.
    """
    used = np.isfinite(x) & np.isfinite(y)
    x, y = x[used], y[used]
    n = len(x)
    value, intercept = least_squares(x, y)
    if n < 3 or not np.isfinite(value):
        return value, np.nan, n
    away = x - x.mean()
    residual = y - intercept - value * x
    error = float(np.sqrt(np.sum((away * residual) ** 2) * n / (n - 2)) / np.sum(away**2))
    return value, error if error > 0.0 else np.nan, n


def clip_limit(values: np.ndarray, sigmas: float) -> float:
    """Return so many times the scatter, as told by the quartiles.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        A sample, at least one value.
    sigmas : `float`
        How many times.

    Returns
    -------
    limit : `float`
        Largest deviation to keep.
    """
    low, high = np.percentile(values, [25.0, 75.0])
    return float(sigmas * IQR_TO_SIGMA * (high - low))
