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

"""The chart of a run's values against the time of observation."""

from __future__ import annotations

__all__ = ["describe_usual", "rows_chart"]

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...metric import Spec
from .frame import MARKERS, by_band, chart, columns_of, missing, new_figure, safe_json, source
from .levels import room, thresholds
from .thin import MOST_POINTS, thinned

_BINS = 20


def rows_chart(rows: Iterable[Mapping[str, Any]], specs: Sequence[Spec], label: str) -> str | None:
    """Describe the chart of a run's rows against observation time.

    Parameters
    ----------
    rows : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        With ``band``, ``time``, ``value``, ``error``, ``n``, ``state``, and
        ``where`` naming the data ID.
    specs : `~collections.abc.Sequence` [`Spec`]
        Thresholds to draw.
    label : `str`
        Name of the vertical axis, with its unit.

    Returns
    -------
    chart : `str` or `None`
        As for the chart of the history, with the distribution of all values
        beside it; nothing where fewer than two rows have a value and a time.
    """
    timed = [row for row in rows if row["time"] is not None and not missing(row)]
    if len(timed) < 2:
        return None
    held_of = by_band(timed)
    most = MOST_POINTS // len(held_of)
    columns = {f"band:{band}": columns_of(thinned(held, most)) for band, held in held_of.items()}
    columns |= {**thresholds(specs), "frame": room(columns, specs)}
    columns["bars"] = _histogram([row["value"] for row in timed])
    return chart(_item(tuple(held_of)), label, columns)


def describe_usual() -> None:
    """Describe the chart of all the usual bands before one is asked for."""
    _item(tuple(MARKERS))


def _histogram(values: Sequence[float]) -> dict[str, list[float]]:
    low, high = min(values), max(values)
    width = (high - low) / _BINS or max(abs(low), 1.0) / _BINS
    counts = [0] * _BINS
    for value in values:
        counts[min(int((value - low) / width), _BINS - 1)] += 1
    edges = [low + width * k for k in range(_BINS + 1)]
    return {"bottom": edges[:-1], "top": edges[1:], "count": [float(count) for count in counts]}


@functools.lru_cache(maxsize=64)
def _item(bands: tuple[str, ...]) -> str:
    from bokeh.embed import json_item
    from bokeh.layouts import row
    from bokeh.plotting import figure as make_figure

    figure = new_figure(
        bands,
        [("data ID", "@where"), ("value", "@text"), ("n", "@n{0,0}"), ("verdict", "@verdict")],
        lined=False,
    )
    side = make_figure(
        width=150, height=figure.height, y_range=figure.y_range, tools="", toolbar_location=None, name="side"
    )
    side.quad(
        left=0,
        right="count",
        bottom="bottom",
        top="top",
        source=source("bars", "bottom", "top", "count"),
        name="bars",
    )
    side.x_range.start = 0
    side.yaxis.visible = False
    side.xaxis.axis_label = "rows"
    side.xaxis.ticker.desired_num_ticks = 3
    return safe_json(json_item(row(figure, side, sizing_mode="stretch_width")))
