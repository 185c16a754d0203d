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

"""Magnitudes against a reference catalogue.

A row is a detection and a star of the catalogue close to it, see
`lsst.qa.metrics.reference`.
"""

from __future__ import annotations

__all__ = ["COADD_PHOTOMETRY", "PHOTOMETRY", "bright_pairs", "magnitude_difference"]

from collections.abc import Callable

import numpy as np

from ..metric import Estimate, Metric
from ..stats import count, mean, median, rms_estimate, sigma_mad, stdev
from ..stats.line import slope
from .photometry import MILLI

PEER = "analysis_tools c74f828, photometry against the reference catalogue"


def plot_pairs(
    psf_snr: np.ndarray,
    extendedness: np.ndarray,
    detect_isPrimary: np.ndarray,
    psfFlux_flag: np.ndarray,
    pixelFlags_saturatedCenter: np.ndarray,
    *,
    snr_min: float = 200.0,
) -> np.ndarray:
    """Select the pairs of primary, unsaturated, compact detections of high
    S/N.
    """
    good = detect_isPrimary & ~psfFlux_flag & ~pixelFlags_saturatedCenter
    return good & (extendedness < 0.5) & (psf_snr > snr_min)


def bright_pairs(
    nearest: np.ndarray,
    psf_snr: np.ndarray,
    extendedness: np.ndarray,
    detect_isPrimary: np.ndarray,
    psfFlux_flag: np.ndarray,
    pixelFlags_saturatedCenter: np.ndarray,
    *,
    snr_min: float = 200.0,
) -> np.ndarray:
    """Select of these pairs the nearest to each other."""
    flags = detect_isPrimary, psfFlux_flag, pixelFlags_saturatedCenter
    return nearest & plot_pairs(psf_snr, extendedness, *flags, snr_min=snr_min)


def magnitude_difference(psf_mag: np.ndarray, ref_mag: np.ndarray) -> np.ndarray:
    """Return the magnitude less that of the catalogue, in mmag."""
    with np.errstate(invalid="ignore"):
        return MILLI * (psf_mag - ref_mag)


def ref_photom_offset(psf_mag: np.ndarray, ref_mag: np.ndarray) -> Estimate:
    return Estimate(*median(magnitude_difference(psf_mag, ref_mag)))


def ref_photom_mean(psf_mag: np.ndarray, ref_mag: np.ndarray) -> Estimate:
    return Estimate(*mean(magnitude_difference(psf_mag, ref_mag)))


def ref_photom_stdev(psf_mag: np.ndarray, ref_mag: np.ndarray) -> Estimate:
    return Estimate(*stdev(magnitude_difference(psf_mag, ref_mag)))


def ref_photom_sigma_mad(psf_mag: np.ndarray, ref_mag: np.ndarray) -> Estimate:
    return Estimate(*sigma_mad(magnitude_difference(psf_mag, ref_mag)))


def ref_photom_rms(psf_mag: np.ndarray, ref_mag: np.ndarray) -> Estimate:
    return Estimate(*rms_estimate(magnitude_difference(psf_mag, ref_mag)))


def n_ref_photom_stars(psf_mag: np.ndarray, ref_mag: np.ndarray) -> Estimate:
    return Estimate(*count(np.isfinite(magnitude_difference(psf_mag, ref_mag))))


def ref_photom_gradient(psf_mag: np.ndarray, ref_mag: np.ndarray) -> Estimate:
    return Estimate(*slope(ref_mag, magnitude_difference(psf_mag, ref_mag)))


def _metric(function: Callable[..., Estimate], doc: str, formula: str, unit: str = "mmag") -> Metric:
    """Declare one statistic of the differences of a visit's sources."""
    return Metric(
        name=function.__name__,
        function=function,
        table="source_reference",
        unit=unit,
        doc=doc,
        formula=f"{formula}{_CUTS}",
        reference=PEER,
        rows=bright_pairs,
    )


_CUTS = ", S/N > 200, each the other's nearest"
_OF = "of the difference between the PSF magnitudes of stars and those of the reference catalogue."
PLAIN = (
    *(
        _metric(function, f"{word} {_OF}", f"{formula}, x = m_PSF - m_ref")
        for function, word, formula in (
            (ref_photom_offset, "Median", "median(x)"),
            (ref_photom_mean, "Mean", "mean(x)"),
            (ref_photom_stdev, "Standard deviation", "sqrt(sum (x - mean x)^2 / (n - 1))"),
            (ref_photom_sigma_mad, "Scatter", "1.4826 MAD(x)"),
            (ref_photom_rms, "Root mean square, about zero,", "sqrt(mean(x^2))"),
        )
    ),
    _metric(
        n_ref_photom_stars,
        "Number of stars whose magnitudes were compared with those of the reference catalogue.",
        "N(finite m_PSF - m_ref), Poisson error",
        "",
    ),
    _metric(
        ref_photom_gradient,
        f"Slope with magnitude {_OF}",
        "least-squares slope of m_PSF - m_ref over m_ref",
        "mmag / mag",
    ),
)
PHOTOMETRY = PLAIN + tuple(
    m.variant(
        ".analysis_tools",
        rows=plot_pairs,
        doc=f"{m.doc.removesuffix('.')}, of every star within the radius, as analysis_tools takes it.",
        formula=m.formula.replace(_CUTS, ", S/N > 200"),
    )
    for m in PLAIN
)
COADD_PHOTOMETRY = tuple(
    m.variant(
        f"coadd_{m.name}",
        table="object_reference",
        doc=m.doc.replace("stars", "stars of coadds", 1),
    )
    for m in PHOTOMETRY
)
