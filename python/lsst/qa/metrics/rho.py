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

"""Rho statistics of the PSF: how its ellipticity, its residual ellipticity and
its residual size go together, by separation, in three packages' conventions.

Separations are in arcminutes. The error of a correlation says how it would
differ with other stars in the same field, not under another atmosphere.
"""

from __future__ import annotations

__all__ = ["CONVENTIONS", "RHO"]

import dataclasses
from typing import Any

import numpy as np

from ..metric import Estimate, Metric
from ..stats.correlation import Correlation, correlate, log_bins
from .correlation import ARCMIN, ROW_BYTES
from .shape import coadd_stars, psf_stars


@dataclasses.dataclass(frozen=True)
class Convention:
    """What a package means by the ellipticity and the size of a star."""

    shear: bool
    scale: float
    of_star: bool
    size: str


CONVENTIONS = {
    "jarvis": Convention(shear=True, scale=1.0, of_star=False, size="model"),
    "faro": Convention(shear=False, scale=1.0, of_star=False, size="mean"),
    "analysis_tools": Convention(shear=False, scale=0.5, of_star=True, size="radius"),
}


def ellipticity(ixx: np.ndarray, iyy: np.ndarray, ixy: np.ndarray, convention: Convention) -> np.ndarray:
    """Return the complex ellipticity of second moments, NaN where they are
    not those of an ellipse.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        size = ixx + iyy + (2.0 * np.sqrt(ixx * iyy - ixy**2) if convention.shear else 0.0)
        first, second = (ixx - iyy) / size, 2.0 * ixy / size
    known = np.isfinite(first) & np.isfinite(second)
    return convention.scale * (np.where(known, first, np.nan) + 1j * np.where(known, second, np.nan))


def size_residual(star: np.ndarray, model: np.ndarray, convention: Convention) -> np.ndarray:
    """Return the relative difference of sizes, from the moments' traces."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if convention.size == "radius":
            return 1.0 - np.sqrt(model / star)
        return (star - model) / (model if convention.size == "model" else 0.5 * (star + model))


def correlations(
    ra: np.ndarray,
    dec: np.ndarray,
    ixx: np.ndarray,
    iyy: np.ndarray,
    ixy: np.ndarray,
    ixxPSF: np.ndarray,
    iyyPSF: np.ndarray,
    ixyPSF: np.ndarray,
    *,
    convention: str = "jarvis",
    low: float = 1.0,
    high: float = 100.0,
    bins: int = 10,
) -> list[Correlation]:
    """Correlate what the six are made of, in one pass over the pairs."""
    if not len(ra):
        return []
    way = CONVENTIONS[convention]
    star, model = ellipticity(ixx, iyy, ixy, way), ellipticity(ixxPSF, iyyPSF, ixyPSF, way)
    shape, away = star if way.of_star else model, star - model
    with np.errstate(invalid="ignore"):
        # A star counts for all of the statistics or for none.
        size = size_residual(ixx + iyy, ixxPSF + iyyPSF, way)
        weighted = shape * size
    edges = log_bins(low, high, bins) * ARCMIN
    return correlate(ra, dec, [size, shape, away, weighted], _PRODUCTS, edges)


_PRODUCTS = ((0, 0), (2, 2), (1, 2), (3, 3), (2, 3), (1, 3))
"""Of size, shape, residual shape and shape times size, which two make each
statistic.
"""


def rho(
    found: list[Correlation], *, which: int = 1, low: float = 1.0, high: float = 100.0, bins: int = 10
) -> list[Estimate] | Estimate:
    """Return one of the rho statistics, a value per bin."""
    if not found:
        return Estimate(np.nan, np.nan, 0)
    edges, one = log_bins(low, high, bins), found[which]
    return [
        Estimate(
            float(one.values[k]), one.error(np.eye(bins)[k]), int(one.counts[k]), *edges[k : k + 2].tolist()
        )
        for k in range(bins)
    ]


_RHO = (
    ("of the size residual", "<s s'>"),
    ("of the residual ellipticity", "<de* de'>"),
    ("of the ellipticity with the residual ellipticity", "<e* de'>"),
    ("of the ellipticity times the size residual", "<(e s)* (e s)'>"),
    ("of the residual ellipticity with the ellipticity times the size residual", "<de* (e s)'>"),
    ("of the ellipticity with itself times the size residual", "<e* (e s)'>"),
)
_WAYS = {
    "jarvis": ("e = e_PSF as shear, s = (T - T_PSF) / T_PSF", "Jarvis et al. 2016, MNRAS 460, 2245"),
    "faro": ("e = e_PSF as distortion, s = 2 (T - T_PSF) / (T + T_PSF)", "faro aff3cf7, RhoStatistics"),
    "analysis_tools": (
        "e of the star as half the distortion, s = (r - r_PSF) / r",
        "analysis_tools c74f828, CalcRhoStatistics",
    ),
}


def _rho(which: int, table: str, convention: str) -> Metric:
    """Declare one of the six, of visits or of coadds, in a convention."""
    (words, product), (meaning, reference) = _RHO[which], _WAYS[convention]
    plain = convention == "jarvis"
    own: dict[str, Any] = {"low": 0.01, "bins": 21} if convention == "analysis_tools" else {}
    doc = f"Correlation, by separation, {words}{'' if table == 'source' else ', on coadds'}"
    return Metric(
        name=f"{'coadd_' if table == 'object' else ''}rho{which}{'' if plain else '.' + convention}",
        function=rho,
        shared=correlations,
        table=table,
        unit="",
        doc=f"{doc}{'' if plain else f', as {convention} computes it'}; a row per bin, in arcmin.",
        formula=f"{product}, {meaning}",
        reference=reference,
        rows=coadd_stars if table == "object" else psf_stars,
        constants={"which": which, "convention": convention, **own},
        bytes_per_row=ROW_BYTES,
        in_detail=False,
    )


RHO = tuple(
    _rho(which, table, convention)
    for table in ("source", "object")
    for convention in CONVENTIONS
    for which in range(len(_RHO))
)
