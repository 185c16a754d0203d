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

"""Skies of difference images, of their fakes, and of the deblender: numbers of
rows vary as Poisson variates.
"""

from __future__ import annotations

__all__ = ["PRODUCTS"]

import numpy as np

from ..blends import deblended, expected_blends
from .population import Columns, Population, Truths, by_metric

_SOURCES = 6000.0
_MARKS = {
    "pixelFlags_bad": 0.03,
    "pixelFlags_saturatedCenter": 0.04,
    "pixelFlags_interpolatedCenter": 0.05,
    "pixelFlags_edge": 0.02,
    "pixelFlags_nodata": 0.02,
    "pixelFlags_streak": 0.06,
    "pixelFlags_streakCenter": 0.03,
    "isDipole": 0.2,
    "isNegative": 0.4,
    "psfFlux_flag": 0.03,
    "centroid_flag": 0.05,
    "pixelFlags_cr": 0.04,
    "pixelFlags_interpolated": 0.07,
    "pixelFlags_saturated": 0.06,
    "pixelFlags_suspect": 0.08,
}
_CENTRES = ("pixelFlags_saturatedCenter", "pixelFlags_interpolatedCenter", "pixelFlags_streakCenter")
_FLAGS = {*_MARKS} - {*_CENTRES, "pixelFlags_streak", "isDipole", "isNegative"}
"""Those whose own share is told."""

_UNUSABLE = ("bad", "saturatedCenter", "interpolatedCenter", "edge", "nodata")
_ASSOCIATED, _SOLAR_SYSTEM, _SCORED = 0.9, 0.04, 0.95
_POWER = 1.7
"""The reliability is a uniform variate to this power."""

_SLOPE = 1.5


def _draw_sources(rng: np.random.Generator) -> Columns:
    n = int(rng.poisson(_SOURCES))
    score = rng.random(n) ** _POWER
    return {
        "diaSourceId": np.arange(n),
        "band": np.full(n, "r"),
        "diaObjectId": (rng.random(n) < _ASSOCIATED).astype(np.int64),
        "ssObjectId": (rng.random(n) < _SOLAR_SYSTEM).astype(np.int64),
        "snr": 5.0 * rng.random(n) ** (-1.0 / _SLOPE),
        "reliability": np.where(rng.random(n) < _SCORED, score, np.nan),
        **{name: rng.random(n) < chance for name, chance in _MARKS.items()},
    }


def _below(score: float) -> float:
    return score ** (1.0 / _POWER)


def _true_sources() -> Truths:
    shares = {
        "good": float(np.prod([1.0 - _MARKS[f"pixelFlags_{name}"] for name in _UNUSABLE])),
        "streak": _MARKS["pixelFlags_streak"],
        "streak_center": _MARKS["pixelFlags_streakCenter"],
        "dipole": _MARKS["isDipole"],
        "negative": _MARKS["isNegative"],
        "associated": _ASSOCIATED,
        "solar_system": _SOLAR_SYSTEM,
    }
    scores = {"reliable": 1.0 - _below(0.9), "unreliable": _below(0.1)}
    values = {f"n_dia_{name}": _SOURCES * share for name, share in shares.items()}
    values |= {f"n_dia_{name}": _SOURCES * _SCORED * share for name, share in scores.items()}
    values |= {f"dia_{name}_fraction": 100.0 * share for name, share in (shares | scores).items()}
    values |= {
        "n_dia_sources": _SOURCES,
        "dia_good_fraction.analysis_tools": shares["good"],
        **{f"dia_flag_fraction.{name}": 100.0 * _MARKS[name] for name in sorted(_FLAGS)},
        "dia_reliable_ratio": scores["reliable"] / scores["unreliable"],
        "dia_snr_median": 5.0 * 2.0 ** (1.0 / _SLOPE),
    }
    binned: Truths = {
        ("n_dia_by_reliability", i / 10): _SOURCES * _SCORED * (_below((i + 1) / 10) - _below(i / 10))
        for i in range(10)
    }
    return {**by_metric(values), **binned}


_FAKES = 5000.0
_BRIGHT, _FAINT, _DEPTH, _STEEPNESS = 18.0, 28.0, 24.2, 0.6
_USABLE, _KEPT, _SCATTER = 0.85, 0.95, 60.0
_LIMIT = 24.0  # mag at S/N 5


def _found(mag: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp((mag - _DEPTH) / _STEEPNESS))


def _draw_fakes(rng: np.random.Generator) -> Columns:
    n = int(rng.poisson(_FAKES))
    mag = rng.uniform(_BRIGHT, _FAINT, n)
    found = rng.random(n) < _found(mag)
    return {
        "injection_id": np.arange(n),
        "band": np.full(n, "r"),
        "mag": mag,
        "snr": 5.0 * 10.0 ** (-0.4 * (mag - _LIMIT)),
        "diaSourceId": found.astype(np.int64),
        "dist_diaSrc": np.where(found, 1e-3 * rng.rayleigh(_SCATTER, n), -1.0),
        "isAssocDiaSource": found & (rng.random(n) < _KEPT),
        **{
            f"forced_{name}": (rng.random(n) >= _USABLE) & (name == "bad")
            for name in ("bad", "interpolated", "edgeCenter", "background")
        },
    }


def _true_fakes() -> Truths:
    """Integrate over magnitudes."""

    def mean(low: float, high: float) -> float:
        return float(_found(low + (high - low) * (np.arange(100_000) + 0.5) / 100_000).mean())

    whole = mean(_BRIGHT, _FAINT)
    values = {
        "n_dia_fakes": _FAKES,
        "n_dia_fakes_found": _FAKES * _USABLE * whole,
        "dia_fake_recovered_fraction": 100.0 * whole,
        "dia_fake_recovered_fraction.bright": 100.0 * mean(_BRIGHT, _LIMIT),
        "dia_fake_recovered_fraction.analysis_tools": 100.0 * whole,
        "dia_fake_associated_fraction": 100.0 * whole * _KEPT,
        "dia_fake_distance": _SCATTER * np.sqrt(2.0 * np.log(2.0)),
    }
    # Elsewhere nearly all, or nearly none, are found.
    binned: Truths = {
        ("dia_fake_recovered_by_mag", float(mag)): 100.0 * mean(mag, mag + 1.0) for mag in range(22, 27)
    }
    return {**by_metric(values), **binned}


_SINGLES, _BLENDS = 3000.0, 1500.0
_MASKED = 0.4
"""Share of detections of which too much is masked."""


def _draw_parents(rng: np.random.Generator) -> Columns:
    singles, blends = (int(rng.poisson(number)) for number in (_SINGLES, _BLENDS))
    n = singles + blends
    return {
        "objectId": np.arange(n),
        "parentObjectId": np.zeros(n, dtype=np.int64),
        "tract": np.zeros(n, dtype=np.int64),
        "sky_object": np.zeros(n, dtype=bool),
        **deblended(rng, np.arange(n) >= singles),
        "deblend_skipped_masked": rng.random(n) < _MASKED,
    }


def _true_parents() -> Truths:
    expected = expected_blends(_SINGLES, _BLENDS)
    values = {name: value for name, (value, _) in expected.items()}
    return by_metric({**values, "n_skipped_masked": _MASKED * values["n_skipped_blends"]})


PRODUCTS: tuple[Population, ...] = (
    Population(
        "sources of difference images",
        "dia_source",
        "All is drawn anew: the number of sources, their flags, reliability and objects.",
        _draw_sources,
        _true_sources,
    ),
    Population(
        "fakes of difference images",
        "dia_fake",
        "All is drawn anew: the number of fakes, their magnitudes, and which are found.",
        _draw_fakes,
        _true_fakes,
    ),
    Population(
        "deblended detections",
        "object_parent",
        "All is drawn anew: the number of detections, their peaks, and what becomes of them.",
        _draw_parents,
        _true_parents,
    ),
)
