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

"""Repeatability against magnitude: how well a star's magnitudes repeat."""

from __future__ import annotations

__all__ = ["PLOT"]

import numpy as np

from ..metrics.photometry import MILLI, PA1
from ..pieces import Coded
from ..stats.groups import group_rows
from ..stats.pairs import hash_order
from .crowd import MOST_MARKS, crowd, running_median, span
from .declared import Plot, Way
from .drawing import Drawing, Layer

_LEAST_VISITS = 3


def repeatability(
    psf_mag: np.ndarray,
    key: np.ndarray,
    band: Coded | None = None,
    extendedness: np.ndarray | None = None,
) -> Drawing:
    """Draw the rms of each star's magnitudes against their mean, by band."""
    known = np.isfinite(psf_mag)
    if extendedness is not None:
        known &= extendedness < 0.5
    bands = [""] if band is None else sorted(set(band.values), key="ugrizy".find)
    layers: list[Layer] = []
    total = fewer = 0
    for name in bands:
        here = known if band is None else known & (band.codes == band.values.index(name))
        if not here.any():
            continue
        mag, rms, stars = star_scatter(key[here], psf_mag[here])
        tone = f"band:{name}" if name else "one"
        # Cells of several bands would hide each other: points of some stars
        # do not.
        most = MOST_MARKS // len(bands)
        order = np.argsort(hash_order(stars))
        part = order if len(bands) == 1 else np.sort(order[:most])
        fewer += len(stars) - len(part)
        layers += crowd(mag[part], rms[part], f"{name} stars".strip(), tone, stars[part], most, log_up=True)
        total += len(rms)
        layers += running_median(mag, rms, "", tone if len(bands) > 1 else "ink")
    drawn = [layer for layer in layers if layer.kind in ("points", "cells")]
    if drawn:
        ends = [layer.columns[side] for layer in drawn for side in ("x", "left") if side in layer.columns]
        design = next(spec.value for spec in PA1.specs if spec.level == "design")
        across = np.array(span(np.concatenate(ends), 9.0))
        label = f"PA1 design, {design:g} mmag"
        layers.append(Layer("dashes", {"x": across, "y": np.full(2, design)}, label, "ink"))
    return Drawing(
        across="mean PSF magnitude (mag)",
        up="rms of a star's magnitudes (mmag)",
        layers=tuple(layers),
        n=total,
        of=f"stars of {_LEAST_VISITS} visits or more",
        log_up=True,
        notes=(f"Not drawn: {fewer:,} of them, chosen at random; the medians are of all.",) if fewer else (),
    )


def star_scatter(star: np.ndarray, mag: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean magnitude, rms in mmag and number of each star that was seen
    often enough.
    """
    order, stars = group_rows(star)
    ordered = mag if order is None else mag[order]
    kept = stars.counts >= _LEAST_VISITS
    rms = MILLI * stars.rms(ordered)
    kept &= rms > 0.0
    return stars.mean(ordered)[kept], rms[kept], np.asarray(stars.keys)[kept]


PLOT = Plot(
    "repeatability",
    "Repeatability",
    "The rms of each compact star's magnitudes over its visits, against their mean. Bright stars should lie"
    " at a floor below the requirement; photon noise lifts the faint ones.",
    repeatability,
    (Way("matched"),),
)
