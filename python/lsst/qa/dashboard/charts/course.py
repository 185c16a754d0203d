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

"""The chart of more values over time than can be told apart."""

from __future__ import annotations

__all__ = ["course_chart"]

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...metric import Spec
from ..text import rounded, short
from .frame import by_band, chart, milliseconds, new_figure, safe_json
from .levels import room, thresholds


def course_chart(stretches: Iterable[Mapping[str, Any]], specs: Sequence[Spec], label: str) -> str | None:
    """Describe the chart of values by stretches of time.

    Parameters
    ----------
    stretches : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        With ``band``, ``start``, ``end``, ``n``, ``min``, ``max`` and
        ``mean`` of the values.
    specs : `~collections.abc.Sequence` [`Spec`]
        Thresholds to draw.
    label : `str`
        Name of the vertical axis, with its unit.

    Returns
    -------
    chart : `str` or `None`
        As for the chart of the history, with means, and bars from the lowest
        to the highest value; nothing without a value.
    """
    held_of = by_band(one for one in stretches if one["mean"] is not None)
    if not held_of:
        return None
    columns: dict[str, Any] = {f"band:{band}": _columns(held) for band, held in held_of.items()}
    drawn = {name: {**held, "error": [None] * len(held["x"])} for name, held in columns.items()}
    frame = room(drawn, specs)
    for held in columns.values():
        frame["x"] += held["x"] * 2
        frame["y"] += [*held["low"], *held["high"]]
    return chart(_item(tuple(held_of)), label, {**columns, **thresholds(specs), "frame": frame})


def _columns(held: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {
        "x": [milliseconds(one["start"] + (one["end"] - one["start"]) / 2) for one in held],
        "y": [one["mean"] for one in held],
        "low": [one["min"] for one in held],
        "high": [one["max"] for one in held],
        "text": [f"{rounded(one['mean'])}, {short(one['min'])} to {short(one['max'])}" for one in held],
        "n": [one["n"] for one in held],
    }


@functools.lru_cache(maxsize=64)
def _item(bands: tuple[str, ...]) -> str:
    from bokeh.embed import json_item

    tips = [("mean, lowest to highest", "@text"), ("values", "@n{0,0}")]
    return safe_json(json_item(new_figure(bands, tips, lined=False)))
