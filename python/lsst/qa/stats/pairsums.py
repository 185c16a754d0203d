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

"""Sums over pairs by separation, compiled where Numba is installed and there
are enough of them to pay for it.
"""

from __future__ import annotations

__all__ = ["Marks", "add_pairs"]

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from .zones import Runs

_PAIRS = 1 << 16
_WORTH_COMPILING = 1 << 20


class Marks(NamedTuple):
    """Points that carry numbers, in the order of their zones.

    Attributes
    ----------
    places : `numpy.ndarray`, (n, 5)
        Sine and cosine of half the declination, cosine of the
        declination, sine and cosine of half the right ascension.
    values : `numpy.ndarray`, (n, 5)
        Weight, and real and imaginary parts of two fields, times the
        weight.
    block : `numpy.ndarray` of `int`, (n,)
        Block of the sky that a point belongs to.
    blocks : `int`
        How many blocks there are.
    """

    places: np.ndarray
    values: np.ndarray
    block: np.ndarray
    blocks: int


def add_pairs(marks: Marks, runs: Runs, edges: np.ndarray, spin: bool, sums: np.ndarray) -> None:
    """Add the pairs of some runs to the sums of their bins and blocks.

    Parameters
    ----------
    marks : `Marks`
        The points.
    runs : `Runs`
        Candidates for pairs.
    edges : `numpy.ndarray`, (k + 1,)
        Edges of the bins as squared sines of half the separation.
    spin : `bool`
        Whether the fields turn twice as fast as the frame.
    sums : `numpy.ndarray`, (k, blocks, blocks, 2)
        Weights, and products of the two fields of the two points, made
        symmetric; changed in place.
    """
    pairs = int((runs.end - runs.begin).sum())
    compiled = _compiled() if pairs >= _WORTH_COMPILING else None
    if compiled is not None:
        compiled(*runs, marks.places, marks.values, marks.block, edges, spin, sums)
        return
    for point, other in _listed(runs):
        _add(marks, point, other, edges, spin, sums)


def _listed(runs: Runs) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """List the candidates of runs, so many at a time."""
    ends = np.cumsum(runs.end - runs.begin)
    total = int(ends[-1]) if len(ends) else 0
    for start in range(0, total, _PAIRS):
        number = np.arange(start, min(start + _PAIRS, total))
        run = np.searchsorted(ends, number, side="right")
        yield runs.point[run], runs.end[run] - (ends[run] - number)


def _add(
    marks: Marks, point: np.ndarray, other: np.ndarray, edges: np.ndarray, spin: bool, sums: np.ndarray
) -> None:
    """Add listed pairs."""
    s1, c1, d1, t1, u1 = marks.places[point].T
    s2, c2, d2, t2, u2 = marks.places[other].T
    up, across = s1 * c2 - c1 * s2, t1 * u2 - u1 * t2
    apart = up * up + d1 * d2 * (across * across)
    place = np.searchsorted(edges, apart, side="right") - 1
    within = (place >= 0) & (place < len(edges) - 1)
    point, other, place = point[within], other[within], place[within]
    w1, ar1, ai1, br1, bi1 = marks.values[point].T
    w2, ar2, ai2, br2, bi2 = marks.values[other].T
    real = 0.5 * (ar1 * br2 + ai1 * bi2 + br1 * ar2 + bi1 * ai2)
    if spin:
        imag = 0.5 * (ai1 * br2 - ar1 * bi2 + bi1 * ar2 - br1 * ai2)
        # Carried along the great circle, the frame turns by the angle of
        # near - i turn, whose size is the cosine of half the separation.
        near = ((c1 * c2 + s1 * s2) * (u1 * u2 + t1 * t2))[within]
        turn = ((s1 * c2 + c1 * s2) * across)[within]
        cos1, sin1 = near * near - turn * turn, 2.0 * near * turn
        twice = (cos1 * cos1 - sin1 * sin1, 2.0 * cos1 * sin1)
        real = (real * twice[0] + imag * twice[1]) / (1.0 - apart[within]) ** 2
    cell = (place * marks.blocks + marks.block[point]) * marks.blocks + marks.block[other]
    size = sums.size // 2
    sums[..., 0] += np.bincount(cell, w1 * w2, size).reshape(sums.shape[:-1])
    sums[..., 1] += np.bincount(cell, real, size).reshape(sums.shape[:-1])


@functools.cache
def _compiled() -> Callable[..., None] | None:
    """Compile the same sums, if Numba is there."""
    try:
        import numba  # optional; without it large samples take longer
    except ImportError:
        return None
    compiled: Any = numba.njit(nogil=True)(_loop)
    return compiled


def _loop(
    points: np.ndarray,
    begins: np.ndarray,
    ends: np.ndarray,
    places: np.ndarray,
    values: np.ndarray,
    block: np.ndarray,
    edges: np.ndarray,
    spin: bool,
    sums: np.ndarray,
) -> None:
    first, past, bins = edges[0], edges[-1], len(edges) - 1
    for run in range(len(points)):
        i = points[run]
        s1, c1, d1 = places[i, 0], places[i, 1], places[i, 2]
        t1, u1 = places[i, 3], places[i, 4]
        w1 = values[i, 0]
        ar1, ai1, br1, bi1 = values[i, 1], values[i, 2], values[i, 3], values[i, 4]
        for j in range(begins[run], ends[run]):
            s2, c2 = places[j, 0], places[j, 1]
            t2, u2 = places[j, 3], places[j, 4]
            up, across = s1 * c2 - c1 * s2, t1 * u2 - u1 * t2
            apart = up * up + d1 * places[j, 2] * (across * across)
            if apart < first or apart >= past:
                continue
            low = bins - 1  # most pairs are in the last bins
            while apart < edges[low]:
                low -= 1
            ar2, ai2, br2, bi2 = values[j, 1], values[j, 2], values[j, 3], values[j, 4]
            real = 0.5 * (ar1 * br2 + ai1 * bi2 + br1 * ar2 + bi1 * ai2)
            if spin:
                imag = 0.5 * (ai1 * br2 - ar1 * bi2 + bi1 * ar2 - br1 * ai2)
                near = (c1 * c2 + s1 * s2) * (u1 * u2 + t1 * t2)
                turn = (s1 * c2 + c1 * s2) * across
                cos1, sin1 = near * near - turn * turn, 2.0 * near * turn
                real = real * (cos1 * cos1 - sin1 * sin1) + imag * (2.0 * cos1 * sin1)
                real /= (1.0 - apart) ** 2
            sums[low, block[i], block[j], 0] += w1 * values[j, 0]
            sums[low, block[i], block[j], 1] += real
