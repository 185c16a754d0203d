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

"""Completeness and purity: how much of what is there is detected, and how much
of what is detected is there.

The error of a fraction is half of Wilson's interval at 1 sigma.
"""

from __future__ import annotations

__all__ = ["COMPLETENESS", "LIMITS", "PURITY"]

from typing import Any

import numpy as np

from ..metric import Estimate, Metric
from ..stats import fraction

REFERENCE = "analysis_tools c74f828, diffMatched"
BRIGHTEST, FAINTEST = 16.0, 31.0
ROW_BYTES = 96


def true_sources(ref_isPrimary: np.ndarray) -> np.ndarray:
    """Select what is known to be there, of the part of the sky that counts."""
    return ref_isPrimary


def primary_objects(detect_isPrimary: np.ndarray) -> np.ndarray:
    """Select primary objects, be they there or not."""
    return detect_isPrimary


def edges_of(low: float, high: float, width: float) -> np.ndarray:
    """Return the edges of bins of magnitude."""
    return low + width * np.arange(round((high - low) / width) + 1)


def of_class(star: np.ndarray, which: str) -> np.ndarray:
    """Select stars, galaxies, or all that there is, by how much of a star it
    is.
    """
    if which == "stars":
        return star > 0.5
    return star < 0.5 if which == "galaxies" else np.ones(len(star), dtype=bool)


def found(
    match_distance: np.ndarray, ref_star: np.ndarray, extendedness: np.ndarray, same_class: bool
) -> np.ndarray:
    """Tell what has a partner, of the same class if that is asked for."""
    matched = match_distance >= 0.0
    alike = (ref_star > 0.5) & (extendedness < 0.5) | (ref_star < 0.5) & (extendedness >= 0.5)
    return matched & alike if same_class else matched


def fractions(mag: np.ndarray, mask: np.ndarray, edges: np.ndarray) -> list[Estimate]:
    """Return the percentage of what counts in each bin of magnitude."""
    place = np.searchsorted(edges, mag, side="right") - 1  # NaN comes last
    return [
        Estimate(*fraction(mask[place == k]), float(edges[k]), float(edges[k + 1]))
        for k in range(len(edges) - 1)
    ]


def completeness(
    ref_mag: np.ndarray,
    ref_star: np.ndarray,
    match_distance: np.ndarray,
    extendedness: np.ndarray,
    *,
    which: str = "all",
    same_class: bool = False,
    low: float = BRIGHTEST,
    high: float = FAINTEST,
    width: float = 1.0,
) -> list[Estimate] | Estimate:
    """Return the percentage of true sources that were detected."""
    chosen = np.isfinite(ref_mag) & of_class(ref_star, which)
    if not chosen.any():
        return Estimate(np.nan, np.nan, 0)
    good = found(match_distance, ref_star, extendedness, same_class)
    return fractions(ref_mag[chosen], good[chosen], edges_of(low, high, width))


def purity(
    cmodel_mag: np.ndarray,
    ref_star: np.ndarray,
    match_distance: np.ndarray,
    extendedness: np.ndarray,
    *,
    which: str = "all",
    same_class: bool = False,
    low: float = BRIGHTEST,
    high: float = FAINTEST,
    width: float = 1.0,
) -> list[Estimate] | Estimate:
    """Return the percentage of objects that are there."""
    chosen = np.isfinite(cmodel_mag) & of_class(1.0 - extendedness, which)
    if not chosen.any():
        return Estimate(np.nan, np.nan, 0)
    good = found(match_distance, ref_star, extendedness, same_class)
    return fractions(cmodel_mag[chosen], good[chosen], edges_of(low, high, width))


def magnitude_of(
    ref_mag: np.ndarray,
    ref_star: np.ndarray,
    match_distance: np.ndarray,
    *,
    percent: float = 50.0,
    which: str = "all",
    brightest: float = BRIGHTEST,
    low: float = BRIGHTEST,
    high: float = FAINTEST,
    width: float = 0.5,
) -> Estimate:
    """Return the magnitude at which the completeness crosses a percentage,
    coming from the faint end; linear between the middles of bins.
    """
    chosen = np.isfinite(ref_mag) & of_class(ref_star, which)
    rows = fractions(ref_mag[chosen], match_distance[chosen] >= 0.0, edges_of(low, high, width))
    known = [row for row in rows if row.n > 0 and (row.bin_low or 0.0) >= brightest]
    for bright, faint in zip(known[-2::-1], known[:0:-1]):
        if bright.value >= percent > faint.value:
            return crossing(bright, faint, percent)
    return Estimate(np.nan, np.nan, int(np.count_nonzero(chosen)))


def crossing(bright: Estimate, faint: Estimate, percent: float) -> Estimate:
    """Interpolate between two bins; both their errors move the crossing."""
    middles = [0.5 * ((row.bin_low or 0.0) + (row.bin_high or 0.0)) for row in (bright, faint)]
    slope = (middles[1] - middles[0]) / (bright.value - faint.value)
    part = (bright.value - percent) / (bright.value - faint.value)
    error = slope * np.hypot((1.0 - part) * bright.error, part * faint.error)
    return Estimate(float(middles[0] + part * (middles[1] - middles[0])), float(error), bright.n + faint.n)


_CLASSES = (("all", "sources"), ("stars", "stars"), ("galaxies", "galaxies"))


def _curve(kind: str, which: str, what: str, same_class: bool) -> Metric:
    """Declare a curve of completeness or purity."""
    complete = kind == "completeness"
    suffix = "" if which == "all" else f"_{which}"
    whole = f"true {what} that were detected" if complete else f"detected {what} that are there"
    by = "true" if complete else "measured model"
    return Metric(
        name=f"{kind}{suffix}{'_good' if same_class else ''}",
        function=completeness if complete else purity,
        table="truth_match",
        unit="%",
        doc=f"Percentage of {whole}{', and are of the right class' if same_class else ''};"
        f" a row per {by} magnitude.",
        formula=f"100 N(matched{' and of the same class' if same_class else ''}) / N in bins of 1 mag,"
        " 16 to 31; Wilson's interval",
        reference=REFERENCE,
        rows=true_sources if complete else primary_objects,
        constants={"which": which, "same_class": same_class},
        bytes_per_row=ROW_BYTES,
    )


COMPLETENESS, PURITY = (
    tuple(_curve(kind, which, what, good) for which, what in _CLASSES for good in (False, True))
    for kind in ("completeness", "purity")
)


def _limit(percent: int, which: str, what: str, tools: bool) -> Metric:
    """Declare the magnitude of a completeness."""
    suffix = "" if which == "all" else f"_{which}"
    own: dict[str, Any] = {"brightest": 18.0, "width": 1.0} if tools else {}
    width = "1 mag, none brighter than 18" if tools else "0.5 mag"
    return Metric(
        name=f"completeness_mag_{percent}{suffix}{'.analysis_tools' if tools else ''}",
        function=magnitude_of,
        table="truth_match",
        unit="mag",
        doc=f"Magnitude at which {percent} % of the true {what} are detected"
        f"{', as analysis_tools computes it: from wider bins' if tools else ''}.",
        formula=f"faintest crossing of {percent} %, linear between the middles of bins of {width};"
        " errors of both bins propagated",
        reference=REFERENCE,
        rows=true_sources,
        constants={"percent": float(percent), "which": which, **own},
        bytes_per_row=ROW_BYTES,
    )


LIMITS = tuple(
    _limit(percent, which, what, tools)
    for tools in (False, True)
    for percent in (90, 80, 50)
    for which, what in _CLASSES
)
