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
"""Skies of stars of all colours, whose shapes go with colour."""

from __future__ import annotations

__all__ = ["SPECTRA"]

from collections.abc import Callable

import numpy as np

from ..imaging import moments
from .population import Columns, Population, Truths

_STARS = 3000
_BLUEST, _REDDEST, _WIDTH = -0.5, 3.5, 0.5
_LEVEL, _NOISE = 0.03, 0.01
_SIZE = 2.0
_CHANCE = 0.1


def _story(rng: np.random.Generator, n: int) -> Columns:
    """Draw stars, more of the redder; radii are those of the determinant."""
    even, rising = rng.random((2, n))
    along = np.where(rng.random(n) < 0.5, even, np.sqrt(rising))
    colour = _BLUEST + (_REDDEST - _BLUEST) * along
    return {
        "colour": colour,
        "e1": _elongation(colour) + _LEVEL * rng.standard_normal(n),
        "e2": _LEVEL * rng.standard_normal(n),
        "de1": _slope(colour) + _NOISE * rng.standard_normal(n),
        # Residuals need not be Gaussian.
        "de2": -_slope(colour) + _NOISE * rng.standard_exponential(n),
        "ratio": 1.0 + _slope(colour) + 0.5 * _NOISE * rng.standard_normal(n),
        "extended": rng.random(n) < _CHANCE,
        "primary": rng.random(n) >= _CHANCE,
    }


def _elongation(colour: np.ndarray) -> np.ndarray:
    """Return how much stars are elongated by refraction in the air."""
    return np.asarray(0.02 * (colour - 1.0) ** 2)


def _slope(colour: np.ndarray) -> np.ndarray:
    return np.asarray(0.004 * (colour - 1.0))


def _draw(rng: np.random.Generator) -> Columns:
    rows = int(rng.poisson(_STARS))
    story = _story(rng, rows)
    r, size, good = rng.uniform(17.0, 20.0, rows), np.full(rows, _SIZE), np.ones(rows, dtype=bool)
    star = moments(story["e1"], story["e2"], size * story["ratio"])
    model = moments(story["e1"] - story["de1"], story["e2"] - story["de2"], size)
    found: Columns = {"objectId": np.arange(rows) + 1, "tract": np.zeros(rows, np.int64)}
    for band, share in (("g", 0.6), ("r", 0.0), ("i", -0.4)):
        flux = 10.0 ** (-0.4 * (r + share * story["colour"] - 31.4))
        own = {
            "psfFlux": flux,
            "psfFluxErr": flux / 300.0,
            # What is told is what r tells: in other bands no star is compact.
            "extendedness": np.maximum(story["extended"], band != "r") * 1.0,
            "psfFlux_flag": ~good,
            "pixelFlags_saturatedCenter": ~good,
            **dict(zip(("ixx", "iyy", "ixy"), star)),
            **dict(zip(("ixxPSF", "iyyPSF", "ixyPSF"), model)),
        }
        found |= {f"{band}_{name}": values for name, values in own.items()}
    return {**found, "detect_isPrimary": story["primary"]}


def _truths() -> Truths:
    """Integrate over the colours of a bin, at Gauss and Legendre's nodes."""
    from scipy.special import ndtr
    from scipy.stats import rice

    def below_e2(limit: float, colour: np.ndarray) -> np.ndarray:
        return np.asarray(-np.expm1(-np.maximum(limit + _slope(colour), 0.0) / _NOISE))

    laws: dict[str, Callable[[float, np.ndarray], np.ndarray]] = {
        "e1_residual": lambda limit, colour: ndtr((limit - _slope(colour)) / _NOISE),
        "e2_residual": below_e2,
        "size_residual": lambda limit, colour: ndtr((limit - _slope(colour)) / (0.5 * _NOISE)),
        "ellipticity": lambda limit, colour: rice.cdf(limit / _LEVEL, _elongation(colour) / _LEVEL),
    }
    return {
        (f"coadd_{name}_by_colour", low): _median(law, low)
        for name, law in laws.items()
        for low in np.arange(_BLUEST, _REDDEST, _WIDTH).tolist()
    }


def _median(below: Callable[[float, np.ndarray], np.ndarray], low: float) -> float:
    from scipy.optimize import brentq

    at, weight = np.polynomial.legendre.leggauss(32)
    colour = low + 0.5 * _WIDTH * (1.0 + at)
    chance = weight * (0.5 * (_REDDEST - _BLUEST) + colour - _BLUEST)
    return float(brentq(lambda limit: np.average(below(limit, colour), weights=chance) - 0.5, -1.0, 1.0))


SPECTRA = Population(
    name="shapes of a coadd's stars by colour",
    kind="object",
    doc="Number of stars (Poisson), colours, PSF, shapes.",
    draw=_draw,
    truths=_truths,
)
"""Skies of stars of all colours."""
