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

"""Columns that are computed from others: plain functions over arrays."""

from __future__ import annotations

__all__ = [
    "AFW_CORNERS",
    "CORNERS",
    "e1",
    "e2",
    "filter_number",
    "magnitude",
    "night",
    "none_of",
    "pixel_scale",
    "ratio",
    "rubin_detector",
    "rubin_visit",
    "seeing",
]

import contextlib

import numpy as np

from ..errors import InputError
from ..pieces import Coded
from .kinds import BANDS

AB_NANOJANSKY = 31.4
"""AB magnitude of 1 nJy."""

FWHM_PER_SIGMA = 2.355
"""FWHM of a Gaussian over its standard deviation."""

_BOX = ("bbox_min_x", "bbox_max_x", "bbox_min_y", "bbox_max_y")
CORNERS = ("llcra", "llcdec", "ulcra", "ulcdec", "urcra", "urcdec", "lrcra", "lrcdec", *_BOX)
"""A detector's corners on the sky and its pixel bounds, in degrees and pixels.
"""
AFW_CORNERS = (
    *(f"{axis}Corners_{i}" for i in range(4) for axis in ("ra", "dec")),
    *_BOX,
)
"""The same as an exposure catalogue names them."""

# How Rubin packs a visit and a detector into one integer (256 detectors, 2^15
# exposures a day, 2^14 days).
_DETECTORS, _SEQUENCES, _DAYS = 256, 1 << 15, 1 << 14
_FIRST_DAY = np.datetime64("2010-01-01")
_MJD_0 = np.datetime64("1858-11-17")
_NO_DATE = np.iinfo(np.int64).max
_LOOKED_UP = 1 << 18
"""Dates, as 20241108, of some 26 years."""


def magnitude(flux: np.ndarray) -> np.ndarray:
    """Return the AB magnitude of a flux.

    Parameters
    ----------
    flux : `numpy.ndarray`
        Flux in nJy.

    Returns
    -------
    mag : `numpy.ndarray`
        AB magnitude; NaN where the flux is not positive.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        mag = np.log10(flux)
        mag *= -2.5
        mag += AB_NANOJANSKY
    known = np.isfinite(mag)
    if not known.all():
        mag[~known] = np.nan
    return mag


def night(visit: np.ndarray) -> np.ndarray:
    """Return the middle of the night that is in a visit's id.

    Parameters
    ----------
    visit : `numpy.ndarray` of `int`
        Ids, as in 2024110800246.

    Returns
    -------
    mjd : `numpy.ndarray`
        MJD, to half a day; NaN for an id that holds no date.
    """
    dates = visit // 100_000
    first = int(dates.min(initial=_NO_DATE))
    size = int(dates.max(initial=0)) - first + 1
    if 0 < size <= _LOOKED_UP:
        # Some years: looked up, which takes less than an order of all rows.
        index = dates - first
        there = np.zeros(size, dtype=bool)
        there[index] = True
        listed = np.flatnonzero(there)
        day_obs, days = listed + first, np.full(size, np.nan)
    else:
        day_obs, index = np.unique(dates, return_inverse=True)
        listed, days = np.arange(len(day_obs)), np.full(len(day_obs), np.nan)
    for place, day in zip(listed.tolist(), day_obs.tolist()):
        text = str(day)
        with contextlib.suppress(ValueError):
            if len(text) == 8:
                date = np.datetime64(f"{text[:4]}-{text[4:6]}-{text[6:]}")
                # A night begins at noon of its date.
                days[place] = (date - _MJD_0).astype(np.int64) + 1.0
    return days[index]


def none_of(*flags: np.ndarray) -> np.ndarray:
    """Tell where no flag is set.

    Parameters
    ----------
    *flags : `numpy.ndarray` of `bool`
        The flags.

    Returns
    -------
    clean : `numpy.ndarray` of `bool`
        True where all of them are False.
    """
    return ~np.logical_or.reduce(flags)


def ratio(value: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return value over error, the signal-to-noise ratio.

    Parameters
    ----------
    value, error : `numpy.ndarray`
        Same unit.

    Returns
    -------
    ratio : `numpy.ndarray`
        NaN where the error is not positive.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        found: np.ndarray = np.divide(value, error)
    sure = error > 0
    if not sure.all():
        found[~sure] = np.nan
    return found


def e1(ixx: np.ndarray, iyy: np.ndarray) -> np.ndarray:
    """Return the first component of the distortion.

    Parameters
    ----------
    ixx, iyy : `numpy.ndarray`
        Second moments.

    Returns
    -------
    e1 : `numpy.ndarray`
        ``(ixx - iyy) / (ixx + iyy)``.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return (ixx - iyy) / (ixx + iyy)


def e2(ixx: np.ndarray, iyy: np.ndarray, ixy: np.ndarray) -> np.ndarray:
    """Return the second component of the distortion.

    Parameters
    ----------
    ixx, iyy, ixy : `numpy.ndarray`
        Second moments.

    Returns
    -------
    e2 : `numpy.ndarray`
        ``2 ixy / (ixx + iyy)``.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return 2.0 * ixy / (ixx + iyy)


def filter_number(band: Coded) -> np.ndarray:
    """Return the numbers of bands, from 1 for u to 6 for y.

    Parameters
    ----------
    band : `Coded`
        Names of bands.

    Returns
    -------
    number : `numpy.ndarray` of `int`
        0 for any other.
    """
    numbers = [BANDS.find(name) + 1 if len(name) == 1 else 0 for name in band.values]
    return np.array(numbers or [0], dtype=np.int64)[band.codes]


def seeing(sigma: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return the FWHM of a Gaussian PSF on the sky.

    Parameters
    ----------
    sigma : `numpy.ndarray`
        PSF width in pixels.
    scale : `numpy.ndarray`
        Arcseconds per pixel.

    Returns
    -------
    seeing : `numpy.ndarray`
        Arcseconds.
    """
    return FWHM_PER_SIGMA * sigma * scale


def pixel_scale(*corners_and_box: np.ndarray) -> np.ndarray:
    """Return a detector's mean pixel scale from its corners.

    Parameters
    ----------
    *corners_and_box : `numpy.ndarray`
        Right ascension and declination of the four corners in turn, in
        degrees, then the least and greatest pixel in x and in y.

    Returns
    -------
    scale : `numpy.ndarray`
        Square root of the area over the number of pixels, in arcseconds per
        pixel; NaN where a corner is.
    """
    *sky, x0, x1, y0, y1 = corners_and_box
    ra, dec = np.array(sky[0::2]), np.array(sky[1::2])
    # Offsets on the tangent plane of the first corner; a detector is small
    # enough for that.
    east = ((ra - ra[0] + 180.0) % 360.0 - 180.0) * np.cos(np.radians(dec.mean(axis=0)))
    north = dec - dec[0]
    area = 0.5 * np.abs(np.sum(east * np.roll(north, -1, axis=0) - np.roll(east, -1, axis=0) * north, axis=0))
    # Corners are pixel centres, so a box spans one pixel less than it holds.
    return 3600.0 * np.sqrt(area / ((x1 - x0) * (y1 - y0)))


def rubin_detector(ccd_visit: np.ndarray) -> np.ndarray:
    """Return the detector in a packed Rubin visit-detector id.

    Parameters
    ----------
    ccd_visit : `numpy.ndarray`
        Packed ids.

    Returns
    -------
    detector : `numpy.ndarray`
        Detector numbers.
    """
    return ccd_visit % _DETECTORS


def rubin_visit(ccd_visit: np.ndarray) -> np.ndarray:
    """Return the visit in a packed Rubin visit-detector id.

    Parameters
    ----------
    ccd_visit : `numpy.ndarray`
        Packed ids: detector, exposure of the day, day since 2010-01-01 from
        the low digits up, in bases 256, 2^15 and 2^14.

    Returns
    -------
    visit : `numpy.ndarray`
        Visit ids, as in 2024110800246.

    Raises
    ------
    InputError
        Raised if the ids are not packed in that way.
    """
    exposure = ccd_visit // _DETECTORS
    day_number = exposure // _SEQUENCES % _DAYS
    if ccd_visit.size and (ccd_visit.min() < 0 or exposure.max() >= 2 * 8 * _SEQUENCES * _DAYS):
        raise InputError("Column 'ccdVisitId' is not packed as Rubin packs it; a 'visit' column is needed.")
    days = (_FIRST_DAY + day_number).astype("datetime64[D]")
    years, months = days.astype("datetime64[Y]"), days.astype("datetime64[M]")
    day_obs = (
        (years.astype(np.int64) + 1970) * 10000
        + ((months - years).astype(np.int64) + 1) * 100
        + (days - months).astype(np.int64)
        + 1
    )
    return day_obs * 100000 + exposure % _SEQUENCES
