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

"""Skies for counts, fractions, depths and the background: rows of each class,
columns with holes, flags, empty apertures.
"""

from __future__ import annotations

__all__ = ["CENSUS", "DEPTHS"]

import functools

import numpy as np

from .population import Columns, Population, Truths, by_metric, scatter

_ROWS = 3000
_NAN, _INFINITE, _SMALL, _LARGE, _FLAG, _PRIMARY, _SKY, _STAR = 0.15, 0.1, 0.12, 0.13, 0.2, 0.8, 0.15, 0.4
_HOLED = {
    "source": ("psfFlux", "psfFluxErr", "gaussianFlux", "ap09Flux"),
    "object": ("psfFlux", "psfFluxErr", "cModelFlux", "cModelFluxErr", "ap09Flux"),
}
_SHAPES = ("extendedness", "ixx", "iyy", "ixy", "ixxPSF", "iyyPSF", "ixyPSF", "ra", "dec")
_VALID = ("psfFlux", "ap09Flux")
_FLAGS = {
    "source": (
        "psfFlux_flag",
        "centroid_flag",
        "pixelFlags_bad",
        "pixelFlags_cr",
        "pixelFlags_edge",
        "pixelFlags_interpolated",
        "pixelFlags_saturated",
        "pixelFlags_suspect",
    ),
    "object": ("psfFlux_flag", "pixelFlags_edge", "pixelFlags_nodata", "pixelFlags_saturatedCenter"),
}


def _in_table(kind: str, rows: int, shared: Columns, own: Columns) -> Columns:
    """Give columns the names, and the keys, of their table."""
    if kind == "source":
        keys = {"sourceId": np.arange(rows) + 1, "visit": np.ones(rows, np.int64)}
        return {**keys, "band": np.full(rows, "r"), **shared, **own}
    keys = {"objectId": np.arange(rows) + 1, "tract": np.zeros(rows, np.int64)}
    banded = {name if name in ("ra", "dec") else f"r_{name}": values for name, values in own.items()}
    return {**keys, **shared, **banded}


def _census(kind: str, rng: np.random.Generator) -> Columns:
    rows = int(rng.poisson(_ROWS))
    choice = np.array([np.nan, np.inf, 0.01, 1e10, 100.0])
    chances = [_NAN, _INFINITE, _SMALL, _LARGE, 1.0 - _NAN - _INFINITE - _SMALL - _LARGE]
    own = {name: rng.choice(choice, rows, p=chances) for name in (*_HOLED[kind], *_SHAPES)}
    # Classes: a star, a galaxy, and two ways to be neither.
    other = 1.0 - _STAR - _NAN - _INFINITE
    own["extendedness"] = rng.choice(
        np.array([0.0, np.nan, np.inf, 1.0]), rows, p=[_STAR, _NAN, _INFINITE, other]
    )
    own |= {name: rng.random(rows) < _FLAG for name in _FLAGS[kind]}
    shared = {"detect_isPrimary": rng.random(rows) < _PRIMARY}
    shared["sky_source" if kind == "source" else "sky_object"] = rng.random(rows) < _SKY
    return _in_table(kind, rows, shared, own)


def _census_truths(kind: str) -> Truths:
    """Say what was put in."""
    before = "coadd_" if kind == "object" else ""
    found = {f"flag_fraction.{name}": 100.0 * _FLAG for name in _FLAGS[kind]}
    for name in (*_HOLED[kind], *_SHAPES):
        found[f"nan_fraction.{name}"] = 100.0 * _NAN
        found[f"finite_fraction.{name}"] = 100.0 * (1.0 - _NAN - _INFINITE)
    for name in _VALID:
        found[f"valid_fraction.{name}"] = 100.0 * (1.0 - _NAN - _INFINITE - _SMALL - _LARGE)
    found["psf_flux_finite_fraction"] = 100.0 * (1.0 - _NAN - _INFINITE)
    found["n_objects" if kind == "object" else "n_sources"] = _ROWS
    found["n_primary"] = _ROWS * _PRIMARY
    found["n_stars"] = _ROWS * _PRIMARY * _STAR
    found["n_galaxies"] = _ROWS * _PRIMARY * (1.0 - _STAR - _NAN - _INFINITE)
    found["n_unclassified"] = _ROWS * _PRIMARY * (_NAN + _INFINITE)
    found["n_sky"] = _ROWS * _SKY
    return by_metric({before + name: value for name, value in found.items()})


_FAINT_SLOPE = 0.5
_SKY_LEVEL, _SKY_NOISES = 12.0, (40.0, 55.0)


def _faint(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw fluxes of faint stars, more of the fainter, and their errors."""
    error = 20.0 * np.exp(rng.normal(0.0, 0.1, rows))
    return error * (rng.exponential(1.0 / _FAINT_SLOPE, rows) + 3.0), error


def _empty(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Draw fluxes of the sky, from two levels of noise."""
    return rng.normal(_SKY_LEVEL, rng.choice(_SKY_NOISES, rows))


def _depths(kind: str, rng: np.random.Generator) -> Columns:
    rows = int(rng.poisson(_ROWS))
    sky = rng.random(rows) < 0.3
    flux, error = _faint(rng, rows)
    own = {
        "psfFlux": flux,
        "psfFluxErr": error,
        "ap09Flux": np.where(sky, _empty(rng, rows), np.nan),
        "extendedness": np.where(sky, np.nan, 0.0),
        "pixelFlags_edge": rng.random(rows) < 0.1,
        "pixelFlags_nodata": rng.random(rows) < 0.1,
    }
    shared = {"detect_isPrimary": ~sky, "sky_source" if kind == "source" else "sky_object": sky}
    return _in_table(kind, rows, shared, own)


def _depth_truths(kind: str) -> Truths:
    """Integrate over fluxes."""
    rng = np.random.default_rng(2)
    flux, error = _faint(rng, 20_000_000)
    at = np.abs(flux / error - 5.0) < 0.25
    mags = 31.4 - 2.5 * np.log10(flux[at])
    sky = _empty(rng, 20_000_000)
    found = {
        "five_sigma_depth": np.median(mags),
        "five_sigma_depth_mean": np.mean(mags),
        "sky_flux_median": _SKY_LEVEL,
        "sky_flux_mean": _SKY_LEVEL,
        "sky_flux_stdev": np.sqrt(np.mean(np.square(_SKY_NOISES))),
        "sky_flux_sigma_mad": scatter(sky),
        "surface_brightness_limit": _limit(sky, 0.2),
    }
    found |= {f"sky_flux_{name}.faro": found[f"sky_flux_{name}"] for name in ("mean", "stdev")}
    if kind == "object":
        found["surface_brightness_limit.HSC"] = _limit(sky, 0.168)
    return by_metric({("coadd_" if kind == "object" else "") + name: v for name, v in found.items()})


def _limit(sky: np.ndarray, pixel: float) -> float:
    """Return three sigma over 10 by 10 arcsec of pixels of so many arcsec,
    sigma that of apertures of 9 pixels' radius within three times itself.
    """
    sigma = float(np.std(sky))
    for _ in range(30):
        sigma = float(np.std(sky[np.abs(sky - _SKY_LEVEL) < 3.0 * sigma]))
    return float(31.4 - 2.5 * np.log10(3.0 * sigma / np.sqrt(np.pi * 81.0) / (10.0 * pixel)))


CENSUS = tuple(
    Population(
        name=f"census of a {'visit' if kind == 'source' else 'coadd'}",
        kind=kind,
        doc="Number of rows (Poisson), their classes, flags and holes.",
        draw=functools.partial(_census, kind),
        truths=functools.partial(_census_truths, kind),
    )
    for kind in ("source", "object")
)
"""Skies of rows to count."""

DEPTHS = tuple(
    Population(
        name=f"faint stars and sky of a {'visit' if kind == 'source' else 'coadd'}",
        kind=kind,
        doc="Number of rows (Poisson), fluxes, noise of the sky.",
        draw=functools.partial(_depths, kind),
        truths=functools.partial(_depth_truths, kind),
    )
    for kind in ("source", "object")
)
"""Skies of faint stars and empty apertures."""
