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

"""Skies of stars that several visits see: their positions, and the separations
of pairs.
"""

from __future__ import annotations

__all__ = ["PAIRS"]

import numpy as np

from .population import Columns, Population, Truths, by_metric, row_medians

_VISITS = 6
_MISSING = 0.1
_STARS = 150  # in each of two fields
_SIDE, _APART = 24.0, 200.0  # arcmin
_RA = 10.0
_MAS = 3.6e6
_WAVES = 4
_JITTER, _LENGTH = 7.0, 12.0  # mas, arcmin
_DISTANCES = {"1": (5.0, 20.0), "2": (20.0, 20.0), "3": (200.0, 30.0)}
"""By the last digit of the metric: distance in arcmin, limit of AF in mas."""

_BATCH, _PAIRS = 1_000_000, 2_000_000


def _waves() -> np.ndarray:
    """Return waves that shift the stars of each visit, which all skies share:
    wave vector, phase, and amplitude to the east and to the north.
    """
    rng = np.random.default_rng(6)
    shape = (_VISITS, _WAVES)
    angle, phase = rng.uniform(0.0, 2.0 * np.pi, (2, *shape))
    k = 2.0 * np.pi / _LENGTH * rng.uniform(0.3, 1.0, shape)
    size = _JITTER / np.sqrt(0.5 * _WAVES)
    return np.stack([k * np.cos(angle), k * np.sin(angle), phase, *(size * rng.standard_normal((2, *shape)))])


_FIELD = _waves()


def _jitter(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the shifts at places in each visit, in mas."""
    east, north = np.zeros((2, len(x), _VISITS))
    for wave in range(_WAVES):
        kx, ky, phase, a, b = _FIELD[:, :, wave]
        value = np.sin(x[:, None] * kx + y[:, None] * ky + phase)
        east += a * value
        north += b * value
    return east, north


def _stars(rng: np.random.Generator, n: int, field: np.ndarray) -> dict[str, np.ndarray]:
    """Draw stars of two fields."""
    x, y = rng.uniform(-0.5 * _SIDE, 0.5 * _SIDE, (2, n))
    # Some stars are much worse than others of their magnitude.
    mag, noise = rng.uniform(17.5, 21.0, n), 8.0 * np.exp(rng.normal(0.0, 0.7, n))
    return {"x": x + _APART * field, "y": y, "mag": mag, "noise": noise}


def _measured(rng: np.random.Generator, stars: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the errors of positions, east and north, NaN where missing."""
    east, north = _jitter(stars["x"], stars["y"])
    east += stars["noise"][:, None] * rng.standard_normal(east.shape)
    north += stars["noise"][:, None] * rng.standard_normal(north.shape)
    missing = rng.random(east.shape) < _MISSING
    return np.where(missing, np.nan, east), np.where(missing, np.nan, north)


def _draw(rng: np.random.Generator) -> Columns:
    stars = _stars(rng, 2 * _STARS, np.repeat([0, 1], _STARS))
    east, north = _measured(rng, stars)
    star, visit = np.nonzero(np.isfinite(east))
    flux = 10.0 ** (-0.4 * (stars["mag"][star] - 31.4))
    good = np.ones(len(star), dtype=bool)
    return {
        "star": star + 1,
        "sourceId": np.arange(len(star)) + 1,
        "visit": visit + 1,
        "band": np.full(len(star), "r"),
        # On the equator, a plane is as good as the sphere.
        "ra": _RA + stars["x"][star] / 60.0 + east[star, visit] / _MAS,
        "dec": stars["y"][star] / 60.0 + north[star, visit] / _MAS,
        "psfFlux": flux,
        "psfFluxErr": flux / 200.0,
        "extendedness": np.zeros(len(star)),
        "detect_isPrimary": good,
        **{f"pixelFlags_{name}": ~good for name in ("bad", "cr", "edge", "saturated")},
    }


def _pairs(rng: np.random.Generator, distance: float) -> np.ndarray:
    """Draw pairs of stars, and return the errors of their separation in each
    visit, (n, visits).
    """
    found: list[np.ndarray] = []
    while sum(map(len, found)) < _PAIRS:
        far = distance > 0.5 * _APART
        field = np.zeros(_BATCH, np.int64) if far else rng.integers(0, 2, _BATCH)
        one, other = _stars(rng, _BATCH, field), _stars(rng, _BATCH, field + far)
        dx, dy = other["x"] - one["x"], other["y"] - one["y"]
        apart = np.hypot(dx, dy)
        kept = (apart >= distance - 1.0) & (apart < distance + 1.0)
        (e1, n1), (e2, n2) = (
            _measured(rng, {k: v[kept] for k, v in stars.items()}) for stars in (one, other)
        )
        ux, uy = (dx / apart)[kept, None], (dy / apart)[kept, None]
        found.append(ux * (e2 - e1) + uy * (n2 - n1))
    return np.concatenate(found)


def _truths() -> Truths:
    """Integrate over stars, pairs and their noise."""
    rng = np.random.default_rng(7)
    found: dict[str, float] = {}
    for digit, (distance, limit) in _DISTANCES.items():
        apart = _pairs(rng, distance)
        common = np.isfinite(apart).sum(axis=1)
        rms = np.nanstd(apart[common >= 2], axis=1, ddof=1)
        often = apart[common >= 3]
        about_median = np.abs(often - row_medians(often)[:, None])
        about_median = about_median[np.isfinite(about_median)]
        about_mean = often - np.nanmean(often, axis=1, keepdims=True)
        about_mean = about_mean[np.isfinite(about_mean)]
        ways = {
            "": about_median,
            ".faro": about_median - np.median(about_median),
            ".analysis_tools": np.abs(about_mean - np.median(about_mean)),
        }
        for way, away in ways.items():
            found[f"AM{digit}{way}"] = np.median(rms)
            found[f"AD{digit}{way}"] = np.quantile(away, 0.9)
            found[f"AF{digit}{way}"] = 100.0 * np.mean(np.abs(away) > limit)
        found[f"AD{digit}.validate_drp"] = np.quantile(rms, 0.9) - np.median(rms)
        found[f"AF{digit}.validate_drp"] = 100.0 * np.mean(rms > np.median(rms) + limit)
    return by_metric({**found, **_alone(rng)})


def _alone(rng: np.random.Generator) -> dict[str, float]:
    """Return the scatter of single stars of the two fields."""
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    for _ in range(8):
        stars = _stars(rng, 500_000, rng.integers(0, 2, 500_000))
        east, north = _measured(rng, stars)
        twice = np.isfinite(east).sum(axis=1) >= 2
        parts.append((np.nanstd(east[twice], axis=1, ddof=1), np.nanstd(north[twice], axis=1, ddof=1)))
    east, north = (np.median(np.concatenate(part)) for part in zip(*parts))
    found = {"dmL2AstroErr_RA": float(east), "dmL2AstroErr_Dec": float(north)}
    # On the equator RA cos(Dec) does not take in what varies in Dec.
    return found | {f"{name}.analysis_tools": value for name, value in found.items()}


PAIRS = Population(
    name="positions of stars of 6 visits",
    kind="matched",
    doc="150 stars in each of two fields 200 arcmin apart: places, magnitudes, noise, missing visits; the"
    " visits' own distortions stay.",
    draw=_draw,
    truths=_truths,
)
"""Skies of pairs."""
