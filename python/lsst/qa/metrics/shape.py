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

"""PSF residuals: how the shapes and sizes of stars differ from those of the
PSF model.
"""

from __future__ import annotations

__all__ = ["COADD", "PIPE_TASKS", "VISIT"]

import numpy as np

from ..metric import Estimate, Spec, metric
from ..stats import median, sigma_mad


def psf_stars(
    psf_snr: np.ndarray,
    extendedness: np.ndarray,
    clean: np.ndarray,
    detect_isPrimary: np.ndarray,
    *,
    snr_min: float = 50.0,
) -> np.ndarray:
    """Select primary, clean, compact detections of sufficient S/N."""
    return clean & detect_isPrimary & (extendedness < 0.5) & (psf_snr > snr_min)


def coadd_stars(
    psf_snr: np.ndarray,
    extendedness: np.ndarray,
    detect_isPrimary: np.ndarray,
    psfFlux_flag: np.ndarray,
    pixelFlags_saturatedCenter: np.ndarray,
    *,
    snr_min: float = 100.0,
) -> np.ndarray:
    """Select primary, unsaturated, compact objects of sufficient S/N."""
    bad = psfFlux_flag | pixelFlags_saturatedCenter
    return detect_isPrimary & ~bad & (extendedness < 0.5) & (psf_snr > snr_min)


def calibration_stars(calib_psf_used: np.ndarray) -> np.ndarray:
    """Select the stars that the PSF model was made from."""
    return calib_psf_used


def determinant_radius(ixx: np.ndarray, iyy: np.ndarray, ixy: np.ndarray) -> np.ndarray:
    """Return (ixx iyy - ixy^2)^(1/4), NaN where that is not real."""
    with np.errstate(invalid="ignore"):
        return (ixx * iyy - ixy**2) ** 0.25


def trace_radius(ixx: np.ndarray, iyy: np.ndarray) -> np.ndarray:
    """Return sqrt((ixx + iyy) / 2), NaN where that is not real."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(0.5 * (ixx + iyy))


def difference(star: np.ndarray, psf: np.ndarray) -> np.ndarray:
    """Return star minus PSF, not finite where one is not."""
    with np.errstate(invalid="ignore"):
        return star - psf


def size_difference(
    ixx: np.ndarray,
    iyy: np.ndarray,
    ixy: np.ndarray,
    ixxPSF: np.ndarray,
    iyyPSF: np.ndarray,
    ixyPSF: np.ndarray,
) -> np.ndarray:
    """Return r / r_PSF - 1 of the determinant radii, not finite where the PSF
    has no size.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return determinant_radius(ixx, iyy, ixy) / determinant_radius(ixxPSF, iyyPSF, ixyPSF) - 1.0


REFERENCE = "analysis_tools c74f828, e1Diff, e2Diff, shapeSizeFractionalDiff"


@metric("e1_residual_median", table="source", unit="", rows=psf_stars, reference=REFERENCE)
def e1_residual_median(e1: np.ndarray, psf_e1: np.ndarray) -> Estimate:
    """Median difference of e1 between stars and the PSF model, as distortion.

    median(e1 - e1_PSF), e1 = (Ixx - Iyy) / (Ixx + Iyy), S/N > 50
    """
    return Estimate(*median(difference(e1, psf_e1)))


@metric("e1_residual_scatter", table="source", unit="", rows=psf_stars, reference=REFERENCE)
def e1_residual_scatter(e1: np.ndarray, psf_e1: np.ndarray) -> Estimate:
    """Scatter of the difference of e1 between stars and the PSF model, as
    distortion.

    1.4826 MAD(e1 - e1_PSF), S/N > 50
    """
    return Estimate(*sigma_mad(difference(e1, psf_e1)))


@metric("e2_residual_median", table="source", unit="", rows=psf_stars, reference=REFERENCE)
def e2_residual_median(e2: np.ndarray, psf_e2: np.ndarray) -> Estimate:
    """Median difference of e2 between stars and the PSF model, as distortion.

    median(e2 - e2_PSF), e2 = 2 Ixy / (Ixx + Iyy), S/N > 50
    """
    return Estimate(*median(difference(e2, psf_e2)))


@metric("e2_residual_scatter", table="source", unit="", rows=psf_stars, reference=REFERENCE)
def e2_residual_scatter(e2: np.ndarray, psf_e2: np.ndarray) -> Estimate:
    """Scatter of the difference of e2 between stars and the PSF model, as
    distortion.

    1.4826 MAD(e2 - e2_PSF), S/N > 50
    """
    return Estimate(*sigma_mad(difference(e2, psf_e2)))


@metric("size_residual_median", table="source", unit="", rows=psf_stars, reference=REFERENCE)
def size_residual_median(
    ixx: np.ndarray,
    iyy: np.ndarray,
    ixy: np.ndarray,
    ixxPSF: np.ndarray,
    iyyPSF: np.ndarray,
    ixyPSF: np.ndarray,
) -> Estimate:
    """Median fractional difference of size between stars and the PSF model.

    median(r / r_PSF - 1), r = (Ixx Iyy - Ixy^2)^(1/4), S/N > 50
    """
    return Estimate(*median(size_difference(ixx, iyy, ixy, ixxPSF, iyyPSF, ixyPSF)))


@metric("size_residual_scatter", table="source", unit="", rows=psf_stars, reference=REFERENCE)
def size_residual_scatter(
    ixx: np.ndarray,
    iyy: np.ndarray,
    ixy: np.ndarray,
    ixxPSF: np.ndarray,
    iyyPSF: np.ndarray,
    ixyPSF: np.ndarray,
) -> Estimate:
    """Scatter of the fractional difference of size between stars and the PSF
    model.

    1.4826 MAD(r / r_PSF - 1), r = (Ixx Iyy - Ixy^2)^(1/4), S/N > 50
    """
    return Estimate(*sigma_mad(size_difference(ixx, iyy, ixy, ixxPSF, iyyPSF, ixyPSF)))


RESIDUALS = (
    e1_residual_median,
    e1_residual_scatter,
    e2_residual_median,
    e2_residual_scatter,
    size_residual_median,
    size_residual_scatter,
)
VISIT = tuple(
    residual.variant(suffix, snr_min=snr_min, doc=f"{residual.doc[:-1]}; S/N > {snr_min:.0f}.")
    for residual in RESIDUALS
    for suffix, snr_min in ((".highSN", 500.0), (".lowSN", 100.0))
)
_LIMITS = {
    "coadd_e1_residual_median.highSN": (-0.01, 0.03),
    "coadd_e1_residual_scatter.highSN": (None, 0.02),
    "coadd_e1_residual_median.lowSN": (-0.0025, 0.0125),
    "coadd_e1_residual_scatter.lowSN": (None, 0.0175),
    "coadd_e2_residual_median.highSN": (-0.01, 0.01),
    "coadd_e2_residual_scatter.highSN": (None, 0.01),
    "coadd_e2_residual_median.lowSN": (-0.0025, 0.0025),
    "coadd_e2_residual_scatter.lowSN": (None, 0.0075),
    "coadd_size_residual_median.highSN": (-0.01, 0.01),
    "coadd_size_residual_scatter.highSN": (None, 0.02),
    "coadd_size_residual_median.lowSN": (-0.005, 0.005),
    "coadd_size_residual_scatter.lowSN": (None, 0.009),
}
"""What analysis_tools takes for usual in g; a scatter cannot be too small."""


def _limits(name: str) -> tuple[Spec, ...]:
    """Declare the thresholds of a metric that has some."""
    low, high = _LIMITS.get(name, (None, None))
    sides = ((high, "<="), (low, ">="))
    return tuple(Spec("design", v, op, "g", "analysis_tools") for v, op in sides if v is not None)


COADD = tuple(
    residual.variant(
        f"coadd_{residual.name}{suffix}",
        table="object",
        rows=coadd_stars,
        snr_min=snr_min,
        specs=_limits(f"coadd_{residual.name}{suffix}"),
        doc=f"{residual.doc[:-1]}, on coadds; S/N > {snr_min:.0f}.",
        formula=residual.formula.replace("S/N > 50", f"S/N > {snr_min:.0f}"),
    )
    for residual in RESIDUALS
    for suffix, snr_min in (("", 100.0), (".highSN", 2700.0), (".lowSN", 500.0))
)


def trace_difference(ixx: np.ndarray, iyy: np.ndarray, ixxPSF: np.ndarray, iyyPSF: np.ndarray) -> np.ndarray:
    return difference(trace_radius(ixx, iyy), trace_radius(ixxPSF, iyyPSF))


def trace_difference_median(
    ixx: np.ndarray, iyy: np.ndarray, ixxPSF: np.ndarray, iyyPSF: np.ndarray
) -> Estimate:
    return Estimate(*median(trace_difference(ixx, iyy, ixxPSF, iyyPSF)))


def trace_difference_scatter(
    ixx: np.ndarray, iyy: np.ndarray, ixxPSF: np.ndarray, iyyPSF: np.ndarray
) -> Estimate:
    return Estimate(*sigma_mad(trace_difference(ixx, iyy, ixxPSF, iyyPSF)))


_VISIT_SUMMARY = {
    "rows": calibration_stars,
    "reference": "pipe_tasks 5b638a4, ComputeExposureSummaryStatsTask",
}
PIPE_TASKS = (
    *(
        m.variant(".pipe_tasks", doc=f"{m.doc[:-1]}; stars used for the PSF.", **_VISIT_SUMMARY)
        for m in RESIDUALS[:4]
    ),
    size_residual_median.variant(
        ".pipe_tasks",
        function=trace_difference_median,
        unit="pixel",
        doc="Median difference of the trace radius between stars used for the PSF and the PSF model.",
        formula="median(r - r_PSF), r = sqrt((Ixx + Iyy) / 2)",
        **_VISIT_SUMMARY,
    ),
    size_residual_scatter.variant(
        ".pipe_tasks",
        function=trace_difference_scatter,
        unit="pixel",
        doc="Scatter of the difference of the trace radius between stars used for the PSF and the PSF model.",
        formula="1.4826 MAD(r - r_PSF), r = sqrt((Ixx + Iyy) / 2)",
        **_VISIT_SUMMARY,
    ),
)
