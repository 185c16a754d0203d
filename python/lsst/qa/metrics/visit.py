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

"""The visit summary's quantities: seeing, PSF, sky, zero point, depth,
astrometric offsets.

A visit's value is the median over its detectors; a detector's is its own.
"""

from __future__ import annotations

__all__ = ["ASTROMETRY", "DEPTH_SPECS", "MEDIANS", "PSF", "m5", "m5_background", "n_detectors"]

from typing import Any

import numpy as np

from ..metric import Estimate, Metric, metric, srd
from ..stats import fraction, median

SUMMARY = "pipe_tasks 5b638a4, ComputeExposureSummaryStatsTask"
DEPTH_SNR = 5.0


@metric(
    "seeing",
    table="visit_summary",
    unit="arcsec",
    inputs={"quantity": "seeing"},
    reference="analysis_tools c74f828",
)
def seeing(quantity: np.ndarray, *, scale: float = 1.0) -> Estimate:
    """Full width at half maximum of the PSF on the sky.

    2.355 sigma_PSF times the pixel scale
    """
    return Estimate(*median(scale * quantity))


def _of(column: str, name: str, unit: str, doc: str, formula: str = "", **changes: Any) -> Metric:
    """Declare the median over detectors of a column of the summary."""
    given = {"formula": formula or f"median over detectors of {column}", "reference": SUMMARY, **changes}
    return seeing.variant(name, inputs={"quantity": column}, unit=unit, doc=doc, **given)


MEDIANS = (
    _of("psfSigma", "psf_sigma", "pixel", "Width of the PSF, as of a Gaussian."),
    _of("psfArea", "psf_area", "pixel2", "Effective area of the PSF."),
    _of("skyBg", "sky_background", "adu", "Level of the background that was subtracted."),
    _of("skyNoise", "sky_noise", "adu", "Scatter of the pixels of the sky."),
    _of("zeroPoint", "zero_point", "mag", "Magnitude of one count."),
    _of(
        "effTime", "effective_time", "s", "Exposure time that fiducial conditions would take for that depth."
    ),
    _of("nPsfStar", "n_psf_stars", "", "Number of stars that the PSF model of a detector was made from."),
)
PSF = tuple(
    _of(
        f"psfStarDelta{what}{statistic}",
        f"psf_star_{kind}_{word}",
        "pixel" if what == "Size" else "",
        f"{statistic} over PSF stars of their {kind.replace('size', 'trace radius')} less the model's.",
    )
    for what, kind in (("E1", "e1"), ("E2", "e2"), ("Size", "size"))
    for statistic, word in (("Median", "median"), ("Scatter", "scatter"))
) + (
    _of(
        "psfStarScaledDeltaSizeScatter",
        "psf_star_scaled_size_scatter",
        "",
        "Scatter of the trace radius difference between PSF stars and model, over the median size.",
    ),
)
ASTROMETRY = (
    _of(
        "astromOffsetMean",
        "astrom_offset_mean",
        "mas",
        "Mean offset between sources and the reference catalogue after the astrometric fit.",
        scale=1000.0,
    ),
    _of(
        "astromOffsetStd",
        "astrom_offset_std",
        "mas",
        "Scatter of the offsets between sources and the reference catalogue after the astrometric fit.",
        scale=1000.0,
    ),
)

DEPTH_SPECS = (
    srd(24.3, 24.7, 24.8, bands="r", op=">=")
    + srd(23.4, 23.9, 24.0, bands="u", op=">=")
    + srd(24.6, 25.0, 25.1, bands="g", op=">=")
    + srd(23.6, 24.0, 24.1, bands="i", op=">=")
    + srd(22.9, 23.3, 23.4, bands="z", op=">=")
    + srd(21.7, 22.1, 22.2, bands="y", op=">=")
)
m5 = _of(
    "magLim",
    "m5",
    "mag",
    "Magnitude of a point source at S/N 5, as the summary states it.",
    "median over detectors of magLim (SMTN-002); thresholds D1 and DB1",
    specs=DEPTH_SPECS,
)


@metric(
    "m5_background",
    table="visit_summary",
    unit="mag",
    specs=DEPTH_SPECS,
    reference="SMTN-002, limit of a bright sky",
)
def m5_background(skyNoise: np.ndarray, psfArea: np.ndarray, zeroPoint: np.ndarray) -> Estimate:
    """Magnitude of a point source at S/N 5 from sky noise alone, where no
    depth is stated.

    zero point - 2.5 log10(5 sky noise sqrt(PSF area))
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return Estimate(*median(zeroPoint - 2.5 * np.log10(DEPTH_SNR * skyNoise * np.sqrt(psfArea))))


@metric("n_detectors", table="visit_summary", unit="", reference="count of detectors with a zero point")
def n_detectors(zeroPoint: np.ndarray) -> Estimate:
    """Number of detectors with a photometric calibration.

    N(isfinite(zeroPoint)), binomial error: the camera has no more
    """
    percent, error, n = fraction(np.isfinite(zeroPoint))
    return Estimate(percent * n / 100.0, error * n / 100.0, n)
