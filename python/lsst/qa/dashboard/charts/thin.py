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

"""Fewer points that look like all of them."""

from __future__ import annotations

__all__ = ["MOST_POINTS", "thinned"]

from collections.abc import Mapping, Sequence
from typing import Any

from ..text import finite

MOST_POINTS = 4000
"""The most points of a chart: more than there are pixels side by side."""


def thinned(points: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """Leave out points that a chart would draw over each other.

    Parameters
    ----------
    points : `~collections.abc.Sequence` [`~collections.abc.Mapping`]
        With ``time`` and ``value``, in order of time.
    most : `int`
        The most points to return, at least 4.

    Returns
    -------
    points : `list` [`~collections.abc.Mapping`]
        All of them if they are few. Else of each of equal stretches of time
        the lowest and the highest value, and one point without a value, if
        there is any.
    """
    if len(points) <= most:
        return list(points)
    times = [point["time"].timestamp() for point in points]
    bins = max(most // 3, 1)
    width = (times[-1] - times[0]) / bins or 1.0
    held: dict[int, dict[str, int]] = {}
    for place, point in enumerate(points):
        chosen = held.setdefault(min(int((times[place] - times[0]) / width), bins - 1), {})
        value = finite(point["value"])
        if value is None:
            chosen.setdefault("missing", place)
            continue
        if "low" not in chosen or value < points[chosen["low"]]["value"]:
            chosen["low"] = place
        if "high" not in chosen or value > points[chosen["high"]]["value"]:
            chosen["high"] = place
    kept = sorted({place for chosen in held.values() for place in chosen.values()})
    return [points[place] for place in kept]
