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

import numpy as np
from scipy.special import ndtr, ndtri

from .population import Columns, Population, Truths, by_metric

_PATCHES, _STARS = 49, 30
_LEVEL = 21.0  # mmag
_SPREAD, _NOISE = 9.0, 12.0


def _draw(rng: np.random.Generator) -> Columns:
    """Draw a tract."""
    rows = _PATCHES * _STARS
    patch = np.repeat(np.arange(_PATCHES), _STARS)
    good = np.ones(rows, dtype=bool)
    mag = rng.uniform(17.0, 21.0, rows)
    zero = _LEVEL + _SPREAD * rng.standard_normal(_PATCHES)[patch]
    flux = 10.0 ** (-0.4 * (mag + 1e-3 * (zero + _NOISE * rng.standard_normal(rows)) - 31.4))
    return {
        "objectId": np.arange(rows) + 1,
        "tract": np.zeros(rows, dtype=np.int64),
        "patch": patch,
        "ref_id": np.arange(rows) + 1,
        "nearest": good,
        "detect_isPrimary": good,
        "r_psfFlux": flux,
        "r_psfFluxErr": flux / 400.0,
        "r_ref_flux": 10.0 ** (-0.4 * (mag - 31.4)),
        "r_extendedness": np.zeros(rows),
        "r_psfFlux_flag": ~good,
        "r_pixelFlags_saturatedCenter": ~good,
    }


def _truths() -> Truths:
    """Zero points are told with the noise of a median, of normal deviates."""
    seen = np.hypot(_SPREAD, _NOISE * np.sqrt(0.5 * np.pi / _STARS))
    return by_metric(
        {
            "PA3": _SPREAD,
            "PA4": seen * ndtri(0.95),
            "PF2": 200.0 * ndtr(-15.0 / seen),
            "PA6": _LEVEL,
        }
    )


ZERO_POINTS = (
    Population(
        "zero points of patches",
        "object_reference",
        "Zero points of patches and magnitudes of stars are drawn anew.",
        _draw,
        _truths,
    ),
)
