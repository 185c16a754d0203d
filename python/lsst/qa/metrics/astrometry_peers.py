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

"""Relative astrometry as the peers define it: variants of AM, AD and AF."""

from __future__ import annotations

__all__ = ["ANALYSIS_TOOLS", "FARO", "VALIDATE_DRP"]

import numpy as np

from ..metric import Estimate
from ..stats import Groups, fraction, fraction_beyond, quantile, quantile_range
from .astrometry import AD, AF, AM, astrometric_stars, good_detections, pair_residuals, places_by_visit


def signed_centred(
    residual: np.ndarray, residual_first: np.ndarray, residual_second: np.ndarray
) -> dict[str, np.ndarray]:
    """Take the size of the deviations from their median, as analysis_tools
    does.
    """
    centred = np.abs(residual - np.median(residual)) if len(residual) else residual
    return {"shifted": centred, "residual_first": residual_first, "residual_second": residual_second}


def peer_AD(
    shifted: np.ndarray, residual_first: np.ndarray, residual_second: np.ndarray, *, outliers: float = 10.0
) -> Estimate:
    return Estimate(*quantile(shifted, 1.0 - outliers / 100.0, residual_first, residual_second))


def peer_AF(
    shifted: np.ndarray, residual_first: np.ndarray, residual_second: np.ndarray, *, limit: float = 20.0
) -> Estimate:
    return Estimate(*fraction(np.abs(shifted) > limit, residual_first, residual_second))


def faro_AD(
    residual: np.ndarray, residual_first: np.ndarray, residual_second: np.ndarray, *, outliers: float = 10.0
) -> Estimate:
    # A quantile of deviations less their median is that of them, less it.
    return Estimate(
        *quantile_range(np.abs(residual), 1.0 - outliers / 100.0, 0.5, residual_first, residual_second)
    )


def faro_AF(
    residual: np.ndarray, residual_first: np.ndarray, residual_second: np.ndarray, *, limit: float = 20.0
) -> Estimate:
    return Estimate(*fraction_beyond(np.abs(residual), limit, residual_first, residual_second, below=limit))


def validate_drp_AD(
    rms: np.ndarray, first: np.ndarray, second: np.ndarray, *, outliers: float = 10.0
) -> Estimate:
    return Estimate(*quantile_range(rms, 1.0 - outliers / 100.0, 0.5, first, second))


def validate_drp_AF(
    rms: np.ndarray, first: np.ndarray, second: np.ndarray, *, limit: float = 20.0
) -> Estimate:
    return Estimate(*fraction_beyond(rms, limit, first, second))


def faro_sample(
    stars: Groups,
    sourceId: np.ndarray,
    visit: np.ndarray,
    ra: np.ndarray,
    dec: np.ndarray,
    psf_mag: np.ndarray,
    psf_snr: np.ndarray,
    extendedness: np.ndarray,
    clean: np.ndarray,
    detect_isPrimary: np.ndarray,
) -> dict[str, np.ndarray]:
    """Pick stars as faro does: every detection clean, primary, compact and
    measured.
    """
    kept = stars.all(clean & detect_isPrimary & np.isfinite(psf_mag))
    rows = stars.rows_of(kept)
    return astrometric_stars(
        stars.take(kept),
        sourceId[rows],
        visit[rows],
        ra[rows],
        dec[rows],
        psf_mag[rows],
        psf_snr[rows],
        extendedness[rows],
        extended=0.9,
        all_compact=True,
    )


def bright_good_detections(
    psf_mag: np.ndarray, psf_snr: np.ndarray, clean: np.ndarray, detect_isPrimary: np.ndarray
) -> np.ndarray:
    """Select detections one by one by magnitude and S/N, as analysis_tools
    does.
    """
    usable = good_detections(psf_mag, clean, detect_isPrimary)
    return usable & (psf_snr > 50.0) & (psf_snr < 50_000.0) & (psf_mag >= 17.0) & (psf_mag < 21.5)


_FARO = {
    "rows": None,
    "most_rows": None,
    "most_stars": None,
    "most_pairs": None,
    "reference": "faro aff3cf7",
}
_ANALYSIS_TOOLS = {
    "rows": bright_good_detections,
    "about": "mean",
    "reference": "analysis_tools c74f828",
}

_LIMIT = {"AF1": 20, "AF2": 20, "AF3": 30}

FARO = (
    *(
        m.variant(
            ".faro",
            steps=(faro_sample, places_by_visit, pair_residuals),
            doc=f"{m.name} as faro computes it: stars judged by all their detections.",
            **_FARO,
        )
        for m in AM
    ),
    *(
        m.variant(
            ".faro",
            function=function,
            steps=(faro_sample, places_by_visit, pair_residuals),
            doc=f"{m.name} as faro computes it: absolute deviations less their median.",
            formula=formula.format(limit=_LIMIT.get(m.name)) + ", y = x - median(x), x = |d_v - median_v d|",
            **_FARO,
        )
        for family, function, formula in (
            (AD, faro_AD, "quantile(y, 1 - 10 %)"),
            (AF, faro_AF, "100 mean(|y| > {limit} mas)"),
        )
        for m in family
    ),
)
ANALYSIS_TOOLS = (
    *(
        m.variant(
            ".analysis_tools",
            doc=f"{m.name} as analysis_tools computes it: detections cut one by one.",
            **_ANALYSIS_TOOLS,
        )
        for m in AM
    ),
    *(
        m.variant(
            ".analysis_tools",
            function=function,
            steps=(astrometric_stars, places_by_visit, pair_residuals, signed_centred),
            doc=f"{m.name} as analysis_tools computes it: deviations from the mean, then from their median.",
            formula=formula.format(limit=_LIMIT.get(m.name)) + ", y = |x - median(x)|, x = d_v - mean_v d",
            **_ANALYSIS_TOOLS,
        )
        for family, function, formula in (
            (AD, peer_AD, "quantile(y, 1 - 10 %)"),
            (AF, peer_AF, "100 mean(y > {limit} mas)"),
        )
        for m in family
    ),
)
VALIDATE_DRP = tuple(
    m.variant(
        ".validate_drp",
        function=function,
        doc=f"{m.name} as validate_drp computes it: from the rms of each pair.",
        formula=formula.format(limit=_LIMIT.get(m.name)),
        reference="validate_drp 107f81d",
    )
    for family, function, formula in (
        (AD, validate_drp_AD, "quantile(rms, 1 - 10 %) - median(rms), rms of a pair over its visits"),
        (AF, validate_drp_AF, "100 mean(rms > median(rms) + {limit} mas), rms of a pair over its visits"),
    )
    for m in family
)
