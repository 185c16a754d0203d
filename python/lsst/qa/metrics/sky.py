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

"""Sky background: the flux measured where there is no source."""

from __future__ import annotations

__all__ = ["COADD", "FARO", "sky_flux_mean", "sky_flux_median", "sky_flux_sigma_mad", "sky_flux_stdev"]

import numpy as np

from ..metric import Estimate, Spec, metric
from ..stats import mean, median, sigma_mad, stdev

REFERENCE = "analysis_tools c74f828, skyFlux"


def sky_sources(sky: np.ndarray, pixelFlags_edge: np.ndarray, pixelFlags_nodata: np.ndarray) -> np.ndarray:
    """Select what was measured where there is nothing, wholly on the image and
    on data.
    """
    return sky & ~pixelFlags_edge & ~pixelFlags_nodata


def sky_sources_off_edge(sky: np.ndarray, pixelFlags_edge: np.ndarray) -> np.ndarray:
    """Select what was measured where there is nothing, wholly on the image."""
    return sky & ~pixelFlags_edge


OF_SOURCES, OF_OBJECTS = {"sky": "sky_source"}, {"sky": "sky_object"}
"""Which column says so in a table of sources, and in one of objects."""


@metric(
    "sky_flux_median", table="source", unit="nJy", rows=sky_sources, inputs=OF_SOURCES, reference=REFERENCE
)
def sky_flux_median(ap09Flux: np.ndarray) -> Estimate:
    """Median flux of sky sources in an aperture of 9 pixels.

    median(F)
    """
    return Estimate(*median(ap09Flux))


@metric("sky_flux_mean", table="source", unit="nJy", rows=sky_sources, inputs=OF_SOURCES, reference=REFERENCE)
def sky_flux_mean(ap09Flux: np.ndarray) -> Estimate:
    """Mean flux of sky sources in an aperture of 9 pixels.

    mean(F)
    """
    return Estimate(*mean(ap09Flux))


@metric(
    "sky_flux_stdev", table="source", unit="nJy", rows=sky_sources, inputs=OF_SOURCES, reference=REFERENCE
)
def sky_flux_stdev(ap09Flux: np.ndarray) -> Estimate:
    """Standard deviation of the flux of sky sources in an aperture of 9
    pixels.

    sqrt(sum (F - mean F)^2 / (n - 1))
    """
    return Estimate(*stdev(ap09Flux))


@metric(
    "sky_flux_sigma_mad", table="source", unit="nJy", rows=sky_sources, inputs=OF_SOURCES, reference=REFERENCE
)
def sky_flux_sigma_mad(ap09Flux: np.ndarray) -> Estimate:
    """Robust scatter of the flux of sky sources in an aperture of 9 pixels.

    1.4826 MAD(F)
    """
    return Estimate(*sigma_mad(ap09Flux))


COADD = tuple(
    m.variant(
        f"coadd_{m.name}",
        table="object",
        inputs=OF_OBJECTS,
        doc=m.doc.replace("sky sources", "sky objects"),
        specs=specs,
    )
    for m, specs in (
        (sky_flux_median, ()),
        (
            sky_flux_mean,
            (
                Spec("design", 25.0, source="verify_metrics"),
                Spec("design", -25.0, ">=", source="verify_metrics"),
            ),
        ),
        (sky_flux_stdev, (Spec("design", 100.0, source="verify_metrics"),)),
        (sky_flux_sigma_mad, ()),
    )
)
FARO = tuple(
    m.variant(
        ".faro",
        rows=sky_sources_off_edge,
        doc=f"{m.doc[:-1]}; as faro selects them, without regard to missing data.",
        reference="faro aff3cf7",
    )
    for m in (sky_flux_mean, sky_flux_stdev, COADD[1], COADD[2])
)
