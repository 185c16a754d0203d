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

"""Positions against a reference catalogue: AA1 and its parts.

A row is a detection and a star of the catalogue close to it, moved to the
epoch of the detection. Plain metrics take the pairs of which each is the
other's nearest; analysis_tools takes every pair.
"""

from __future__ import annotations

__all__ = ["ASTROMETRY", "COADD_ASTROMETRY"]

from collections.abc import Callable
from typing import Any

import numpy as np

from ..metric import Estimate, Metric, positional_of, srd
from ..stats import median, sigma_mad
from ..stats.matching import tangent_offsets
from ..stats.pairs import separation
from .astrometry import MAS

SPECS = srd(100.0, 50.0, 20.0)
LPM17 = "LPM-17, absolute astrometry; LSE-61"
PEER = "analysis_tools c74f828, TargetRefCatDeltaMetrics"


def plot_pairs(
    psf_mag: np.ndarray,
    extendedness: np.ndarray,
    detect_isPrimary: np.ndarray,
    psfFlux_flag: np.ndarray,
    pixelFlags_saturatedCenter: np.ndarray,
    *,
    mag_min: float = 17.0,
    mag_max: float = 21.5,
) -> np.ndarray:
    """Select the pairs of primary, unsaturated, compact detections of 17 <=
    mag < 21.5.
    """
    good = detect_isPrimary & ~psfFlux_flag & ~pixelFlags_saturatedCenter & (extendedness < 0.5)
    return good & (psf_mag >= mag_min) & (psf_mag < mag_max)


def nearest_pairs(
    nearest: np.ndarray,
    psf_mag: np.ndarray,
    psf_snr: np.ndarray,
    extendedness: np.ndarray,
    detect_isPrimary: np.ndarray,
    psfFlux_flag: np.ndarray,
    pixelFlags_saturatedCenter: np.ndarray,
    *,
    mag_min: float = 17.0,
    mag_max: float = 21.5,
    snr_min: float = 50.0,
) -> np.ndarray:
    """Select of these pairs the nearest to each other, of sufficient S/N."""
    shown = plot_pairs(
        psf_mag,
        extendedness,
        detect_isPrimary,
        psfFlux_flag,
        pixelFlags_saturatedCenter,
        mag_min=mag_min,
        mag_max=mag_max,
    )
    return nearest & shown & (psf_snr >= snr_min)


def offset_east(
    ra: np.ndarray, dec: np.ndarray, ref_ra: np.ndarray, ref_dec: np.ndarray, *, scatter: bool = False
) -> Estimate:
    east, _ = tangent_offsets(ra, dec, ref_ra, ref_dec)
    return Estimate(*(sigma_mad if scatter else median)(MAS * east))


def offset_north(
    ra: np.ndarray, dec: np.ndarray, ref_ra: np.ndarray, ref_dec: np.ndarray, *, scatter: bool = False
) -> Estimate:
    _, north = tangent_offsets(ra, dec, ref_ra, ref_dec)
    return Estimate(*(sigma_mad if scatter else median)(MAS * north))


def distance(
    ra: np.ndarray, dec: np.ndarray, ref_ra: np.ndarray, ref_dec: np.ndarray, *, scatter: bool = False
) -> Estimate:
    with np.errstate(invalid="ignore"):
        apart = MAS * separation(ra, dec, ref_ra, ref_dec)
    return Estimate(*(sigma_mad if scatter else median)(apart))


def larger_offset(ra: np.ndarray, dec: np.ndarray, ref_ra: np.ndarray, ref_dec: np.ndarray) -> Estimate:
    components = map(median, tangent_offsets(ra, dec, ref_ra, ref_dec))
    value, error, n = max(components, key=lambda moments: abs(moments[0]))
    return Estimate(MAS * abs(value), MAS * error, n)


def difference_ra(
    ra: np.ndarray, ref_ra: np.ndarray, ref_dec: np.ndarray, *, scatter: bool = False
) -> Estimate:
    with np.errstate(invalid="ignore"):
        away = MAS * (np.mod(ra - ref_ra + np.pi, 2.0 * np.pi) - np.pi) * np.cos(ref_dec)
    return Estimate(*(sigma_mad if scatter else median)(away))


def difference_dec(dec: np.ndarray, ref_dec: np.ndarray, *, scatter: bool = False) -> Estimate:
    with np.errstate(invalid="ignore"):
        away = MAS * (dec - ref_dec)
    return Estimate(*(sigma_mad if scatter else median)(away))


def _metric(name: str, function: Callable[..., Estimate], doc: str, formula: str, **changes: Any) -> Metric:
    """Declare one statistic of the offsets of a visit's sources."""
    return Metric(
        name=name,
        function=function,
        table="source_reference",
        unit="mas",
        doc=doc,
        formula=f"{formula}, 17 <= mag < 21.5, S/N >= 50, each the other's nearest",
        rows=nearest_pairs,
        **{"reference": LPM17, **changes},
    )


_CUTS = ", S/N >= 50, each the other's nearest"
_EAST = "x to the east, of the source from the reference star"
_NORTH = "y to the north, of the source from the reference star"
_SCATTER: dict[str, Any] = {"constants": {"scatter": True}}

AA1 = _metric(
    "AA1",
    larger_offset,
    "The larger, over both coordinates, of the sizes of the median offset between stars and the reference"
    " catalogue.",
    "max(|median(x)|, |median(y)|), x to the east and y to the north of the reference star",
    specs=SPECS,
)
PARTS = (
    _metric(
        "AA1_RA",
        offset_east,
        "Median offset along right ascension between stars and the reference catalogue.",
        f"median(x), {_EAST}",
    ),
    _metric(
        "AA1_Dec",
        offset_north,
        "Median offset along declination between stars and the reference catalogue.",
        f"median(y), {_NORTH}",
    ),
    _metric(
        "AA1_tot",
        distance,
        "Median separation of stars from those of the reference catalogue.",
        "median(d), d the angle between both",
    ),
    _metric(
        "AA1_RA_scatter",
        offset_east,
        "Scatter of the offsets along right ascension between stars and the reference catalogue.",
        f"1.4826 MAD(x), {_EAST}",
        **_SCATTER,
    ),
    _metric(
        "AA1_Dec_scatter",
        offset_north,
        "Scatter of the offsets along declination between stars and the reference catalogue.",
        f"1.4826 MAD(y), {_NORTH}",
        **_SCATTER,
    ),
    _metric(
        "AA1_tot_scatter",
        distance,
        "Scatter of the separations of stars from those of the reference catalogue.",
        "1.4826 MAD(d), d the angle between both",
        **_SCATTER,
    ),
)
_PEERS_OWN = {"offset_east": difference_ra, "offset_north": difference_dec}

ASTROMETRY = (
    AA1,
    *PARTS,
    *(
        m.variant(
            ".analysis_tools",
            function=_PEERS_OWN.get(m.function.__name__, m.function),
            rows=plot_pairs,
            doc=f"{m.doc.removesuffix('.')}, of every star within the radius, as analysis_tools takes it.",
            formula=m.formula.removesuffix(_CUTS)
            .replace(_EAST, "x = (ra - ra_ref) cos(dec_ref)")
            .replace(_NORTH, "y = dec - dec_ref"),
            reference=PEER,
        )
        for m in PARTS
    ),
)
COADD_ASTROMETRY = tuple(
    m.variant(
        f"coadd_{m.name}",
        table="object_reference",
        inputs={axis: f"own_{axis}" for axis in ("ra", "dec") if axis in positional_of(m.function)},
        doc=m.doc.replace("stars", "stars of coadds", 1),
        formula=m.formula.replace("the source", "the object"),
    )
    for m in ASTROMETRY
)
