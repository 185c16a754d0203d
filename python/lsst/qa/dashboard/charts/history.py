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

"""The chart of a metric over runs."""

from __future__ import annotations

__all__ = ["describe_usual", "history_chart"]

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...metric import Spec
from .frame import (
    MARKERS,
    by_band,
    chart,
    columns_of,
    milliseconds,
    missing,
    new_figure,
    safe_json,
    source,
)
from .levels import room, thresholds
from .thin import MOST_POINTS, thinned


def history_chart(
    points: Iterable[Mapping[str, Any]],
    specs: Sequence[Spec],
    label: str,
    changes: Iterable[Mapping[str, Any]] = (),
    notes: Iterable[Mapping[str, Any]] = (),
    lined: bool = True,
) -> str:
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
    changes : `~collections.abc.Iterable`, optional
        Runs with ``time``, ``shifts`` and ``packages`` that say what changed
        with them, ``told`` in words, and ``url``.
    notes : `~collections.abc.Iterable`, optional
        Notes with ``time``, ``told`` and ``url``.
    lined : `bool`, optional
        Whether a line joins the points of a band.

    Returns
    -------
    chart : `str`
        JSON that is safe inside a script element: ``item`` is Bokeh's
        description of the chart, ``label`` the name of its vertical axis,
        ``columns`` its data by source and column, null where there is no
        value; times are in ms since 1970.
    """
    held_of = by_band(points)
    held_of = {band: thinned(held, MOST_POINTS // len(held_of)) for band, held in held_of.items()}
    columns = {f"band:{band}": columns_of(held) for band, held in held_of.items()}
    columns |= {**thresholds(specs), "frame": room(columns, specs)}
    columns["missing"] = {
        "x": [milliseconds(p["time"]) for held in held_of.values() for p in held if missing(p)]
    }
    told = list(changes)
    columns["shifts"] = _marks(one for one in told if one["shifts"])
    columns["packages"] = _marks(one for one in told if one["packages"] and not one["shifts"])
    columns["notes"] = _marks(notes)
    return chart(_item(tuple(held_of), lined), label, columns)


def _marks(held: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    shown = list(held)
    return {
        "x": [milliseconds(one["time"]) for one in shown],
        **{name: [one.get(name) or "" for one in shown] for name in ("told", "url")},
    }


def describe_usual() -> None:
    """Describe the chart of all the usual bands before one is asked for."""
    _item(tuple(MARKERS), True)


@functools.lru_cache(maxsize=64)
def _item(bands: tuple[str, ...], lined: bool) -> str:
    from bokeh.embed import json_item
    from bokeh.models import HoverTool, TapTool

    figure = new_figure(
        bands, [("run", "@run"), ("value", "@text"), ("n", "@n{0,0}"), ("verdict", "@verdict")], lined
    )
    figure.vspan(x="x", source=source("missing", "x"), line_dash="dotted", level="underlay", name="muted")
    marks = [
        figure.vspan(
            x="x",
            source=source(kind, "x", "told", "url"),
            line_width=width,
            line_alpha=alpha,
            line_dash=dash,
            level="underlay",
            name=name,
        )
        for kind, width, alpha, dash, name in _MARKS
    ]
    for mark in marks:
        mark.nonselection_glyph = None
    # Above or below, since what a point says stands beside it.
    tips = HoverTool(renderers=marks, tooltips=[("", "@told")], attachment="vertical", visible=False)
    figure.add_tools(tips)
    # A figure has one tool that hears a click.
    click = figure.select_one(TapTool)
    click.renderers = [*click.renderers, *marks]
    return safe_json(json_item(figure))


_MARKS = (
    ("packages", 3, 0.16, "solid", "muted"),
    ("shifts", 6, 0.28, "solid", "design"),
    ("notes", 4, 0.6, "dotted", "tone:two"),
)
"""Source, width, strength, dashes and colour of the lines across a chart."""
