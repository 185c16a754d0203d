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

"""Motion of stars on the sky between two epochs."""

from __future__ import annotations

__all__ = ["DAYS_PER_YEAR", "moved", "observer"]

import numpy as np

DAYS_PER_YEAR = 365.25
_TDB_MINUS_TAI = 32.184 / 86400.0
_MJD = 2400000.5


def observer(mjd: np.ndarray) -> np.ndarray:
    """Return where the Earth is.

    Parameters
    ----------
    mjd : `numpy.ndarray`, (n,)
        Times, MJD (TAI).

    Returns
    -------
    place : `numpy.ndarray`, (n, 3)
        Equatorial vector from the barycentre of the solar system in au,
        good to 1e-7 (ERFA's ``epv00``); NaN for a time that is not finite.
    """
    import erfa  # only where parallaxes are known

    place = np.full((len(mjd), 3), np.nan)
    known = np.isfinite(mjd)
    distinct, index = np.unique(mjd[known], return_inverse=True)
    if len(distinct):
        _, barycentric = erfa.epv00(_MJD, distinct + _TDB_MINUS_TAI)
        place[known] = barycentric["p"][index]
    return place


def moved(
    ra: np.ndarray,
    dec: np.ndarray,
    pm_ra: np.ndarray,
    pm_dec: np.ndarray,
    parallax: np.ndarray,
    epoch: np.ndarray,
    mjd: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return where stars are seen at other times than they were listed for.

    The direction is that of r + (p mu_ra + q mu_dec) (t - t_0) - parallax b,
    with r the listed direction, p and q the unit vectors to its east and
    north, and b the observer's place (Lindegren et al. 2012, A&A 538, A78,
    equation 4, with no motion along the line of sight).

    Parameters
    ----------
    ra, dec : `numpy.ndarray`, (n,)
        Barycentric coordinates at ``epoch``, in radians.
    pm_ra, pm_dec : `numpy.ndarray`, (n,)
        Proper motion in radians a Julian year; the first times cos(dec). One
        that is not known (NaN) is taken for none.
    parallax : `numpy.ndarray`, (n,)
        Parallax in radians; one that is not known is taken for none.
    epoch, mjd : `numpy.ndarray`, (n,)
        Times of the listed and of the wanted coordinates, MJD (TAI). A star
        with either unknown stays where it is.

    Returns
    -------
    ra, dec : `numpy.ndarray`, (n,)
        Coordinates in radians, the first in [0, 2 pi).
    """
    years = (mjd - epoch) / DAYS_PER_YEAR
    known = np.isfinite(years) & np.isfinite(ra) & np.isfinite(dec)
    east, north = (np.where(known, np.nan_to_num(pm * years), 0.0) for pm in (pm_ra, pm_dec))
    shift = np.where(known, np.nan_to_num(parallax), 0.0)
    if shift.any():
        place = np.nan_to_num(observer(np.where(shift != 0.0, mjd, np.nan)))
        x, y, z = place.T
        across = np.cos(ra) * x + np.sin(ra) * y
        east = east - shift * (np.cos(ra) * y - np.sin(ra) * x)
        north = north - shift * (np.cos(dec) * z - np.sin(dec) * across)
        # Along the line of sight the star is nearer or farther, by a part in
        # the number of au to it.
        outward = 1.0 - shift * (np.cos(dec) * across + np.sin(dec) * z)
        east, north = east / outward, north / outward
    new_ra = ra + np.arctan2(east, np.cos(dec) - north * np.sin(dec))
    up = np.sin(dec) + north * np.cos(dec)
    new_dec = np.arctan2(up, np.hypot(east, np.cos(dec) - north * np.sin(dec)))
    still = (east == 0.0) & (north == 0.0)
    return np.where(still, ra, np.mod(new_ra, 2.0 * np.pi)), np.where(still, dec, new_dec)
