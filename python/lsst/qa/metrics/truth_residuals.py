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

"""Residuals from truth: how far magnitudes, colours and positions are from
what is known, by magnitude, of stars and of galaxies.
"""

from __future__ import annotations

__all__ = ["COLOURS", "COUNTS", "MAGNITUDES", "POSITIONS", "PULLS"]

from collections.abc import Callable
from typing import Any

import numpy as np

from ..metric import Estimate, Metric
from ..stats import count, median, sigma_mad
from ..stats.matching import tangent_offsets
from .completeness import BRIGHTEST, FAINTEST, REFERENCE, ROW_BYTES, edges_of, of_class

MILLI = 1000.0
MAS = np.degrees(1.0) * 3600e3
AB_NANOJANSKY = 31.4

_STATISTICS: dict[str, Callable[[np.ndarray], tuple[float, float, int]]] = {
    "median": median,
    "scatter": sigma_mad,
}


def matched_sources(
    ref_isPrimary: np.ndarray, detect_isPrimary: np.ndarray, match_distance: np.ndarray
) -> np.ndarray:
    """Select primary objects that are what is known to be there."""
    return ref_isPrimary & detect_isPrimary & (match_distance >= 0.0)


def by_magnitude(
    mag: np.ndarray, star: np.ndarray, values: np.ndarray, which: str, statistic: str
) -> list[Estimate] | Estimate:
    """Return a statistic of the finite values of a class in each bin."""
    edges = edges_of(BRIGHTEST, FAINTEST, 1.0)
    place = np.searchsorted(edges, mag, side="right") - 1
    place = np.where(of_class(star, which) & np.isfinite(values), place, -1)
    if not np.any((place >= 0) & (place < len(edges) - 1)):
        return Estimate(np.nan, np.nan, 0)
    return [
        Estimate(*_STATISTICS[statistic](values[place == k]), float(edges[k]), float(edges[k + 1]))
        for k in range(len(edges) - 1)
    ]


def magnitude_residual(
    mag: np.ndarray,
    ref_mag: np.ndarray,
    ref_star: np.ndarray,
    *,
    which: str = "stars",
    statistic: str = "median",
) -> list[Estimate] | Estimate:
    with np.errstate(invalid="ignore"):
        return by_magnitude(ref_mag, ref_star, MILLI * (mag - ref_mag), which, statistic)


def flux_pull(
    flux: np.ndarray,
    flux_error: np.ndarray,
    ref_mag: np.ndarray,
    ref_star: np.ndarray,
    *,
    which: str = "stars",
    statistic: str = "median",
) -> list[Estimate] | Estimate:
    with np.errstate(all="ignore"):
        pull = (flux - 10.0 ** (-0.4 * (ref_mag - AB_NANOJANSKY))) / flux_error
    return by_magnitude(ref_mag, ref_star, pull, which, statistic)


def colour_residual(
    first: np.ndarray,
    second: np.ndarray,
    ref_first: np.ndarray,
    ref_second: np.ndarray,
    ref_star: np.ndarray,
    *,
    which: str = "stars",
    statistic: str = "median",
) -> list[Estimate] | Estimate:
    with np.errstate(invalid="ignore"):
        away = MILLI * ((first - second) - (ref_first - ref_second))
    return by_magnitude(ref_second, ref_star, away, which, statistic)


def position_residual(
    ra: np.ndarray,
    dec: np.ndarray,
    ref_ra: np.ndarray,
    ref_dec: np.ndarray,
    ref_mag: np.ndarray,
    ref_star: np.ndarray,
    *,
    which: str = "stars",
    statistic: str = "median",
    axis: str = "ra",
) -> list[Estimate] | Estimate:
    east, north = tangent_offsets(ra, dec, ref_ra, ref_dec)
    return by_magnitude(ref_mag, ref_star, MAS * (east if axis == "ra" else north), which, statistic)


def matched_number(
    ref_mag: np.ndarray, ref_star: np.ndarray, *, which: str = "stars"
) -> list[Estimate] | Estimate:
    edges = edges_of(BRIGHTEST, FAINTEST, 1.0)
    place = np.searchsorted(edges, ref_mag, side="right") - 1
    chosen = np.where(of_class(ref_star, which), place, -1)
    if not np.any((chosen >= 0) & (chosen < len(edges) - 1)):
        return Estimate(np.nan, np.nan, 0)
    return [
        Estimate(*count(chosen[place == k] >= 0), float(edges[k]), float(edges[k + 1]))
        for k in range(len(edges) - 1)
    ]


_WORDS = {"median": ("Median", "median"), "scatter": ("Scatter", "1.4826 MAD")}


def _declared(
    name: str, function: Any, what: str, formula: str, unit: str, which: str, statistic: str, **changes: Any
) -> Metric:
    """Declare a statistic of the residuals of a class."""
    words, value = _WORDS[statistic]
    return Metric(
        name=f"truth_{name}_{statistic}_{which}",
        function=function,
        table="truth_match",
        unit=unit,
        doc=f"{words}, over true {which} that were detected, of {what}; a row per true magnitude.",
        formula=f"{value}({formula}) in bins of 1 mag, 16 to 31",
        reference=REFERENCE,
        rows=matched_sources,
        bytes_per_row=ROW_BYTES,
        inputs=changes.pop("inputs", {}),
        constants={"which": which, "statistic": statistic, **changes},
    )


_EACH = tuple((which, statistic) for which in ("stars", "galaxies") for statistic in _WORDS)
_FLUX = {"stars": ("psf", "psfFlux", "PSF"), "galaxies": ("cmodel", "cModelFlux", "model")}
MAGNITUDES = tuple(
    _declared(
        "mag",
        magnitude_residual,
        f"the measured {_FLUX[which][2]} magnitude less the true one",
        "m - m_true",
        "mmag",
        which,
        statistic,
        inputs={"mag": f"{_FLUX[which][0]}_mag"},
    )
    for which, statistic in _EACH
)
PULLS = tuple(
    _declared(
        "pull",
        flux_pull,
        f"the measured {_FLUX[which][2]} flux less the true one, over its error",
        "(f - f_true) / sigma_f",
        "",
        which,
        statistic,
        inputs={"flux": _FLUX[which][1], "flux_error": f"{_FLUX[which][1]}Err"},
    )
    for which, statistic in _EACH
)
POSITIONS = tuple(
    _declared(
        axis,
        position_residual,
        f"the measured position less the true one, {words}",
        f"offset {words} on the tangent plane",
        "mas",
        which,
        statistic,
        axis=axis,
    )
    for axis, words in (("ra", "to the east"), ("dec", "to the north"))
    for which, statistic in _EACH
)
COLOURS = tuple(
    _declared(
        f"color_{one}{other}",
        colour_residual,
        f"the measured {one}-{other} of {_FLUX[which][2]} magnitudes less the true one",
        f"({one} - {other}) - ({one} - {other})_true",
        "mmag",
        which,
        statistic,
        inputs={
            "first": f"{one}_{_FLUX[which][0]}_mag",
            "second": f"{other}_{_FLUX[which][0]}_mag",
            "ref_first": f"{one}_ref_mag",
            "ref_second": f"{other}_ref_mag",
        },
    )
    for one, other in ("ug", "gr", "ri", "iz", "zy")
    for which, statistic in _EACH
)
COUNTS = tuple(
    Metric(
        name=f"n_truth_{which}",
        function=matched_number,
        table="truth_match",
        unit="",
        doc=f"Number of true {which} that were detected; a row per true magnitude.",
        formula="N in bins of 1 mag, 16 to 31, Poisson error",
        reference=REFERENCE,
        rows=matched_sources,
        constants={"which": which},
        bytes_per_row=ROW_BYTES,
    )
    for which in ("stars", "galaxies")
)
