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

"""Maps: regions of the sky, detectors of a camera, visits against detectors,
each coloured by a value.
"""

from __future__ import annotations

__all__ = ["describe_usual", "map_chart", "matrix_chart", "shades"]

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..text import rounded
from .frame import chart, new_figure_of_numbers, safe_json, source

_COLUMNS = ("xs", "ys", "shade", "text", "where", "url")
_CELLS = ("x", "y", "shade", "text", "where", "url")


def shades(values: Sequence[float | None]) -> list[float | None]:
    """Bound values to where most of them are, so that one that is far off does
    not take all the colours.

    Parameters
    ----------
    values : `~collections.abc.Sequence` [`float` or `None`]
        The values.

    Returns
    -------
    shades : `list` [`float` or `None`]
        The values, those beyond the 2nd and 98th percentile at these.
    """
    known = [value for value in values if value is not None]
    if not known:
        return list(values)
    low, high = np.quantile(known, [0.02, 0.98]).tolist()
    return [None if value is None else min(max(value, low), high) for value in values]


def map_chart(
    shapes: Iterable[Mapping[str, Any]], label: str, across: str, up: str, sky: bool, aspect: float = 1.0
) -> str | None:
    """Describe a map.

    Parameters
    ----------
    shapes : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        With ``outline`` (pairs in degrees), ``value``, ``error``, ``where``
        and ``url``.
    label : `str`
        What the colours mean, with its unit.
    across, up : `str`
        Names of the axes.
    sky : `bool`
        Whether east is to the left.
    aspect : `float`, optional
        How long a unit across is, of a unit up; 0 for the whole sky.

    Returns
    -------
    chart : `str` or `None`
        As for the chart of the history; `None` without any shape.
    """
    drawn = list(shapes)
    if not drawn:
        return None
    columns = {
        "xs": [[corner[0] for corner in one["outline"]] for one in drawn],
        "ys": [[corner[1] for corner in one["outline"]] for one in drawn],
        "shade": shades([one["value"] for one in drawn]),
        "text": [rounded(one["value"], one["error"]) for one in drawn],
        "where": [one["where"] for one in drawn],
        "url": [one["url"] for one in drawn],
    }
    # Invisible points keep the whole sky inside the frame.
    frame = {"x": [], "y": []} if aspect else {"x": [0, 360], "y": [-90, 90]}
    return chart(_map(sky, up), label, {"map": columns, "frame": frame}, across, aspect=aspect)


def matrix_chart(cells: Iterable[Mapping[str, Any]], label: str) -> str | None:
    """Describe a matrix of visits and detectors.

    Parameters
    ----------
    cells : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        With ``detector``, ``row`` (the place of the visit), ``data_id``,
        ``value``, ``where`` and ``url``.
    label : `str`
        What the colours mean, with its unit.

    Returns
    -------
    chart : `str` or `None`
        As for the chart of the history; `None` without any cell.
    """
    drawn = list(cells)
    if not drawn:
        return None
    columns = {
        "x": [one["detector"] for one in drawn],
        "y": [one["row"] for one in drawn],
        "shade": shades([one["value"] for one in drawn]),
        "text": [rounded(one["value"], None) for one in drawn],
        "where": [one["where"] for one in drawn],
        "url": [one["url"] for one in drawn],
    }
    # Places of rows are of no interest to anybody: their visits are.
    ticks = {str(one["row"]): str(one["data_id"]["visit"]) for one in drawn}
    return chart(_matrix(), label, {"map": columns}, "detector", ticks=ticks)


def describe_usual() -> None:
    """Describe the charts before one is asked for."""
    _map(True, "declination (deg)")
    _matrix()


@functools.lru_cache(maxsize=8)
def _map(sky: bool, up: str) -> str:
    from bokeh.embed import json_item

    figure = new_figure_of_numbers(520)
    figure.match_aspect = True
    figure.x_range.flipped = sky
    figure.yaxis.name, figure.yaxis.axis_label = "up", up
    held = source("map", *_COLUMNS)
    drawn = figure.patches(
        "xs", "ys", source=held, fill_color=_mapped(), line_alpha=0.5, line_width=0.5, name="map"
    )
    figure.scatter("x", "y", source=source("frame", "x", "y"), alpha=0, name="frame")
    _finish(figure, drawn)
    return safe_json(json_item(figure))


@functools.lru_cache(maxsize=1)
def _matrix() -> str:
    from bokeh.embed import json_item
    from bokeh.models import BasicTicker

    figure = new_figure_of_numbers(460)
    figure.yaxis.name, figure.yaxis.axis_label = "rows", "visit"
    figure.yaxis.ticker = BasicTicker(min_interval=1, num_minor_ticks=0)
    held = source("map", *_CELLS)
    drawn = figure.rect(
        "x", "y", width=1, height=1, source=held, fill_color=_mapped(), line_color=None, name="map"
    )
    _finish(figure, drawn)
    return safe_json(json_item(figure))


def _mapped() -> Any:
    from bokeh.models import LinearColorMapper
    from bokeh.palettes import Cividis256

    # Read by colour-blind people as by others; its range is that of the data.
    return {
        "field": "shade",
        "transform": LinearColorMapper(palette=Cividis256, nan_color="rgba(128,128,128,0.35)"),
    }


def _finish(figure: Any, drawn: Any) -> None:
    from bokeh.models import HoverTool, TapTool

    drawn.nonselection_glyph = None
    figure.add_layout(drawn.construct_color_bar(width=12, padding=6), "right")
    figure.add_tools(
        HoverTool(renderers=[drawn], tooltips=[("where", "@where"), ("value", "@text")]),
        TapTool(renderers=[drawn], visible=False),
    )
