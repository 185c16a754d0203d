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

"""Completeness against magnitude: how much of what is there is detected."""

from __future__ import annotations

__all__ = ["PLOT"]

import numpy as np

from ..metrics.completeness import completeness, true_sources
from .declared import Plot, Way
from .drawing import Drawing, Layer

_CLASSES = (("all", "all", "ink"), ("stars", "stars", "one"), ("galaxies", "galaxies", "two"))


def completeness_curves(
    ref_mag: np.ndarray,
    match_distance: np.ndarray,
    extendedness: np.ndarray,
    ref_star: np.ndarray | None = None,
) -> Drawing:
    """Draw the detected percentage of true sources, of all and by class."""
    star = np.full(len(ref_mag), np.nan) if ref_star is None else ref_star
    layers: list[Layer] = []
    for which, label, tone in _CLASSES:
        found = completeness(ref_mag, star, match_distance, extendedness, which=which, width=0.5)
        rows = [row for row in found if row.n > 0] if isinstance(found, list) else []
        if not rows:
            continue
        x = np.array([0.5 * ((row.bin_low or 0.0) + (row.bin_high or 0.0)) for row in rows])
        y, error = np.array([row.value for row in rows]), np.array([row.error for row in rows])
        low, high = np.maximum(y - error, 0.0), np.minimum(y + error, 100.0)
        columns = {"x": x, "y": y, "low": low, "high": high, "alpha": np.ones(len(x))}
        layers += [Layer("line", {"x": x, "y": y}, "", tone), Layer("bars", columns, label, tone)]
    return Drawing(
        across="true magnitude (mag)",
        up="detected (%)",
        layers=tuple(layers),
        n=int(np.count_nonzero(np.isfinite(ref_mag))),
        of="true sources",
    )


PLOT = Plot(
    "completeness",
    "Completeness",
    "The percentage of true sources that were detected, by their true magnitude. It should stay near 100 %"
    " and fall steeply at the depth of the data.",
    completeness_curves,
    (Way("truth_match", true_sources),),
)
