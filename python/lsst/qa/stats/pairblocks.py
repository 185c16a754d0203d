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

"""Sums over pairs of points where nearly all of them count: rectangles of
points and others, which need not be listed.
"""

from __future__ import annotations

__all__ = ["Rectangle", "Rectangles", "rectangles"]

from typing import NamedTuple

import numpy as np

from .marks import Marks, Products
from .zones import Runs

_PAIRS = 1 << 13
"""Pairs at a time: the processor's cache holds what is worked out of them."""

_FILLED = 2
"""So many times as many candidates as pairs pay for listing these."""


class Rectangle(NamedTuple):
    """Runs of points beside each other.

    Attributes
    ----------
    point, begin, end : `numpy.ndarray` of `int`, (r,)
        As of `Runs`.
    others : `slice`
        What holds all these runs.
    """

    point: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    others: slice


def rectangles(runs: Runs) -> list[Rectangle]:
    """Cover runs by rectangles.

    Parameters
    ----------
    runs : `Runs`
        Candidates for pairs.

    Returns
    -------
    rectangles : `list` [`Rectangle`]
        None where most of what they hold would not be in a run.
    """
    found, first, number = [], 0, len(runs.point)
    room = _FILLED * int((runs.end - runs.begin).sum())
    while first < number:
        size = max(_PAIRS // int(runs.end[first] - runs.begin[first]), 1)
        point, begin, end = (part[first : first + size] for part in runs)
        others = slice(int(begin.min()), int(end.max()))
        room -= len(point) * (others.stop - others.start)
        if room < 0:
            return []
        found.append(Rectangle(point, begin, end, others))
        first += size
    return found


class Rectangles:
    """Adds the pairs of rectangles.

    Parameters
    ----------
    marks : `Marks`
        The points.
    edges : `numpy.ndarray`, (k + 1,)
        Edges of the bins as squared sines of half the separation.
    products : `Products`
        What to add up.
    """

    def __init__(self, marks: Marks, edges: np.ndarray, products: Products):
        self._marks, self._edges, self._products = marks, edges, products
        s, c, _, t, u = marks.places.T
        # What is linear in either point is a sum of products of two columns.
        self._turned = np.stack([c * u, c * t, s * u, s * t])
        self._up = np.stack([s, -c]), np.stack([c, s])
        self._across = np.stack([t, -u]), np.stack([u, t])
        self._both = np.stack([s, c]), np.stack([c, s])
        x, y = marks.values[..., 0].T, marks.values[..., 1].T
        self._fields = [
            (np.stack([x[a], y[a], x[b], y[b]]), np.stack([x[b], y[b], x[a], y[a]]))
            for a, b in zip(products.one, products.other)
        ]
        self._crossed = [
            (np.stack([y[a], -x[a], y[b], -x[b]]), right)
            for a, b, (_, right) in zip(products.one, products.other, self._fields)
        ]
        self._room = np.empty((7, 0))

    def add(self, rectangle: Rectangle, sums: np.ndarray) -> None:
        """Add the pairs of a rectangle.

        Parameters
        ----------
        rectangle : `Rectangle`
            The pairs.
        sums : `numpy.ndarray`, (k, blocks, blocks, 1 + p)
            See `lsst.qa.stats.pairsums.add_pairs`.
        """
        point, begin, end, others = rectangle
        shape = len(point), others.stop - others.start
        size = shape[0] * shape[1]
        if size > self._room.shape[1]:
            self._room = np.empty((7, size))
        # In arrays that are there: what is asked for anew takes longer than
        # what is done with it.
        up, across, apart, near, turn, product, spare = self._room[:, :size].reshape(7, *shape)
        marks, products = self._marks, self._products

        def bilinear(sides: tuple[np.ndarray, np.ndarray], out: np.ndarray) -> np.ndarray:
            # Not as a product of matrices, which may wake up threads.
            filled: np.ndarray = np.einsum("ki,kj->ij", sides[0][:, point], sides[1][:, others], out=out)
            return filled

        bilinear(self._up, up)
        bilinear(self._across, across)
        height = marks.places[:, 2]
        np.multiply(height[point, None], height[None, others], out=apart)
        apart *= np.square(across, out=spare)
        apart += np.square(up, out=up)
        place = np.arange(others.start, others.stop)
        absent = (place < begin[:, None]) | (place >= end[:, None])
        absent |= (apart < self._edges[0]) | (apart >= self._edges[-1])
        if products.spin.any():
            # Carried along the great circle, the frame turns by the angle of
            # near + i turn, whose size is the cosine of half the separation.
            bilinear((self._turned, self._turned), near)
            bilinear(self._both, turn)
            turn *= across
            for _ in range(2):
                np.multiply(near, turn, out=spare)
                near *= near
                near -= np.square(turn, out=turn)
                np.multiply(spare, 2.0, out=turn)
            np.square(np.subtract(1.0, apart, out=spare), out=spare)
            with np.errstate(divide="ignore", invalid="ignore"):  # of opposite points
                near /= spare
                turn /= spare
        cell = marks.block[point, None] * marks.blocks + marks.block[None, others]
        if len(self._edges) > 2:
            cell += np.searchsorted(self._edges[1:-1], apart, side="right") * marks.blocks**2
        np.multiply(marks.weights[point, None], marks.weights[None, others], out=product)
        self._count(cell, product, absent, sums[..., 0])
        for number, spin in enumerate(products.spin, start=1):
            bilinear(self._fields[number - 1], product)
            if spin:
                product *= near
                product += np.multiply(bilinear(self._crossed[number - 1], spare), turn, out=spare)
            product *= 0.5  # both orders of the two fields are in it
            self._count(cell, product, absent, sums[..., number])

    @staticmethod
    def _count(cell: np.ndarray, values: np.ndarray, absent: np.ndarray, sums: np.ndarray) -> None:
        values[absent] = 0.0
        sums += np.bincount(cell.ravel(), values.ravel(), sums.size).reshape(sums.shape)
