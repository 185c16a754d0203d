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

"""Skies of stars and galaxies that several visits see: their magnitudes."""

from __future__ import annotations

__all__ = ["BRIGHT", "FAINT"]

from collections.abc import Callable, Iterator

import numpy as np

from .population import Columns, Population, Truths, by_metric, row_medians

_VISITS = 8
_OFFSETS = np.array([4.0, -3.0, 2.0, 0.0, -5.0, 1.0, 3.0, -2.0])  # mmag, of each visit
_MISSING = 0.1
_ERROR = 100.0  # nJy
_BRIGHT, _FAINT = 1000, 1000
_BATCHES, _BATCH = 20, 200_000
_LIMIT = 15.0
_BINS = ((5.0, 10.0), (10.0, 20.0), (20.0, 40.0), (40.0, 80.0))

Story = dict[str, np.ndarray]


def _bright(rng: np.random.Generator, n: int) -> Story:
    """Draw bright stars: each varies by as much as it likes."""
    shape = (n, _VISITS)
    own = 8.0 * np.exp(rng.normal(0.0, 0.7, (n, 1)))
    error = _OFFSETS + own * rng.standard_normal(shape)
    flux = _ERROR * np.exp(rng.uniform(np.log(150.0), np.log(3000.0), (n, 1)))
    psf = flux * 10.0 ** (-0.4e-3 * error) + _ERROR * rng.standard_normal(shape)
    return {"psf": psf, "seen": rng.random(shape) >= _MISSING}


def _faint(rng: np.random.Generator, n: int) -> Story:
    """Draw faint stars and galaxies, some detections of the other class."""
    shape = (n, _VISITS)
    flux = _ERROR * np.exp(rng.uniform(np.log(4.0), np.log(100.0), (n, 1)))
    scale = 10.0 ** (-0.4e-3 * (_OFFSETS + 5.0 * rng.standard_normal(shape)))
    galaxy = rng.random((n, 1)) < 0.5
    return {
        "psf": flux * scale + _ERROR * rng.standard_normal(shape),
        "model": 1.2 * flux * scale + 1.3 * _ERROR * rng.standard_normal(shape),
        "galaxy": np.where(rng.random(shape) < 0.01, ~galaxy, galaxy),
        "seen": rng.random(shape) >= _MISSING,
    }


def _columns(story: Story) -> Columns:
    star, visit = np.nonzero(story["seen"])
    psf = story["psf"][star, visit]
    galaxy = story["galaxy"][star, visit] if "galaxy" in story else np.zeros(len(star))
    return {
        "star": star + 1,
        "sourceId": np.arange(len(star)) + 1,
        "visit": visit + 1,
        "band": np.full(len(star), "r"),
        "psfFlux": psf,
        "psfFluxErr": np.full(len(star), _ERROR),
        "gaussianFlux": story["model"][star, visit] if "model" in story else psf,
        "extendedness": galaxy * 1.0,
    }


def _mags(flux: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return magnitudes in mmag, NaN where not seen, infinite for no flux."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mags = np.where(flux > 0.0, -2500.0 * np.log10(flux), np.inf)
    return np.where(seen, mags, np.nan)


def _batches(story: Callable[[np.random.Generator, int], Story]) -> Iterator[Story]:
    rng = np.random.default_rng(4)
    for _ in range(_BATCHES):
        yield story(rng, _BATCH)


def _rms(mags: np.ndarray, ddof: int) -> np.ndarray:
    return np.nanstd(mags, axis=1, ddof=ddof)


def _bright_truths() -> Truths:
    """Integrate over stars and their noise."""
    parts: dict[str, list[np.ndarray]] = {}
    rng = np.random.default_rng(5)
    for story in _batches(_bright):
        for own, seen in (("", story["seen"]), ("own", story["seen"] & (story["psf"] > 200.0 * _ERROR))):
            often = seen.sum(axis=1) >= 2
            kept, mags = seen[often], _mags(story["psf"], seen)[often]
            bright = row_medians(np.where(kept, story["psf"][often] / _ERROR, np.nan)) >= 200.0
            kept, mags = kept[bright], mags[bright]
            if not own:
                first, second = _two(rng, kept)
                rows = np.arange(len(mags))
                parts.setdefault("difference", []).append(mags[rows, first] - mags[rows, second])
            mags = mags[kept.sum(axis=1) >= 3]
            parts.setdefault(f"rms{own}", []).append(_rms(mags, 1))
            if not own:
                parts.setdefault("population", []).append(_rms(mags, 0))
                away = mags - np.nanmean(mags, axis=1, keepdims=True)
                parts.setdefault("away", []).append(np.abs(away[np.isfinite(away)]).astype(np.float32))
    whole = {name: np.concatenate(part) for name, part in parts.items()}
    low, high = np.percentile(whole["difference"], [25, 75])
    return by_metric(
        {
            "PA1": np.median(whole["rms"]),
            "PA1.faro": np.median(whole["population"]),
            "PA1.analysis_tools": np.median(whole["rmsown"]),
            "PA1.validate_drp": (high - low) * 0.741301109252801 / np.sqrt(2.0),
            "PA2": np.quantile(whole["away"], 0.9),
            "PF1": 100.0 * np.mean(whole["away"] > _LIMIT),
            "PF1.faro": 100.0 * np.mean(whole["away"] > _LIMIT),
            "PF1.validate_drp": 100.0 * np.mean(np.abs(whole["difference"]) > np.sqrt(2.0) * _LIMIT),
            "PA2.validate_drp": np.quantile(np.abs(whole["difference"]), 0.9) / np.sqrt(2.0),
            "photRepeatOutlier.analysis_tools": 100.0
            * np.mean(whole["rmsown"] > np.median(whole["rmsown"]) + _LIMIT),
        }
    )


def _two(rng: np.random.Generator, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw two different visits of each star."""
    order = np.argsort(np.where(seen, rng.random(seen.shape), 2.0), axis=1)
    return order[:, 0], order[:, 1]


def _faint_truths() -> Truths:
    """Integrate over stars, galaxies and their noise."""
    parts: dict[str, list[np.ndarray]] = {}
    for story in _batches(_faint):
        seen, galaxy = story["seen"], story["galaxy"]
        snr = np.where(seen, story["psf"] / _ERROR, np.nan)
        count, extended = seen.sum(axis=1), (seen & galaxy).sum(axis=1)
        middle = row_medians(snr)
        for flux, kind in (("psf", "Star"), ("model", "Star"), ("model", "Gal")):
            dark = (story["psf"] <= 0.0) | (story[flux] <= 0.0)
            usable, mags = (count >= 3) & ~np.any(seen & dark, axis=1), _mags(story[flux], seen)
            # A tie of a median is halfway: neither a star nor a galaxy.
            most = 2 * extended > count if kind == "Gal" else 2 * extended < count
            every = extended == (count if kind == "Gal" else 0)
            for place, (low, high) in enumerate(_BINS, start=1):
                here = usable & (middle >= low) & (middle <= high)
                name = f"{flux}PhotRep{kind}{place}"
                parts.setdefault(name, []).append(_rms(mags[here & most], 1))
                parts.setdefault(f"{name}.faro", []).append(_rms(mags[here & every], 0))
    return by_metric({name: float(np.median(np.concatenate(part))) for name, part in parts.items()})


BRIGHT = Population(
    name="bright stars of 8 visits",
    kind="matched",
    doc="1000 stars: flux, own variability, noise, missing visits; the visits' zero points stay.",
    draw=lambda rng: _columns(_bright(rng, _BRIGHT)),
    truths=_bright_truths,
)
"""Skies of bright stars."""

FAINT = Population(
    name="faint stars and galaxies of 8 visits",
    kind="matched",
    doc="1000 stars and galaxies: flux, noise, class, missing visits; the visits' zero points stay.",
    draw=lambda rng: _columns(_faint(rng, _FAINT)),
    truths=_faint_truths,
)
"""Skies of faint stars and galaxies."""
