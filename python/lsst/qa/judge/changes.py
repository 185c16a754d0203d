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

"""Changes between two runs: how much a metric differs over what both measured,
how sure that is, and whether it is for the better.
"""

from __future__ import annotations

__all__ = ["DIRECTIONS", "SIGNIFICANT", "Change", "change", "change_of_all", "direction"]

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..spec import Spec
from ..stats import median

DIRECTIONS = ("worse", "better", "changed", "same", "unknown")
"""What a change may be; "changed" where no threshold says what is good, and
"unknown" where it has no error to be compared with.
"""

SIGNIFICANT = 3.0
"""Standard errors beyond which a difference is one."""

_ENOUGH = 5
"""Fewest pairs whose scatter tells the error of their median."""


class Change(NamedTuple):
    """How a metric differs in a band.

    Attributes
    ----------
    before, after : `float`
        Median over the data IDs that both runs have.
    difference, error : `float`
        Median of the differences of pairs, after less before, and its
        1-sigma error.
    significance : `float`
        Their ratio; NaN without an error, 0 for no difference, infinite
        for one that is the same everywhere.
    pairs : `int`
        Number of data IDs with a value in both; 0 where all of one run were
        compared with all of the other.
    direction : `str`
        One of `DIRECTIONS`.
    """

    before: float
    after: float
    difference: float
    error: float
    significance: float
    pairs: int
    direction: str


def change(
    before: np.ndarray,
    after: np.ndarray,
    before_error: np.ndarray,
    after_error: np.ndarray,
    band: str | None,
    specs: Sequence[Spec] = (),
) -> Change:
    """Compare a metric's values of the same data IDs in two runs.

    The same data were measured twice, so what differs from visit to visit
    drops out of the differences; their own scatter tells the error of their
    median. With fewer than five pairs, the values' errors do.

    Parameters
    ----------
    before, after : `numpy.ndarray`, (n,)
        Values of the data IDs, in the same order, in one unit; pairs with
        one that is not finite do not count.
    before_error, after_error : `numpy.ndarray`, (n,)
        Their 1-sigma errors; NaN where unknown.
    band : `str` or `None`
        The band.
    specs : `~collections.abc.Sequence` [`~lsst.qa.spec.Spec`], optional
        Thresholds of the metric, which say what is good.

    Returns
    -------
    change : `Change`
        NaN where there is no pair.
    """
    kept = np.isfinite(before) & np.isfinite(after)
    before, after = before[kept], after[kept]
    pairs = len(before)
    if not pairs:
        return Change(math.nan, math.nan, math.nan, math.nan, math.nan, 0, "unknown")
    differences = after - before
    middle, error, _ = median(differences)
    if pairs < _ENOUGH:
        errors = np.hypot(before_error[kept], after_error[kept])
        error = float(np.sqrt(np.sum(errors**2)) / pairs)
    ends = float(np.median(before)), float(np.median(after))
    return _judged(*ends, middle, error, pairs, band, specs)


def change_of_all(
    before: np.ndarray, after: np.ndarray, band: str | None, specs: Sequence[Spec] = ()
) -> Change:
    """Compare all values of a metric in two runs of different data IDs.

    What differs from visit to visit is part of the error.

    Parameters
    ----------
    before, after : `numpy.ndarray`, (n, 2) and (m, 2)
        Values and 1-sigma errors.
    band : `str` or `None`
        The band.
    specs : `~collections.abc.Sequence` [`~lsst.qa.spec.Spec`], optional
        Thresholds of the metric.

    Returns
    -------
    change : `Change`
        Of the medians; NaN where one has no value.
    """
    (first, first_error), (second, second_error) = _middle(before), _middle(after)
    error = math.hypot(first_error, second_error)
    if math.isnan(first) or math.isnan(second):
        return Change(first, second, math.nan, math.nan, math.nan, 0, "unknown")
    return _judged(first, second, second - first, error, 0, band, specs)


def _middle(values: np.ndarray) -> tuple[float, float]:
    """Return a median and its error, which of one value is its own."""
    known = values[np.isfinite(values[:, 0])]
    if len(known) == 1:
        return float(known[0, 0]), float(known[0, 1])
    return median(known[:, 0])[:2]


def _judged(
    before: float,
    after: float,
    difference: float,
    error: float,
    pairs: int,
    band: str | None,
    specs: Sequence[Spec],
) -> Change:
    if difference == 0.0:
        significance = 0.0
    elif error == 0.0:  # every data ID differs by the same
        significance = math.copysign(math.inf, difference)
    else:
        significance = difference / error
    found = direction(before, after, significance, band, specs)
    return Change(before, after, difference, error, significance, pairs, found)


def direction(
    before: float, after: float, significance: float, band: str | None, specs: Sequence[Spec]
) -> str:
    """Tell whether a change is for the better.

    Parameters
    ----------
    before, after : `float`
        The values.
    significance : `float`
        Their difference over its error; NaN where that is not known.
    band : `str` or `None`
        The band.
    specs : `~collections.abc.Sequence` [`~lsst.qa.spec.Spec`]
        Thresholds, of which those for the band count. Where some are for
        too much and some for too little, what is nearer zero is better.

    Returns
    -------
    direction : `str`
        One of `DIRECTIONS`.
    """
    if math.isnan(significance):
        return "unknown"
    if abs(significance) < SIGNIFICANT:
        return "same"
    ops = {spec.op for spec in specs if spec.holds_in(band)}
    if not ops:
        return "changed"
    if len(ops) > 1:
        grown = abs(after) - abs(before)
    else:
        grown = after - before if ops == {"<="} else before - after
    return "worse" if grown > 0.0 else "better" if grown < 0.0 else "changed"
