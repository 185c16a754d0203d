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

"""What the visits of a tract tell of the same stars, without noise: the model
behind repeatability.
"""

from __future__ import annotations

__all__ = ["Pairs", "Repeats", "common_pairs", "repeats"]

from typing import NamedTuple

import numpy as np

from .coadd import observed
from .expected import expected
from .flags import flag_probabilities
from .populations import stars
from .survey import BANDS, Survey

_MOST = 4_000_000
_MOST_STARS = 4000
_SNR = (8.0, 1000.0)


class Repeats(NamedTuple):
    """Stars and their detections in the visits of a band.

    Attributes
    ----------
    x, y : `numpy.ndarray`, (n,)
        Places in arcseconds.
    mag : `numpy.ndarray`, (n,)
        Magnitudes.
    present : `numpy.ndarray` of `bool`, (n, v)
        Whether a visit gives the star a row among the isolated stars.
    snr : `numpy.ndarray`, (n, v)
        S/N; NaN where it does not.
    shift : `numpy.ndarray`, (n, v)
        Mean error of the magnitude, in mmag.
    sigma : `numpy.ndarray`, (n, v)
        Standard deviation of the magnitude, in mmag.
    east, north : `numpy.ndarray`, (n, v)
        Mean error of the position, in mas.
    centroid : `numpy.ndarray`, (n, v)
        Standard deviation of the position per axis, in mas.
    """

    x: np.ndarray
    y: np.ndarray
    mag: np.ndarray
    present: np.ndarray
    snr: np.ndarray
    shift: np.ndarray
    sigma: np.ndarray
    east: np.ndarray
    north: np.ndarray
    centroid: np.ndarray

    def take(self, rows: np.ndarray) -> Repeats:
        """Return some of the stars.

        Parameters
        ----------
        rows : `numpy.ndarray`
            Mask or indices.

        Returns
        -------
        repeats : `Repeats`
            Those stars.
        """
        return Repeats(*(column[rows] for column in self))

    def median_snr(self) -> np.ndarray:
        """Return the median S/N of each star.

        Returns
        -------
        snr : `numpy.ndarray`, (n,)
            0 where there is no detection.
        """
        return np.nan_to_num(_median(self.snr, self.present))


class Pairs(NamedTuple):
    """Separations of pairs of stars in the visits of a band.

    Attributes
    ----------
    mean, sigma : `numpy.ndarray`, (p, v)
        Of the error of each separation, in mas.
    present : `numpy.ndarray` of `bool`, (p, v)
        Which visits see both stars.
    """

    mean: np.ndarray
    sigma: np.ndarray
    present: np.ndarray


def repeats(survey: Survey, tract: int, band: str, brighter_than: float) -> Repeats:
    """Predict the detections of a tract's stars.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`
        Tract.
    band : `str`
        Band.
    brighter_than : `float`
        Magnitude of the faintest star to look at.

    Returns
    -------
    repeats : `Repeats`
        These stars; of very many, an even share.
    """
    visits = observed(survey, tract, band)
    everything = stars(survey, tract)
    mag = everything.mag[:, BANDS.index(band)]
    rows = np.flatnonzero(mag < brighter_than)
    most = max(min(_MOST_STARS, _MOST // len(visits)), 1)
    rows = rows[:: -(-len(rows) // most) or 1]
    chosen = everything.take(rows)
    shape = (len(rows), len(visits))
    present = np.zeros(shape, dtype=bool)
    values = {name: np.full(shape, np.nan) for name in ("snr", "shift", "sigma", "east", "north", "centroid")}
    for v, visit in enumerate(visits):
        found = expected(visit, chosen)
        chance = flag_probabilities(found)
        certain = chance["pixelFlags_edge"] + chance["pixelFlags_saturated"] > 0.0
        found = found.take(~certain & (found.snr >= _SNR[0]) & (found.snr <= _SNR[1]))
        at = np.searchsorted(chosen.number, found.number)
        present[at, v] = True
        random = 2500.0 / np.log(10.0) / found.snr
        for name, value in (
            ("snr", found.snr),
            ("shift", 1000.0 * found.offset),
            ("sigma", np.hypot(random, survey.systematic)),
            ("east", found.jitter[0]),
            ("north", found.jitter[1]),
            ("centroid", found.centroid),
        ):
            values[name][at, v] = value
    return Repeats(x=chosen.x, y=chosen.y, mag=mag[rows], present=present, **values)


def common_pairs(seen: Repeats, low: float, high: float, most: int, rng: np.random.Generator) -> Pairs:
    """Predict the separations of pairs of stars.

    Parameters
    ----------
    seen : `Repeats`
        Stars.
    low, high : `float`
        Limits of the separation in arcminutes.
    most : `int`
        Most pairs to return; of more, a random sample is taken.
    rng : `numpy.random.Generator`
        What samples them.

    Returns
    -------
    pairs : `Pairs`
        Pairs with at least two common visits.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(np.stack([seen.x, seen.y], axis=1))
    near = tree.query_pairs(60.0 * high, output_type="ndarray")
    apart = np.hypot(seen.x[near[:, 0]] - seen.x[near[:, 1]], seen.y[near[:, 0]] - seen.y[near[:, 1]])
    first, second = near[apart >= 60.0 * low].T
    chosen = rng.permutation(len(first))[: max(min(most, _MOST // max(seen.present.shape[1], 1)), 1)]
    first, second = first[chosen], second[chosen]
    dx, dy = seen.x[second] - seen.x[first], seen.y[second] - seen.y[first]
    length = np.hypot(dx, dy)
    ux, uy = (dx / length)[:, None], (dy / length)[:, None]
    mean = ux * (seen.east[second] - seen.east[first]) + uy * (seen.north[second] - seen.north[first])
    sigma = np.hypot(seen.centroid[first], seen.centroid[second])
    present = seen.present[first] & seen.present[second]
    both = present.sum(axis=1) >= 2
    return Pairs(mean[both], sigma[both], present[both])


def _median(values: np.ndarray, present: np.ndarray) -> np.ndarray:
    count = present.sum(axis=1)
    ranked = np.sort(np.where(present, values, np.inf), axis=1)
    rows, last = np.arange(len(values)), np.maximum(count - 1, 0)
    middle = 0.5 * (ranked[rows, last // 2] + ranked[rows, (last + 1) // 2])
    return np.where(count > 0, middle, np.nan)
