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

"""The stellar locus: stars in two colours, and the line that they follow."""

from __future__ import annotations

__all__ = ["PLOT"]

import numpy as np

from ..metrics.locus import distances
from ..stats.line import total_least_squares
from .crowd import MOST_MARKS, crowd
from .declared import Plot, Way
from .drawing import Drawing, Layer

_BOX = {"x_low": 0.28, "x_high": 1.0, "y_low": 0.02, "y_high": 0.48}


def compact(
    detect_isPrimary: np.ndarray,
    r_extendedness: np.ndarray,
    r_psfFlux_flag: np.ndarray,
    r_psf_mag: np.ndarray,
) -> np.ndarray:
    """Select bright primary objects that are compact."""
    return detect_isPrimary & ~r_psfFlux_flag & (r_extendedness < 0.5) & (r_psf_mag < 23.0)


def stellar_locus(
    g_psf_mag: np.ndarray, r_psf_mag: np.ndarray, i_psf_mag: np.ndarray, key: np.ndarray | None = None
) -> Drawing:
    """Draw r - i against g - r, and the line of the blue part."""
    with np.errstate(invalid="ignore"):
        x, y = g_psf_mag - r_psf_mag, r_psf_mag - i_psf_mag
    known = np.isfinite(x) & np.isfinite(y) & (np.abs(x) < 5.0) & (np.abs(y) < 5.0)
    x, y = x[known], y[known]
    layers = crowd(x, y, "objects", "one", None if key is None else key[known], MOST_MARKS)
    notes: tuple[str, ...] = ()
    inside = (x > _BOX["x_low"]) & (x < _BOX["x_high"]) & (y > _BOX["y_low"]) & (y < _BOX["y_high"])
    line = total_least_squares(x[inside], y[inside]) if np.count_nonzero(inside) >= 7 else None
    if line is not None and not line.steep:
        ends = np.array([_BOX["x_low"], _BOX["x_high"]])
        up = np.array([line.crossing(float(end), float(y[inside].mean()))[1] for end in ends])
        away = distances(x, y, _BOX["x_low"], _BOX["x_high"], _BOX["y_low"], _BOX["y_high"], turning=True)
        layers += (*_box(), Layer("line", {"x": ends, "y": up}, "line of the blue part", "ink"))
        if len(away):
            width = 1.4826 * float(np.median(np.abs(away - np.median(away))))
            notes = (f"{len(away)} objects of the blue part scatter across it by {width:.3g} mmag.",)
    return Drawing(
        across="g − r (mag)",
        up="r − i (mag)",
        layers=layers,
        n=len(x),
        of="objects",
        equal=False,
        notes=notes,
    )


def _box() -> tuple[Layer, ...]:
    """Draw what is taken for the blue part."""
    x = np.array([_BOX[name] for name in ("x_low", "x_high", "x_high", "x_low", "x_low")])
    y = np.array([_BOX[name] for name in ("y_low", "y_low", "y_high", "y_high", "y_low")])
    return (Layer("dashes", {"x": x, "y": y}, "", "quiet"),)


PLOT = Plot(
    "stellar_locus",
    "Stellar locus",
    "Bright compact objects in two colours, as observed. Stars follow a narrow line; its width is what"
    " wPerp measures, in the dashed box.",
    stellar_locus,
    (Way("object", compact), Way("object", None)),
)
