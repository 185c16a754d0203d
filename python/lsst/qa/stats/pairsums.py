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

__all__ = ["add_pairs"]

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .marks import Marks, Products
from .pairblocks import Rectangles, rectangles
from .zones import Runs

_PAIRS = 1 << 11
"""Pairs at a time: what is worked out of so few stays in the processor's
cache, and the memory for it is not asked for anew.
"""

_WORTH_COMPILING = 1 << 20


def add_pairs(marks: Marks, runs: Runs, edges: np.ndarray, products: Products, sums: np.ndarray) -> None:
    """Add the pairs of some runs to the sums of their bins and blocks.

    Parameters
    ----------
    marks : `Marks`
        The points.
    runs : `Runs`
        Candidates for pairs.
    edges : `numpy.ndarray`, (k + 1,)
        Edges of the bins as squared sines of half the separation.
    products : `Products`
        What to add up.
    sums : `numpy.ndarray`, (k, blocks, blocks, 1 + p)
        Weights, and products of the fields of the two points, made
        symmetric; changed in place.
    """
    pairs = int((runs.end - runs.begin).sum())
    compiled = _compiled() if pairs >= _WORTH_COMPILING else None
    if compiled is not None:
        compiled(*runs, marks.places, marks.weights, marks.values, marks.block, edges, *products, sums)
        return
    if beside := rectangles(runs):
        whole = Rectangles(marks, edges, products)
        for rectangle in beside:
            whole.add(rectangle, sums)
        return
    # Taken from a column at a time, which is several times as fast as rows.
    values = np.ascontiguousarray(marks.values).view(np.complex128)[..., 0]
    places, fields = (tuple(np.ascontiguousarray(part.T)) for part in (marks.places, values))
    for point, other in _listed(runs):
        _add(marks, places, fields, point, other, edges, products, sums)


def _listed(runs: Runs) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """List the candidates of runs, so many at a time."""
    counts = runs.end - runs.begin
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    for start in range(0, total, _PAIRS):
        stop = min(start + _PAIRS, total)
        first, last = np.searchsorted(ends, [start, stop - 1], side="right")
        some = slice(first, last + 1)
        listed = np.minimum(ends[some], stop) - np.maximum(ends[some] - counts[some], start)
        offset = np.repeat(runs.end[some] - ends[some], listed)
        yield np.repeat(runs.point[some], listed), np.arange(start, stop) + offset


def _add(
    marks: Marks,
    places: Sequence[np.ndarray],
    fields: Sequence[np.ndarray],
    point: np.ndarray,
    other: np.ndarray,
    edges: np.ndarray,
    products: Products,
    sums: np.ndarray,
) -> None:
    """Add listed pairs."""
    s1, c1, d1, t1, u1 = (column.take(point) for column in places)
    s2, c2, d2, t2, u2 = (column.take(other) for column in places)
    up, across = s1 * c2 - c1 * s2, t1 * u2 - u1 * t2
    apart = up * up + d1 * d2 * (across * across)
    within = np.flatnonzero((apart >= edges[0]) & (apart < edges[-1]))
    point, other = point.take(within), other.take(within)
    place = np.searchsorted(edges[1:-1], apart.take(within), side="right")
    carried = None
    if products.spin.any():
        # Carried along the great circle, the frame turns by the angle of
        # near + i turn, whose size is the cosine of half the separation.
        near = (c1 * c2 + s1 * s2) * (u1 * u2 + t1 * t2)
        turn = (s1 * c2 + c1 * s2) * across
        carried = np.square(np.square((near + 1j * turn).take(within))) / np.square(1.0 - apart.take(within))
    cell = (place * marks.blocks + marks.block.take(point)) * marks.blocks + marks.block.take(other)
    shape, size = sums.shape[:-1], sums[..., 0].size
    weights = marks.weights.take(point) * marks.weights.take(other)
    sums[..., 0] += np.bincount(cell, weights, size).reshape(shape)
    for number, (a, b, spin) in enumerate(zip(*products), start=1):
        product = fields[a].take(point) * fields[b].take(other).conj()
        if a != b:
            product = 0.5 * (product + fields[b].take(point) * fields[a].take(other).conj())
        real = (product * carried.conj()).real if spin and carried is not None else product.real
        sums[..., number] += np.bincount(cell, real, size).reshape(shape)


@functools.cache
def _compiled() -> Callable[..., None] | None:
    """Compile the same sums, if Numba is there."""
    try:
        import numba  # optional; without it large samples take longer
    except ImportError:
        return None
    compiled: Any
    try:
        compiled = numba.njit(nogil=True, cache=True)(_loop)
    except RuntimeError:  # nowhere to keep it: no folder can be written to
        compiled = numba.njit(nogil=True)(_loop)
    return compiled


def _loop(
    points: np.ndarray,
    begins: np.ndarray,
    ends: np.ndarray,
    places: np.ndarray,
    weights: np.ndarray,
    values: np.ndarray,
    block: np.ndarray,
    edges: np.ndarray,
    one: np.ndarray,
    other: np.ndarray,
    spin: np.ndarray,
    sums: np.ndarray,
) -> None:
    first, past, bins = edges[0], edges[-1], len(edges) - 1
    fields, products = values.shape[1], len(one)
    there = np.empty((fields, 2))
    turns = spin.any()
    for run in range(len(points)):
        i = points[run]
        s1, c1, d1 = places[i, 0], places[i, 1], places[i, 2]
        t1, u1 = places[i, 3], places[i, 4]
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
            if turns:
                near = (c1 * c2 + s1 * s2) * (u1 * u2 + t1 * t2)
                turn = (s1 * c2 + c1 * s2) * across
                norm = 1.0 / (1.0 - apart)
                cos1, sin1 = (near * near - turn * turn) * norm, 2.0 * near * turn * norm
                cos2, sin2 = cos1 * cos1 - sin1 * sin1, 2.0 * cos1 * sin1
                for m in range(fields):
                    real, imag = values[j, m, 0], values[j, m, 1]
                    there[m, 0] = real * cos2 - imag * sin2
                    there[m, 1] = real * sin2 + imag * cos2
            added = sums[low, block[i], block[j]]
            added[0] += weights[i] * weights[j]
            for p in range(products):
                a, b = one[p], other[p]
                if spin[p]:
                    sum_ = values[i, a, 0] * there[b, 0] + values[i, a, 1] * there[b, 1]
                    if a != b:
                        sum_ += values[i, b, 0] * there[a, 0] + values[i, b, 1] * there[a, 1]
                        sum_ *= 0.5
                else:
                    sum_ = 0.5 * (values[i, a, 0] * values[j, b, 0] + values[i, b, 0] * values[j, a, 0])
                added[p + 1] += sum_
