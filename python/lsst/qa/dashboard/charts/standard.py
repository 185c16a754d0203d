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

"""A standard plot of a table, as an interactive chart."""

from __future__ import annotations

__all__ = ["standard_chart"]

import functools
from typing import Any

import numpy as np

from ...plots.drawing import KINDS, Drawing, Layer
from .frame import chart, new_figure_of_numbers, safe_json, source

_MARKERS = {"two": "triangle", "three": "square", "four": "diamond", "five": "inverted_triangle"}
_DIGITS = 5
_MANY = 300

# What the description of a chart depends on: of each layer its kind, label,
# tone, and whether its points have ids.
_Sketch = tuple[tuple[str, str, str, bool], ...]


def standard_chart(drawing: Drawing, row: str = "") -> str | None:
    """Describe the chart of a drawing.

    Parameters
    ----------
    drawing : `Drawing`
        What to draw.
    row : `str`, optional
        Address to which the id of a point is added where it is opened.

    Returns
    -------
    chart : `str` or `None`
        As for the chart of the history; `None` without any layer.
    """
    if not drawing.layers:
        return None
    columns = {f"layer:{place}": _columns(layer) for place, layer in enumerate(drawing.layers)}
    many = sum(len(layer.columns["x"]) for layer in drawing.layers if layer.kind == "points") > _MANY
    sketch = tuple((layer.kind, layer.label, layer.tone, "id" in layer.columns) for layer in drawing.layers)
    item = _item(sketch, many, drawing.log_across, drawing.log_up, drawing.flip_across, drawing.equal)
    return chart(item, drawing.up, columns, drawing.across, row)


def _columns(layer: Layer) -> dict[str, list[Any]]:
    """Write numbers with as many digits as can be seen."""
    return {name: _short(column) for name, column in layer.columns.items()}


def _short(column: np.ndarray) -> list[Any]:
    values: list[Any] = column.tolist()
    if column.dtype.kind != "f":
        return values
    # Relative to how much they differ, not to how large they are.
    reach = float(np.ptp(column)) if len(column) else 0.0
    least = float(np.abs(column).min()) if len(column) else 0.0
    if reach > 0.0 and (least == 0.0 or reach < 1e3 * least):
        decimals = _DIGITS - int(np.floor(np.log10(reach)))
        return [round(value, decimals) for value in values]
    return [float(f"{value:.{_DIGITS}g}") for value in values]


@functools.lru_cache(maxsize=64)
def _item(sketch: _Sketch, many: bool, log_across: bool, log_up: bool, flip: bool, equal: bool) -> str:
    from bokeh.embed import json_item
    from bokeh.models import HoverTool, Legend, LegendItem, TapTool

    scales = ["log" if log else "linear" for log in (log_across, log_up)]
    figure = new_figure_of_numbers(560 if equal else 460, *scales)
    figure.match_aspect = equal
    figure.x_range.flipped = flip
    items, opened = [], []
    for place, (kind, label, tone, ids) in enumerate(sketch):
        held = source(f"layer:{place}", *KINDS[kind], *(["id"] if ids else []))
        name = tone if tone.startswith("band:") else f"tone:{tone}"
        drawn = _drawn(figure, kind, held, name, tone, many)
        for one in drawn:
            one.nonselection_glyph = None
        tips = _TIPS[kind]
        if ids:
            opened.append(drawn[-1])
            tips = [("id", "@id"), *tips]
        if tips:
            figure.add_tools(HoverTool(renderers=[drawn[-1]], tooltips=tips))
        if label:
            items.append(LegendItem(label=label, renderers=drawn))
    if items:
        figure.add_layout(Legend(items=items, orientation="horizontal", click_policy="hide"), "above")
    if opened:
        figure.add_tools(TapTool(renderers=opened, visible=False))
    return safe_json(json_item(figure))


_TIPS: dict[str, list[tuple[str, str]]] = {
    "points": [("at", "@x, @y")],
    "cells": [("number", "@count")],
    "line": [],
    "dashes": [],
    "bars": [("at", "@x, @y"), ("from, to", "@low, @high")],
    "steps": [("from, to", "@left, @right"), ("number", "@top")],
    "segments": [],
}


def _drawn(figure: Any, kind: str, held: Any, name: str, tone: str, many: bool) -> list[Any]:
    if kind == "points":
        size, alpha = (4, 0.5) if many else (7, 0.75)
        marker = _MARKERS.get(tone, "circle")
        return [
            figure.scatter(
                "x", "y", source=held, marker=marker, size=size, fill_alpha=alpha, line_alpha=0, name=name
            )
        ]
    if kind == "cells":
        return [
            figure.quad(
                "left", "right", "top", "bottom", source=held, fill_alpha="alpha", line_alpha=0, name=name
            )
        ]
    if kind == "steps":
        return [
            figure.quad(
                "left", "right", "top", "bottom", source=held, fill_alpha=0.75, line_alpha=0.9, name=name
            )
        ]
    if kind == "segments":
        return [figure.segment("x0", "y0", "x1", "y1", source=held, line_width=2, name=name)]
    if kind == "bars":
        stems = figure.segment("x", "low", "x", "high", source=held, line_width=1.5, name=name)
        marks = figure.scatter(
            "x", "y", source=held, marker=_MARKERS.get(tone, "circle"), size=8, fill_alpha="alpha", name=name
        )
        return [stems, marks]
    dash = "dashed" if kind == "dashes" else "solid"
    return [figure.line("x", "y", source=held, line_width=1.5, line_dash=dash, name=name)]
