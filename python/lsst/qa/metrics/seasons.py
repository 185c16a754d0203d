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

"""Repeatability of bright stars over years, by season.

A season lasts from one conjunction of a star with the Sun to the next.
"""

from __future__ import annotations

__all__ = ["PA1_SEASON", "SEASON_OFFSET", "SEASON_REPEATABILITY"]

from typing import Any

import numpy as np

from ..metric import Estimate, metric
from ..stats import Groups, group_rows, median
from .photometry import MILLI

_J2000 = 51544.5
_SUN = 280.46
_DEGREES_A_DAY = 0.9856474
"""Mean longitude of the Sun at J2000 and its rate, in degrees (Astronomical
Almanac), which is near enough to its right ascension.
"""
_YEAR = 360.0 / _DEGREES_A_DAY
_GAP = 180.0


def season_means(
    stars: Groups,
    psf_mag: np.ndarray,
    psf_snr: np.ndarray,
    extendedness: np.ndarray,
    mjd: np.ndarray,
    ra: np.ndarray,
    *,
    snr_min: float = 200.0,
    extended: float = 0.5,
) -> dict[str, np.ndarray]:
    """Average the magnitudes of each bright star in each season, counted from
    its brightest.

    A star counts as for PA1. ``middles`` are the times when the Sun is
    opposite, by which seasons are told.
    """
    kept = stars.median_below(extendedness, extended) & stars.median_at_least(psf_snr, snr_min)
    kept &= stars.finite(psf_mag) & stars.finite(ra)
    # Of few stars; of the others nothing is worked out.
    own, bright = stars.rows_of(kept), stars.take(kept)
    mag, place, mjd = psf_mag[own], np.degrees(np.mod(ra[own], 2.0 * np.pi)), mjd[own]
    if len(bright):
        # From each star's brightest, which keeps digits that a magnitude
        # costs.
        mag = mag - bright.spread(np.minimum.reduceat(mag, bright.starts))
        # One place for all detections of a star, also where they lie about RA
        # 0.
        place = bright.spread(np.minimum.reduceat(place, bright.starts))
    rows = np.isfinite(mjd)
    label, mag, place, mjd = bright.labels[rows], mag[rows], place[rows], mjd[rows]
    # By how many turns the Sun is ahead of the star.
    turns = np.floor((_SUN + _DEGREES_A_DAY * (mjd - _J2000) - place) / 360.0)
    # Of one star, so that a turn's number means one season.
    keys = label * (1 << 20) + (turns.astype(np.int64) + (1 << 19))
    index, seasons = group_rows(keys)
    order = np.arange(len(keys)) if index is None else index
    first = order[seasons.starts]
    return {
        "owners": bright.keys[label[first]],
        "middles": _J2000 + (360.0 * (turns[first] + 0.5) + place[first] - _SUN) / _DEGREES_A_DAY,
        "means": MILLI * seasons.mean(mag[order]),
        "rms": MILLI * seasons.rms(mag[order]),
        "counts": seasons.counts,
    }


def numbered_seasons(
    owners: np.ndarray, middles: np.ndarray, means: np.ndarray, rms: np.ndarray, counts: np.ndarray
) -> dict[str, np.ndarray]:
    """Number the seasons, from the first one, and order all by star."""
    order = np.lexsort((middles, owners))
    owners, middles = owners[order], middles[order]
    distinct = np.unique(middles)
    # Oppositions of a field's stars are days apart, those of seasons a year.
    season = np.cumsum(np.diff(distinct, prepend=distinct[:1]) > _GAP)
    return {
        "owners": owners,
        "middles": middles,
        "seasons": season[np.searchsorted(distinct, middles)],
        "means": means[order],
        "rms": rms[order],
        "counts": counts[order],
    }


def _by_season(values: np.ndarray, seasons: np.ndarray, middles: np.ndarray) -> Any:
    """Return the median of each season; nothing at all where there is none."""
    found = []
    for season in np.unique(seasons).tolist():
        rows = seasons == season
        middle = float(np.median(middles[rows]))
        found.append(Estimate(*median(values[rows]), middle - 0.5 * _YEAR, middle + 0.5 * _YEAR))
    return found or Estimate(np.nan, np.nan, 0)


_HOW: dict[str, Any] = {
    "table": "matched",
    "unit": "mmag",
    "steps": (season_means, numbered_seasons),
    "bytes_per_row": 4,  # one row in ten is of a bright star, and makes no more than a season
}


@metric("PA1_season", reference="PA1 (LPM-17), season by season", **_HOW)
def PA1_SEASON(
    rms: np.ndarray, counts: np.ndarray, seasons: np.ndarray, middles: np.ndarray, *, min_visits: int = 3
) -> Any:
    """Median over bright stars of the rms of their magnitude within a season,
    a row for each season.

    median_stars sqrt(sum_v (m_v - mean m)^2 / (n - 1)), v of one season, n >=
    3, S/N >= 200
    """
    used = counts >= min_visits
    return _by_season(rms[used], seasons[used], middles[used])


@metric("season_offset", reference="PA1 (LPM-17), season by season", **_HOW)
def SEASON_OFFSET(
    owners: np.ndarray, means: np.ndarray, seasons: np.ndarray, middles: np.ndarray, *, min_seasons: int = 2
) -> Any:
    """Median over bright stars of how much fainter they are in a season than
    in the mean over seasons, a row for each season.

    median_stars(M_s - mean_s M_s), M_s the mean magnitude of a season, S/N >=
    200, 2 seasons or more
    """
    _, stars = group_rows(owners)
    used = stars.spread(stars.counts >= min_seasons)
    return _by_season(stars.deviations(means)[used], seasons[used], middles[used])


@metric("season_repeatability", reference="PA1 (LPM-17), of the means of seasons", **_HOW)
def SEASON_REPEATABILITY(owners: np.ndarray, means: np.ndarray, *, min_seasons: int = 2) -> Estimate:
    """Median over bright stars of the rms, over seasons, of their mean
    magnitude in each.

    median_stars sqrt(sum_s (M_s - mean M)^2 / (n - 1)), M_s the mean magnitude
    of a season, S/N >= 200, n >= 2 seasons
    """
    _, stars = group_rows(owners)
    return Estimate(*median(stars.rms(means)[stars.counts >= min_seasons]))
