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

"""A drawing as a picture: PNG or PDF, by matplotlib."""

from __future__ import annotations

__all__ = ["FORMATS", "figure_of", "picture"]

import io
from typing import Any

import numpy as np

from ..errors import InputError
from .drawing import Drawing, Layer

FORMATS = {"png": "image/png", "pdf": "application/pdf"}
"""Media types of the formats of a picture."""

_COLOURS = {
    "one": "#0b6e8a",
    "two": "#d9730d",
    "three": "#6a51a3",
    "four": "#7a8b00",
    "five": "#b5316a",
    "quiet": "#7d8790",
    "ink": "#171c21",
    "band:u": "#1600ea",
    "band:g": "#31de1f",
    "band:r": "#b52626",
    "band:i": "#370201",
    "band:z": "#ba52ff",
    "band:y": "#61a2b3",
}
_MARKERS = {"two": "^", "three": "s", "four": "D", "five": "v"}


def picture(drawing: Drawing, title: str = "", form: str = "png") -> bytes:
    """Draw a picture.

    Parameters
    ----------
    drawing : `Drawing`
        What to draw.
    title : `str`, optional
        What stands above it.
    form : `str`, optional
        One of `FORMATS`.

    Returns
    -------
    picture : `bytes`
        The file.

    Raises
    ------
    InputError
        Raised if there is no such format.
    """
    if form not in FORMATS:
        raise InputError(f"There is no format {form!r} of a picture; those are {', '.join(FORMATS)}.")
    file = io.BytesIO()
    # Without a date the same drawing is the same file.
    metadata = {"CreationDate": None} if form == "pdf" else {"Software": None}
    figure_of(drawing, title).savefig(file, format=form, dpi=150, metadata=metadata)
    return file.getvalue()


def figure_of(drawing: Drawing, title: str = "") -> Any:
    """Draw a figure, for a notebook.

    Parameters
    ----------
    drawing : `Drawing`
        What to draw.
    title : `str`, optional
        What stands above it.

    Returns
    -------
    figure : `matplotlib.figure.Figure`
        The figure; no window and no global state knows of it.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 5.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for layer in drawing.layers:
        _DRAWN[layer.kind](axes, layer, _COLOURS.get(layer.tone, _COLOURS["quiet"]))
    axes.set_xlabel(drawing.across)
    axes.set_ylabel(drawing.up)
    if drawing.layers:
        axes.set_xscale("log" if drawing.log_across else "linear")
        axes.set_yscale("log" if drawing.log_up else "linear")
        axes.autoscale_view()
    if drawing.equal:
        axes.set_aspect("equal", adjustable="datalim")
    if drawing.flip_across:
        axes.invert_xaxis()
    axes.grid(color="#e6e9eb", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if any(layer.label for layer in drawing.layers):
        legend = axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=5, frameon=False, fontsize=9)
        for handle in legend.legend_handles:
            if isinstance(handle, PathCollection):
                handle.set_sizes([30.0])
                handle.set_alpha(1.0)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, parse_math=False)
    told = " ".join((f"{drawing.n:,} {drawing.of}.", *drawing.notes))
    figure.supxlabel(told, x=0.01, ha="left", fontsize=7.5, color="#58636e", wrap=True, parse_math=False)
    return figure


def _points(axes: Any, layer: Layer, colour: str) -> None:
    columns, many = layer.columns, len(layer.columns["x"]) > 300
    axes.scatter(
        columns["x"],
        columns["y"],
        s=5 if many else 12,
        marker=_MARKERS.get(layer.tone, "o"),
        color=colour,
        alpha=0.45 if many else 0.8,
        linewidths=0,
        label=layer.label or None,
        rasterized=many,
    )


def _cells(axes: Any, layer: Layer, colour: str) -> None:
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgba

    left, right, bottom, top = (layer.columns[name] for name in ("left", "right", "bottom", "top"))
    corners = np.stack([np.stack(pair, 1) for pair in _around(left, right, bottom, top)], 1)
    shades = np.tile(to_rgba(colour), (len(left), 1))
    shades[:, 3] = layer.columns["alpha"]
    axes.add_collection(PolyCollection(list(corners), facecolors=shades, linewidths=0), autolim=True)
    if layer.label:
        axes.scatter([], [], marker="s", color=colour, label=layer.label)


def _around(left: np.ndarray, right: np.ndarray, bottom: np.ndarray, top: np.ndarray) -> Any:
    return ((left, bottom), (right, bottom), (right, top), (left, top))


def _line(axes: Any, layer: Layer, colour: str) -> None:
    dashed = layer.kind == "dashes"
    axes.plot(
        layer.columns["x"],
        layer.columns["y"],
        color=colour,
        linewidth=1.2,
        linestyle="--" if dashed else "-",
        label=layer.label or None,
    )


def _bars(axes: Any, layer: Layer, colour: str) -> None:
    x, y, low, high, alpha = (layer.columns[name] for name in ("x", "y", "low", "high", "alpha"))
    axes.vlines(x, low, high, color=colour, linewidth=1.2)
    axes.scatter(
        x,
        y,
        s=24,
        marker=_MARKERS.get(layer.tone, "o"),
        edgecolors=colour,
        facecolors=[colour if filled else "white" for filled in alpha > 0.5],
        label=layer.label or None,
        zorder=3,
    )


def _steps(axes: Any, layer: Layer, colour: str) -> None:
    left, right, top = (layer.columns[name] for name in ("left", "right", "top"))
    axes.bar(left, top, right - left, align="edge", color=colour, alpha=0.75, label=layer.label or None)


def _segments(axes: Any, layer: Layer, colour: str) -> None:
    from matplotlib.collections import LineCollection

    begin, end = (np.stack([layer.columns[f"{axis}{k}"] for axis in "xy"], 1) for k in (0, 1))
    drawn = LineCollection(
        list(np.stack([begin, end], 1)), colors=colour, linewidths=1.6, label=layer.label or None
    )
    axes.add_collection(drawn, autolim=True)


_DRAWN = {
    "points": _points,
    "cells": _cells,
    "line": _line,
    "dashes": _line,
    "bars": _bars,
    "steps": _steps,
    "segments": _segments,
}
