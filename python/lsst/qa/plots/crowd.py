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

"""Many points as few marks that look like all of them."""

from __future__ import annotations

__all__ = ["MOST_MARKS", "crowd", "running_median", "span"]

import numpy as np

from ..stats.selection import quantiles
from .drawing import Layer

MOST_MARKS = 3000
"""The most marks of a plot's points: the browser is sent no more."""

_ACROSS, _UP = 56, 40  # cells, fewer than the most marks
_CROWDED = 6
_FAINTEST = 0.14


def span(values: np.ndarray, margin: float = 0.6) -> tuple[float, float]:
    """Return a range that holds what is of interest: most values, and some
    room beside, so that one that is far off does not hide the others.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        Finite values.
    margin : `float`, optional
        Room on either side, relative to the range of 98 %.

    Returns
    -------
    low, high : `float`
        Ends of the range, not beyond the values; 0 and 1 for no value.
    """
    if not len(values):
        return 0.0, 1.0
    low, high = quantiles(values, 0.01, 0.99)
    room = margin * (high - low)
    return float(max(values.min(), low - room)), float(min(values.max(), high + room))


def crowd(
    x: np.ndarray,
    y: np.ndarray,
    label: str,
    tone: str = "one",
    key: np.ndarray | None = None,
    most: int = MOST_MARKS,
    log_up: bool = False,
) -> tuple[Layer, ...]:
    """Draw points, and cells where they are crowded.

    Parameters
    ----------
    x, y : `numpy.ndarray`, (n,)
        Points; those that are not finite are left out.
    label, tone : `str`
        See `Layer`.
    key : `numpy.ndarray` of `int`, (n,), optional
        What each point is.
    most : `int`, optional
        The most marks.
    log_up : `bool`, optional
        Whether the ordinate, which is positive, has a logarithmic axis.

    Returns
    -------
    layers : `tuple` [`Layer`, ...]
        All points if they are few. Else cells that are the darker the more
        points they hold, and the points where there are few. Nothing for no
        point.
    """
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    key = None if key is None else key[known]
    if not len(x):
        return ()
    if len(x) <= most:
        return (_points(x, y, key, label, tone),)
    drawn_up = np.log(y) if log_up else y
    both = ((x, _ACROSS), (drawn_up, _UP))
    edges = [np.linspace(*span(values, 1.5), number + 1) for values, number in both]
    places = [_place(values, ends) for (values, _), ends in zip(both, edges)]
    inside = (places[0] >= 0) & (places[1] >= 0)
    cell = np.where(inside, places[0] * _UP + places[1], _ACROSS * _UP)
    counts = np.bincount(cell, minlength=_ACROSS * _UP + 1)
    counts[-1] = 0  # what is beyond the cells is drawn point by point
    lone = counts[cell] < _CROWDED
    room = most - int(np.count_nonzero(counts >= _CROWDED))
    shown = np.flatnonzero(lone)
    if len(shown) > room:
        # A cell of points of which some are left out looks emptier than it
        # is: all cells are drawn instead, and points beyond them only.
        shown = np.flatnonzero(counts[cell] == 0)[: max(most - int(np.count_nonzero(counts)), 0)]
        drawn = np.flatnonzero(counts)
    else:
        drawn = np.flatnonzero(counts >= _CROWDED)
    shade = np.log1p(counts[drawn]) / np.log1p(counts.max())
    columns, rows = np.divmod(drawn, _UP)
    if log_up:
        edges[1] = np.exp(edges[1])
    cells = Layer(
        "cells",
        {
            "left": edges[0][columns],
            "right": edges[0][columns + 1],
            "bottom": edges[1][rows],
            "top": edges[1][rows + 1],
            "count": counts[drawn],
            "alpha": _FAINTEST + (0.95 - _FAINTEST) * shade,
        },
        label,
        tone,
    )
    if not len(shown):
        return (cells,)
    return cells, _points(x[shown], y[shown], None if key is None else key[shown], "", tone)


def _points(x: np.ndarray, y: np.ndarray, key: np.ndarray | None, label: str, tone: str) -> Layer:
    # Text: a browser's numbers have no room for 64 bits.
    named = {} if key is None else {"id": key.astype(str)}
    return Layer("points", {"x": x, "y": y, **named}, label, tone)


def _place(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the bin of each value, -1 outside."""
    width = (edges[-1] - edges[0]) or 1.0
    place = np.floor((values - edges[0]) / width * (len(edges) - 1))
    place = np.where(values == edges[-1], len(edges) - 2, place)
    return np.where((place >= 0) & (place < len(edges) - 1), place, -1).astype(np.int64)


def running_median(
    x: np.ndarray, y: np.ndarray, label: str, tone: str = "ink", bins: int = 16, fewest: int = 8
) -> tuple[Layer, ...]:
    """Draw the median of y in bins of x, and its spread.

    Parameters
    ----------
    x, y : `numpy.ndarray`, (n,)
        Points; those that are not finite are left out.
    label, tone : `str`
        See `Layer`.
    bins : `int`, optional
        How many bins.
    fewest : `int`, optional
        The least points of a bin that is drawn.

    Returns
    -------
    layers : `tuple` [`Layer`, ...]
        A line through the medians, at the median x, with bars from the 16th
        to the 84th percentile; nothing where there are too few points.
    """
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if len(x) < fewest:
        return ()
    place = _place(x, np.linspace(*span(x, 0.2), bins + 1))
    parts = [place == k for k in range(bins)]
    rows = [
        (float(np.median(x[part])), *quantiles(y[part].copy(), 0.5, 0.16, 0.84))
        for part in parts
        if np.count_nonzero(part) >= fewest
    ]
    if not rows:
        return ()
    middle, value, low, high = (np.array(column) for column in zip(*rows))
    columns = {"x": middle, "y": value, "low": low, "high": high, "alpha": np.ones(len(middle))}
    return Layer("line", {"x": middle, "y": value}, "", tone), Layer("bars", columns, label, tone)
