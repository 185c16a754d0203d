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

"""Uniformity of the photometric calibration over the sky: PA3 to PA6, PF2.

A row is an object and a star of a reference catalogue close to it, see
`lsst.qa.metrics.reference`; a zero point is the median difference of their
magnitudes over the stars of a part of the sky.
"""

from __future__ import annotations

__all__ = ["HEALPIX", "PA3", "PA4", "PA5", "PA6", "PF2"]

from collections.abc import Callable
from typing import Any

import numpy as np

from ..metric import Estimate, metric, srd
from ..stats import fraction, median, quantile
from ..stats.relative import unbiased_place
from ..stats.zeropoints import sky_cell, uniformity, zero_points
from .photometry import MILLI
from .reference_photometry import bright_pairs, magnitude_difference

PA4_DESIGN = 15.0
"""Design value of PA4, in mmag, by which PF2 tells an outlier."""

_WHERE: dict[str, Any] = {
    "table": "object_reference",
    "rows": bright_pairs,
    "reference": "LPM-17, photometric uniformity; LSE-61",
}


def deviations(zero: np.ndarray) -> np.ndarray:
    """Return the sizes of the zero points' deviations from their median."""
    return np.abs(zero - np.median(zero)) if len(zero) > 1 else np.zeros(0)


@metric(
    "PA3",
    unit="mmag",
    specs=srd(15.0, 10.0, 5.0, bands="grizy") + srd(30.0, 20.0, 10.0, bands="u"),
    **_WHERE,
)
def PA3(psf_mag: np.ndarray, ref_mag: np.ndarray, patch: np.ndarray, *, fewest: int = 5) -> Estimate:
    """Scatter of the photometric zero point over the patches of a tract, less
    what the noise of the stars makes of it.

    sqrt(var(z) - mean(error(z)^2)), z = median over a patch of m_PSF - m_ref,
    S/N > 200, 5 stars or more
    """
    return Estimate(*uniformity(*zero_points(magnitude_difference(psf_mag, ref_mag), patch, fewest)))


@metric("PA4", unit="mmag", specs=srd(20.0, 15.0, 15.0), **_WHERE)
def PA4(
    psf_mag: np.ndarray,
    ref_mag: np.ndarray,
    patch: np.ndarray,
    *,
    fewest: int = 5,
    outliers: float = 10.0,
) -> Estimate:
    """Deviation from the median that all but PF2's design percentage of the
    zero points of patches keep within.

    quantile(|z - median z|, 1 - 10 %), median-unbiased, z = median over a
    patch of m_PSF - m_ref, S/N > 200, 5 stars or more
    """
    zero, _ = zero_points(magnitude_difference(psf_mag, ref_mag), patch, fewest)
    away = deviations(zero)
    inside = 1.0 - outliers / 100.0
    _, error, n = quantile(away, inside)
    # Patches are few, and a quantile of few values is too low.
    return Estimate(quantile(away, unbiased_place(inside, len(away)))[0], error, n)


@metric("PF2", unit="%", specs=srd(20.0, 10.0, 5.0), **_WHERE)
def PF2(
    psf_mag: np.ndarray, ref_mag: np.ndarray, patch: np.ndarray, *, fewest: int = 5, limit: float = PA4_DESIGN
) -> Estimate:
    """Percentage of the zero points of patches that deviate from the median by
    more than PA4's design value.

    100 mean(|z - median z| > 15 mmag), z = median over a patch of m_PSF -
    m_ref, S/N > 200, 5 stars or more
    """
    zero, _ = zero_points(magnitude_difference(psf_mag, ref_mag), patch, fewest)
    return Estimate(*fraction(deviations(zero) > limit))


def over_cells(function: Callable[..., Estimate]) -> Callable[..., Estimate]:
    """Make a metric over patches one over HEALPix cells."""

    def measure(
        psf_mag: np.ndarray,
        ref_mag: np.ndarray,
        ra: np.ndarray,
        dec: np.ndarray,
        *,
        nside: int = 512,
        fewest: int = 5,
    ) -> Estimate:
        return function(psf_mag, ref_mag, sky_cell(ra, dec, nside), fewest=fewest)

    measure.__module__, measure.__qualname__ = function.__module__, f"over_cells({function.__qualname__})"
    return measure


HEALPIX = tuple(
    m.variant(
        ".healpix",
        function=over_cells(m.function),
        doc=m.doc.replace("patches of a tract", "HEALPix cells of a tract").replace(
            "of patches", "of HEALPix cells"
        ),
        formula=m.formula.replace("a patch", "a cell of nside 512"),
    )
    for m in (PA3, PA4, PF2)
)


@metric(
    "PA5",
    unit="mmag",
    specs=srd(10.0, 5.0, 3.0, bands="gizy") + srd(15.0, 10.0, 5.0, bands="u"),
    **_WHERE,
)
def PA5(
    psf_mag: np.ndarray,
    ref_mag: np.ndarray,
    r_psf_mag: np.ndarray,
    r_ref_mag: np.ndarray,
    patch: np.ndarray,
    band: str | None,
) -> Estimate:
    """Size of the median difference, between stars and the reference
    catalogue, of the colour of this band and r.

    |median((m - r) - (m - r)_ref)|, S/N > 200; there is none in r
    """
    with np.errstate(invalid="ignore"):
        away = MILLI * ((psf_mag - r_psf_mag) - (ref_mag - r_ref_mag))
    # Stars of a patch are wrong together.
    value, error, n = median(away, patch) if band != "r" else (np.nan, np.nan, 0)
    return Estimate(abs(value), error, n)


@metric("PA6", unit="mmag", specs=srd(20.0, 10.0, 5.0), **_WHERE)
def PA6(psf_mag: np.ndarray, ref_mag: np.ndarray, patch: np.ndarray) -> Estimate:
    """Size of the median difference between the magnitudes of stars and those
    of the reference catalogue.

    |median(m_PSF - m_ref)|, S/N > 200
    """
    value, error, n = median(magnitude_difference(psf_mag, ref_mag), patch)
    return Estimate(abs(value), error, n)
