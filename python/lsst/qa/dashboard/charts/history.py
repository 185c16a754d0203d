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
    thresholds,
)
from .thin import MOST_POINTS, thinned


def history_chart(
    points: Iterable[Mapping[str, Any]],
    specs: Sequence[Spec],
    label: str,
    changes: Iterable[Mapping[str, Any]] = (),
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
        Runs with ``time``, and ``shifts`` and ``packages`` that say what
        changed with them.

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
    columns |= thresholds(specs)
    columns["missing"] = {
        "x": [milliseconds(p["time"]) for held in held_of.values() for p in held if missing(p)]
    }
    told = list(changes)
    for name in ("shifts", "packages"):
        columns[name] = {"x": [milliseconds(change["time"]) for change in told if change[name]]}
    return chart(_item(tuple(held_of)), label, columns)


def describe_usual() -> None:
    """Describe the chart of all the usual bands before one is asked for."""
    _item(tuple(MARKERS))


@functools.lru_cache(maxsize=64)
def _item(bands: tuple[str, ...]) -> str:
    from bokeh.embed import json_item

    figure = new_figure(
        bands, [("run", "@run"), ("value", "@text"), ("n", "@n{0,0}"), ("verdict", "@verdict")]
    )
    figure.vspan(x="x", source=source("missing", "x"), line_dash="dotted", level="underlay", name="muted")
    figure.vspan(
        x="x", source=source("packages", "x"), line_width=1, line_alpha=0.25, level="underlay", name="muted"
    )
    figure.vspan(
        x="x", source=source("shifts", "x"), line_width=5, line_alpha=0.25, level="underlay", name="design"
    )
    return safe_json(json_item(figure))
