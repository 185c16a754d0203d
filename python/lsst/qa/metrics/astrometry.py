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

"""Relative astrometry: how well the separations of pairs of stars repeat from
visit to visit.
"""

from __future__ import annotations

__all__ = [
    "AD",
    "AF",
    "AM",
    "BYTES_PER_ROW",
    "MAS",
    "MOST_ROWS",
    "astrometric_stars",
    "good_detections",
    "pair_residuals",
    "places_by_visit",
]

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..metric import Estimate, Metric, metric, srd
from ..stats import (
    Groups,
    direction,
    fraction,
    hash_order,
    median,
    pairs_in_annulus,
    quantile,
    unit_vectors,
)
from .photometry import compact_stars

MAS = np.degrees(1.0) * 3600e3
ARCMIN = np.radians(1.0 / 60.0)
REFERENCE = "LPM-17 tables 18 and 19; LSE-61"

MOST_ROWS = 1_000_000
"""Of a larger table a sample of stars is measured; the error tells its cost.
"""

BYTES_PER_ROW = 48
"""Position, visit and ids of each detection of a chosen star."""

_CHUNK = 1 << 17
"""Separations at a time: the processor's cache holds them."""


def good_detections(psf_mag: np.ndarray, clean: np.ndarray, detect_isPrimary: np.ndarray) -> np.ndarray:
    """Select detections that are primary, measured and have no bad pixel."""
    return clean & detect_isPrimary & np.isfinite(psf_mag)


def astrometric_stars(
    stars: Groups,
    sourceId: np.ndarray,
    visit: np.ndarray,
    ra: np.ndarray,
    dec: np.ndarray,
    psf_mag: np.ndarray,
    psf_snr: np.ndarray,
    extendedness: np.ndarray,
    *,
    mag_min: float = 17.0,
    mag_max: float = 21.5,
    snr_min: float = 50.0,
    extended: float = 0.5,
    all_compact: bool = False,
) -> dict[str, np.ndarray]:
    """Pick the stars whose separations are measured, their positions in each
    visit, and how these scatter to the east and to the north, in mas.

    A star has at least two detections, a median magnitude of ``mag_min`` to
    ``mag_max``, a median S/N of at least ``snr_min`` and is compact.
    """
    compact = compact_stars(stars, extendedness, extended, all_compact)
    chosen = compact & (stars.counts > 1) & stars.finite(ra) & stars.finite(dec)
    chosen &= stars.median_at_least(psf_mag, mag_min) & stars.median_below(psf_mag, mag_max)
    chosen &= stars.median_at_least(psf_snr, snr_min)
    rows, sample = stars.rows_of(chosen), stars.take(chosen)
    ra, dec = ra.take(rows), dec.take(rows)
    vectors = unit_vectors(ra, dec)
    mean_ra, mean_dec = direction(*map(sample.mean, vectors))
    east, north = _scatter(sample, vectors, mean_ra, mean_dec)
    return {
        "star": sample.keys,
        "mean_ra": mean_ra,
        "mean_dec": mean_dec,
        "east": east,
        "north": north,
        "row_star": sample.spread(sample.keys),
        "visit": visit.take(rows),
        "source": sourceId.take(rows),
        "ra": ra,
        "dec": dec,
    }


def places_by_visit(
    star: np.ndarray,
    mean_ra: np.ndarray,
    mean_dec: np.ndarray,
    row_star: np.ndarray,
    visit: np.ndarray,
    source: np.ndarray,
    ra: np.ndarray,
    dec: np.ndarray,
    *,
    most_stars: int | None = 10_000,
) -> dict[str, np.ndarray]:
    """Lay out where stars were seen, as unit vectors: component by star by
    visit, NaN where it was not seen.

    Of more than ``most_stars`` a sample is taken that depends on nothing but
    their keys.
    """
    order = np.argsort(star)
    order = order[_sampled(star[order], most_stars)]
    star = star[order]
    places = np.full((3, len(star), len(visits := np.unique(visit))), np.nan)
    kept = np.flatnonzero(np.isin(row_star, star))
    kept = kept[np.argsort(-source[kept])]  # of several in one visit the one of the least id stays
    row, column = np.searchsorted(star, row_star[kept]), np.searchsorted(visits, visit[kept])
    for place, component in zip(places, unit_vectors(ra[kept], dec[kept])):
        place[row, column] = component
    return {"star": star, "mean_ra": mean_ra[order], "mean_dec": mean_dec[order], "places": places}


def pair_residuals(
    star: np.ndarray,
    mean_ra: np.ndarray,
    mean_dec: np.ndarray,
    places: np.ndarray,
    *,
    distance: float = 5.0,
    most_pairs: int | None = 50_000,
    most_separations: int | None = 2_000_000,
    about: str = "median",
) -> dict[str, np.ndarray]:
    """Measure the separation of each pair ``distance`` +- 1 arcmin apart in
    their common visits.

    Gives each pair's rms (two common visits or more), and, for pairs with at
    least three, every separation minus the pair's median or mean.
    """
    visits = places.shape[2]
    if most_pairs is not None and most_separations is not None and visits:
        # A pair has a separation in each visit: of a long series fewer pairs.
        most_pairs = min(most_pairs, max(most_separations // visits, 1))
    low, high = max(distance - 1.0, 0.0) * ARCMIN, (distance + 1.0) * ARCMIN
    first, second = pairs_in_annulus(mean_ra, mean_dec, low, high, star, most_pairs)
    parts = [
        _measure(places, first[at], second[at], about)
        for at in _slices(len(first), max(_CHUNK // max(visits, 1), 1))
    ]
    rms, residual, used = (
        np.concatenate(part) if parts else np.zeros(0, dtype=np.int64)
        for part in (list(zip(*parts)) or [()] * 3)
    )
    measured = np.isfinite(rms)
    return {
        "rms": rms[measured],
        "first": first[measured],
        "second": second[measured],
        "residual": residual,
        "residual_first": np.repeat(first, used),
        "residual_second": np.repeat(second, used),
    }


@metric(
    "AM1",
    table="matched",
    unit="mas",
    rows=good_detections,
    steps=(astrometric_stars, places_by_visit, pair_residuals),
    most_rows=MOST_ROWS,
    bytes_per_row=BYTES_PER_ROW,
    specs=srd(20.0, 10.0, 5.0, bands="ri"),
    reference=REFERENCE,
)
def AM1(rms: np.ndarray, first: np.ndarray, second: np.ndarray) -> Estimate:
    """Median over pairs of stars 5 arcmin apart of the rms, over visits, of
    their separation.

    median_pairs sqrt(sum_v (d_v - mean d)^2 / (n - 1)), 4 to 6 arcmin, 17 <=
    mag < 21.5
    """
    return Estimate(*median(rms, first, second))


@metric(
    "AD1",
    table="matched",
    unit="mas",
    rows=good_detections,
    steps=(astrometric_stars, places_by_visit, pair_residuals),
    most_rows=MOST_ROWS,
    bytes_per_row=BYTES_PER_ROW,
    specs=srd(40.0, 20.0, 10.0, bands="ri"),
    reference=REFERENCE,
)
def AD1(
    residual: np.ndarray,
    residual_first: np.ndarray,
    residual_second: np.ndarray,
    *,
    outliers: float = 10.0,
) -> Estimate:
    """Deviation that all but AF1's design percentage of separations keep
    within, pairs 5 arcmin apart.

    quantile(|d_v - median_v d|, 1 - 10 %), pairs with at least 3 common visits
    """
    return Estimate(*quantile(np.abs(residual), 1.0 - outliers / 100.0, residual_first, residual_second))


@metric(
    "AF1",
    table="matched",
    unit="%",
    rows=good_detections,
    steps=(astrometric_stars, places_by_visit, pair_residuals),
    most_rows=MOST_ROWS,
    bytes_per_row=BYTES_PER_ROW,
    specs=srd(20.0, 10.0, 5.0, bands="ri"),
    reference=REFERENCE,
)
def AF1(
    residual: np.ndarray, residual_first: np.ndarray, residual_second: np.ndarray, *, limit: float = 20.0
) -> Estimate:
    """Percentage of separations that deviate by more than AD1's design value,
    pairs 5 arcmin apart.

    100 mean(|d_v - median_v d| > 20 mas), pairs with at least 3 common visits
    """
    return Estimate(*fraction(np.abs(residual) > limit, residual_first, residual_second))


def _at(base: Metric, name: str, distance: float, **changes: Any) -> Metric:
    """Declare the same metric at another distance."""
    return base.variant(
        name, distance=distance, doc=base.doc.replace("5 arcmin", f"{distance:.0f} arcmin"), **changes
    )


AM = (
    AM1,
    _at(AM1, "AM2", 20.0, formula=AM1.formula.replace("4 to 6", "19 to 21")),
    _at(
        AM1,
        "AM3",
        200.0,
        formula=AM1.formula.replace("4 to 6", "199 to 201"),
        specs=srd(30, 15, 10, bands="ri"),
    ),
)
AD = (AD1, _at(AD1, "AD2", 20.0), _at(AD1, "AD3", 200.0, specs=srd(50, 30, 20, bands="ri")))
AF = (
    AF1,
    _at(AF1, "AF2", 20.0),
    _at(AF1, "AF3", 200.0, limit=30.0, formula=AF1.formula.replace("20 mas", "30 mas")),
)


def _scatter(
    stars: Groups, vectors: Sequence[np.ndarray], mean_ra: np.ndarray, mean_dec: np.ndarray
) -> Iterator[np.ndarray]:
    """Return, in mas, the rms of the offsets of each star along two directions
    that touch the sky at its mean position.
    """
    # Deviations are short vectors, so that what is taken from them keeps its
    # digits.
    x, y, z = map(stars.deviations, vectors)
    sin_ra, cos_ra, sin_dec, cos_dec = np.sin(mean_ra), np.cos(mean_ra), np.sin(mean_dec), np.cos(mean_dec)
    east = y * stars.spread(cos_ra) - x * stars.spread(sin_ra)
    north = (
        z * stars.spread(cos_dec) - x * stars.spread(sin_dec * cos_ra) - y * stars.spread(sin_dec * sin_ra)
    )
    return (MAS * np.sqrt(stars.sum(along**2) / (stars.counts - 1)) for along in (east, north))


def _sampled(keys: np.ndarray, most: int | None) -> np.ndarray:
    """Choose at most so many keys: the smallest by hash, so any cut into
    pieces gives the same.
    """
    if most is None or len(keys) <= most:
        return np.ones(len(keys), dtype=bool)
    rank = hash_order(keys)
    return rank <= np.partition(rank, most - 1)[most - 1]


def _slices(size: int, step: int) -> Iterator[slice]:
    return (slice(at, min(at + step, size)) for at in range(0, size, step))


def _measure(
    places: np.ndarray, first: np.ndarray, second: np.ndarray, about: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, in mas, the rms of some pairs, the deviations of those that have
    three separations or more, and how many deviations each pair has.
    """
    apart = _separations(places, first, second)
    seen = np.isfinite(apart)
    common = np.count_nonzero(seen, axis=1)
    rms, together = np.full(len(common), np.nan), common > 0
    counts = common[together]
    pairs = Groups(np.flatnonzero(together), np.cumsum(counts) - counts, counts)
    separations = MAS * apart[seen]
    rms[together] = pairs.rms(separations)
    if about == "median":
        residual = separations - pairs.spread(pairs.median(separations))
    else:
        residual = pairs.deviations(separations)
    often = common > 2
    return rms, residual[pairs.spread(often[together])], np.where(often, common, 0)


def _separations(places: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the angles between pairs of stars in each visit, from the chords:
    to some 1e-16 rad, which is all that coordinates tell.
    """
    squares = np.zeros((len(first), places.shape[2]))
    for place in places:
        along = place.take(first, axis=0)
        along -= place.take(second, axis=0)
        squares += np.square(along, out=along)
    chord = np.sqrt(squares, out=squares)
    return 2.0 * np.arcsin(np.minimum(0.5 * chord, 1.0))
