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

"""Sizes of stars and PSF, and how residuals of shape and size go with
magnitude.
"""

from __future__ import annotations

__all__ = ["BY_MAGNITUDE", "COADD", "COUNTS", "SIZES"]

from typing import Any

import numpy as np

from ..metric import Estimate, Metric
from ..stats import count, median, sigma_mad
from .shape import coadd_stars, determinant_radius, difference, psf_stars, size_difference, trace_radius

TOOLS = "analysis_tools c74f828, CalcMomentSize"
TRACE = "sqrt((Ixx + Iyy) / 2)"
DETERMINANT = "(Ixx Iyy - Ixy^2)^(1/4)"


def median_trace_radius(ixx: np.ndarray, iyy: np.ndarray) -> Estimate:
    return Estimate(*median(trace_radius(ixx, iyy)))


def median_determinant_radius(ixx: np.ndarray, iyy: np.ndarray, ixy: np.ndarray) -> Estimate:
    return Estimate(*median(determinant_radius(ixx, iyy, ixy)))


def relative_trace_difference(
    ixx: np.ndarray, iyy: np.ndarray, ixxPSF: np.ndarray, iyyPSF: np.ndarray
) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return trace_radius(ixx, iyy) / trace_radius(ixxPSF, iyyPSF) - 1.0


def relative_trace_median(
    ixx: np.ndarray, iyy: np.ndarray, ixxPSF: np.ndarray, iyyPSF: np.ndarray
) -> Estimate:
    return Estimate(*median(relative_trace_difference(ixx, iyy, ixxPSF, iyyPSF)))


def relative_trace_scatter(
    ixx: np.ndarray, iyy: np.ndarray, ixxPSF: np.ndarray, iyyPSF: np.ndarray
) -> Estimate:
    return Estimate(*sigma_mad(relative_trace_difference(ixx, iyy, ixxPSF, iyyPSF)))


def number(psf_snr: np.ndarray) -> Estimate:
    return Estimate(*count(np.ones(len(psf_snr), dtype=bool)))


def _of_stars(name: str, function: Any, unit: str, doc: str, formula: str, **changes: Any) -> Metric:
    """Declare a statistic of the stars of a visit."""
    return Metric(
        name=name,
        function=function,
        table="source",
        unit=unit,
        doc=doc,
        formula=formula if function is number else f"{formula}, S/N > 50",
        rows=psf_stars,
        **{"reference": TOOLS, **changes},
    )


_OF_PSF = {"ixx": "ixxPSF", "iyy": "iyyPSF", "ixy": "ixyPSF"}
SIZES = (
    _of_stars(
        "star_trace_radius",
        median_trace_radius,
        "pixel",
        "Median trace radius of stars.",
        f"median(r), r = {TRACE}",
    ),
    _of_stars(
        "psf_trace_radius",
        median_trace_radius,
        "pixel",
        "Median trace radius of the PSF model where there are stars.",
        f"median(r_PSF), r = {TRACE}",
        inputs={"ixx": "ixxPSF", "iyy": "iyyPSF"},
    ),
    _of_stars(
        "star_determinant_radius",
        median_determinant_radius,
        "pixel",
        "Median determinant radius of stars.",
        f"median(r), r = {DETERMINANT}",
    ),
    _of_stars(
        "psf_determinant_radius",
        median_determinant_radius,
        "pixel",
        "Median determinant radius of the PSF model where there are stars.",
        f"median(r_PSF), r = {DETERMINANT}",
        inputs=_OF_PSF,
    ),
    _of_stars(
        "size_residual_median.trace",
        relative_trace_median,
        "",
        "Median fractional difference of the trace radius between stars and the PSF model.",
        f"median(r / r_PSF - 1), r = {TRACE}",
    ),
    _of_stars(
        "size_residual_scatter.trace",
        relative_trace_scatter,
        "",
        "Scatter of the fractional difference of the trace radius between stars and the PSF model.",
        f"1.4826 MAD(r / r_PSF - 1), r = {TRACE}",
    ),
)


COUNTS = tuple(
    _of_stars(
        "n_residual_stars" + suffix,
        number,
        "",
        f"Number of stars that the residuals of the PSF are measured on; S/N > {snr_min:.0f}.",
        "N, Poisson error",
        reference="analysis_tools c74f828, e1Diff count",
        constants={"snr_min": snr_min},
    )
    for suffix, snr_min in (("", 50.0), (".highSN", 500.0), (".lowSN", 100.0))
)


def by_magnitude(
    mag: np.ndarray, values: np.ndarray, low: float, high: float, width: float
) -> list[Estimate] | Estimate:
    """Return the median of values in each bin of magnitude."""
    if not len(mag):
        return Estimate(np.nan, np.nan, 0)
    edges = low + width * np.arange(round((high - low) / width) + 1)
    found = [values[(mag >= one) & (mag < other)] for one, other in zip(edges[:-1], edges[1:])]
    return [Estimate(*median(part), float(edge), float(edge + width)) for part, edge in zip(found, edges)]


def difference_by_magnitude(
    psf_mag: np.ndarray,
    star: np.ndarray,
    model: np.ndarray,
    *,
    low: float = 16.0,
    high: float = 24.0,
    width: float = 1.0,
) -> list[Estimate] | Estimate:
    return by_magnitude(psf_mag, difference(star, model), low, high, width)


def ellipticity_by_magnitude(
    psf_mag: np.ndarray,
    e1: np.ndarray,
    e2: np.ndarray,
    *,
    low: float = 16.0,
    high: float = 24.0,
    width: float = 1.0,
) -> list[Estimate] | Estimate:
    return by_magnitude(psf_mag, np.hypot(e1, e2), low, high, width)


def size_by_magnitude(
    psf_mag: np.ndarray,
    ixx: np.ndarray,
    iyy: np.ndarray,
    ixy: np.ndarray,
    ixxPSF: np.ndarray,
    iyyPSF: np.ndarray,
    ixyPSF: np.ndarray,
    *,
    low: float = 16.0,
    high: float = 24.0,
    width: float = 1.0,
) -> list[Estimate] | Estimate:
    away = size_difference(ixx, iyy, ixy, ixxPSF, iyyPSF, ixyPSF)
    return by_magnitude(psf_mag, away, low, high, width)


_PLOTS = "analysis_tools c74f828, e1Diff, e2Diff and sizeMagnitude"
BY_MAGNITUDE = (
    *(
        _of_stars(
            f"e{axis}_residual_by_mag",
            difference_by_magnitude,
            "",
            f"Median difference of e{axis} between stars and the PSF model, a row per magnitude.",
            f"median(e{axis} - e{axis}_PSF), distortion",
            inputs={"star": f"e{axis}", "model": f"psf_e{axis}"},
            reference=_PLOTS,
        )
        for axis in (1, 2)
    ),
    _of_stars(
        "size_residual_by_mag",
        size_by_magnitude,
        "",
        "Median fractional difference of size between stars and the PSF model, a row per magnitude.",
        f"median(r / r_PSF - 1), r = {DETERMINANT}",
        reference=_PLOTS,
    ),
    _of_stars(
        "ellipticity_by_mag",
        ellipticity_by_magnitude,
        "",
        "Median ellipticity of stars, a row per magnitude.",
        "median |e|, distortion",
        reference=_PLOTS,
    ),
)
COADD = tuple(
    m.variant(
        f"coadd_{m.name}",
        table="object",
        rows=coadd_stars,
        doc=f"{m.doc[:-1]}, on coadds.",
        formula=m.formula.replace("S/N > 50", "S/N > 100"),
    )
    for m in (*SIZES, *BY_MAGNITUDE)
) + tuple(
    COUNTS[0].variant(
        f"coadd_n_residual_stars{suffix}",
        table="object",
        rows=coadd_stars,
        snr_min=snr_min,
        doc=f"Number of stars that the residuals of the PSF are measured on, on coadds; S/N > {snr_min:.0f}.",
        formula="N, Poisson error",
    )
    for suffix, snr_min in (("", 100.0), (".highSN", 2700.0), (".lowSN", 500.0))
)
