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

"""Thresholds in a chart, and the room that it needs."""

from __future__ import annotations

__all__ = ["LEVEL_DASHES", "room", "thresholds"]

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from ...metric import Spec
from ..text import finite, number

LEVEL_DASHES = {"minimum": "dotted", "design": "solid", "stretch": "dashed"}

_SIGNS = {"<=": "≤", ">=": "≥"}
_ABOVE = 2  # pixels from a line to its name
_USUAL = 2.5  # times the median error; what is larger is drawn in part
_LEFT = 0.1  # of the width, for the names of the lines


def thresholds(specs: Sequence[Spec]) -> dict[str, dict[str, list[Any]]]:
    """Return the columns of the thresholds that a figure draws.

    Parameters
    ----------
    specs : `~collections.abc.Sequence` [`Spec`]
        Thresholds to draw.

    Returns
    -------
    columns : `dict` [`str`, `dict` [`str`, `list`]]
        Columns by source; the script moves names apart that would overlap.
    """
    columns: dict[str, dict[str, list[Any]]] = {
        f"level:{level}": {"y": [], "label": [], "offset": []} for level in LEVEL_DASHES
    }
    for spec in specs:
        held = columns[f"level:{spec.level}"]
        held["y"].append(spec.value)
        words = (spec.level, spec.bands, _SIGNS[spec.op], number(spec.value))
        held["label"].append(" ".join(part for part in words if part))
        held["offset"].append(_ABOVE)
    return columns


def room(columns: Mapping[str, Mapping[str, Any]], specs: Sequence[Spec]) -> dict[str, list[float]]:
    """Return invisible points that keep inside the frame what is judged by,
    error bars, and on the left the names of the thresholds.

    Parameters
    ----------
    columns : `~collections.abc.Mapping` [`str`, `~collections.abc.Mapping`]
        Columns of points with ``x``, ``y`` and ``error`` by source.
    specs : `~collections.abc.Sequence` [`Spec`]
        Thresholds that are drawn.

    Returns
    -------
    points : `dict` [`str`, `list`]
        Their ``x`` and ``y``; nothing if no point has a value and a place.
    """
    points = [
        (x, y, finite(error) or 0.0)
        for held in columns.values()
        for x, y, error in zip(held["x"], held["y"], held["error"])
        if x is not None and y is not None
    ]
    if not points:
        return {"x": [], "y": []}
    asked = [spec.value for spec in specs if spec.level == "design"]
    low, high = min(y for _, y, _ in points), max(y for _, y, _ in points)
    # A value that is hardly known shall not flatten all the others.
    reach = max(high - low, *(abs(y - level) for y in (low, high) for level in asked), 0.0)
    reach = max(reach, _USUAL * statistics.median(error for _, _, error in points))
    kept = [(y, error) for _, y, error in points if 0.0 < error <= reach]
    ends = [min(y - error for y, error in kept), max(y + error for y, error in kept)] if kept else []
    first, last = min(x for x, _, _ in points), max(x for x, _, _ in points)
    ys = [*asked, *ends]
    left = first - _LEFT * (last - first) if asked else first
    return {"x": [left] * len(ys), "y": ys}
