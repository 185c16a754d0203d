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

"""Photometric repeatability: how well a star's magnitude repeats from visit to
visit.
"""

from __future__ import annotations

__all__ = [
    "PA1",
    "PA1_ANALYSIS_TOOLS",
    "PA1_FARO",
    "PA1_VALIDATE_DRP",
    "PA2",
    "PA2_VALIDATE_DRP",
    "PF1",
    "PF1_FARO",
    "PF1_VALIDATE_DRP",
    "PHOT_REPEAT_OUTLIER",
    "compact_stars",
]

import numpy as np

from ..metric import ByBand, Estimate, metric, srd
from ..stats import Groups, fraction, hash_order, median, quantile, quantile_moves

MILLI = 1000.0
IQR_TO_SIGMA = 0.741301109252801
_FINE = 1e6  # so many parts of a mmag tell deviations from each other

BYTES_PER_ROW = 2
"""One row in ten is of a bright star, for which it keeps some 20 bytes."""

PA2_DESIGN = ByBand(15.0, (("uzy", 22.5),))
"""Design value of PA2, in mmag, by which PF1 tells an outlier."""


def bright_stars(
    stars: Groups,
    psf_mag: np.ndarray,
    psf_snr: np.ndarray,
    extendedness: np.ndarray,
    *,
    snr_min: float = 200.0,
    extended: float = 0.5,
    all_compact: bool = False,
    min_visits: int = 3,
    ddof: int = 1,
) -> dict[str, np.ndarray]:
    """Measure how each bright star's magnitudes scatter.

    A star counts if all its magnitudes are finite, its median S/N is at
    least ``snr_min`` and its median extendedness is below ``extended``
    (every one of them with ``all_compact``).
    """
    compact = compact_stars(stars, extendedness, extended, all_compact)
    kept = compact & stars.median_at_least(psf_snr, snr_min)
    kept = kept & stars.finite(psf_mag) & (stars.counts > 1)
    rows = int(stars.counts[kept].sum())
    chosen = kept & (stars.counts >= min_visits)
    mags, sample = psf_mag.take(stars.rows_of(chosen)), stars.take(chosen)
    deviations = MILLI * sample.deviations(mags)
    return {
        "rms": np.sqrt(sample.sum(deviations**2) / (sample.counts - ddof)),
        "deviation": deviations,
        "star": sample.keys,
        "visits": sample.counts,
        "rows": np.array([rows]),
    }


def compact_stars(stars: Groups, extendedness: np.ndarray, limit: float, every: bool) -> np.ndarray:
    """Tell which stars are compact: in the median, or in every detection."""
    return stars.all(extendedness < limit) if every else stars.median_below(extendedness, limit)


def star_of(visits: np.ndarray) -> np.ndarray:
    """Number the star that each measurement belongs to."""
    return np.repeat(np.arange(len(visits), dtype=np.int32), visits)


def bright_detections(psf_snr: np.ndarray, *, snr_min: float = 200.0) -> np.ndarray:
    """Select detections, one by one, by their own S/N."""
    return psf_snr > snr_min


def enough(rms: np.ndarray, rows: np.ndarray, more_than: int) -> bool:
    """Tell whether there are more stars, and rows, than a peer asks for."""
    return len(rms) > more_than and rows.sum() > more_than


@metric(
    "PA1",
    table="matched",
    unit="mmag",
    steps=(bright_stars,),
    bytes_per_row=BYTES_PER_ROW,
    specs=srd(8.0, 5.0, 3.0, bands="gri") + srd(12.0, 7.5, 4.5, bands="uzy"),
    reference="LPM-17 table 14; LSE-61",
)
def PA1(rms: np.ndarray, rows: np.ndarray, *, more_than: int = 0) -> Estimate:
    """Median over bright stars of the rms of their magnitude about its mean.

    median_stars sqrt(sum_v (m_v - mean m)^2 / (n - 1)), S/N >= 200, n >= 3
    visits
    """
    value, error, n = median(rms)
    return Estimate(value, error, n) if enough(rms, rows, more_than) else Estimate(np.nan, np.nan, n)


@metric(
    "PF1",
    table="matched",
    unit="%",
    steps=(bright_stars,),
    bytes_per_row=BYTES_PER_ROW,
    specs=srd(20.0, 10.0, 5.0),
    reference="LPM-17 table 14; LSE-61",
)
def PF1(
    rms: np.ndarray,
    deviation: np.ndarray,
    visits: np.ndarray,
    rows: np.ndarray,
    *,
    limit: float | ByBand = PA2_DESIGN,
    more_than: int = 0,
) -> Estimate:
    """Percentage of measurements that deviate by more than PA2's design value
    from their star's mean.

    100 mean(|m_v - mean m| > 15 mmag; 22.5 mmag in u, z and y)
    """
    value, error, n = fraction(np.abs(deviation) > limit, star_of(visits))
    return Estimate(value, error, n) if enough(rms, rows, more_than) else Estimate(np.nan, np.nan, n)


@metric(
    "PA2",
    table="matched",
    unit="mmag",
    steps=(bright_stars,),
    bytes_per_row=BYTES_PER_ROW,
    specs=srd(15.0, 15.0, 10.0, bands="gri") + srd(22.5, 22.5, 15.0, bands="uzy"),
    reference="LPM-17 table 14; LSE-61",
)
def PA2(deviation: np.ndarray, visits: np.ndarray, *, outliers: float = 10.0) -> Estimate:
    """Deviation from the mean that all but PF1's design percentage of
    measurements keep within.

    quantile(|m_v - mean m|, 1 - 10 %)
    """
    return Estimate(*quantile(np.abs(deviation), 1.0 - outliers / 100.0, star_of(visits)))


FARO = {"extended": 0.9, "all_compact": True, "ddof": 0, "more_than": 10}
PA1_FARO = PA1.variant(
    ".faro",
    doc="PA1 as faro computes it: the rms of the population (ddof=0); undefined for 10 stars or fewer.",
    formula=PA1.formula.replace("(n - 1)", "n"),
    reference="faro aff3cf7, PA1Task",
    **FARO,
)
PF1_FARO = PF1.variant(
    ".faro",
    doc="PF1 as faro computes it: 15 mmag in every band; undefined for 10 stars or fewer.",
    formula="100 mean(|m_v - mean m| > 15 mmag)",
    reference="faro aff3cf7, PF1Task",
    limit=15.0,
    **FARO,
)
# A median of 0.5 is a star there.
UP_TO_HALF = float(np.nextafter(0.5, 1.0))
PA1_ANALYSIS_TOOLS = PA1.variant(
    ".analysis_tools",
    doc="PA1 as analysis_tools computes it: detections are selected by their own S/N, and a star's median"
    " extendedness may be 0.5.",
    reference="analysis_tools c74f828, stellarPhotRepeatStdev",
    rows=bright_detections,
    extended=UP_TO_HALF,
)


@metric(
    "photRepeatOutlier.analysis_tools",
    table="matched",
    unit="%",
    rows=bright_detections,
    steps=(bright_stars,),
    bytes_per_row=BYTES_PER_ROW,
    constants={"extended": UP_TO_HALF},
    reference="analysis_tools c74f828, photRepeatOutlier; not PF1, which counts measurements",
)
def PHOT_REPEAT_OUTLIER(rms: np.ndarray, *, excess: float = 15.0) -> Estimate:
    """Percentage of bright stars whose rms exceeds the median rms by more than
    15 mmag.

    100 mean(rms > median(rms) + 15 mmag)
    """
    return Estimate(*fraction(rms > np.median(rms) + excess)) if len(rms) else Estimate(np.nan, np.nan, 0)


def random_pairs(
    deviation: np.ndarray, star: np.ndarray, visits: np.ndarray, *, shuffles: int = 50, seed: int = 1
) -> dict[str, np.ndarray]:
    """Take, in each shuffle, the difference of two visits of each star drawn
    at random.
    """
    # Within a star by a hash, so that the draw depends neither on the rows'
    # order nor on which deviation is the larger.
    mixed = hash_order(np.round(deviation * _FINE).astype(np.int64))
    deviation = deviation[np.lexsort((mixed, np.repeat(star, visits)))]
    counts = visits[np.argsort(star)]
    first = np.cumsum(counts) - counts
    draw = np.random.default_rng(seed)
    one = draw.integers(0, counts, (shuffles, len(counts)))
    other = (one + draw.integers(1, counts, one.shape)) % counts
    return {"difference": deviation[first + one] - deviation[first + other]}


@metric(
    "PA1.validate_drp",
    table="matched",
    unit="mmag",
    steps=(bright_stars, random_pairs),
    bytes_per_row=BYTES_PER_ROW,
    specs=PA1.specs,
    constants={"min_visits": 2},
    reference="validate_drp 107f81d",
)
def PA1_VALIDATE_DRP(difference: np.ndarray) -> Estimate:
    """PA1 as validate_drp computes it, from the differences of two random
    visits of each star.

    mean over 50 shuffles of 0.7413011 IQR(m_a - m_b) / sqrt(2)
    """
    if difference.shape[1] < 2:
        return Estimate(np.nan, np.nan, difference.shape[1])
    widths, moved = [], np.zeros(difference.shape[1])
    for one in difference:
        low, high = np.percentile(one, [25, 75])
        widths.append(high - low)
        moved += quantile_moves(one, 0.75) - quantile_moves(one, 0.25)
    # Shuffles share their stars, which are what varies.
    shuffles, stars = difference.shape
    error = (moved / shuffles).std(ddof=1) / np.sqrt(stars)
    scale = IQR_TO_SIGMA / np.sqrt(2.0)
    return Estimate(float(np.mean(widths) * scale), float(error * scale), stars)


@metric(
    "PF1.validate_drp",
    table="matched",
    unit="%",
    steps=(bright_stars, random_pairs),
    bytes_per_row=BYTES_PER_ROW,
    specs=PF1.specs,
    constants={"min_visits": 2},
    reference="validate_drp 107f81d",
)
def PF1_VALIDATE_DRP(difference: np.ndarray, *, limit: float | ByBand = PA2_DESIGN) -> Estimate:
    """PF1 as validate_drp computes it, from the difference of two random
    visits of each star.

    100 mean(|m_a - m_b| / sqrt(2) > PA2), first shuffle
    """
    return Estimate(*fraction(np.abs(difference[0]) > np.sqrt(2.0) * limit))


@metric(
    "PA2.validate_drp",
    table="matched",
    unit="mmag",
    steps=(bright_stars, random_pairs),
    bytes_per_row=BYTES_PER_ROW,
    specs=PA2.specs,
    constants={"min_visits": 2},
    reference="validate_drp 107f81d",
)
def PA2_VALIDATE_DRP(difference: np.ndarray, *, outliers: float = 10.0) -> Estimate:
    """PA2 as validate_drp computes it, from the difference of two random
    visits of each star.

    quantile(|m_a - m_b| / sqrt(2), 1 - 10 %), first shuffle
    """
    return Estimate(*quantile(np.abs(difference[0]) / np.sqrt(2.0), 1.0 - outliers / 100.0))
