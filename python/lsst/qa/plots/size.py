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

"""Size against magnitude: how stars stand apart from galaxies."""

from __future__ import annotations

__all__ = ["PLOT"]

import numpy as np

from ..metrics.shape import trace_radius
from .crowd import crowd, span
from .declared import Plot, Way
from .drawing import Drawing, Layer
from .magnitudes import unsaturated

_LARGEST = 4.0  # PSF's radii


def size_magnitude(
    psf_mag: np.ndarray,
    ixx: np.ndarray,
    iyy: np.ndarray,
    key: np.ndarray | None = None,
    extendedness: np.ndarray | None = None,
    ixxPSF: np.ndarray | None = None,
    iyyPSF: np.ndarray | None = None,
) -> Drawing:
    """Draw the trace radius against the PSF magnitude."""
    size = trace_radius(ixx, iyy)
    psf = None if ixxPSF is None or iyyPSF is None else trace_radius(ixxPSF, iyyPSF)
    model = psf[np.isfinite(psf)] if psf is not None else np.zeros(0)
    usual = float(np.median(model)) if len(model) else 0.0
    known = np.isfinite(psf_mag) & np.isfinite(size)
    largest = _LARGEST * usual if usual else np.inf
    beyond = int(np.count_nonzero(known & (size > largest)))
    known &= size <= largest
    low, high = span(psf_mag[known], 0.5)
    known &= (psf_mag >= low) & (psf_mag <= high)
    looks = np.ones(len(size), dtype=bool) if extendedness is None else extendedness < 0.5
    layers: list[Layer] = []
    for label, tone, part in (("extended", "two", known & ~looks), ("compact", "one", known & looks)):
        told = label if extendedness is not None else "all"
        layers += crowd(psf_mag[part], size[part], told, tone, None if key is None else key[part], 1500)
    if usual and known.any():
        ends = np.array(span(psf_mag[known], 9.0))
        layers.append(Layer("dashes", {"x": ends, "y": np.full(2, usual)}, f"PSF model, {usual:.3g}", "ink"))
    notes = (f"{beyond} that are larger than {_LARGEST:g} times the PSF are not drawn.",) if beyond else ()
    return Drawing(
        across="PSF magnitude (mag)",
        up="trace radius (pixel)",
        layers=tuple(layers),
        n=int(np.count_nonzero(known)),
        notes=notes,
    )


PLOT = Plot(
    "size_magnitude",
    "Size and magnitude",
    "The radius of the second moments, √((Ixx + Iyy) / 2), against the PSF magnitude. Stars lie on a line at"
    " the size of the PSF, galaxies above it; a line that bends at the bright end is saturation.",
    size_magnitude,
    (Way("source", unsaturated), Way("object", unsaturated)),
)
