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

"""Fakes of difference imaging: how many of the sources that were injected are
found again.
"""

from __future__ import annotations

__all__ = ["BY_MAGNITUDE", "COUNTS", "RECOVERED"]

from typing import Any

import numpy as np

from ..metric import Estimate, Metric
from ..stats import count, fraction, median

TOOLS = "analysis_tools c74f828, diaFakeMetrics"


def usable_fakes(usable: np.ndarray) -> np.ndarray:
    """Select the fakes on good pixels, where they could be found."""
    return usable


def bright_fakes(usable: np.ndarray, snr: np.ndarray, *, snr_min: float = 5.0) -> np.ndarray:
    """Select the fakes on good pixels that are bright enough to be found."""
    return usable & (snr > snr_min)


def number_injected(diaSourceId: np.ndarray) -> Estimate:
    return Estimate(*count(np.ones(len(diaSourceId), dtype=bool)))


# A fake that was not found has no source: 0, or null, which is NaN here.
def number_found(diaSourceId: np.ndarray) -> Estimate:
    return Estimate(*count(diaSourceId > 0.0))


def share_found(diaSourceId: np.ndarray) -> Estimate:
    return Estimate(*fraction(diaSourceId > 0.0))


def share_associated(isAssocDiaSource: np.ndarray) -> Estimate:
    return Estimate(*fraction(isAssocDiaSource))


def found_by_magnitude(
    mag: np.ndarray, diaSourceId: np.ndarray, *, low: float = 18.0, high: float = 28.0, width: float = 1.0
) -> list[Estimate] | Estimate:
    """Return the share of fakes that are found in each bin of magnitude."""
    known = np.isfinite(mag)
    mag, found = mag[known], diaSourceId[known] > 0.0
    if not len(mag):
        return Estimate(np.nan, np.nan, 0)
    edges = low + width * np.arange(round((high - low) / width))
    return [
        Estimate(*fraction(found[(mag >= edge) & (mag < edge + width)]), float(edge), float(edge + width))
        for edge in edges
    ]


def median_distance(dist_diaSrc: np.ndarray) -> Estimate:
    # -1 where nothing was found.
    return Estimate(*median(1000.0 * dist_diaSrc[dist_diaSrc >= 0.0]))


def _of_fakes(name: str, function: Any, unit: str, doc: str, formula: str, **changes: Any) -> Metric:
    """Declare a metric of the fakes of difference images."""
    given = {"rows": usable_fakes, "reference": TOOLS, **changes}
    return Metric(
        name=name, function=function, table="dia_fake", unit=unit, doc=doc, formula=formula, **given
    )


COUNTS = (
    _of_fakes(
        "n_dia_fakes",
        number_injected,
        "",
        "Number of sources that were injected into the images, wherever they fell.",
        "N, Poisson error",
        rows=None,
    ),
    _of_fakes(
        "n_dia_fakes_found",
        number_found,
        "",
        "Number of injected sources on good pixels that were found in difference images.",
        "N(diaSourceId > 0), Poisson error",
    ),
)
RECOVERED = (
    _of_fakes(
        "dia_fake_recovered_fraction",
        share_found,
        "%",
        "Percentage of injected sources on good pixels that were found in difference images.",
        "100 mean(diaSourceId > 0), binomial error",
    ),
    _of_fakes(
        "dia_fake_recovered_fraction.bright",
        share_found,
        "%",
        "Percentage of injected sources on good pixels, of S/N > 5, that were found in difference images.",
        "100 mean(diaSourceId > 0), S/N > 5, binomial error",
        rows=bright_fakes,
    ),
    _of_fakes(
        "dia_fake_recovered_fraction.analysis_tools",
        share_found,
        "%",
        "Percentage of injected sources that were found in difference images, wherever they fell.",
        "100 mean(diaSourceId > 0), binomial error",
        rows=None,
        reference=f"{TOOLS}, FractionFoundFakesDiaAllMetric",
    ),
    _of_fakes(
        "dia_fake_associated_fraction",
        share_associated,
        "%",
        "Percentage of injected sources on good pixels that were found and associated with an object.",
        "100 mean(isAssocDiaSource), binomial error",
    ),
    _of_fakes(
        "dia_fake_distance",
        median_distance,
        "mas",
        "Median distance between an injected source and what was found of it.",
        "median(d)",
    ),
)
BY_MAGNITUDE = (
    _of_fakes(
        "dia_fake_recovered_by_mag",
        found_by_magnitude,
        "%",
        "Percentage of injected sources on good pixels that were found, a row per magnitude.",
        "100 mean(diaSourceId > 0), low <= mag < high, binomial error",
    ),
)
