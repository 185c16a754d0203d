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

"""Small drawings of a value and its error beside its threshold."""

from __future__ import annotations

__all__ = ["HEIGHT", "WIDTH", "Bar", "bar"]

from collections.abc import Sequence
from typing import NamedTuple

from .text import finite

WIDTH, HEIGHT = 168, 20
_MARGIN = 6.0


class Bar(NamedTuple):
    """Where the parts of a drawing lie, in units of its width.

    Attributes
    ----------
    value, threshold : `float`
        Places of the value and of the threshold, which is in the middle.
    low, high : `float`
        Ends of the error bar; both the value's place where it has no error.
    good_from, good_to : `float`
        Where good values lie.
    levels : `tuple` [`float`, ...]
        Places of the other thresholds that are inside the drawing.
    beyond : `int`
        -1 or 1 where the value lies outside on the left or right, else 0.
    ratio : `float` or `None`
        The value over the threshold.
    """

    value: float
    threshold: float
    low: float
    high: float
    good_from: float
    good_to: float
    levels: tuple[float, ...]
    beyond: int
    ratio: float | None


def bar(
    value: float | None,
    error: float | None,
    threshold: float | None,
    op: str | None,
    levels: Sequence[float] = (),
) -> Bar | None:
    """Place a value, its error and its thresholds.

    Parameters
    ----------
    value, error : `float` or `None`
        The value and its 1-sigma error.
    threshold : `float` or `None`
        What the value is judged by.
    op : `str` or `None`
        "<=" or ">=": what a good value is.
    levels : `~collections.abc.Sequence` [`float`], optional
        Thresholds of all the levels.

    Returns
    -------
    bar : `Bar` or `None`
        The places, or nothing where there is no value or no threshold.
    """
    shown, limit = finite(value), finite(threshold)
    if shown is None or limit is None:
        return None
    reach, half = _reach(limit, op, levels), WIDTH / 2

    def place(number: float) -> float:
        at = half + (number - limit) / reach * (half - _MARGIN)
        return round(min(max(at, _MARGIN), WIDTH - _MARGIN), 1)

    sigma = finite(error) or 0.0
    return Bar(
        value=place(shown),
        threshold=half,
        low=place(shown - sigma),
        high=place(shown + sigma),
        good_from=half if op == ">=" else 0.0,
        good_to=WIDTH if op == ">=" else half,
        levels=tuple(place(level) for level in sorted(set(levels)) if 0 < abs(level - limit) <= reach),
        beyond=(shown - limit > reach) - (limit - shown > reach),
        ratio=shown / limit if limit else None,
    )


def _reach(threshold: float, op: str | None, levels: Sequence[float]) -> float:
    """Return the distance from the threshold to the edge of the drawing."""
    if op == "<=" and threshold > 0:
        return threshold
    # A depth of 24.7 mag needs another scale than one from 0: its levels'.
    spread = max((abs(level - threshold) for level in levels), default=0.0)
    return 2.0 * spread or abs(threshold) or 1.0
