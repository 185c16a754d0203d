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

"""What all charts have in common: columns, axes and markers.

Describing a chart to Bokeh takes a hundred times longer than any query, and
depends on the bands only. So a chart travels in two parts, its description
(made once) and its columns, which ``static/charts.js`` puts together.
"""

from __future__ import annotations

__all__ = [
    "MARKERS",
    "by_band",
    "chart",
    "columns_of",
    "milliseconds",
    "missing",
    "new_figure",
    "new_figure_of_numbers",
    "safe_json",
    "source",
]

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..text import finite, to_json
from .levels import LEVEL_DASHES

MARKERS = {"u": "circle", "g": "triangle", "r": "inverted_triangle", "i": "square", "z": "star", "y": "hex"}
"""Marker by band, in the order of wavelength."""

_NO_BAND = "all"
_COLUMNS = ("x", "y", "error", "low", "high", "run", "text", "n", "verdict", "where", "url")
_TOOLS = "pan,box_zoom,wheel_zoom,reset,save"
_WORTH = 50  # values that are worth packing
_LONE_SPAN = 2 * 86_400_000.0  # ms about points that are all of one time


def chart(
    item: str,
    label: str,
    columns: Mapping[str, Any],
    across: str = "",
    row: str = "",
    aspect: float = 1.0,
    ticks: Mapping[str, str] | None = None,
) -> str:
    """Put a chart together for the page.

    Parameters
    ----------
    item : `str`
        Bokeh's description, from `safe_json`.
    label : `str`
        Name of the axis whose name is "values".
    columns : `~collections.abc.Mapping` [`str`, `typing.Any`]
        Columns by name of the `source` they fill.
    across : `str`, optional
        Name of the axis whose name is "across".
    row : `str`, optional
        Address to which the ``id`` of a point is added where it is opened.
    aspect : `float`, optional
        How long a unit across is, of a unit up, where they are compared; 0
        for the whole sky.
    ticks : `~collections.abc.Mapping` [`str`, `str`], optional
        What stands at the numbers of the axis whose name is "rows".

    Returns
    -------
    chart : `str`
        JSON that is safe inside a script element. A column that another
        source has as well is the name of that source, and what comes often
        is, in a long column, as ``words`` and their places, ``at``.
    """
    given: dict[str, Any] = {
        "label": label,
        "across": across,
        "row": row,
        "aspect": aspect,
        "ticks": ticks or {},
    }
    given["columns"] = _packed(columns)
    return f'{{"item":{item},{safe_json(given)[1:]}'


def _packed(columns: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Write columns without saying anything twice."""
    packed: dict[str, dict[str, Any]] = {}
    for owner, held in columns.items():
        packed[owner] = {}
        for name, values in held.items():
            twin = next((other for other in packed if columns[other].get(name) == values), owner)
            # Outlines are lists themselves, and never the same.
            plain = len(values) > 0 and not isinstance(values[0], list)
            words = list(dict.fromkeys(values)) if plain else list(values)
            if len(values) < _WORTH:
                packed[owner][name] = values
            elif twin != owner:
                packed[owner][name] = twin
            elif len(words) <= len(values) // 2:
                places = {word: place for place, word in enumerate(words)}
                packed[owner][name] = {"words": words, "at": [places[value] for value in values]}
            else:
                packed[owner][name] = values
    return packed


def safe_json(data: Any) -> str:
    """Write JSON in which nothing can end the script element around it.

    Parameters
    ----------
    data : `typing.Any`
        As for `lsst.qa.dashboard.text.to_json`.

    Returns
    -------
    text : `str`
        JSON.
    """
    return to_json(data).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def by_band(points: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Part points by band.

    Parameters
    ----------
    points : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        With ``band``.

    Returns
    -------
    held : `dict` [`str`, `list`]
        The bands in order of wavelength, then what else there may be.
    """
    held: dict[str, list[Mapping[str, Any]]] = {}
    for point in points:
        held.setdefault(point["band"] or _NO_BAND, []).append(point)
    known = [band for band in MARKERS if band in held]
    return {band: held[band] for band in (*known, *sorted(set(held) - set(known)))}


def columns_of(points: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the columns of points with error bars.

    Parameters
    ----------
    points : `~collections.abc.Sequence` [`~collections.abc.Mapping`]
        With ``time``, ``value``, ``error``, ``state``, and where they have
        them ``run``, ``n``, ``where`` and ``url``.

    Returns
    -------
    columns : `dict` [`str`, `list`]
        Null where there is no value; times in ms since 1970, values with
        six digits. The script adds the ends of the error bars and the text.
    """
    values = [_shortened(point["value"], 6) for point in points]
    errors = [_shortened(point["error"], 3) for point in points]
    return {
        "x": [milliseconds(point["time"]) for point in points],
        "y": values,
        "error": [None if value is None else error for value, error in zip(values, errors)],
        "verdict": [point["state"] for point in points],
        **{name: [point.get(name, "") for point in points] for name in ("run", "n", "where", "url")},
    }


def _shortened(value: float | None, digits: int) -> float | None:
    shown = finite(value)
    return None if shown is None else float(f"{shown:.{digits}g}")


def missing(point: Mapping[str, Any]) -> bool:
    """Tell whether a point has no value.

    Parameters
    ----------
    point : `~collections.abc.Mapping`
        With ``value``.

    Returns
    -------
    missing : `bool`
        Whether it is absent, NaN or infinite.
    """
    return finite(point["value"]) is None


def milliseconds(time: datetime.datetime | None) -> float | None:
    """Write a time as browsers do.

    Parameters
    ----------
    time : `datetime.datetime` or `None`
        A time; without a zone it is UTC.

    Returns
    -------
    milliseconds : `float` or `None`
        Since 1970.
    """
    if time is None:
        return None
    zone = time.tzinfo or datetime.UTC
    return math.floor(time.replace(tzinfo=zone).timestamp() * 1e3)


def new_figure(bands: tuple[str, ...], tooltips: list[tuple[str, str]], lined: bool = True) -> Any:
    """Describe a figure of values against time.

    Parameters
    ----------
    bands : `tuple` [`str`, ...]
        Keys of `by_band`.
    tooltips : `list` [`tuple` [`str`, `str`]]
        What a point says, in Bokeh's words; its time is added.
    lined : `bool`, optional
        Whether a line joins the points of a band.

    Returns
    -------
    figure : `bokeh.plotting.figure`
        Fed by the sources ``band:`` with each band, ``level:`` with each
        level, and ``frame``.
    """
    from bokeh.models import HoverTool, LabelSet, Legend, LegendItem, TapTool
    from bokeh.plotting import figure as make_figure

    figure = make_figure(
        height=380,
        sizing_mode="stretch_width",
        x_axis_type="datetime",
        tools=_TOOLS,
        active_drag=None,
        toolbar_location="right",
        name="main",
    )
    figure.toolbar.logo = None
    figure.yaxis.name = "values"
    for level, dash in LEVEL_DASHES.items():
        held = source(f"level:{level}", "y", "label", "offset")
        figure.hspan(y="y", source=held, line_dash=dash, line_width=1.5, line_alpha=0.7, name=level)
        label = LabelSet(
            x=6, x_units="screen", y="y", y_offset="offset", text="label", source=held, text_baseline="bottom"
        )
        figure.add_layout(label)
    frame = figure.scatter("x", "y", source=source("frame", "x", "y"), alpha=0, name="frame")
    points, items = [], []
    for band in bands:
        held = source(f"band:{band}", *_COLUMNS)
        name = f"band:{band}"
        bars = figure.segment("x", "low", "x", "high", source=held, line_width=1.5, name=name)
        lines = [figure.line("x", "y", source=held, line_alpha=0.35, name=name)] if lined else []
        marks = figure.scatter("x", "y", source=held, marker=MARKERS.get(band, "diamond"), size=8, name=name)
        marks.nonselection_glyph = None
        points.append(marks)
        items.append(LegendItem(label=band, renderers=[marks, bars, *lines]))
    figure.x_range.renderers = figure.y_range.renderers = [*points, frame]
    figure.x_range.default_span = _LONE_SPAN
    figure.x_range.only_visible = figure.y_range.only_visible = True
    if len(bands) > 1:
        figure.add_layout(Legend(items=items, orientation="horizontal", click_policy="hide"), "above")
    time = ("time", "@x{%F %R} UTC")
    figure.add_tools(
        HoverTool(renderers=points, tooltips=[*tooltips, time], formatters={"@x": "datetime"}),
        TapTool(renderers=points, visible=False),
    )
    return figure


def new_figure_of_numbers(height: int = 380, across: str = "linear", up: str = "linear") -> Any:
    """Describe a figure of one number against another.

    Parameters
    ----------
    height : `int`, optional
        In pixels; it is as wide as there is room.
    across, up : `str`, optional
        Scale of either axis, "linear" or "log".

    Returns
    -------
    figure : `bokeh.plotting.figure`
        Its axes are named by `chart`.
    """
    from bokeh.plotting import figure as make_figure

    figure = make_figure(
        height=height,
        sizing_mode="stretch_width",
        x_axis_type=across,
        y_axis_type=up,
        tools=_TOOLS,
        active_drag=None,
        toolbar_location="right",
        name="main",
    )
    figure.toolbar.logo = None
    figure.xaxis.name, figure.yaxis.name = "across", "values"
    return figure


def source(name: str, *columns: str) -> Any:
    """Describe a source that the columns of a chart fill.

    Parameters
    ----------
    name : `str`
        Its name in `chart`.
    *columns : `str`
        Names of its columns.

    Returns
    -------
    source : `bokeh.models.ColumnDataSource`
        Empty.
    """
    from bokeh.models import ColumnDataSource

    return ColumnDataSource(data={column: [] for column in columns}, name=name)
