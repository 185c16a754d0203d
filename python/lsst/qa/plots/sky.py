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

"""Histograms of the sky: what is measured where nothing is, and how bright the
background is.
"""

from __future__ import annotations

__all__ = ["BACKGROUND", "SKY_SOURCES"]

import numpy as np

from .crowd import span
from .declared import Plot, Way
from .drawing import Drawing, Layer

_BINS = 48
_WIDEST = 6.0


def steps(values: np.ndarray, edges: np.ndarray, label: str = "", tone: str = "one") -> Layer:
    """Draw a histogram.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        What to count.
    edges : `numpy.ndarray`, (k + 1,)
        Edges of the bins.
    label, tone : `str`
        See `Layer`.

    Returns
    -------
    layer : `Layer`
        The counts.
    """
    counts = np.histogram(values, edges)[0].astype(float)
    columns = {"left": edges[:-1], "right": edges[1:], "bottom": np.zeros(len(counts)), "top": counts}
    return Layer("steps", columns, label, tone)


def of_sky(sky_source: np.ndarray) -> np.ndarray:
    """Select places without a source, in a visit."""
    return sky_source


def of_empty_sky(sky_object: np.ndarray) -> np.ndarray:
    """Select places without an object, on coadds."""
    return sky_object


def sky_sources(psf_snr: np.ndarray) -> Drawing:
    """Draw how fluxes over their errors spread where there is nothing."""
    known = psf_snr[np.isfinite(psf_snr)]
    edges = np.linspace(-_WIDEST, _WIDEST, _BINS + 1)
    layers: tuple[Layer, ...] = ()
    notes: tuple[str, ...] = ()
    if len(known):
        width = edges[1] - edges[0]
        x = np.linspace(-_WIDEST, _WIDEST, 121)
        y = len(known) * width * np.exp(-0.5 * x**2) / np.sqrt(2.0 * np.pi)
        layers = (
            steps(known, edges, "sky sources"),
            Layer("dashes", {"x": x, "y": y}, "normal distribution of unit width", "ink"),
        )
        middle = float(np.median(known))
        scatter = 1.4826 * float(np.median(np.abs(known - middle)))
        beyond = int(np.count_nonzero(np.abs(known) > _WIDEST))
        notes = (f"The median is {middle:.2g} and the scatter {scatter:.3g}; {beyond} lie beyond the axis.",)
    return Drawing(
        across="PSF flux over its error",
        up="number",
        layers=layers,
        n=len(known),
        of="sky sources",
        notes=notes,
    )


def background(skyBg: np.ndarray, skyNoise: np.ndarray | None = None) -> Drawing:
    """Draw how the detectors' backgrounds spread."""
    known = skyBg[np.isfinite(skyBg)]
    low, high = span(known, 0.3)
    room = max(0.05 * (high - low), 0.01 * abs(high))
    layers: tuple[Layer, ...] = ()
    notes: tuple[str, ...] = ()
    if len(known):
        edges = np.linspace(low - room, high + room or 1.0, 31)
        layers = (steps(known, edges, "detectors"),)
        noise = skyNoise[np.isfinite(skyNoise)] if skyNoise is not None else known[:0]
        told = f", the median noise {float(np.median(noise)):.3g}" if len(noise) else ""
        notes = (f"The median is {float(np.median(known)):.4g} counts{told}.",)
    return Drawing(
        across="background (counts)", up="number", layers=layers, n=len(known), of="detectors", notes=notes
    )


SKY_SOURCES = Plot(
    "sky_sources",
    "Sky sources",
    "The PSF flux over its error where nothing was detected. With the background and the errors right it"
    " follows the dashed normal distribution; a shift is a background that was taken away wrongly, a wider"
    " one are errors that are too small.",
    sky_sources,
    (Way("source", of_sky), Way("object", of_empty_sky)),
)
BACKGROUND = Plot(
    "sky_background",
    "Sky background",
    "The sky's brightness in the detectors of a visit. A detector far from the others has stray light, or"
    " failed.",
    background,
    (Way("visit_summary"),),
)
