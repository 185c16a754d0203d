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

"""What a light sky is: columns drawn at random, and the true values of the
metrics of such columns.
"""

from __future__ import annotations

__all__ = ["SIGMA_MAD", "Columns", "Key", "Population", "Truths", "by_metric", "row_medians", "scatter"]

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Columns = dict[str, np.ndarray]
"""A table: columns by the names that metrics know."""

Key = tuple[str, float | None]
"""A metric, and the lower limit of a bin."""

Truths = dict[Key, float]
"""The true value of each metric."""

SIGMA_MAD = 1.482602218505602


@dataclasses.dataclass(frozen=True)
class Population:
    """Skies that are drawn alike, and what is true of them all.

    Attributes
    ----------
    name : `str`
        Name.
    kind : `str`
        Kind of table that a sky is.
    doc : `str`
        What is drawn anew for each sky, and what stays.
    draw : `~collections.abc.Callable`
        Draws the columns of a sky from a source of random numbers.
    truths : `~collections.abc.Callable`
        Returns the true values, in closed form or as an integral over
        enough draws; never by the metrics' code.
    """

    name: str
    kind: str
    doc: str
    draw: Callable[[np.random.Generator], Columns]
    truths: Callable[[], Truths]


def by_metric(values: Mapping[str, Any]) -> Truths:
    """Key the true values of metrics without bins.

    Parameters
    ----------
    values : `~collections.abc.Mapping` [`str`, `float`]
        By metric.

    Returns
    -------
    truths : `dict` [`tuple` [`str`, `None`], `float`]
        The same.
    """
    return {(name, None): float(value) for name, value in values.items()}


def scatter(values: np.ndarray) -> float:
    """Return the scaled median absolute deviation.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        A large sample.

    Returns
    -------
    scatter : `float`
        1.4826 median(abs(x - median(x))).
    """
    return float(SIGMA_MAD * np.median(np.abs(values - np.median(values))))


def row_medians(values: np.ndarray) -> np.ndarray:
    """Return the median of each row.

    Parameters
    ----------
    values : `numpy.ndarray`, (n, m)
        A large sample; NaN is left out.

    Returns
    -------
    medians : `numpy.ndarray`, (n,)
        NaN for a row of NaN.
    """
    ordered = np.sort(values, axis=1)
    count = np.isfinite(values).sum(axis=1)
    rows = np.arange(len(values))
    high = np.minimum(np.maximum(count, 1) // 2, values.shape[1] - 1)
    return 0.5 * (ordered[rows, np.maximum(count - 1, 0) // 2] + ordered[rows, high])
