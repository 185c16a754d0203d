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

"""Skies whose zero points differ from patch to patch."""

from __future__ import annotations

__all__ = ["ZERO_POINTS"]

import hpgeom
import numpy as np
from scipy.special import ndtr, ndtri

from .population import Columns, Population, Truths, by_metric

_PATCHES, _STARS = 49, 30
_LEVEL = 21.0  # mmag
_COLOUR = -13.0  # mmag, of g less r
_NSIDE = 512
"""Of the HEALPix cells, each of which holds one patch."""

_SPREAD, _NOISE = 9.0, 12.0


def _draw(rng: np.random.Generator) -> Columns:
    """Draw a tract."""
    rows = _PATCHES * _STARS
    patch = np.repeat(np.arange(_PATCHES), _STARS)
    good = np.ones(rows, dtype=bool)
    mag = rng.uniform(17.0, 21.0, rows)
    zero = _LEVEL + _SPREAD * rng.standard_normal(_PATCHES)[patch]
    ra, dec = hpgeom.pixel_to_angle(_NSIDE, np.arange(_PATCHES), lonlat=True, degrees=True)
    return {
        "objectId": np.arange(rows) + 1,
        "tract": np.zeros(rows, dtype=np.int64),
        "patch": patch,
        "ref_id": np.arange(rows) + 1,
        "nearest": good,
        "ra": ra[patch],
        "dec": dec[patch],
        "detect_isPrimary": good,
        **_band("r", mag, zero + _NOISE * rng.standard_normal(rows)),
    }


def _band(band: str, mag: np.ndarray, away: np.ndarray) -> Columns:
    """Make the columns of a band, whose magnitudes are wrong by so much."""
    flux, good = 10.0 ** (-0.4 * (mag + 1e-3 * away - 31.4)), np.ones(len(mag), dtype=bool)
    return {
        f"{band}_psfFlux": flux,
        f"{band}_psfFluxErr": flux / 400.0,
        f"{band}_ref_flux": 10.0 ** (-0.4 * (mag - 31.4)),
        f"{band}_extendedness": np.zeros(len(mag)),
        f"{band}_psfFlux_flag": ~good,
        f"{band}_pixelFlags_saturatedCenter": ~good,
    }


def _draw_colours(rng: np.random.Generator) -> Columns:
    """Draw a tract in g as well, where patches are wrong in other ways."""
    found = _draw(rng)
    away = _COLOUR + _LEVEL + _SPREAD * rng.standard_normal(_PATCHES)[found["patch"]]
    mag = 31.4 - 2.5 * np.log10(found["r_ref_flux"]) + 0.5
    return {**found, **_band("g", mag, away + _NOISE * rng.standard_normal(len(mag)))}


def _truths() -> Truths:
    """Zero points are told with the noise of a median, of normal deviates."""
    seen = np.hypot(_SPREAD, _NOISE * np.sqrt(0.5 * np.pi / _STARS))
    values = {"PA3": _SPREAD, "PA4": seen * ndtri(0.95), "PF2": 200.0 * ndtr(-15.0 / seen)}
    return by_metric(
        {**values, **{f"{name}.healpix": value for name, value in values.items()}, "PA6": _LEVEL}
    )


ZERO_POINTS = (
    Population(
        "zero points of patches",
        "object_reference",
        "Zero points of patches and magnitudes of stars are drawn anew.",
        _draw,
        _truths,
    ),
    Population(
        "colours of patches",
        "object_reference",
        "Zero points of patches in two bands and magnitudes of stars are drawn anew.",
        _draw_colours,
        lambda: by_metric({"PA5": abs(_COLOUR)}),
    ),
)
