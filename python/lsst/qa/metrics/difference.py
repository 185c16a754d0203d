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

"""Difference imaging: how many sources there are, how many of them are good,
and how many belong to an object.

Counts have Poisson errors, as of sources that appear independently; fractions
are binomial.
"""

from __future__ import annotations

__all__ = ["COUNTS", "FRACTIONS", "GOOD_RATIO", "RELIABILITY", "dia_reliable_ratio"]

from collections.abc import Callable
from typing import Any

import numpy as np

from ..metric import Estimate, Metric, Spec, metric
from ..stats import count, fraction, median
from ..stats.ratio import count_ratio

TOOLS = "analysis_tools c74f828, diaSourceMetrics"
RELIABLE, UNRELIABLE = 0.9, 0.1


def number_of_rows(diaObjectId: np.ndarray) -> Estimate:
    return Estimate(*count(np.ones(len(diaObjectId), dtype=bool)))


def number_marked(flag: np.ndarray) -> Estimate:
    return Estimate(*count(flag))


def share_marked(flag: np.ndarray) -> Estimate:
    return Estimate(*fraction(flag))


# An id that is not there is 0, or null, which is NaN here.
def number_linked(linked: np.ndarray) -> Estimate:
    return Estimate(*count(linked > 0.0))


def share_linked(linked: np.ndarray) -> Estimate:
    return Estimate(*fraction(linked > 0.0))


# Where no source is scored, there is no number of reliable ones: not 0.
def scored(reliability: np.ndarray, low: float, high: float) -> np.ndarray:
    known = reliability[np.isfinite(reliability)]
    return (known > low) & (known < high)


def number_scored(reliability: np.ndarray, *, low: float = RELIABLE, high: float = float("inf")) -> Estimate:
    return Estimate(*count(scored(reliability, low, high)))


def share_scored(reliability: np.ndarray, *, low: float = RELIABLE, high: float = float("inf")) -> Estimate:
    return Estimate(*fraction(scored(reliability, low, high)))


_LOW = {"low": -float("inf"), "high": UNRELIABLE}
_KINDS: tuple[tuple[str, str, str, str, dict[str, str], dict[str, float]], ...] = (
    (
        "good",
        "that have no bad flag",
        "no pixelFlags_ bad, saturatedCenter, interpolatedCenter, edge, nodata",
        "marked",
        {"flag": "good"},
        {},
    ),
    ("streak", "that touch a streak", "pixelFlags_streak", "marked", {"flag": "pixelFlags_streak"}, {}),
    (
        "streak_center",
        "whose centre is on a streak",
        "pixelFlags_streakCenter",
        "marked",
        {"flag": "pixelFlags_streakCenter"},
        {},
    ),
    ("dipole", "that are dipoles", "isDipole", "marked", {"flag": "isDipole"}, {}),
    ("negative", "that are negative", "isNegative", "marked", {"flag": "isNegative"}, {}),
    ("reliable", "of high reliability, of those that have one", "reliability > 0.9", "scored", {}, {}),
    ("unreliable", "of low reliability, of those that have one", "reliability < 0.1", "scored", {}, _LOW),
    ("associated", "that belong to a DiaObject", "diaObjectId > 0", "linked", {"linked": "diaObjectId"}, {}),
    (
        "solar_system",
        "that belong to a known solar system object",
        "ssObjectId > 0",
        "linked",
        {"linked": "ssObjectId"},
        {},
    ),
)
_FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "marked": (number_marked, share_marked),
    "scored": (number_scored, share_scored),
    "linked": (number_linked, share_linked),
}


def _declared(place: int) -> tuple[Metric, ...]:
    """Declare the counts, or the percentages, of each kind of source."""
    found = []
    for name, words, condition, function, inputs, constants in _KINDS:
        found.append(
            Metric(
                name=(f"n_dia_{name}", f"dia_{name}_fraction")[place],
                function=_FUNCTIONS[function][place],
                table="dia_source",
                unit=("", "%")[place],
                doc=f"{('Number', 'Percentage')[place]} of sources of difference images {words}.",
                formula=("N({}), Poisson error", "100 mean({}), binomial error")[place].format(condition),
                reference=TOOLS,
                inputs=inputs,
                constants=constants,
            )
        )
    return tuple(found)


COUNTS = (
    Metric(
        name="n_dia_sources",
        function=number_of_rows,
        table="dia_source",
        unit="",
        doc="Number of sources of difference images, whatever their flags.",
        formula="N, Poisson error",
        reference=TOOLS,
    ),
    *_declared(0),
)
FRACTIONS = _declared(1) + tuple(
    Metric(
        name=f"dia_flag_fraction.{name}",
        function=share_marked,
        table="dia_source",
        unit="%",
        doc=f"Percentage of sources of difference images that have the flag {name}.",
        formula="100 mean(flag), binomial error",
        reference="analysis_tools c74f828, flag fractions",
        inputs={"flag": name},
    )
    for name in (
        "centroid_flag",
        "psfFlux_flag",
        *(
            f"pixelFlags_{what}"
            for what in ("bad", "cr", "edge", "interpolated", "nodata", "saturated", "suspect")
        ),
    )
)


@metric(
    "dia_good_fraction.analysis_tools",
    table="dia_source",
    unit="",
    specs=(
        Spec("design", 0.2, ">=", source="analysis_tools"),
        Spec("design", 0.8, source="analysis_tools"),
    ),
    reference=f"{TOOLS}, ratioGoodToAllDiaSources",
)
def GOOD_RATIO(good: np.ndarray) -> Estimate:
    """Share of sources of difference images that have no bad flag, as
    analysis_tools has it.

    N(good) / N, binomial error
    """
    value, error, n = fraction(good)
    return Estimate(0.01 * value, 0.01 * error, n)


@metric("dia_reliable_ratio", table="dia_source", unit="", reference=f"{TOOLS}, DiaSourcesGoodVsBadRatio")
def dia_reliable_ratio(
    reliability: np.ndarray, *, low: float = UNRELIABLE, high: float = RELIABLE
) -> Estimate:
    """Number of sources of difference images of high reliability over that of
    low reliability.

    N(reliability > 0.9) / N(reliability < 0.1), Poisson errors of both
    """
    known = reliability[np.isfinite(reliability)]
    return Estimate(*count_ratio(known > high, known < low))


@metric("dia_snr_median", table="dia_source", unit="", reference="SRD alert threshold, LPM-17")
def dia_snr_median(snr: np.ndarray) -> Estimate:
    """Median size of the S/N of sources of difference images.

    median |S/N|
    """
    return Estimate(*median(np.abs(snr)))


@metric("n_dia_by_reliability", table="dia_source", unit="", reference=f"{TOOLS}, by reliability")
def n_dia_by_reliability(reliability: np.ndarray, *, bins: int = 10) -> list[Estimate] | Estimate:
    """Number of sources of difference images by reliability, a row per tenth.

    N(low <= reliability < high), the last one closed, Poisson error
    """
    known = reliability[(reliability >= 0.0) & (reliability <= 1.0)]
    if not len(known):
        return Estimate(np.nan, np.nan, 0)
    place = np.minimum((known * bins).astype(np.int64), bins - 1)
    return [Estimate(*count(place == i), i / bins, (i + 1) / bins) for i in range(bins)]


RELIABILITY = (n_dia_by_reliability, dia_snr_median)
