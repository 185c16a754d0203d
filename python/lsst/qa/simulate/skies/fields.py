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

"""Skies of stars with residual ellipticities that vary smoothly over the
field, for their correlations by separation.
"""

from __future__ import annotations

__all__ = ["CLOSE", "DETECTORS", "FIELDS"]

import functools

import numpy as np

from .population import Columns, Population, Truths, by_metric

_STARS = 350
_NOISE = 0.003
_LEVELS = {"psf_e1": 0.05, "psf_e2": -0.03, "de1": 0.015, "de2": -0.010, "ds": 0.02}
_AMPLITUDES = {"psf_e1": 0.02, "psf_e2": 0.02, "de1": 0.005, "de2": 0.005, "ds": 0.01}
_MODEL_SIZE = 4.0  # sum of the second moments of the PSF model, in pixel^2
_SOBOL = 1 << 19
_FEWEST_PAIRS = 100.0

Story = dict[str, np.ndarray]

TE = (
    ("TE1", "object", 0.0, 1.0),
    ("TE2", "object", 5.0, 100.0),
    ("TE3", "source", 0.0, 1.0),
    ("TE4", "source", 5.0, 100.0),
    ("TE1.pipe_tasks", "source", 0.0, 1.0),
    ("TE2.pipe_tasks", "source", 5.0, 100.0),
)
FARO = (
    ("TE1.faro", "object", 0.25, 1.0),
    ("TE2.faro", "object", 5.0, 20.0),
    ("TE3.faro", "source", 0.25, 5.0),
    ("TE4.faro", "source", 5.0, 20.0),
    ("TE1.faro_source", "source", 0.25, 1.0),
)
RHO = {"": (1.0, 100.0, 10), ".faro": (1.0, 100.0, 10), ".analysis_tools": (0.01, 100.0, 21)}
"""Limits in arcmin, and bins, of the rho statistics in each convention."""


def _smooth(x: np.ndarray, y: np.ndarray, side: float) -> Story:
    """Return the fields without noise, which all skies share: three waves
    about a level, as long as the field is wide.
    """
    rng = np.random.default_rng(8)
    found = {}
    for name, level in _LEVELS.items():
        value = np.full(np.shape(x), level)
        for _ in range(3):
            angle, phase = rng.uniform(0.0, 2.0 * np.pi, 2)
            k = 2.0 * np.pi / side * rng.uniform(0.5, 1.5)
            value += _AMPLITUDES[name] * np.sin(k * (np.cos(angle) * x + np.sin(angle) * y) + phase)
        found[name] = value
    return found


def _columns(kind: str, x: np.ndarray, y: np.ndarray, story: Story, detector: np.ndarray) -> Columns:
    """Make columns of places in arcmin and of the fields there."""
    rows = len(x)
    e1, e2 = story["psf_e1"] + story["de1"], story["psf_e2"] + story["de2"]
    size = _MODEL_SIZE * (1.0 + story["ds"])
    own = {
        "psfFlux": np.full(rows, 2e4),
        "psfFluxErr": np.full(rows, 100.0),
        "extendedness": np.zeros(rows),
        "ixx": 0.5 * size * (1.0 + e1),
        "iyy": 0.5 * size * (1.0 - e1),
        "ixy": 0.5 * size * e2,
        "ixxPSF": 0.5 * _MODEL_SIZE * (1.0 + story["psf_e1"]),
        "iyyPSF": 0.5 * _MODEL_SIZE * (1.0 - story["psf_e1"]),
        "ixyPSF": 0.5 * _MODEL_SIZE * story["psf_e2"],
        "psfFlux_flag": np.zeros(rows, dtype=bool),
    }
    good = np.ones(rows, dtype=bool)
    # On the equator, a plane is as good as the sphere.
    shared = {
        "ra": 10.0 + x / 60.0,
        "dec": y / 60.0,
        "detect_isPrimary": good,
        "detect_isDeblendedSource": good,
    }
    if kind == "object":
        own["pixelFlags_saturatedCenter"] = ~good
        own["psfFluxErr"] = np.full(rows, 50.0)
        keys = {"objectId": np.arange(rows) + 1, "tract": np.zeros(rows, np.int64)}
        return {**keys, **shared, **{f"r_{name}": values for name, values in own.items()}}
    flags = {f"pixelFlags_{name}": ~good for name in ("bad", "cr", "edge", "saturated")}
    keys = {"sourceId": np.arange(rows) + 1, "visit": np.ones(rows, np.int64), "detector": detector}
    return {**keys, "band": np.full(rows, "r"), **shared, **own, "calib_psf_used": good, **flags}


def _draw(kind: str, side: float, rng: np.random.Generator) -> Columns:
    x, y = rng.uniform(-0.5 * side, 0.5 * side, (2, _STARS))
    story = _smooth(x, y, side)
    for name in ("de1", "de2", "ds"):
        story[name] = story[name] + _NOISE * rng.standard_normal(_STARS)
    return _columns(kind, x, y, story, np.zeros(_STARS, np.int64))


def _kinds(story: Story, convention: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ellipticity, its residual, and relative size residual, of fields
    without noise; that of the stars is too small to shift their means.
    """
    model = story["psf_e1"] + 1j * story["psf_e2"]
    star = model + story["de1"] + 1j * story["de2"]
    ratio = 1.0 + story["ds"]
    if convention == "":
        shear = [e / (1.0 + np.sqrt(1.0 - np.abs(e) ** 2)) for e in (model, star)]
        return shear[0], shear[1] - shear[0], ratio - 1.0
    if convention == ".faro":
        return model, star - model, 2.0 * (ratio - 1.0) / (ratio + 1.0)
    return 0.5 * star, 0.5 * (star - model), 1.0 - 1.0 / np.sqrt(ratio)


def _pairs(side: float, low: float, high: float) -> tuple[Story, Story, float]:
    """Return the fields at both ends of pairs all over the square, and the
    share of all pairs that are so far apart.
    """
    from scipy.stats import qmc

    u = qmc.Sobol(4, rng=9).random(_SOBOL)
    x, y = side * (u[:, 0] - 0.5), side * (u[:, 1] - 0.5)
    r = np.sqrt(low**2 + (high**2 - low**2) * u[:, 2])
    x2, y2 = x + r * np.cos(2.0 * np.pi * u[:, 3]), y + r * np.sin(2.0 * np.pi * u[:, 3])
    kept = np.maximum(np.abs(x2), np.abs(y2)) <= 0.5 * side
    share = np.pi * (high**2 - low**2) / side**2 * float(np.mean(kept))
    return _smooth(x[kept], y[kept], side), _smooth(x2[kept], y2[kept], side), share


def _truths(kind: str, side: float) -> Truths:
    """Integrate over pairs."""
    widest = np.sqrt(2.0) * side
    truths: Truths = {}
    pairs = 0.5 * _STARS**2
    for name, table, low, high in TE:
        one, other, share = _pairs(side, low, min(high, widest))
        if table != kind or share * pairs < _FEWEST_PAIRS:
            continue
        products = {
            "E1": np.mean(one["de1"] * other["de1"]),
            "E2": np.mean(one["de2"] * other["de2"]),
            "Ex": np.mean(one["de1"] * other["de2"]),
        }
        peer = "pipe" in name
        truths |= {
            (f"{name}{f'_{c.lower()}' if peer else f'.{c}'}", None): float(v) for c, v in products.items()
        }
        if not peer:
            truths[name, None] = float(products["E1"] + products["E2"])
    for name, table, low, high in FARO:
        edges = np.geomspace(low, high, 11)
        if table != kind or edges[1] > side / 10.0 and high < side / 10.0 or high > widest / 1.3:
            continue
        found = [_pairs(side, *edges[k : k + 2]) for k in range(10)]
        # Bins that are empty by chance would count as nought.
        if min(share for _, _, share in found) * pairs < 8.0:
            continue
        values = [
            np.mean(one["de1"] * other["de1"]) + np.mean(one["de2"] * other["de2"]) for one, other, _ in found
        ]
        truths[name, None] = float(np.mean(np.abs(values)))
    return {**truths, **_rho_truths(kind, side, pairs)}


def _rho_truths(kind: str, side: float, pairs: float) -> Truths:
    before = "coadd_" if kind == "object" else ""
    truths: Truths = {}
    for convention, (low, high, bins) in RHO.items():
        edges = np.geomspace(low, high, bins + 1)
        for k in range(bins):
            if edges[k] > 1.2 * side:
                continue
            one, other, share = _pairs(side, *edges[k : k + 2])
            if share * pairs < _FEWEST_PAIRS:
                continue
            (e, de, s), (f, df, t) = (_kinds(story, convention) for story in (one, other))
            products = (s * t, de * np.conj(df), e * np.conj(df), e * s * np.conj(f * t), de * np.conj(f * t))
            for which, product in enumerate((*products, e * np.conj(f * t))):
                truths[f"{before}rho{which}{convention}", float(edges[k])] = float(np.mean(product.real))
    return truths


def _population(kind: str, side: float, name: str) -> Population:
    return Population(
        name=f"{name} of a {'visit' if kind == 'source' else 'coadd'}",
        kind=kind,
        doc=f"Places of 350 stars in {side:g} by {side:g} arcmin and their noise; the fields stay.",
        draw=functools.partial(_draw, kind, side),
        truths=functools.partial(_truths, kind, side),
    )


FIELDS = tuple(_population(kind, 20.0, "PSF residuals in a field") for kind in ("source", "object"))
"""Skies for correlations over minutes of arc."""

CLOSE = tuple(_population(kind, 1.0, "PSF residuals close together") for kind in ("source", "object"))
"""Skies for correlations over seconds of arc."""

_NUMBER, _EACH, _SIDE = 60, 25, 10.0
_SPREAD = 0.02


def _residuals(rng: np.random.Generator, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the residuals of the stars of detectors: each has one of its own,
    and noise.
    """
    level = np.array([0.01, -0.02])[:, None, None] + _SPREAD * rng.standard_normal((2, number, 1))
    drawn = level + _NOISE * rng.standard_normal((2, number, _EACH))
    return drawn[0], drawn[1]


def _draw_detectors(rng: np.random.Generator) -> Columns:
    de1, de2 = _residuals(rng, _NUMBER)
    x, y = rng.uniform(0.0, _SIDE, (2, _NUMBER, _EACH))
    detector = np.repeat(np.arange(_NUMBER), _EACH)
    zero = np.zeros(_NUMBER * _EACH)
    story = {"psf_e1": zero, "psf_e2": zero, "de1": de1.ravel(), "de2": de2.ravel(), "ds": zero}
    return _columns("source", x.ravel() + 12.0 * detector, y.ravel(), story, detector)


def _detector_truths() -> Truths:
    """Count the pairs of many detectors one by one."""
    rng = np.random.default_rng(10)
    i, j = np.triu_indices(_EACH, 1)
    limits = {"TE3": (0.0, 5.0), "TE4": (5.0, 20.0)}
    found: dict[str, list[np.ndarray]] = {}
    for _ in range(40):
        a, b = _residuals(rng, 5000)
        x, y = rng.uniform(0.0, _SIDE, (2, 5000, _EACH))
        apart = np.hypot(x[:, i] - x[:, j], y[:, i] - y[:, j])
        products = {
            "e1": a[:, i] * a[:, j],
            "e2": b[:, i] * b[:, j],
            "ex": 0.5 * (a[:, i] * b[:, j] + b[:, i] * a[:, j]),
        }
        for name, (low, high) in limits.items():
            within = (apart >= low) & (apart < high)
            for component, product in products.items():
                values = np.sum(product * within, axis=1) / within.sum(axis=1)
                found.setdefault(f"{name}.pipe_tasks_{component}", []).append(values)
    return by_metric({name: float(np.median(np.concatenate(part))) for name, part in found.items()})


DETECTORS = Population(
    name="PSF residuals by detector",
    kind="source",
    doc="60 detectors: the residual of each, places and noise of its 25 stars.",
    draw=_draw_detectors,
    truths=_detector_truths,
)
"""Skies of detectors that differ."""
