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

"""Skies of true sources and detections: completeness, purity and residuals."""

from __future__ import annotations

__all__ = ["COLOURS", "LIMITS", "MATCHES"]

import numpy as np

from .match_story import (
    BANDS,
    BRIGHT,
    COLOUR,
    CONFUSED,
    DEPTH,
    FAINT,
    FALSE,
    MANY,
    NOISE,
    ROWS,
    SHIFT,
    STEEPNESS,
    flux_error,
    shifted,
)
from .match_truths import colour_truths, limit_truths, truths_in_r
from .population import Columns, Population


def _story(rng: np.random.Generator, rows: int) -> Columns:
    """Draw what is there, what is detected of it, and what is detected of
    nothing.
    """
    star = rng.random(rows) < 0.5
    mag = rng.uniform(BRIGHT, FAINT, rows)
    depth = np.where(star, DEPTH[True], DEPTH[False])
    false = rng.random(rows) < FALSE
    seen = rng.random(rows) < 1.0 / (1.0 + np.exp((mag - depth) / STEEPNESS))
    confused = rng.random(rows) < CONFUSED
    return {"star": star, "mag": mag, "false": false, "detected": false | seen, "compact": star ^ confused}


def _draw(rng: np.random.Generator) -> Columns:
    story = _story(rng, int(rng.poisson(ROWS)))
    rows, detected, true = len(story["mag"]), story["detected"], ~story["false"]
    both = detected & true
    ra, dec = 150.0 + rng.uniform(0.0, 0.2, rows), 2.0 + rng.uniform(0.0, 0.2, rows)
    east, north = rng.normal(SHIFT, NOISE, (2, rows)) / 3.6e6
    found: Columns = {
        "objectId": np.arange(rows) + 1,
        "match_distance": np.where(both, 0.1, np.nan),
        "ra": np.where(detected, ra + east / np.cos(np.radians(dec)), np.nan),
        "dec": np.where(detected, dec + north, np.nan),
        "ref_ra": np.where(true, ra, np.nan),
        "ref_dec": np.where(true, dec, np.nan),
        "ref_star": np.where(true, story["star"] * 1.0, np.nan),
        "ref_isPrimary": true,
        "detect_isPrimary": detected,
    }
    for place, band in enumerate(BANDS):
        mag = story["mag"] - COLOUR * (place - 2)
        found[f"{band}_ref_mag"] = np.where(true, mag, np.nan)
        found[f"{band}_extendedness"] = np.where(detected, 1.0 - story["compact"], np.nan)
        for name in ("psfFlux", "cModelFlux"):
            flux = shifted(mag, place)
            error = flux_error(flux)
            noisy = flux + error * rng.standard_normal(rows)
            found[f"{band}_{name}"] = np.where(detected, noisy, np.nan)
            found[f"{band}_{name}Err"] = np.where(detected, error, np.nan)
    return found


def _draw_in_r(rng: np.random.Generator) -> Columns:
    """Draw what is seen in r, the band whose truth is told."""
    return {name: values for name, values in _draw(rng).items() if name[1:2] != "_" or name[0] == "r"}


def _draw_many(rng: np.random.Generator) -> Columns:
    """Draw whether sources are detected, and nothing else."""
    story = _story(rng, MANY)
    true = ~story["false"]
    return {
        "objectId": np.arange(MANY) + 1,
        "match_distance": np.where(story["detected"] & true, 0.1, np.nan),
        "ref_star": np.where(true, story["star"] * 1.0, np.nan),
        "r_ref_mag": np.where(true, story["mag"], np.nan),
        "ref_isPrimary": true,
        "detect_isPrimary": story["detected"],
    }


MATCHES = Population(
    name="true sources and detections",
    kind="truth_match",
    doc="Number of sources (Poisson), class, magnitude, what is detected and how.",
    draw=_draw_in_r,
    truths=truths_in_r,
)
"""Skies of matches."""

LIMITS = Population(
    name="many true sources",
    kind="truth_match",
    doc="Class and magnitude of 100000 sources, and which are detected.",
    draw=_draw_many,
    truths=limit_truths,
)
"""Skies of so many matches that a curve hardly bends within its error."""

COLOURS = Population(
    name="colours of true sources and detections",
    kind="truth_match",
    doc="Number of sources (Poisson), class, magnitude, what is detected and how, in six bands.",
    draw=_draw,
    truths=colour_truths,
)
"""Skies of matches in all bands."""
