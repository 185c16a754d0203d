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

"""Skies of stars whose shapes and sizes differ from the PSF model's, of a
visit and of a coadd.
"""

from __future__ import annotations

__all__ = ["STARS"]

import functools
from typing import Any

import numpy as np
from scipy.special import ndtr

from ..imaging import moments
from .population import Columns, Population, Truths, scatter

_BRIGHTEST, _FAINTEST = 16.0, 24.0
_FAINTEST_SNR = 60.0
_NUMBER = {"source": 2400, "object": 1600}
_INTEGRAL = 10_000_000
_LIMITS = {
    "source": {"": 50.0, ".lowSN": 100.0, ".highSN": 500.0},
    "object": {"": 100.0, ".lowSN": 500.0, ".highSN": 2700.0},
}
_SPOILT = {
    "source": ("pixelFlags_bad", "pixelFlags_cr", "pixelFlags_edge", "pixelFlags_saturated"),
    "object": ("psfFlux_flag", "pixelFlags_saturatedCenter"),
}
_CHANCE = 0.1
_OFFSET, _SPREAD, _OUTLYING = 8.0, 25.0, 50.0  # mmag
"""Of PSF magnitudes from the model's, and what is far for these."""


def _story(kind: str, rng: np.random.Generator, n: int) -> Columns:
    """Draw stars; radii are those of the determinant."""
    mag = rng.uniform(_BRIGHTEST, _FAINTEST, n)
    snr = _FAINTEST_SNR * 10.0 ** (0.4 * (_FAINTEST - mag))
    noise = np.hypot(0.01, 2.0 / snr)
    model = {
        "psf_e1": rng.normal(0.02, 0.03, n),
        "psf_e2": rng.normal(-0.01, 0.03, n),
        "psf_size": 2.0 * np.exp(rng.normal(0.0, 0.05, n)),
    }
    return {
        "mag": mag,
        "snr": snr,
        **model,
        "e1": model["psf_e1"] + rng.normal(0.004, noise),
        # Residuals need not be Gaussian.
        "e2": model["psf_e2"] - 0.003 + noise * rng.standard_exponential(n),
        "size": model["psf_size"] * (1.01 + rng.normal(0.0, 0.5 * noise)),
        "extended": rng.random(n) < _CHANCE,
        "primary": rng.random(n) >= _CHANCE,
        "used": rng.random(n) < 0.5,
        **{name: rng.random(n) < _CHANCE for name in _SPOILT[kind]},
    }


def _draw(kind: str, rng: np.random.Generator) -> Columns:
    story = _story(kind, rng, int(rng.poisson(_NUMBER[kind])))
    flux = 10.0 ** (-0.4 * (story["mag"] - 31.4))
    measured = {
        "psfFlux": flux,
        "psfFluxErr": flux / story["snr"],
        "extendedness": story["extended"] * 1.0,
        **dict(zip(("ixx", "iyy", "ixy"), moments(story["e1"], story["e2"], story["size"]))),
        **dict(
            zip(("ixxPSF", "iyyPSF", "ixyPSF"), moments(story["psf_e1"], story["psf_e2"], story["psf_size"]))
        ),
        **{name: story[name] for name in _SPOILT[kind]},
    }
    rows = len(flux)
    away = _OFFSET + _SPREAD * rng.standard_normal(rows)
    measured["cModelFlux" if kind == "object" else "gaussianFlux"] = flux * 10.0 ** (0.4e-3 * away)
    shared = {"detect_isPrimary": story["primary"]}
    if kind == "object":
        own = {f"r_{name}": values for name, values in measured.items()}
        return {"objectId": np.arange(rows) + 1, "tract": np.zeros(rows, np.int64), **shared, **own}
    visit = {"sourceId": np.arange(rows) + 1, "visit": np.ones(rows, np.int64), "band": np.full(rows, "r")}
    return {**visit, **shared, **measured, "calib_psf_used": story["used"]}


def _truths(kind: str) -> Truths:
    """Integrate over stars of every magnitude."""
    story = _story(kind, np.random.default_rng(1), _INTEGRAL)
    bad = np.any([story[name] for name in _SPOILT[kind]], axis=0)
    usable = story["primary"] & ~story["extended"] & ~bad
    per_row = _NUMBER[kind] / _INTEGRAL
    away = _residuals(story)
    before = "coadd_" if kind == "object" else ""
    found: dict[str, Any] = {}
    for suffix, least in _LIMITS[kind].items():
        chosen = usable & (story["snr"] > least)
        found[f"n_residual_stars{suffix}"] = chosen.sum() * per_row
        for name in ("e1", "e2", "size"):
            found[f"{name}_residual_median{suffix}"] = np.median(away[name][chosen])
            found[f"{name}_residual_scatter{suffix}"] = scatter(away[name][chosen])
    chosen = usable & (story["snr"] > _LIMITS[kind][""])
    found["size_residual_median.trace"] = np.median(away["trace"][chosen])
    found["size_residual_scatter.trace"] = scatter(away["trace"][chosen])
    for name in ("star_trace", "psf_trace", "star_determinant", "psf_determinant"):
        found[f"{name}_radius"] = np.median(away[name][chosen])
    found |= {"psf_model_offset": _OFFSET, "psf_model_scatter": _SPREAD}
    far = ndtr((_OFFSET - _OUTLYING) / _SPREAD) + ndtr((-_OFFSET - _OUTLYING) / _SPREAD)
    found["psf_model_outlier_fraction"] = 100.0 * far
    if kind == "source":
        model = np.hypot(story["psf_e1"], story["psf_e2"])[chosen]
        found |= {"SE1": np.median(model), "SE2": np.quantile(model, 0.95)}
        found["EF1"] = 100.0 * np.mean(model > 0.07)
        for name, at in (("e1", "e1"), ("e2", "e2"), ("size", "trace_difference")):
            found[f"{name}_residual_median.pipe_tasks"] = np.median(away[at][story["used"]])
            found[f"{name}_residual_scatter.pipe_tasks"] = scatter(away[at][story["used"]])
    truths: Truths = {(before + name, None): float(value) for name, value in found.items()}
    away["e"] = np.hypot(story["e1"], story["e2"])
    for low in np.arange(_BRIGHTEST, _FAINTEST):
        within = chosen & (story["mag"] >= low) & (story["mag"] < low + 1.0)
        if within.any():
            for name in ("e1_residual", "e2_residual", "size_residual", "ellipticity"):
                values = away["e" if name == "ellipticity" else name.partition("_")[0]]
                truths[f"{before}{name}_by_mag", float(low)] = float(np.median(values[within]))
    return truths


def _residuals(story: Columns) -> Columns:
    """Return what is measured of each star; a trace radius is that of the
    determinant over (1 - e^2)^(1/4).
    """
    star = story["size"] / (1.0 - story["e1"] ** 2 - story["e2"] ** 2) ** 0.25
    model = story["psf_size"] / (1.0 - story["psf_e1"] ** 2 - story["psf_e2"] ** 2) ** 0.25
    return {
        "e1": story["e1"] - story["psf_e1"],
        "e2": story["e2"] - story["psf_e2"],
        "size": story["size"] / story["psf_size"] - 1.0,
        "trace": star / model - 1.0,
        "trace_difference": star - model,
        "star_trace": star,
        "psf_trace": model,
        "star_determinant": story["size"],
        "psf_determinant": story["psf_size"],
    }


STARS = tuple(
    Population(
        name=f"shapes of a {'visit' if kind == 'source' else 'coadd'}'s stars",
        kind=kind,
        doc="Number of stars (Poisson), magnitudes, PSF, shapes, flags.",
        draw=functools.partial(_draw, kind),
        truths=functools.partial(_truths, kind),
    )
    for kind in ("source", "object")
)
"""Skies of a visit, and of a coadd."""
