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

"""Skies of stars over years, and of stars in two bands."""

from __future__ import annotations

__all__ = ["BAND_TO_BAND", "SEASONS", "WITHIN_R"]

import numpy as np

from .population import Columns, Population, Truths, by_metric

_STARS = 60
_LEVELS = np.array([-6.0, 2.0, 5.0, -1.0])  # mmag
_VISITS = 8
_SEASON_NOISE, _NOISE = 4.0, 6.0
_OPPOSITION = 60604.0  # of stars at 30 degrees, to a few days
_YEAR = 360.0 / 0.9856474
_MIDDLE = 30.0  # degrees

_PAIRED, _IN_R = 240, 1000
"""Stars; a scatter of few is biased."""

_SHIFT = (8.0, -6.0)
_JITTER = 9.0
_LIMIT = 20.0
_EACH = 8
"""Visits in each band."""


def _alike(rows: int) -> Columns:
    """Make what all detections share."""
    good = np.ones(rows, dtype=bool)
    flags = {f"pixelFlags_{name}": ~good for name in ("bad", "cr", "edge", "saturated")}
    return {
        "sourceId": np.arange(rows) + 1,
        "extendedness": np.zeros(rows),
        "detect_isPrimary": good,
        **flags,
    }


def _magnitudes(rng: np.random.Generator, stars: int) -> np.ndarray:
    """Draw the deviations of magnitudes, (stars, seasons, visits), in mmag."""
    own = _SEASON_NOISE * rng.standard_normal((stars, len(_LEVELS), 1))
    return _LEVELS[:, None] + own + _NOISE * rng.standard_normal((stars, len(_LEVELS), _VISITS))


def _draw_seasons(rng: np.random.Generator) -> Columns:
    away = _magnitudes(rng, _STARS)
    star, season, visit = (part.ravel() for part in np.indices(away.shape))
    flux = 10.0 ** (-0.4 * (rng.uniform(17.0, 20.0, _STARS)[star] + 1e-3 * away.ravel() - 31.4))
    return {
        **_alike(len(star)),
        "star": star,
        "visit": 100 * season + visit + 1,
        "band": np.full(len(star), "r"),
        "mjd": _OPPOSITION + _YEAR * season + 10.0 * (visit - 0.5 * _VISITS),
        "ra": _MIDDLE + 0.01 * (star - 0.5 * (_STARS - 1)),
        "dec": np.zeros(len(star)),
        "psfFlux": flux,
        "psfFluxErr": flux / 400.0,
    }


def _truths_of_seasons() -> Truths:
    """Squares of deviations from the mean follow chi-square laws."""
    from scipy.stats import chi2, ncx2

    levels = _LEVELS - _LEVELS.mean()
    mean_noise, freedom = _SEASON_NOISE**2 + _NOISE**2 / _VISITS, len(_LEVELS) - 1
    between = mean_noise / freedom * ncx2.ppf(0.5, freedom, np.sum(levels**2) / mean_noise)
    truths = by_metric({"season_repeatability": np.sqrt(between)})
    within = _NOISE * float(np.sqrt(chi2.ppf(0.5, _VISITS - 1) / (_VISITS - 1)))
    for season, level in enumerate(levels.tolist()):
        # When the mean Sun, which was at 280.46 degrees at J2000, passes the
        # middle one of the stars.
        begin = 51544.5 + _YEAR * (25 + season + (_MIDDLE - 280.46) / 360.0)
        truths["season_offset", begin] = level
        truths["PA1_season", begin] = within
    return truths


def _draw_bands(rng: np.random.Generator) -> Columns:
    """Draw detections of each star in as many visits in r as in i."""
    return _draw_visits(rng, _PAIRED, _EACH, _EACH)


def _draw_in_r(rng: np.random.Generator) -> Columns:
    """Draw those of more stars in visits that are all in r."""
    return _draw_visits(rng, _IN_R, _EACH, 0)


def _draw_visits(rng: np.random.Generator, stars: int, in_r: int, in_i: int) -> Columns:
    star, visit = (part.ravel() for part in np.indices((stars, in_r + in_i)))
    other = visit >= in_r
    east, north = (_JITTER * rng.standard_normal(len(star)) + np.where(other, shift, 0.0) for shift in _SHIFT)
    flux = np.full(len(star), 10.0 ** (-0.4 * (19.0 - 31.4)))
    return {
        **_alike(len(star)),
        "star": star,
        "visit": visit + 1,
        "band": np.where(other, "i", "r"),
        "ra": 10.0 + rng.uniform(0.0, 0.1, stars)[star] + east / 3.6e6,
        "dec": north / 3.6e6,
        "psfFlux": flux,
        "psfFluxErr": flux / 400.0,
    }


def _truths_of_bands() -> Truths:
    """Distances of places that scatter normally follow Rice's law."""
    from scipy.optimize import brentq
    from scipy.special import ndtr
    from scipy.stats import rice

    apart = float(np.hypot(*_SHIFT))
    wide, near = np.sqrt(2.0) * _JITTER, _JITTER * np.sqrt(1.0 + 1.0 / _EACH)
    distance, offset = (rice(apart / sigma, scale=sigma) for sigma in (wide, near))
    mean = float(distance.mean())

    def beyond(limit: float) -> float:
        return float(distance.sf(mean + limit) + distance.cdf(mean - limit))

    values = {
        "AB1": distance.std(),
        "AB2": brentq(lambda limit: beyond(limit) - 0.1, 0.0, 10.0 * wide),
        "ABF1": 100.0 * beyond(_LIMIT),
        "ABF1_tot.analysis_tools": 100.0 * offset.sf(_LIMIT),
        "AB1_tot.analysis_tools": np.hypot(np.sqrt(2.0) * near, apart),
    }
    for name, shift in zip(("RA", "Dec"), _SHIFT):
        values[f"AB1_{name}.analysis_tools"] = np.hypot(near, shift)
        values[f"ABF1_{name}.analysis_tools"] = 200.0 * ndtr(-_LIMIT / near)
    return by_metric(values)


SEASONS = Population(
    "stars over seasons",
    "matched",
    "Deviations of stars in seasons and in visits are drawn anew.",
    _draw_seasons,
    _truths_of_seasons,
)
WITHIN_R = Population(
    "stars in r",
    "matched",
    "As stars in two bands, with none but the visits in r.",
    _draw_in_r,
    lambda: by_metric({"AB1.faro": np.sqrt((2.0 - 0.5 * np.pi) * 2.0) * _JITTER}),
)
BAND_TO_BAND = Population(
    "stars in two bands",
    "matched",
    "Deviations of positions in visits are drawn anew; there is none that a whole visit shares.",
    _draw_bands,
    _truths_of_bands,
)
