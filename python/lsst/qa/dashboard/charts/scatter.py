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

"""The chart of one quantity against another, on axes of the same unit."""

from __future__ import annotations

__all__ = ["scatter_chart"]

import functools
from collections.abc import Iterable, Mapping
from typing import Any

from ..text import finite, rounded
from .frame import MARKERS, by_band, chart, new_figure_of_numbers, safe_json, source

_COLUMNS = ("x", "y", "low", "high", "left", "right", "text", "where", "url")


def scatter_chart(points: Iterable[Mapping[str, Any]], before: str, after: str) -> str | None:
    """Describe the chart of values after against values before.

    Parameters
    ----------
    points : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        With ``band``, ``before``, ``after`` and their errors
        ``before_error`` and ``after_error``, ``where`` naming the data ID,
        and ``url``.
    before, after : `str`
        Names of the axes, with their unit.

    Returns
    -------
    chart : `str` or `None`
        As for the chart of the history; a line stands where both are
        equal. `None` for fewer than two points.
    """
    held_of = by_band(points)
    drawn = [point for held in held_of.values() for point in held]
    if len(drawn) < 2:
        return None
    columns: dict[str, Any] = {f"band:{band}": _columns(held) for band, held in held_of.items()}
    ends = [finite(point[side]) for point in drawn for side in ("before", "after")]
    known = [value for value in ends if value is not None]
    columns["equal"] = {"x": [min(known), max(known)], "y": [min(known), max(known)]} if known else {}
    return chart(_item(tuple(held_of)), after, columns, before)


def _columns(points: list[Mapping[str, Any]]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for point in points:
        x, y = point["before"], point["after"]
        across, up = finite(point["before_error"]) or 0.0, finite(point["after_error"]) or 0.0
        row = {
            "x": x,
            "y": y,
            "low": y - up,
            "high": y + up,
            "left": x - across,
            "right": x + across,
            "text": f"{rounded(x, across)} → {rounded(y, up)}",
            "where": point["where"],
            "url": point["url"],
        }
        for name, column in columns.items():
            column.append(row[name])
    return columns


@functools.lru_cache(maxsize=64)
def _item(bands: tuple[str, ...]) -> str:
    from bokeh.embed import json_item
    from bokeh.models import HoverTool, TapTool

    figure = new_figure_of_numbers()
    equal = source("equal", "x", "y")
    figure.line("x", "y", source=equal, line_dash="dashed", line_width=1.5, name="design")
    points = []
    for band in bands:
        held, name = source(f"band:{band}", *_COLUMNS), f"band:{band}"
        figure.segment("x", "low", "x", "high", source=held, line_alpha=0.5, name=name)
        figure.segment("left", "y", "right", "y", source=held, line_alpha=0.5, name=name)
        marks = figure.scatter("x", "y", source=held, marker=MARKERS.get(band, "diamond"), size=8, name=name)
        marks.nonselection_glyph = None
        points.append(marks)
    figure.add_tools(
        HoverTool(renderers=points, tooltips=[("data ID", "@where"), ("before → after", "@text")]),
        TapTool(renderers=points, visible=False),
    )
    return safe_json(json_item(figure))
