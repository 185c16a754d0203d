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

"""Interactive charts: what a chart looks like, and the data to fill it with.

Describing a chart to Bokeh takes a hundred times longer than any query, and
depends on the bands only. So a chart travels in two parts, its description
(made once) and its columns, which ``static/charts.js`` puts together.
"""

from __future__ import annotations

__all__ = ["LEVEL_DASHES", "describe_usual", "history_chart", "rows_chart"]

import datetime
import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..metric import Spec
from .text import finite, number, rounded, to_json

LEVEL_DASHES = {"minimum": "dotted", "design": "solid", "stretch": "dashed"}

_MARKERS = {"u": "circle", "g": "triangle", "r": "inverted_triangle", "i": "square", "z": "star", "y": "hex"}
_NO_BAND = "all"
_COLUMNS = ("x", "y", "low", "high", "run", "text", "n", "verdict", "where", "url")
_TOOLS = "pan,box_zoom,wheel_zoom,reset,save"
_BINS = 20
_LONE_SPAN = 2 * 86_400_000.0  # ms about points that are all of one time


def history_chart(points: Iterable[Mapping[str, Any]], specs: Sequence[Spec], label: str) -> str:
    """Describe the chart of a metric over runs.

    Parameters
    ----------
    points : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        With ``band``, ``time``, ``value``, ``error``, ``n``, ``run``,
        ``state`` and ``url``.
    specs : `~collections.abc.Sequence` [`Spec`]
        Thresholds to draw.
    label : `str`
        Name of the vertical axis, with its unit.

    Returns
    -------
    chart : `str`
        JSON that is safe inside a script element: ``item`` is Bokeh's
        description of the chart, ``label`` the name of its vertical axis,
        ``columns`` its data by source and column, null where there is no
        value; times are in ms since 1970.
    """
    by_band = _by_band(points)
    columns = {f"band:{band}": _columns(held) for band, held in by_band.items()}
    columns |= _thresholds(specs)
    columns["missing"] = {"x": [_ms(p["time"]) for held in by_band.values() for p in held if _missing(p)]}
    return _chart(_history_item(tuple(by_band)), label, columns)


def rows_chart(rows: Iterable[Mapping[str, Any]], specs: Sequence[Spec], label: str) -> str | None:
    """Describe the chart of a run's rows against observation time.

    Parameters
    ----------
    rows : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        As for `history_chart`, with ``where`` naming the data ID.
    specs : `~collections.abc.Sequence` [`Spec`]
        Thresholds to draw.
    label : `str`
        Name of the vertical axis, with its unit.

    Returns
    -------
    chart : `str` or `None`
        As for `history_chart`, with the distribution of all values beside
        it; nothing where fewer than two rows have a value and a time.
    """
    timed = [row for row in rows if row["time"] is not None and not _missing(row)]
    if len(timed) < 2:
        return None
    by_band = _by_band(timed)
    columns = {f"band:{band}": _columns(held) for band, held in by_band.items()}
    columns |= _thresholds(specs)
    columns["bars"] = _histogram([row["value"] for row in timed])
    return _chart(_rows_item(tuple(by_band)), label, columns)


def describe_usual() -> None:
    """Describe the charts of all the usual bands before one is asked for."""
    _history_item(tuple(_MARKERS))
    _rows_item(tuple(_MARKERS))


def _chart(item: str, label: str, columns: Mapping[str, Any]) -> str:
    return f'{{"item":{item},{_safe({"label": label, "columns": columns})[1:]}'


def _safe(data: Any) -> str:
    """Write JSON in which nothing can end the script element around it."""
    return to_json(data).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _by_band(points: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    held: dict[str, list[Mapping[str, Any]]] = {}
    for point in points:
        held.setdefault(point["band"] or _NO_BAND, []).append(point)
    # The bands in order of wavelength, then what else there may be.
    known = [band for band in _MARKERS if band in held]
    return {band: held[band] for band in (*known, *sorted(set(held) - set(known)))}


def _columns(points: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for point in points:
        value, error = finite(point["value"]), finite(point["error"])
        bar = None if value is None or error is None else error
        row = {
            "x": _ms(point["time"]),
            "y": value,
            "low": None if bar is None or value is None else value - bar,
            "high": None if bar is None or value is None else value + bar,
            "text": rounded(value, error),
            "verdict": point["state"],
            **{name: point.get(name, "") for name in ("run", "n", "where", "url")},
        }
        for name, column in columns.items():
            column.append(row[name])
    return columns


def _thresholds(specs: Sequence[Spec]) -> dict[str, dict[str, list[Any]]]:
    columns: dict[str, dict[str, list[Any]]] = {
        f"level:{level}": {"y": [], "label": []} for level in LEVEL_DASHES
    }
    for spec in specs:
        sign = {"<=": "≤", ">=": "≥"}[spec.op]
        columns[f"level:{spec.level}"]["y"].append(spec.value)
        columns[f"level:{spec.level}"]["label"].append(
            " ".join(part for part in (spec.level, spec.bands, sign, number(spec.value)) if part)
        )
    # Invisible points that keep what is judged by inside the frame.
    columns["frame"] = {"y": [spec.value for spec in specs if spec.level == "design"]}
    return columns


def _histogram(values: Sequence[float]) -> dict[str, list[float]]:
    low, high = min(values), max(values)
    width = (high - low) / _BINS or max(abs(low), 1.0) / _BINS
    counts = [0] * _BINS
    for value in values:
        counts[min(int((value - low) / width), _BINS - 1)] += 1
    edges = [low + width * k for k in range(_BINS + 1)]
    return {"bottom": edges[:-1], "top": edges[1:], "count": [float(count) for count in counts]}


def _missing(point: Mapping[str, Any]) -> bool:
    return finite(point["value"]) is None


def _ms(time: datetime.datetime | None) -> float | None:
    if time is None:
        return None
    zone = time.tzinfo or datetime.UTC
    return math.floor(time.replace(tzinfo=zone).timestamp() * 1e3)


@functools.lru_cache(maxsize=64)
def _history_item(bands: tuple[str, ...]) -> str:
    from bokeh.embed import json_item

    figure = _figure(bands, [("run", "@run"), ("value", "@text"), ("n", "@n{0,0}"), ("verdict", "@verdict")])
    figure.vspan(x="x", source=_source("missing", "x"), line_dash="dotted", level="underlay", name="muted")
    return _safe(json_item(figure))


@functools.lru_cache(maxsize=64)
def _rows_item(bands: tuple[str, ...]) -> str:
    from bokeh.embed import json_item
    from bokeh.layouts import row
    from bokeh.plotting import figure as new_figure

    figure = _figure(
        bands, [("data ID", "@where"), ("value", "@text"), ("n", "@n{0,0}"), ("verdict", "@verdict")]
    )
    side = new_figure(
        width=150, height=figure.height, y_range=figure.y_range, tools="", toolbar_location=None, name="side"
    )
    side.quad(
        left=0,
        right="count",
        bottom="bottom",
        top="top",
        source=_source("bars", "bottom", "top", "count"),
        name="bars",
    )
    side.x_range.start = 0
    side.yaxis.visible = False
    side.xaxis.axis_label = "rows"
    side.xaxis.ticker.desired_num_ticks = 3
    return _safe(json_item(row(figure, side, sizing_mode="stretch_width")))


def _figure(bands: tuple[str, ...], tooltips: list[tuple[str, str]]) -> Any:
    from bokeh.models import HoverTool, LabelSet, Legend, LegendItem, TapTool
    from bokeh.plotting import figure as new_figure

    figure = new_figure(
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
        source = _source(f"level:{level}", "y", "label")
        figure.hspan(y="y", source=source, line_dash=dash, line_width=1.5, line_alpha=0.7, name=level)
        label = LabelSet(
            x=6, x_units="screen", y="y", y_offset=2, text="label", source=source, text_baseline="bottom"
        )
        figure.add_layout(label)
    frame = figure.scatter(x=0, y="y", source=_source("frame", "y"), alpha=0, name="frame")
    points, items = [], []
    for band in bands:
        source = _source(f"band:{band}", *_COLUMNS)
        name = f"band:{band}"
        bars = figure.segment("x", "low", "x", "high", source=source, line_width=1.5, name=name)
        line = figure.line("x", "y", source=source, line_alpha=0.35, name=name)
        marks = figure.scatter(
            "x", "y", source=source, marker=_MARKERS.get(band, "diamond"), size=8, name=name
        )
        marks.nonselection_glyph = None
        points.append(marks)
        items.append(LegendItem(label=band, renderers=[marks, bars, line]))
    figure.x_range.renderers, figure.y_range.renderers = points, [*points, frame]
    figure.x_range.default_span = _LONE_SPAN
    figure.x_range.only_visible = figure.y_range.only_visible = True
    if len(bands) > 1:
        figure.add_layout(Legend(items=items, orientation="horizontal", click_policy="hide"), "above")
    time = ("time", "@x{%F %R} UTC")
    figure.add_tools(
        HoverTool(renderers=points, tooltips=[*tooltips, time], formatters={"@x": "datetime"}),
        TapTool(renderers=points),
    )
    return figure


def _source(name: str, *columns: str) -> Any:
    from bokeh.models import ColumnDataSource

    return ColumnDataSource(data={column: [] for column in columns}, name=name)
