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

"""Counts, validity and flags: how many sources there are and how many of them
are usable.
"""

from __future__ import annotations

__all__ = [
    "COADD",
    "FLAGS",
    "OBJECT_FLAGS",
    "flag_fraction",
    "n_primary",
    "n_sources",
    "n_stars",
    "psf_flux_finite_fraction",
]

import numpy as np

from ..metric import Estimate, metric
from ..stats import count, fraction


def primary(detect_isPrimary: np.ndarray) -> np.ndarray:
    """Select primary detections."""
    return detect_isPrimary


@metric("n_sources", table="source", unit="", bytes_per_row=2, reference="faro aff3cf7, nsrcMeas")
def n_sources(sourceId: np.ndarray) -> Estimate:
    """Number of sources, whatever their flags.

    N, Poisson error
    """
    return Estimate(*count(np.ones(len(sourceId), dtype=bool)))


@metric("n_primary", table="source", unit="", reference="faro aff3cf7, nsrcMeas with doPrimary")
def n_primary(detect_isPrimary: np.ndarray) -> Estimate:
    """Number of primary sources.

    N(detect_isPrimary), Poisson error
    """
    return Estimate(*count(detect_isPrimary))


@metric("n_stars", table="source", unit="", rows=primary, reference="SRD unresolved sources, LPM-17")
def n_stars(extendedness: np.ndarray) -> Estimate:
    """Number of primary sources that are compact.

    N(detect_isPrimary and extendedness < 0.5), Poisson error
    """
    # Where no source is classified, there is no number of stars: not 0.
    return Estimate(*count(extendedness[np.isfinite(extendedness)] < 0.5))


@metric(
    "psf_flux_finite_fraction",
    table="source",
    unit="%",
    rows=primary,
    reference="analysis_tools c74f828, validity",
)
def psf_flux_finite_fraction(psfFlux: np.ndarray) -> Estimate:
    """Percentage of primary sources with a finite PSF flux.

    100 mean(isfinite(psfFlux))
    """
    return Estimate(*fraction(np.isfinite(psfFlux)))


@metric(
    "flag_fraction.psfFlux_flag",
    table="source",
    unit="%",
    inputs={"flag": "psfFlux_flag"},
    reference="analysis_tools c74f828, flag fractions",
)
def flag_fraction(flag: np.ndarray) -> Estimate:
    """Percentage of sources that have the flag psfFlux_flag.

    100 mean(flag)
    """
    return Estimate(*fraction(flag))


FLAGS = tuple(
    flag_fraction.variant(
        f"flag_fraction.{name}",
        inputs={"flag": name},
        doc=f"Percentage of sources that have the flag {name}.",
    )
    for name in (
        "centroid_flag",
        "pixelFlags_bad",
        "pixelFlags_cr",
        "pixelFlags_edge",
        "pixelFlags_interpolated",
        "pixelFlags_saturated",
        "pixelFlags_suspect",
    )
)


@metric("coadd_n_objects", table="object", unit="", reference="analysis_tools c74f828, patchCount")
def coadd_n_objects(objectId: np.ndarray) -> Estimate:
    """Number of objects, whatever their flags.

    N, Poisson error
    """
    return Estimate(*count(np.ones(len(objectId), dtype=bool)))


COADD = (
    n_primary.variant("coadd_n_primary", table="object", doc="Number of primary objects."),
    n_stars.variant("coadd_n_stars", table="object", doc="Number of primary objects that are compact."),
    psf_flux_finite_fraction.variant(
        "coadd_psf_flux_finite_fraction",
        table="object",
        doc="Percentage of primary objects with a finite PSF flux.",
    ),
)
OBJECT_FLAGS = tuple(
    flag_fraction.variant(
        f"coadd_flag_fraction.{name}",
        table="object",
        inputs={"flag": name},
        doc=f"Percentage of objects that have the flag {name}.",
    )
    for name in ("psfFlux_flag", "pixelFlags_edge", "pixelFlags_nodata", "pixelFlags_saturatedCenter")
)
