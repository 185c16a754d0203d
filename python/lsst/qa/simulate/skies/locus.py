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

"""Skies of stars along the stellar locus, as wide as is known."""

from __future__ import annotations

__all__ = ["FARO_LOCUS", "HSC_LOCUS", "LOCUS"]

import functools
from collections.abc import Callable, Mapping

import numpy as np

from .population import Columns, Population, Truths, by_metric

_STARS = 8000
_WIDTH = 0.012  # mag
_EBV = 0.05
_DUST = {"g": 3.66056, "r": 2.701367, "i": 2.053659, "z": 1.59009}
_HSC_DUST = {"g": 3.240, "r": 2.276, "i": 1.633, "z": 1.263}
_BLUE = (0.483, -0.042)
_RED = (0.385, 0.064)
_STEEP = (60.0, -75.0)


def _across(rng: np.random.Generator, x: np.ndarray, slope: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw the shifts of points across a line, by its slope."""
    away = rng.normal(0.0, _WIDTH, len(x)) / np.hypot(1.0, slope)
    return -slope * away, away


def _colours(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw g-r, r-i and i-z: half of the stars along the blue part, half along
    the red one, both longer than what is measured.
    """
    half = _STARS // 2
    gr = rng.uniform(0.0, 1.2, half)
    dx, dy = _across(rng, gr, _BLUE[0])
    blue = gr + dx, _BLUE[0] * gr + _BLUE[1] + dy, rng.normal(0.1, 0.02, half)
    ri = rng.uniform(0.55, 2.3, half)
    # Across the steep line is along g-r, so the two parts are drawn apart.
    dx, dy = _across(rng, ri, _RED[0])
    ri_seen, iz = ri + dx, _RED[0] * ri + _RED[1] + dy
    sideways = rng.normal(0.0, _WIDTH, half) * np.hypot(1.0, _STEEP[0]) / _STEEP[0]
    red = (ri_seen - _STEEP[1]) / _STEEP[0] + sideways, ri_seen, iz
    first, second, third = (np.concatenate(pair) for pair in zip(blue, red))
    return first, second, third


def _vertical(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw colours that scatter in r-i alone, as least squares takes it."""
    gr = rng.uniform(0.3, 1.1, _STARS)
    return gr, _BLUE[0] * gr + _BLUE[1] + rng.normal(0.0, _WIDTH, _STARS), np.full(_STARS, 0.1)


_Draw = Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray, np.ndarray]]


def _draw(rng: np.random.Generator, draw: _Draw, dust: Mapping[str, float]) -> Columns:
    found: Columns = {}
    good = np.ones(_STARS, dtype=bool)
    r = rng.uniform(17.5, 21.0, _STARS)
    for kind in ("psf", "cModel"):
        gr, ri, iz = draw(rng)
        mags = {"g": r + gr, "r": r, "i": r - ri, "z": r - ri - iz}
        for band, mag in mags.items():
            flux = 10.0 ** (-0.4 * (mag + dust[band] * _EBV - 31.4))
            found |= {f"{band}_{kind}Flux": flux, f"{band}_{kind}FluxErr": flux / 1000.0}
    for band in "griz":
        found[f"{band}_extendedness"] = np.zeros(_STARS)
        found |= {f"{band}_{name}": ~good for name in ("psfFlux_flag", "pixelFlags_saturatedCenter")}
    keys = {"objectId": np.arange(_STARS) + 1, "tract": np.zeros(_STARS, np.int64)}
    return {**keys, "detect_isPrimary": good, "ebv": np.full(_STARS, _EBV), **found}


_VARIANTS = ("", ".cmodel", ".analysis_tools", ".analysis_tools_cmodel")


def _truths(variants: tuple[str, ...]) -> Truths:
    """Say what was put in: the same width everywhere, about the line."""
    found = {}
    for locus in ("wPerp", "xPerp", "yPerp"):
        for variant in variants:
            found[f"{locus}{variant}"] = 1000.0 * _WIDTH
            found[f"{locus}_median{variant}"] = 0.0
    return by_metric(found)


def _faro_truths() -> Truths:
    """Return the rms of a normal distribution cut at 3 times 0.74 of its
    interquartile range, as a distance of magnitudes.
    """
    from scipy.stats import norm, truncnorm

    cut = 3.0 * 0.74 * 2.0 * norm.ppf(0.75)
    slope = _BLUE[0]
    scale = 1000.0 * _WIDTH / np.sqrt(slope**2 + (slope + 1.0) ** 2 + 1.0)
    return by_metric({"wPerp.faro": float(scale * truncnorm.std(-cut, cut))})


LOCUS = Population(
    name="stellar locus",
    kind="object",
    doc="8000 stars: colours along and across the locus, PSF and model magnitudes apart.",
    draw=functools.partial(_draw, draw=_colours, dust=_DUST),
    truths=functools.partial(_truths, _VARIANTS),
)
"""Skies of stars on both parts of the locus."""

HSC_LOCUS = Population(
    name="stellar locus of HSC",
    kind="object",
    doc="As the stellar locus, in bands where as much dust is another extinction.",
    draw=functools.partial(_draw, draw=_colours, dust=_HSC_DUST),
    truths=functools.partial(_truths, (".HSC",)),
)
"""Skies of stars on both parts of the locus, in HSC's bands."""

FARO_LOCUS = Population(
    name="stellar locus for least squares",
    kind="object",
    doc="8000 stars on the blue part, scattered in r-i alone.",
    draw=functools.partial(_draw, draw=_vertical, dust=_HSC_DUST),
    truths=_faro_truths,
)
"""Skies of stars on the blue part of the locus."""
