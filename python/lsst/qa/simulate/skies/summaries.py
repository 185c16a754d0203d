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

"""Skies for the visit summary: the detectors of one visit."""

from __future__ import annotations

__all__ = ["SUMMARIES"]

import numpy as np

from .population import Columns, Population, Truths, by_metric

_DETECTORS = 189
_CALIBRATED = 0.9
_GAUSSIAN = {
    "psfSigma": ("psf_sigma", 1.8, 0.1),
    "psfStarDeltaE1Median": ("psf_star_e1_median", 0.001, 0.004),
    "psfStarDeltaE2Median": ("psf_star_e2_median", -0.001, 0.004),
    "psfStarDeltaSizeMedian": ("psf_star_size_median", 0.01, 0.02),
}
"""Metric, mean and standard deviation of a column."""

_LOGNORMAL = {
    "skyBg": ("sky_background", 800.0, 0.2),
    "skyNoise": ("sky_noise", 30.0, 0.1),
    "psfArea": ("psf_area", 60.0, 0.15),
    "effTime": ("effective_time", 25.0, 0.2),
    "nPsfStar": ("n_psf_stars", 90.0, 0.3),
    "psfStarDeltaE1Scatter": ("psf_star_e1_scatter", 0.01, 0.3),
    "psfStarDeltaE2Scatter": ("psf_star_e2_scatter", 0.01, 0.3),
    "psfStarDeltaSizeScatter": ("psf_star_size_scatter", 0.02, 0.3),
    "psfStarScaledDeltaSizeScatter": ("psf_star_scaled_size_scatter", 0.01, 0.3),
    "astromOffsetMean": ("astrom_offset_mean", 0.01, 0.5),
    "astromOffsetStd": ("astrom_offset_std", 0.02, 0.5),
}
"""Metric, median and standard deviation of the logarithm of a column."""


def _detectors(rng: np.random.Generator, n: int) -> Columns:
    columns = {name: rng.normal(mean, sigma, n) for name, (_, mean, sigma) in _GAUSSIAN.items()}
    columns |= {name: at * np.exp(rng.normal(0.0, s, n)) for name, (_, at, s) in _LOGNORMAL.items()}
    # Toward the edge of the field the image is wider and the depth less.
    edge = rng.random(n) ** 4
    columns["seeing"] = 0.7 * (1.0 + 0.3 * edge) * np.exp(rng.normal(0.0, 0.02, n))
    columns["magLim"] = 24.4 - 0.5 * edge + rng.normal(0.0, 0.05, n)
    columns["zeroPoint"] = rng.normal(31.9, 0.02, n)
    return columns


def _draw(rng: np.random.Generator) -> Columns:
    columns = _detectors(rng, _DETECTORS)
    calibrated = rng.random(_DETECTORS) < _CALIBRATED
    columns["zeroPoint"] = np.where(calibrated, columns["zeroPoint"], np.nan)
    return {
        "visit": np.ones(_DETECTORS, np.int64),
        "detector": np.arange(_DETECTORS),
        "band": np.full(_DETECTORS, "r"),
        "physical_filter": np.full(_DETECTORS, "r_01"),
        "expMidptMJD": np.full(_DETECTORS, 60623.25),
        **columns,
    }


def _truths() -> Truths:
    """Integrate over detectors."""
    many = _detectors(np.random.default_rng(3), 8_000_000)
    found = {metric: mean for metric, mean, _ in _GAUSSIAN.values()}
    found |= {metric: at for metric, at, _ in _LOGNORMAL.values()}
    for name in ("astrom_offset_mean", "astrom_offset_std"):
        found[name] *= 1000.0
    background, area, zero = (many[name] for name in ("skyBg", "psfArea", "zeroPoint"))
    # The flux f with f / sqrt(f + noise) = 5.
    noise = (background + 8.8**2) * area
    flux = 12.5 + np.sqrt(12.5**2 + 25.0 * noise)
    shallow = np.median(many["magLim"]) - many["magLim"]
    wide = many["seeing"] / np.median(many["seeing"])
    found |= {
        "zero_point": 31.9,
        "seeing": np.median(many["seeing"]),
        "m5": np.median(many["magLim"]),
        "m5_background": np.median(zero - 2.5 * np.log10(5.0 * many["skyNoise"] * np.sqrt(area))),
        "m5_smtn002": np.median(zero - 2.5 * np.log10(flux)),
        "effective_time_of_depth": 30.0 * 10.0 ** (0.8 * (np.median(many["magLim"]) - 24.52)),
        "DF2": 100.0 * np.mean(shallow > 0.2),
        "Z2": np.quantile(shallow, 0.85),
        "SF1": 100.0 * np.mean(wide > 1.1),
        "SX": np.quantile(wide, 0.9),
        "n_detectors": _DETECTORS * _CALIBRATED,
    }
    return by_metric(found)


SUMMARIES = (
    Population(
        name="detectors of a visit",
        kind="visit_summary",
        doc="The summary of each of 189 detectors; which of them are calibrated.",
        draw=_draw,
        truths=_truths,
    ),
)
"""Skies of detectors."""
