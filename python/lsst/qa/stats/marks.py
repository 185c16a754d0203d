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

"""Points that carry numbers, and the products of these to add up."""

from __future__ import annotations

__all__ = ["Marks", "Products"]

from typing import NamedTuple

import numpy as np


class Marks(NamedTuple):
    """Points that carry numbers, in the order of their zones.

    Attributes
    ----------
    places : `numpy.ndarray`, (n, 5)
        Sine and cosine of half the declination, cosine of the
        declination, sine and cosine of half the right ascension.
    weights : `numpy.ndarray`, (n,)
        How many points each stands for.
    values : `numpy.ndarray`, (n, m, 2)
        Real and imaginary parts of the fields, times the weight.
    block : `numpy.ndarray` of `int`, (n,)
        Block of the sky that a point belongs to.
    blocks : `int`
        How many blocks there are.
    """

    places: np.ndarray
    weights: np.ndarray
    values: np.ndarray
    block: np.ndarray
    blocks: int


class Products(NamedTuple):
    """What is added up over pairs: products of one field at a point with
    another, or the same, at the other.

    Attributes
    ----------
    one, other : `numpy.ndarray` of `int`, (p,)
        Which fields.
    spin : `numpy.ndarray` of `bool`, (p,)
        Whether these turn twice as fast as the frame.
    """

    one: np.ndarray
    other: np.ndarray
    spin: np.ndarray
