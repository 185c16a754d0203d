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

"""Correlation functions on the sphere, of scalars and of spin-2 fields, with
errors that count what pairs share.

Up to `EXACT` points every pair is counted by its own separation. Beyond that,
at separations where it pays, points are joined in cells, the wider the farther
the pairs, and a pair is counted by the separation of its cells' centres: this
is off by at most `TOLERANCE` of itself. The fields are carried along great
circles throughout.
"""

from __future__ import annotations

__all__ = ["EXACT", "TOLERANCE", "Correlation", "correlate", "log_bins"]

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from .marks import Marks, Products
from .pairs import separation
from .pairsums import add_pairs
from .zones import runs_of_partners, zones_of

EXACT = 10_000
"""Largest number of points for which every pair is counted by itself."""

TOLERANCE = 0.1
"""By how much, at most, the separation of cells differs from their points'."""

BLOCKS = 64
"""Number of blocks of points by which errors are told."""

SAMPLE = 6_000
"""Number of points by which errors are told where points are joined."""

_WIDEST = 1.6
"""Largest ratio of the edges of a ring, whose cells are of one size."""

_NEAREST = 1e-8
"""Radians below which no points are joined."""

_WORTH_JOINING = 0.8
"""Most cells per point for which joining saves time."""


@dataclasses.dataclass(frozen=True, eq=False)
class Correlation:
    """A correlation function in bins.

    Attributes
    ----------
    edges : `numpy.ndarray`, (k + 1,)
        Edges of the bins in radians.
    pairs : `numpy.ndarray`, (k, b, b)
        Number of pairs between blocks of points, a triangle of each.
    products : `numpy.ndarray`, (k, b, b)
        Sums of their products.
    joined : `int`, optional
        From this bin on points were joined, so that blocks are mixed.
    sample : `Correlation` or `None`, optional
        Of a sample of the points, by which errors of those bins are told.
    share : `float`, optional
        The share of the points that the sample is.
    """

    edges: np.ndarray
    pairs: np.ndarray
    products: np.ndarray
    joined: int | None = None
    sample: Correlation | None = None
    share: float = 1.0

    @property
    def counts(self) -> np.ndarray:
        """Number of pairs in each bin, (k,)."""
        return self.pairs.sum(axis=(1, 2))

    @property
    def values(self) -> np.ndarray:
        """Mean product of each bin, (k,); NaN for a bin without pairs."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.products.sum(axis=(1, 2)) / self.counts

    def error(self, factors: np.ndarray) -> float:
        """Return the 1-sigma error of a sum of bins' values.

        It tells how much the sum differs with other points of the same
        fields. Points are put in blocks at random; pairs vary together if
        they share a block (Cameron and Miller 2014, variance of dyadic
        data). Of a sample, the part that single points have in it shrinks
        with their number, that of pairs with its square (Hoeffding 1948);
        of fields of nothing but noise, known at many times as many points,
        the first part is told too badly, and the error comes out too large.

        Parameters
        ----------
        factors : `numpy.ndarray`, (k,)
            What each bin's value is multiplied by.

        Returns
        -------
        error : `float`
            NaN where a bin has no pairs, or fewer than three blocks have any.
        """
        used = np.flatnonzero(factors)
        if not len(used) or self.counts[used].min() <= 0:
            return np.nan
        mixed = self.sample is not None and self.joined is not None and used.max() >= self.joined
        if self.sample is not None and mixed and self.sample.counts[used].min() > 0:
            one, two = self.sample._variances(factors, used)
            variance = self.share * one + self.share**2 * two
        else:
            variance = sum(self._variances(factors, used))
        return float(np.sqrt(variance)) if variance > 0.0 else np.nan

    def _variances(self, factors: np.ndarray, used: np.ndarray) -> tuple[float, float]:
        """Return what single points, and what pairs of them, have in the
        variance of a sum of bins' values.
        """
        away = self.products[used] - self.values[used][:, None, None] * self.pairs[used]
        away = ((factors[used] / self.counts[used])[:, None, None] * away).sum(axis=0)
        here = self.pairs[used].sum(axis=0) > 0.0
        blocks = int(np.count_nonzero(here.any(axis=0) | here.any(axis=1)))
        if blocks < 3:
            return np.nan, np.nan
        within = np.diag(away)
        shared = np.triu(away, 1) + np.tril(away, -1).T  # each two blocks once
        alone = float((within**2).sum() + (shared**2).sum())
        all_of_one = within + shared.sum(axis=0) + shared.sum(axis=1)
        together = float((all_of_one**2).sum() - (shared**2).sum())
        if together <= 0.0:
            together = alone
        # Pairs of the same two blocks share points, too: one in so many.
        single = max(together - alone, 0.0) * blocks / (blocks - 1)
        scale = blocks / (blocks - 1)
        return scale * single, scale * (together - single)


def log_bins(low: float, high: float, number: int) -> np.ndarray:
    """Divide a range into bins of equal ratio.

    Parameters
    ----------
    low, high : `float`
        Ends of the range.
    number : `int`
        How many bins.

    Returns
    -------
    edges : `numpy.ndarray`, (number + 1,)
        Edges of the bins.
    """
    return np.exp(np.linspace(np.log(low), np.log(high), number + 1))


class _Points(NamedTuple):
    """Points, or cells of them: (n,), and fields (n, m, 2) times weights."""

    ra: np.ndarray
    dec: np.ndarray
    weights: np.ndarray
    values: np.ndarray
    block: np.ndarray


def correlate(
    ra: np.ndarray,
    dec: np.ndarray,
    fields: Sequence[np.ndarray],
    products: Sequence[tuple[int, int]],
    edges: np.ndarray,
    *,
    tolerance: float = TOLERANCE,
    exact: int = EXACT,
) -> list[Correlation]:
    """Correlate fields that are known at points, looking at each pair once.

    The value of a bin is the mean over its pairs of points, in both orders,
    of one field at the first times the other at the second; of spin-2 fields
    the real part of the product with the conjugate, xi+.

    Parameters
    ----------
    ra, dec : `numpy.ndarray`, (n,)
        Coordinates in radians. Points with anything not finite are left
        out.
    fields : `~collections.abc.Sequence` [`numpy.ndarray`], each (n,)
        Real ones are scalars; complex ones are spin-2 with the first axis
        to the west and the second to the north.
    products : `~collections.abc.Sequence` [`tuple` [`int`, `int`]]
        Which two fields, or one twice, to correlate; both of one kind.
    edges : `numpy.ndarray`, (k + 1,)
        Edges of the bins of separation in radians, increasing; a bin
        holds its lower edge.
    tolerance : `float`, optional
        Largest error of a separation relative to itself, where points are
        joined in cells.
    exact : `int`, optional
        Up to so many points none are joined.

    Returns
    -------
    correlations : `list` [`Correlation`]
        One for each of the products.
    """
    spin = np.array([np.iscomplexobj(field) for field in fields])
    points, blocks = _ordered(ra, dec, fields)
    one, other = (np.array(side) for side in zip(*products))
    asked = Products(one, other, spin[one])
    sums = np.zeros((len(edges) - 1, blocks, blocks, 1 + len(products)))
    left, number = np.asarray(edges), len(points.ra)
    for place, low, high in _rings(edges) if number > exact else ():
        cells = _cells(points, tolerance * low / np.sqrt(2.0), spin)
        if len(cells.ra) > _WORTH_JOINING * number:
            break
        _add(cells, blocks, np.array([low, high]), asked, sums[place : place + 1])
        left = np.append(edges[edges < low], low)
    if len(left) > 1:
        _add(points, blocks, left, asked, sums[: len(left) - 1])
    if len(left) == len(edges):
        return [Correlation(edges, sums[..., 0], sums[..., k]) for k in range(1, sums.shape[-1])]
    # A bin of which a part only was joined is mixed as well.
    joined = int(np.searchsorted(edges, left[-1], side="right")) - 1
    drawn = np.sort(np.random.default_rng(number).permutation(number)[:SAMPLE])
    few, share = _Points(*(part[drawn] for part in points)), len(drawn) / number
    sample = np.zeros_like(sums)
    _add(few, blocks, np.asarray(edges), asked, sample)
    return [
        Correlation(
            edges,
            sums[..., 0],
            sums[..., k],
            joined,
            Correlation(edges, sample[..., 0], sample[..., k]),
            share,
        )
        for k in range(1, sums.shape[-1])
    ]


def _rings(edges: np.ndarray) -> Iterator[tuple[int, float, float]]:
    """Divide bins into rings that are narrow enough for cells of one size,
    the farthest first: the bin's place, and the ring's edges.
    """
    for place in reversed(range(len(edges) - 1)):
        low, high = max(edges[place], _NEAREST), edges[place + 1]
        if high > low:
            number = int(np.ceil(np.log(high / low) / np.log(_WIDEST)))
            bounds = [low, *log_bins(low, high, number)[1:-1].tolist(), high]
            yield from ((place, *ring) for ring in reversed(list(itertools.pairwise(bounds))))


def _ordered(ra: np.ndarray, dec: np.ndarray, fields: Sequence[np.ndarray]) -> tuple[_Points, int]:
    """Sort finite points by where they are, so that it does not matter how
    they came, and divide them into blocks.
    """
    values = np.stack([part for field in fields for part in (np.real(field), np.imag(field))], axis=1)
    kept = np.isfinite(ra) & np.isfinite(dec) & np.isfinite(values).all(axis=1)
    ra, dec, values = ra[kept], dec[kept], values[kept].astype(float)
    order = np.lexsort((ra, dec))
    tied = (np.diff(ra[order]) == 0.0) & (np.diff(dec[order]) == 0.0)
    if tied.any():
        order = np.lexsort((*values.T[::-1], ra, dec))
    ra, dec = ra[order], dec[order]
    block, blocks = _blocks(len(ra))
    values = values[order].reshape(len(ra), len(fields), 2)
    return _Points(ra, dec, np.ones(len(ra)), values, block), blocks


def _blocks(number: int) -> tuple[np.ndarray, int]:
    """Divide points that are sorted into blocks of as many each, at random:
    the same points, the same blocks.
    """
    if number <= BLOCKS:
        return np.arange(number), max(number, 1)
    block = np.arange(number) * BLOCKS // number
    return np.random.default_rng(number).permutation(block), BLOCKS


def _cells(points: _Points, size: float, spin: np.ndarray) -> _Points:
    """Join points in cells no wider than ``size`` either way."""
    row = np.floor(points.dec / size).astype(np.int64)
    edges = np.clip([row * size, (row + 1) * size], -0.5 * np.pi, 0.5 * np.pi)
    widest = np.where(row == 0, 1.0, np.cos(edges).max(axis=0))
    column = np.floor(np.mod(points.ra, 2.0 * np.pi) * widest / size).astype(np.int64)
    order = np.lexsort((column, row))
    row, column = row[order], column[order]
    begins = np.flatnonzero(np.concatenate(([True], (row[1:] != row[:-1]) | (column[1:] != column[:-1]))))
    if len(begins) == len(row):
        return points
    ra, dec, weights, values, block = (part[order] for part in points)
    counts = np.diff(np.append(begins, len(ra)))
    x, y, z = (
        np.add.reduceat(part, begins)
        for part in (np.cos(ra) * np.cos(dec), np.sin(ra) * np.cos(dec), np.sin(dec))
    )
    middle_ra, middle_dec = np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))
    far = separation(ra, dec, np.repeat(middle_ra, counts), np.repeat(middle_dec, counts)) > size / np.sqrt(
        2.0
    )
    if far.any():
        # The middle of the points keeps their separations best on the whole,
        # but only that of the cell is no further than half a diagonal.
        astray = np.logical_or.reduceat(far, begins)
        middle_dec[astray] = ((row[begins] + 0.5) * size)[astray]
        middle_ra[astray] = ((column[begins] + 0.5) * size / widest[order][begins])[astray]
    if spin.any():
        turn = _transport(ra, dec, np.repeat(middle_ra, counts), np.repeat(middle_dec, counts))
        turned = (values[:, spin, 0] + 1j * values[:, spin, 1]) * turn[:, None]
        values[:, spin, 0], values[:, spin, 1] = turned.real, turned.imag
    weights, values = (np.add.reduceat(part, begins) for part in (weights, values))
    return _Points(middle_ra, middle_dec, weights, values, block[begins])


def _transport(ra1: np.ndarray, dec1: np.ndarray, ra2: np.ndarray, dec2: np.ndarray) -> np.ndarray:
    """Return the factor that carries a spin-2 field from points to others."""
    near = np.cos(0.5 * (dec1 - dec2)) * np.cos(0.5 * (ra1 - ra2))
    turn = np.sin(0.5 * (dec1 + dec2)) * np.sin(0.5 * (ra1 - ra2))
    factor = (near - 1j * turn) ** 4
    return factor / np.abs(factor)


def _add(points: _Points, blocks: int, edges: np.ndarray, products: Products, sums: np.ndarray) -> None:
    """Add all pairs of points to the sums of their bins."""
    zones = zones_of(points.ra, points.dec, edges[-1])
    half_ra, half_dec, weights, values, block = (part[zones.order] for part in points)
    half_ra, half_dec = 0.5 * half_ra, 0.5 * half_dec
    places = np.stack(
        [np.sin(half_dec), np.cos(half_dec), np.cos(2.0 * half_dec), np.sin(half_ra), np.cos(half_ra)], axis=1
    )
    marks = Marks(places, weights, values, block, blocks)
    limits = np.sin(0.5 * edges) ** 2
    for runs in runs_of_partners(zones, edges[0], edges[-1]):
        add_pairs(marks, runs, limits, products, sums)
