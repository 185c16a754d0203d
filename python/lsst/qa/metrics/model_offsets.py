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

"""How the PSF magnitudes of stars differ from magnitudes of a model, which are
the same for a star where the PSF model is right.
"""

from __future__ import annotations

__all__ = ["COADD", "VISIT"]

from typing import Any

import numpy as np

from ..metric import Estimate, Metric
from ..stats import fraction, median, sigma_mad
from .shape import coadd_stars, psf_stars

MILLI = 1000.0


def offset(psf: np.ndarray, model: np.ndarray) -> np.ndarray:
    """Return the PSF magnitude minus the model's in mmag, not finite where
    one is not.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return -2.5 * MILLI * np.log10(psf / model)


def offset_median(psf: np.ndarray, model: np.ndarray) -> Estimate:
    return Estimate(*median(offset(psf, model)))


def offset_scatter(psf: np.ndarray, model: np.ndarray) -> Estimate:
    return Estimate(*sigma_mad(offset(psf, model)))


def offset_outliers(psf: np.ndarray, model: np.ndarray, *, limit: float = 50.0) -> Estimate:
    found = offset(psf, model)
    return Estimate(*fraction(np.abs(found[np.isfinite(found)]) > limit))


def _offsets(prefix: str, table: str, rows: Any, model: str, what: str, snr: str) -> tuple[Metric, ...]:
    """Declare the metrics of one model."""
    return tuple(
        Metric(
            name=f"{prefix}psf_model_{name}",
            function=function,
            table=table,
            unit=unit,
            doc=doc.format(what=what),
            formula=f"{formula}, S/N > {snr}",
            reference="analysis_tools c74f828, psfCModelScatter",
            rows=rows,
            inputs={"psf": "psfFlux", "model": model},
        )
        for name, function, unit, doc, formula in (
            (
                "offset",
                offset_median,
                "mmag",
                "Median difference of the PSF magnitudes of stars from their {what} magnitudes.",
                "median(m_PSF - m_model)",
            ),
            (
                "scatter",
                offset_scatter,
                "mmag",
                "Scatter of the difference of the PSF magnitudes of stars from their {what} magnitudes.",
                "1.4826 MAD(m_PSF - m_model)",
            ),
            (
                "outlier_fraction",
                offset_outliers,
                "%",
                "Percentage of stars whose PSF magnitude is more than 50 mmag from their {what} magnitude.",
                "100 mean(|m_PSF - m_model| > 50 mmag)",
            ),
        )
    )


VISIT = _offsets("", "source", psf_stars, "gaussianFlux", "Gaussian model", "50")
COADD = _offsets("coadd_", "object", coadd_stars, "cModelFlux", "cModel", "100")
