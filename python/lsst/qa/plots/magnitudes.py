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

"""Magnitude scatter: how two fluxes of one source differ."""

from __future__ import annotations

__all__ = ["PLOT"]

import numpy as np

from ..metrics.photometry import MILLI
from .crowd import crowd, running_median, span
from .declared import Plot, Way
from .drawing import Drawing, Layer

_ZERO_POINT = 31.4  # AB magnitude of 1 nJy


def unsaturated(
    detect_isPrimary: np.ndarray, psfFlux_flag: np.ndarray, pixelFlags_saturatedCenter: np.ndarray
) -> np.ndarray:
    """Select primary sources with a good flux."""
    return detect_isPrimary & ~psfFlux_flag & ~pixelFlags_saturatedCenter


def magnitude_scatter(
    psfFlux: np.ndarray,
    flux: np.ndarray,
    key: np.ndarray | None = None,
    extendedness: np.ndarray | None = None,
    *,
    other: str = "aperture",
) -> Drawing:
    """Draw the PSF magnitude minus another against the PSF magnitude."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mag = _ZERO_POINT - 2.5 * np.log10(psfFlux)
        away = -2.5 * MILLI * np.log10(psfFlux / flux)
    compact = np.ones(len(mag), dtype=bool) if extendedness is None else extendedness < 0.5
    known = np.isfinite(mag) & np.isfinite(away)
    whole = int(np.count_nonzero(known))
    for values, margin in ((away, 0.25), (mag, 0.5)):
        low, high = span(values[known], margin)
        known &= (values >= low) & (values <= high)
    beyond = whole - int(np.count_nonzero(known))
    layers: list[Layer] = []
    # What looks extended is drawn below, as it is wherever they overlap.
    for label, tone, part in (("extended", "two", ~compact & known), ("compact", "one", compact & known)):
        named = None if key is None else key[part]
        told = label if extendedness is not None else "all"
        layers += crowd(mag[part], away[part], told, tone, named, most=1500)
    layers += running_median(
        mag[known & compact], away[known & compact], "median of compact ones, 16 to 84 %"
    )
    return Drawing(
        across="PSF magnitude (mag)",
        up=f"PSF − {other} magnitude (mmag)",
        layers=tuple(layers),
        n=int(np.count_nonzero(known)),
        notes=(f"Not drawn: {beyond} that lie far beyond the others.",) if beyond else (),
    )


PLOT = Plot(
    "magnitude_scatter",
    "Magnitude scatter",
    "The PSF magnitude minus that of another flux. Good photometry of stars is a flat, narrow band at one"
    " value that widens to the faint end; galaxies lie above it.",
    magnitude_scatter,
    (
        Way("source", unsaturated, {"flux": "ap09Flux"}, {"other": "aperture (9 pixels)"}),
        Way("source", unsaturated, {"flux": "ap12Flux"}, {"other": "aperture (12 pixels)"}),
        Way("source", unsaturated, {"flux": "gaussianFlux"}, {"other": "Gaussian"}),
        Way("object", unsaturated, {"flux": "cModelFlux"}, {"other": "model"}),
        Way("object", unsaturated, {"flux": "ap09Flux"}, {"other": "aperture (9 pixels)"}),
        Way("truth_match", None, {"flux": "ref_flux"}, {"other": "true"}),
    ),
)
