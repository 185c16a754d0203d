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

"""Positions in other bands against those in r: AB1, AB2 and ABF1.

Stars are taken with their detections in all bands. A distance is that of a
star in a visit in another band from the same star in a visit in r.
"""

from __future__ import annotations

__all__ = [
    "AB1",
    "AB2",
    "AB2_DESIGN",
    "ABF1",
    "REFERENCE_BAND",
    "distances_from_r",
    "per_band",
    "share_beyond",
    "with_bands",
]

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..columns import BANDS
from ..metric import Estimate, metric, srd
from ..stats import Groups, beyond_moves, crossed_error, distance_moves, fraction, hash_order, quantile
from ..stats.pairs import separation
from .astrometry import BYTES_PER_ROW, MAS, MOST_ROWS, astrometric_stars, good_detections

REFERENCE = "LPM-17, band-to-band astrometry; LSE-61"
REFERENCE_BAND = BANDS.index("r")
AB2_DESIGN = 20.0
"""Design value of AB2, in mas, by which ABF1 tells an outlier."""


def stars_in_bands(
    stars: Groups,
    sourceId: np.ndarray,
    visit: np.ndarray,
    ra: np.ndarray,
    dec: np.ndarray,
    psf_mag: np.ndarray,
    psf_snr: np.ndarray,
    extendedness: np.ndarray,
    filter_number: np.ndarray,
) -> dict[str, np.ndarray]:
    """Pick bright stars as for separations, by all their detections in
    whichever band, and say of which band each is.
    """
    rows = np.arange(len(visit))
    made = astrometric_stars(stars, rows, visit, ra, dec, psf_mag, psf_snr, extendedness)
    return with_bands(made, sourceId, filter_number)


def with_bands(
    made: dict[str, np.ndarray], sourceId: np.ndarray, filter_number: np.ndarray
) -> dict[str, np.ndarray]:
    """Replace the numbers of rows by what these rows hold."""
    rows = made.pop("source")
    kept = {name: made[name] for name in ("row_star", "visit", "ra", "dec")}
    return {**kept, "source": sourceId[rows], "number": filter_number[rows] - 1}


def distances_from_r(
    row_star: np.ndarray,
    visit: np.ndarray,
    ra: np.ndarray,
    dec: np.ndarray,
    source: np.ndarray,
    number: np.ndarray,
    *,
    itself: bool = False,
    most_distances: int | None = 2_000_000,
) -> dict[str, np.ndarray]:
    """Measure how far each star in each visit is from where it is in each
    visit in r, in mas; also of r itself, where that is asked for.

    Of more than about ``most_distances`` those of some pairs of visits, that
    a hash of their numbers chooses, are kept.
    """
    made: dict[str, list[np.ndarray]] = {
        name: [np.zeros(0, kind)]
        for name, kind in (
            ("distance", float),
            ("star", np.int64),
            ("first", np.int64),
            ("second", np.int64),
            ("band", np.int64),
        )
    }
    # In one band there is nothing to compare, as an order of all rows would
    # tell in the end.
    alone = not len(number) or bool(np.all(number == number[0]))
    places = {} if alone and not itself else _by_visit(row_star, visit, source, number)
    for (band, other), (_, r_visit) in _visit_pairs(places, itself, most_distances):
        first, second = places[REFERENCE_BAND, r_visit], places[band, other]
        common, i, j = np.intersect1d(
            row_star[first], row_star[second], assume_unique=True, return_indices=True
        )
        a, b = first[i], second[j]
        made["distance"].append(MAS * separation(ra[a], dec[a], ra[b], dec[b]))
        made["star"].append(common)
        for name, value in (("first", r_visit), ("second", other), ("band", band)):
            made[name].append(np.full(len(common), value))
    return {f"{name}s": np.concatenate(parts) for name, parts in made.items()}


Place = tuple[int, int]


def _by_visit(
    row_star: np.ndarray, visit: np.ndarray, source: np.ndarray, number: np.ndarray
) -> dict[Place, np.ndarray]:
    """Return the rows of each band and visit, ordered by star; of several of
    one star the one of the least id.
    """
    order = np.lexsort((source, row_star, visit, number))
    keys = np.stack([number[order], visit[order], row_star[order]])
    new = np.ones(len(order), dtype=bool)
    new[1:] = np.any(keys[:, 1:] != keys[:, :-1], axis=0)
    order, keys = order[new], keys[:, new]
    starts = np.flatnonzero(np.any(np.diff(keys[:2], axis=1, prepend=-1) != 0, axis=0))
    parts = np.split(order, starts[1:]) if len(order) else []
    return {(int(number[rows[0]]), int(visit[rows[0]])): rows for rows in parts}


def _visit_pairs(
    places: dict[Place, np.ndarray], itself: bool, most: int | None
) -> Iterator[tuple[Place, Place]]:
    """Pair the visits in other bands with those in r."""
    reference = [place for place in places if place[0] == REFERENCE_BAND]
    pairs = [
        (place, r_place)
        for place in places
        for r_place in reference
        if place[0] in range(len(BANDS))
        and (place[1] != r_place[1] if place[0] != REFERENCE_BAND else itself and place[1] > r_place[1])
    ]
    size = sum(min(len(places[a]), len(places[b])) for a, b in pairs)
    if most is None or size <= most:
        yield from pairs
        return
    visits = np.array([(a[1], b[1]) for a, b in pairs])
    rank = hash_order(hash_order(visits[:, 0]).astype(np.int64) + visits[:, 1])
    least = int(len(pairs) * most / size) + 1
    yield from (pairs[i] for i in np.sort(np.argsort(rank)[:least]).tolist())


def per_band(bands: np.ndarray, measure: Callable[[np.ndarray], tuple[float, float, int]]) -> Any:
    """Measure each band; nothing at all where there is none."""
    found = [
        Estimate(*measure(np.flatnonzero(bands == band)), band=BANDS[band])
        for band in np.unique(bands).tolist()
    ]
    return found if len(found) > 1 else found[0] if found else Estimate(np.nan, np.nan, 0)


def share_beyond(
    moves: np.ndarray, far: np.ndarray, stars: np.ndarray, *visits: np.ndarray
) -> tuple[float, float, int]:
    """Return a percentage of distances, and its error by how much each of them
    moves it; that of one of which none or all are far is Wilson's.
    """
    value, error, n = fraction(far, stars)
    if 0.0 < value < 100.0 and np.isfinite(error):
        error = 100.0 * crossed_error(moves - moves.mean(), stars, *visits)
    return value, error, n


_PLAIN: dict[str, Any] = {
    "table": "matched",
    "rows": good_detections,
    "steps": (stars_in_bands, distances_from_r),
    "across": ("band",),
    "most_rows": MOST_ROWS,
    "bytes_per_row": BYTES_PER_ROW,
    "reference": REFERENCE,
}


@metric("AB1", unit="mas", specs=srd(20.0, 10.0, 5.0), **_PLAIN)
def AB1(
    distances: np.ndarray, stars: np.ndarray, firsts: np.ndarray, seconds: np.ndarray, bands: np.ndarray
) -> Any:
    """Rms, about its mean, of the distance of stars in another band from where
    they are in r.

    sqrt(sum (d - mean d)^2 / (n - 1)), d = |x_V - x_R| over stars and visits V
    and R, 17 <= mag < 21.5, S/N >= 50
    """

    def measure(rows: np.ndarray) -> tuple[float, float, int]:
        n = len(rows)
        if n < 2:
            return np.nan, np.nan, n
        squares = (distances[rows] - distances[rows].mean()) ** 2
        value = float(np.sqrt(squares.sum() / (n - 1)))
        error = crossed_error(squares - squares.mean(), stars[rows], firsts[rows], seconds[rows])
        return value, error / (2.0 * value) if value > 0.0 else np.nan, n

    return per_band(bands, measure)


@metric("AB2", unit="mas", specs=srd(40.0, 20.0, 10.0), **_PLAIN)
def AB2(
    distances: np.ndarray,
    stars: np.ndarray,
    firsts: np.ndarray,
    seconds: np.ndarray,
    bands: np.ndarray,
    *,
    outliers: float = 10.0,
) -> Any:
    """Deviation from the mean that all but ABF1's design percentage of the
    distances of stars in another band from where they are in r keep within.

    quantile(|d - mean d|, 1 - 10 %), d = |x_V - x_R| over stars and visits V
    and R, 17 <= mag < 21.5, S/N >= 50
    """

    def measure(rows: np.ndarray) -> tuple[float, float, int]:
        own, inside = distances[rows], 1.0 - outliers / 100.0
        mean = float(own.mean())
        value, error, n = quantile(np.abs(own - mean), inside)
        if n > 1:
            moves = distance_moves(own, mean, own - mean, inside)
            error = crossed_error(moves - moves.mean(), stars[rows], firsts[rows], seconds[rows])
        return value, error, n

    return per_band(bands, measure)


@metric("ABF1", unit="%", specs=srd(20.0, 10.0, 5.0), **_PLAIN)
def ABF1(
    distances: np.ndarray,
    stars: np.ndarray,
    firsts: np.ndarray,
    seconds: np.ndarray,
    bands: np.ndarray,
    *,
    limit: float = AB2_DESIGN,
) -> Any:
    """Percentage of the distances of stars in another band from where they are
    in r that deviate from the mean by more than AB2's design value.

    100 mean(|d - mean d| > 20 mas), d = |x_V - x_R| over stars and visits V
    and R, 17 <= mag < 21.5, S/N >= 50
    """

    def measure(rows: np.ndarray) -> tuple[float, float, int]:
        own = distances[rows]
        mean = float(own.mean())
        moves = beyond_moves(own, mean, own - mean, limit, limit)
        far = np.abs(own - mean) > limit
        return share_beyond(moves, far, stars[rows], firsts[rows], seconds[rows])

    return per_band(bands, measure)
