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

"""Residual whiskers: where in the field stars are not as round as the PSF
model says, and which way.
"""

from __future__ import annotations

__all__ = ["PLOT"]

import numpy as np

from ..metrics.shape import coadd_stars, psf_stars
from ..stats.matching import tangent_offsets
from ..stats.pairs import mean_position
from .declared import Plot, Way
from .drawing import Drawing, Layer

_ARCMIN = np.degrees(1.0) * 60.0
_CELLS = 20
_FEWEST = 2
_SCALES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


def residual_whiskers(
    ra: np.ndarray,
    dec: np.ndarray,
    e1: np.ndarray,
    e2: np.ndarray,
    psf_e1: np.ndarray,
    psf_e2: np.ndarray,
) -> Drawing:
    """Draw the mean residual ellipticity of stars in cells of the field."""
    away = (e1 - psf_e1) + 1j * (e2 - psf_e2)
    known = np.isfinite(away) & np.isfinite(ra) & np.isfinite(dec)
    ra, dec, away = ra[known], dec[known], away[known]
    layers: tuple[Layer, ...] = ()
    notes: tuple[str, ...] = ()
    if len(ra):
        east, north = (_ARCMIN * part for part in tangent_offsets(ra, dec, *mean_position(ra, dec, np.mean)))
        x, y, mean, size = cell_means(east, north, away)
        layers, notes = _drawn(x, y, mean, size)
    return Drawing(
        across="offset to the east (arcmin)",
        up="offset to the north (arcmin)",
        layers=layers,
        n=len(ra),
        of="stars",
        flip_across=True,
        equal=True,
        notes=notes,
    )


def cell_means(
    east: np.ndarray, north: np.ndarray, away: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return the mean place and the mean of the residual in square cells, of
    those that hold enough, and the width of a cell.
    """
    low = np.array([east.min(), north.min()])
    reach = max(float(np.ptp(east)), float(np.ptp(north))) or 1.0
    # So that a cell holds several stars, but not too few cells are left.
    number = int(np.clip(np.sqrt(len(east) / 4.0), 3, _CELLS))
    width = reach / number
    place = [
        np.minimum(((part - start) / width).astype(np.int64), number - 1)
        for part, start in zip((east, north), low)
    ]
    cell = place[0] * number + place[1]
    counts = np.bincount(cell, minlength=number * number)
    kept = counts >= min(_FEWEST, int(counts.max()))
    sums = [np.bincount(cell, part, number * number)[kept] for part in (east, north, away.real, away.imag)]
    x, y, first, second = (part / counts[kept] for part in sums)
    return x, y, first + 1j * second, width


def _drawn(
    x: np.ndarray, y: np.ndarray, mean: np.ndarray, width: float
) -> tuple[tuple[Layer, ...], tuple[str, ...]]:
    """Draw whiskers, and one of a round length beside them."""
    usual = float(np.quantile(np.abs(mean), 0.9)) or _SCALES[0]
    known = next((scale for scale in _SCALES if scale >= usual), _SCALES[-1])
    length = 1.1 * width / known
    half = 0.5 * length * np.abs(mean)
    # The moments' first axis is drawn to the west, their second to the north.
    angle = 0.5 * np.angle(mean)
    across, up = -half * np.cos(angle), half * np.sin(angle)
    whiskers = {"x0": x - across, "y0": y - up, "x1": x + across, "y1": y + up}
    left, top = float(x.max()), float(y.max()) + 1.3 * width
    key = {
        "x0": np.array([left]),
        "y0": np.array([top]),
        "x1": np.array([left - known * length]),
        "y1": np.array([top]),
    }
    layers = (
        Layer("segments", whiskers, "stars minus PSF model", "one"),
        Layer("segments", key, f"|e| = {known:g}", "two"),
    )
    size = float(np.sqrt(np.mean(np.abs(mean) ** 2)))
    return layers, (
        f"The cells' residual ellipticity has an rms of {size:.2g} in {len(x)} cells."
        " Whiskers lean as in the axes of the moments, drawn to the west and to the north.",
    )


PLOT = Plot(
    "residual_whiskers",
    "Residual whiskers",
    "The ellipticity of stars minus that of the PSF model, averaged in cells of the field; a whisker's length"
    " is its size. A good model leaves short whiskers without a pattern.",
    residual_whiskers,
    (Way("source", psf_stars), Way("object", coadd_stars)),
)
