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

"""The flags of a visit's sources: when they are set, and how often that is to
be expected.
"""

from __future__ import annotations

__all__ = ["UNIFORMS", "draw_flags", "flag_probabilities"]

from collections.abc import Mapping

import numpy as np

from .camera import EDGE, PIXELS
from .expected import Expected, unresolved
from .sky import SKY

_PROBABILITY = {
    "pixelFlags_bad": 0.002,
    "pixelFlags_cr": 0.01,
    "pixelFlags_nodata": 0.001,
    "pixelFlags_suspect": 0.002,
    "centroid_flag": 0.001,
    "psfFlux_flag": 0.002,
    "ap09Flux_flag": 0.003,
}

_CENTRE = 0.3
"""Share of bad pixels and of cosmic rays that hit the centre of a source."""

_PSF_USED, _PSF_RESERVED = 0.8, 0.2

UNIFORMS = len(_PROBABILITY) + 1
"""Uniform deviates that the flags of a source take."""


def draw_flags(rows: Expected, uniform: np.ndarray) -> dict[str, np.ndarray]:
    """Set the flags of sources.

    Parameters
    ----------
    rows : `Expected`
        The sources.
    uniform : `numpy.ndarray`, (`UNIFORMS`, n)
        Uniform deviates.

    Returns
    -------
    flags : `dict` [`str`, `numpy.ndarray` of `bool`]
        By column name.
    """
    drawn = dict(zip(_PROBABILITY, uniform))
    flags = {name: drawn[name] < probability for name, probability in _PROBABILITY.items()}
    bad_centre = drawn["pixelFlags_bad"] < _CENTRE * _PROBABILITY["pixelFlags_bad"]
    flags["pixelFlags_crCenter"] = drawn["pixelFlags_cr"] < _CENTRE * _PROBABILITY["pixelFlags_cr"]
    flags["pixelFlags_interpolated"] = flags["pixelFlags_bad"] | flags["pixelFlags_cr"] | rows.saturated
    flags["pixelFlags_interpolatedCenter"] = bad_centre | flags["pixelFlags_crCenter"] | rows.saturated_centre
    flags |= {name: value > 0.0 for name, value in _certain(rows).items()}
    choice, bright = uniform[-1], _bright(rows, 50.0)
    flags["calib_psf_used"] = bright & (choice < _PSF_USED)
    flags["calib_psf_reserved"] = bright & (choice >= 1.0 - _PSF_RESERVED)
    return flags


def flag_probabilities(rows: Expected) -> Mapping[str, np.ndarray]:
    """Return the probability of each flag.

    Parameters
    ----------
    rows : `Expected`
        The sources.

    Returns
    -------
    probabilities : `~collections.abc.Mapping` [`str`, `numpy.ndarray`]
        By column name; one per source.
    """
    one = np.ones(len(rows.number))
    chance = {name: value * one for name, value in _PROBABILITY.items()}
    chance["pixelFlags_crCenter"] = _CENTRE * chance["pixelFlags_cr"]
    clean = (1.0 - chance["pixelFlags_bad"]) * (1.0 - chance["pixelFlags_cr"])
    chance["pixelFlags_interpolated"] = 1.0 - clean * ~rows.saturated
    clean = (1.0 - _CENTRE * chance["pixelFlags_bad"]) * (1.0 - chance["pixelFlags_crCenter"])
    chance["pixelFlags_interpolatedCenter"] = 1.0 - clean * ~rows.saturated_centre
    bright = _bright(rows, 50.0)
    return {
        **chance,
        **_certain(rows),
        "calib_psf_used": _PSF_USED * bright,
        "calib_psf_reserved": _PSF_RESERVED * bright,
    }


def _certain(rows: Expected) -> dict[str, np.ndarray]:
    """Return the flags that leave nothing to chance, as numbers."""
    low = np.minimum(rows.px, rows.py) < EDGE - 0.5
    high = np.maximum(rows.px, rows.py) >= PIXELS - EDGE - 0.5
    flags = {
        "pixelFlags_edge": low | high,
        "pixelFlags_saturated": rows.saturated,
        "pixelFlags_saturatedCenter": rows.saturated_centre,
        "sky_source": rows.kind == SKY,
        "calib_astrometry_used": _bright(rows, 30.0),
        "calib_photometry_used": _bright(rows, 50.0),
    }
    return {name: value.astype(np.float64) for name, value in flags.items()}


def _bright(rows: Expected, snr: float) -> np.ndarray:
    return unresolved(rows.extension) & (rows.snr >= snr)
