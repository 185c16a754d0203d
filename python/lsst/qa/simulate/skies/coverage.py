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

"""How true the errors are: over many skies, the bias of each metric's value
and how often the truth lies within its error.
"""

from __future__ import annotations

__all__ = ["Coverage", "covered", "tally"]

import dataclasses
import math
from collections.abc import Iterator

import numpy as np

from ...tables.measure import measure_readable
from ...tables.readable import from_columns
from .population import Key, Population

ONE_SIGMA = math.erf(math.sqrt(0.5))
"""Share of a normal distribution within one standard deviation: 68.3 %."""


@dataclasses.dataclass(frozen=True)
class Coverage:
    """What many skies tell of a metric's value and error.

    Attributes
    ----------
    metric : `str`
        Name of the metric.
    bin_low : `float` or `None`
        Lower limit of the bin, for a binned metric.
    population : `str`
        Name of the skies.
    unit : `str`
        Unit of the values.
    skies : `int`
        Number of skies that gave a value and an error.
    lacking : `int`
        Number of skies that did not.
    truth, mean : `float`
        True value, and the mean of the measured ones.
    mean_error : `float`
        Standard error of that mean.
    error, scatter : `float`
        Mean of the stated errors, and standard deviation of the values.
    within : `int`
        Number of skies whose value is within its error of the truth.
    """

    metric: str
    bin_low: float | None
    population: str
    unit: str
    skies: int
    lacking: int
    truth: float
    mean: float
    mean_error: float
    error: float
    scatter: float
    within: int

    @property
    def bias(self) -> float:
        """Mean minus truth, in standard errors of the mean."""
        return (self.mean - self.truth) / self.mean_error if self.mean_error > 0.0 else math.nan

    @property
    def coverage(self) -> float:
        """Percentage of skies whose value is within its error of the truth."""
        return 100.0 * self.within / self.skies if self.skies else math.nan

    @property
    def tolerance(self) -> float:
        """By how much the coverage of an honest error scatters, 1 sigma, in
        percent.
        """
        return 100.0 * math.sqrt(ONE_SIGMA * (1.0 - ONE_SIGMA) / max(self.skies, 1))


def tally(population: Population, skies: int, seed: int = 0) -> list[Coverage]:
    """Measure many skies and compare them with the truth.

    Parameters
    ----------
    population : `Population`
        What the skies are drawn from.
    skies : `int`
        How many.
    seed : `int`, optional
        Other seeds, other skies.

    Returns
    -------
    found : `list` [`Coverage`]
        One per metric and bin of the population's truths.
    """
    truths = population.truths()
    names = sorted({metric for metric, _ in truths})
    values: dict[Key, list[tuple[float, float]]] = {key: [] for key in truths}
    units: dict[str, str] = {}
    for columns in drawn(population, skies, seed):
        for row in measure_readable(from_columns(columns), names, kind=population.kind, data_id={}):
            key = row["metric"], row["bin_low"]
            near = _nearest(key, truths)
            units[row["metric"]] = row["unit"]
            if near is not None and math.isfinite(row["value"]) and math.isfinite(row["error"]):
                values[near].append((row["value"], row["error"]))
    return [
        _coverage(population.name, key, truth, values[key], skies, units.get(key[0], ""))
        for key, truth in truths.items()
    ]


def drawn(population: Population, skies: int, seed: int) -> Iterator[dict[str, np.ndarray]]:
    """Draw skies.

    Parameters
    ----------
    population : `Population`
        What they are drawn from.
    skies : `int`
        How many.
    seed : `int`
        Other seeds, other skies.

    Yields
    ------
    columns : `dict` [`str`, `numpy.ndarray`]
        A sky, which does not depend on how many are drawn.
    """
    for number in range(skies):
        yield population.draw(np.random.default_rng([seed, number]))


def covered(found: Coverage, sigmas: float = 4.0) -> bool:
    """Tell whether a metric's values and errors are honest, as far as the
    number of skies lets one tell.

    Parameters
    ----------
    found : `Coverage`
        What the skies tell.
    sigmas : `float`, optional
        How many standard deviations are put down to chance.

    Returns
    -------
    honest : `bool`
        Whether the mean agrees with the truth, and the coverage with
        68.3 %, within 5 % or what chance allows if that is more.
    """
    chance = max(5.0, sigmas * found.tolerance)
    return found.skies > 0 and abs(found.bias) < sigmas and abs(found.coverage - 100.0 * ONE_SIGMA) <= chance


def _nearest(key: Key, truths: dict[Key, float]) -> Key | None:
    """Find the bin that a row is of: edges may differ in their last digits."""
    metric, low = key
    if low is None or key in truths:
        return key if key in truths else None
    near = [other for other in truths if other[0] == metric and other[1] is not None]
    return next((other for other in near if math.isclose(other[1] or 0.0, low, rel_tol=1e-9)), None)


def _coverage(
    name: str, key: Key, truth: float, values: list[tuple[float, float]], skies: int, unit: str
) -> Coverage:
    value, error = np.array(values).reshape(-1, 2).T
    n = len(value)
    scatter = float(value.std(ddof=1)) if n > 1 else math.nan
    return Coverage(
        metric=key[0],
        bin_low=key[1],
        population=name,
        unit=unit,
        skies=n,
        lacking=skies - n,
        truth=truth,
        mean=float(value.mean()) if n else math.nan,
        mean_error=scatter / math.sqrt(n) if n > 1 else math.nan,
        error=float(error.mean()) if n else math.nan,
        scatter=scatter,
        within=int(np.count_nonzero(np.abs(value - truth) <= error)),
    )
