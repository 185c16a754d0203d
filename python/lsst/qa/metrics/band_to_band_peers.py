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

"""Positions in other bands against those in r as the peers compare them."""

from __future__ import annotations

__all__ = ["ANALYSIS_TOOLS", "FARO"]

from typing import Any

import numpy as np

from ..metric import Metric
from ..stats import Groups, beyond_moves, crossed_error, mean_position, quantile_moves, rms_estimate
from ..stats.matching import tangent_offsets
from ..stats.units import numbered
from .astrometry import BYTES_PER_ROW, MAS, MOST_ROWS
from .astrometry_peers import faro_sample
from .band_to_band import (
    AB1,
    AB2_DESIGN,
    ABF1,
    REFERENCE_BAND,
    distances_from_r,
    per_band,
    share_beyond,
    with_bands,
)


def faro_in_bands(
    stars: Groups,
    sourceId: np.ndarray,
    visit: np.ndarray,
    ra: np.ndarray,
    dec: np.ndarray,
    psf_mag: np.ndarray,
    psf_snr: np.ndarray,
    extendedness: np.ndarray,
    clean: np.ndarray,
    detect_isPrimary: np.ndarray,
    filter_number: np.ndarray,
) -> dict[str, np.ndarray]:
    """Pick stars as faro does: judged by all their detections."""
    rows = np.arange(len(visit))
    flags = clean, detect_isPrimary
    made = faro_sample(stars, rows, visit, ra, dec, psf_mag, psf_snr, extendedness, *flags)
    return with_bands(made, sourceId, filter_number)


def faro_AB1(
    distances: np.ndarray, stars: np.ndarray, firsts: np.ndarray, seconds: np.ndarray, bands: np.ndarray
) -> Any:
    def measure(rows: np.ndarray) -> tuple[float, float, int]:
        (first, second), size, _ = numbered((firsts[rows], seconds[rows]))
        _, index = np.unique(first * size + second, return_inverse=True)
        counts = np.bincount(index)
        means = np.bincount(index, distances[rows]) / counts
        squares = (distances[rows] - means[index]) ** 2
        used = counts > 1
        with np.errstate(invalid="ignore", divide="ignore"):
            scatter = np.sqrt(np.bincount(index, squares) / (counts - 1))
            if not used.any():
                return np.nan, np.nan, 0
            value, pairs = float(scatter[used].mean()), int(np.count_nonzero(used))
            # What each distance adds to the scatter of its pair of visits, and
            # that pair to the mean.
            excess = squares / scatter[index] ** 2 * (counts / (counts - 1))[index] - 1.0
            away = 0.5 * scatter[index] * excess + scatter[index] - value
        away = np.where(used[index] & np.isfinite(away), away, 0.0) * (len(rows) / pairs / counts[index])
        error = crossed_error(away, stars[rows], firsts[rows], seconds[rows])
        return value, error if error > 0.0 else np.nan, pairs

    return per_band(bands, measure)


FARO = AB1.variant(
    ".faro",
    function=faro_AB1,
    steps=(faro_in_bands, distances_from_r),
    rows=None,
    most_rows=None,
    doc="AB1 as faro computes it: the scatter of the distances between two visits, averaged over the pairs of"
    " visits, also of r with itself.",
    formula="mean over pairs of visits of sqrt(sum_stars (d - mean d)^2 / (n - 1)), stars clean, primary and"
    " compact in every detection",
    reference="faro aff3cf7, AB1Task",
    itself=True,
    most_distances=None,
)


def offsets_from_r(
    stars: Groups,
    ra: np.ndarray,
    dec: np.ndarray,
    visit: np.ndarray,
    filter_number: np.ndarray,
) -> dict[str, np.ndarray]:
    """Measure how far each detection is from the star's mean place in r, to
    the east, to the north and in all, in mas.
    """
    inside = filter_number - 1 == REFERENCE_BAND
    labels = stars.labels
    seen = np.bincount(labels[inside], minlength=len(stars)).astype(np.float64)

    def mean(values: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.bincount(labels[inside], values, len(stars)) / seen

    with np.errstate(invalid="ignore"):
        place = mean_position(ra[inside], dec[inside], mean)
    used = (seen > 0)[labels] & ~inside
    # Seen from a place close by, whose own rounding goes with the mean.
    offsets = [
        offset - mean(offset[inside])[labels]
        for offset in tangent_offsets(ra, dec, place[0][labels], place[1][labels])
    ]
    east, north = (MAS * offset[used] for offset in offsets)
    return {
        "east": east,
        "north": north,
        "apart": np.hypot(east, north),
        "stars": stars.keys[labels[used]],
        "bands": filter_number[used] - 1,
        "visits": visit[used],
    }


def bright_detections(
    psf_mag: np.ndarray, extendedness: np.ndarray, clean: np.ndarray, detect_isPrimary: np.ndarray
) -> np.ndarray:
    """Select primary, compact detections of 17 <= mag < 21.5, one by one."""
    return clean & detect_isPrimary & (extendedness < 0.5) & (psf_mag >= 17.0) & (psf_mag < 21.5)


def rms_of_offsets(
    east: np.ndarray,
    north: np.ndarray,
    apart: np.ndarray,
    stars: np.ndarray,
    visits: np.ndarray,
    bands: np.ndarray,
    *,
    component: str = "apart",
) -> Any:
    offset = {"east": east, "north": north, "apart": apart}[component]

    def measure(rows: np.ndarray) -> tuple[float, float, int]:
        value, _, n = rms_estimate(offset[rows])
        error = crossed_error(offset[rows] ** 2 - value**2, stars[rows], visits[rows])
        return value, error / (2.0 * value) if value > 0.0 else np.nan, n

    return per_band(bands, measure)


def outlying_offsets(
    east: np.ndarray,
    north: np.ndarray,
    apart: np.ndarray,
    stars: np.ndarray,
    visits: np.ndarray,
    bands: np.ndarray,
    *,
    component: str = "apart",
    limit: float = AB2_DESIGN,
) -> Any:
    offset = {"east": east, "north": north, "apart": apart}[component]

    def measure(rows: np.ndarray) -> tuple[float, float, int]:
        own = offset[rows]
        if component == "apart":
            far = own > limit
            return share_beyond(far, far, stars[rows], visits[rows])
        centre = float(np.median(own))
        moves = beyond_moves(own, centre, quantile_moves(own, 0.5), limit, limit)
        return share_beyond(moves, np.abs(own - centre) > limit, stars[rows], visits[rows])

    return per_band(bands, measure)


def _of_peer(base: Metric, suffix: str, component: str, words: str) -> Metric:
    """Declare a variant of analysis_tools: of a component of the offset."""
    apart = component == "apart"
    letter = {"apart": "d", "east": "x", "north": "y"}[component]
    rms = base is AB1
    return Metric(
        name=f"{base.name}{suffix}.analysis_tools",
        function=rms_of_offsets if rms else outlying_offsets,
        table="matched",
        unit=base.unit,
        doc=(
            f"Rms, about zero, of the {words} of stars in another band from their mean place in r."
            if rms
            else f"Percentage of the {words} of stars in another band from their mean place in r that exceed"
            f" 20 mas{'' if apart else ', about their median'}."
        ),
        formula=(
            f"sqrt(mean({letter}^2))"
            if rms
            else f"100 mean(|{letter}{'' if apart else f' - median {letter}'}| > 20 mas)"
        )
        + ", over stars and visits, 17 <= mag < 21.5",
        reference="analysis_tools c74f828, TargetRefCatDeltaColorMetrics, which takes the coadd's place in r",
        rows=bright_detections,
        steps=(offsets_from_r,),
        specs=base.specs,
        constants={"component": component},
        across=("band",),
        most_rows=MOST_ROWS,
        bytes_per_row=BYTES_PER_ROW,
    )


ANALYSIS_TOOLS = tuple(
    _of_peer(base, suffix, component, words)
    for base in (AB1, ABF1)
    for suffix, component, words in (
        ("_RA", "east", "offsets along right ascension"),
        ("_Dec", "north", "offsets along declination"),
        ("_tot", "apart", "distances"),
    )
)
