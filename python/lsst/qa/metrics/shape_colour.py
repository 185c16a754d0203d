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

"""How shapes of stars, and residuals of shape and size, go with colour."""

from __future__ import annotations

__all__ = ["BY_COLOUR"]

from collections.abc import Callable
from typing import Any

import numpy as np

from ..metric import Estimate, Metric
from .ellipticity import DETERMINANT, by_magnitude
from .shape import coadd_stars, difference, size_difference


def colour_bins(
    bluer: np.ndarray, redder: np.ndarray, values: np.ndarray, low: float, high: float, width: float
) -> list[Estimate] | Estimate:
    """Return the median of values in each bin of colour."""
    return by_magnitude(bluer - redder, values, low, high, width)


def difference_by_colour(
    bluer: np.ndarray,
    redder: np.ndarray,
    star: np.ndarray,
    model: np.ndarray,
    *,
    low: float = -0.5,
    high: float = 3.5,
    width: float = 0.5,
) -> list[Estimate] | Estimate:
    return colour_bins(bluer, redder, difference(star, model), low, high, width)


def ellipticity_by_colour(
    bluer: np.ndarray,
    redder: np.ndarray,
    e1: np.ndarray,
    e2: np.ndarray,
    *,
    low: float = -0.5,
    high: float = 3.5,
    width: float = 0.5,
) -> list[Estimate] | Estimate:
    return colour_bins(bluer, redder, np.hypot(e1, e2), low, high, width)


def size_by_colour(
    bluer: np.ndarray,
    redder: np.ndarray,
    ixx: np.ndarray,
    iyy: np.ndarray,
    ixy: np.ndarray,
    ixxPSF: np.ndarray,
    iyyPSF: np.ndarray,
    ixyPSF: np.ndarray,
    *,
    low: float = -0.5,
    high: float = 3.5,
    width: float = 0.5,
) -> list[Estimate] | Estimate:
    away = size_difference(ixx, iyy, ixy, ixxPSF, iyyPSF, ixyPSF)
    return colour_bins(bluer, redder, away, low, high, width)


_KINDS: tuple[tuple[str, Callable[..., Any], str, str, dict[str, str]], ...] = (
    *(
        (
            f"coadd_e{axis}_residual_by_colour",
            difference_by_colour,
            f"difference of e{axis} between stars and the PSF model",
            f"median(e{axis} - e{axis}_PSF), distortion",
            {"star": f"e{axis}", "model": f"psf_e{axis}"},
        )
        for axis in (1, 2)
    ),
    (
        "coadd_size_residual_by_colour",
        size_by_colour,
        "fractional difference of size between stars and the PSF model",
        f"median(r / r_PSF - 1), r = {DETERMINANT}",
        {},
    ),
    (
        "coadd_ellipticity_by_colour",
        ellipticity_by_colour,
        "ellipticity of stars",
        "median |e|, distortion",
        {},
    ),
)
# Only objects of coadds have colours; in all bands the same one, g-i.
BY_COLOUR = tuple(
    Metric(
        name=name,
        function=function,
        table="object",
        unit="",
        doc=f"Median {words}, a row per g-i colour, on coadds.",
        formula=f"{formula}, S/N > 100, bins of 0.5 mag",
        reference="LPM-17, shape of the PSF over the spectra of stars",
        rows=coadd_stars,
        inputs={"bluer": "g_psf_mag", "redder": "i_psf_mag", **inputs},
    )
    for name, function, words, formula, inputs in _KINDS
)
