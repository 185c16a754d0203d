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

"""Skies of columns whose range is asked for."""

from __future__ import annotations

__all__ = ["RANGES"]

import functools

import numpy as np

from .population import Columns, Population, Truths, by_metric

_RANGED = {
    "source": ("psfFlux", "gaussianFlux", "ap09Flux", "ixx", "iyy", "ixy", "ixxPSF", "iyyPSF", "ixyPSF"),
    "object": ("psfFlux", "cModelFlux", "ap09Flux", "ixx", "iyy", "ixy", "ixxPSF", "iyyPSF", "ixyPSF"),
}
_RANGED_ROWS = 40_000
"""Of fewer, a hundredth part has too few for an unbiased quantile."""


def _ranges(kind: str, rng: np.random.Generator) -> Columns:
    own = {name: np.exp(rng.normal(0.0, 0.5, _RANGED_ROWS)) for name in _RANGED[kind]}
    shared = {"detect_isPrimary": np.ones(_RANGED_ROWS, dtype=bool)}
    number = np.arange(_RANGED_ROWS) + 1
    if kind == "source":
        one = np.ones(_RANGED_ROWS, np.int64)
        return {"sourceId": number, "visit": one, "band": np.full(_RANGED_ROWS, "r"), **shared, **own}
    keys = {"objectId": number, "tract": np.zeros(_RANGED_ROWS, np.int64)}
    return {**keys, **shared, **{f"r_{name}": values for name, values in own.items()}}


def _range_truths(kind: str) -> Truths:
    """Return quantiles of a lognormal law."""
    from scipy.stats import norm

    before = "coadd_" if kind == "object" else ""
    ends = {"low": np.exp(0.5 * norm.ppf(0.01)), "high": np.exp(0.5 * norm.ppf(0.99))}
    return by_metric(
        {f"{before}range_{end}.{name}": value for name in _RANGED[kind] for end, value in ends.items()}
    )


RANGES = tuple(
    Population(
        name=f"ranges of a {'visit' if kind == 'source' else 'coadd'}'s columns",
        kind=kind,
        doc="40000 rows of numbers.",
        draw=functools.partial(_ranges, kind),
        truths=functools.partial(_range_truths, kind),
    )
    for kind in ("source", "object")
)
"""Skies of columns."""
