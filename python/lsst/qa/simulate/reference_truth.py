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

"""True values of the metrics against the reference catalogue."""

from __future__ import annotations

__all__ = ["coadd_reference_values", "visit_reference_values"]

import numpy as np

from .coadd import Coadd, coadd, observed
from .expected import CENTROID, Expected, expected_rows, unresolved
from .mixtures import normal_quantile, normal_sigma_mad
from .objects import patch_of
from .populations import stars
from .reference import FLUX_NOISE, FRAME, ZERO_POINT, place_noise
from .sky import STAR, Sky
from .statistics import Values
from .survey import BANDS, Survey

_ASTROMETRY = (17.0, 21.5, 50.0)
_PHOTOMETRY = 200.0
_FEWEST = 5
_MMAG_PER_NSR = 2500.0 / np.log(10.0)


def visit_reference_values(survey: Survey, visit_id: int) -> Values:
    """Return the true values of a visit's metrics against the catalogue.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    visit_id : `int`
        Visit.

    Returns
    -------
    values : `dict` [`str`, `tuple` [`float`, `str`]]
        Medians and scatters of offsets and of magnitude differences, for the
        visit's conditions and its stars; noise, the catalogue's as well, is
        averaged over.
    """
    visit, rows = expected_rows(survey, visit_id)
    rows = rows.take((rows.kind == STAR) & unresolved(rows.extension) & ~rows.saturated_centre)
    mag = 31.4 - 2.5 * np.log10(rows.flux[0]) + rows.offset
    near = rows.take((mag >= _ASTROMETRY[0]) & (mag < _ASTROMETRY[1]) & (rows.snr >= _ASTROMETRY[2]))
    noise = np.hypot(near.centroid, place_noise(survey, visit.mjd))
    bright = rows.take(rows.snr > _PHOTOMETRY)
    return {
        **_offsets(near.jitter[0], near.jitter[1], noise),
        **_differences(1e3 * bright.offset - ZERO_POINT[visit.band], _flux_noise(survey, bright)),
    }


def _flux_noise(survey: Survey, rows: Expected) -> np.ndarray:
    return np.hypot(np.hypot(survey.systematic, FLUX_NOISE), _MMAG_PER_NSR / rows.snr)


def _offsets(east: np.ndarray, north: np.ndarray, noise: np.ndarray) -> Values:
    """Return the statistics of offsets, in mas, from the true positions."""
    east, north = east - FRAME[0], north - FRAME[1]
    medians = normal_quantile(east, noise), normal_quantile(north, noise)
    return {
        "AA1": (max(map(abs, medians)), "mas"),
        "AA1_RA": (medians[0], "mas"),
        "AA1_Dec": (medians[1], "mas"),
        "AA1_RA_scatter": (normal_sigma_mad(east, noise), "mas"),
        "AA1_Dec_scatter": (normal_sigma_mad(north, noise), "mas"),
    }


def _differences(mean: np.ndarray, noise: np.ndarray) -> Values:
    """Return the statistics of magnitude differences, in mmag."""
    if not len(mean):
        return {}
    centre, square = float(mean.mean()), float(np.mean(mean**2 + noise**2))
    return {
        "ref_photom_offset": (normal_quantile(mean, noise), "mmag"),
        "ref_photom_mean": (centre, "mmag"),
        "ref_photom_stdev": (float(np.sqrt(square - centre**2)), "mmag"),
        "ref_photom_sigma_mad": (normal_sigma_mad(mean, noise), "mmag"),
        "ref_photom_rms": (float(np.sqrt(square)), "mmag"),
    }


def coadd_reference_values(survey: Survey, tract: int) -> dict[str, Values]:
    """Return the true values of a tract's metrics against the catalogue.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`
        Tract.

    Returns
    -------
    values : `dict` [`str`, `dict` [`str`, `tuple` [`float`, `str`]]]
        By band: as of a visit, PA6, and PA5 of bands beside r.
    """
    drawn = stars(survey, tract)
    seen = {band: coadd(observed(survey, tract, band), drawn) for band in survey.filters}
    patch = patch_of(survey, drawn)
    values = {band: _of_coadd(survey, band, own, drawn, patch) for band, own in seen.items()}
    for band in set(seen) & set(BANDS) - {"r"} if "r" in seen else ():
        used = _bright(seen[band]) & (seen["r"].inputs > 0)
        shift = [1e3 * seen[b].offset[used] - ZERO_POINT[b] for b in (band, "r")]
        noise = [_magnitude_noise(survey, seen[b], used) for b in (band, "r")]
        values[band]["PA5"] = abs(normal_quantile(shift[0] - shift[1], np.hypot(*noise))), "mmag"
    return values


def _compact(seen: Coadd) -> np.ndarray:
    return (seen.inputs > 0) & unresolved(seen.extension) & ~seen.saturated_centre


def _bright(seen: Coadd) -> np.ndarray:
    return _compact(seen) & (seen.snr > _PHOTOMETRY)


def _magnitude_noise(survey: Survey, seen: Coadd, used: np.ndarray) -> np.ndarray:
    systematic = survey.systematic / np.sqrt(seen.inputs[used])
    return np.hypot(np.hypot(systematic, FLUX_NOISE), _MMAG_PER_NSR / seen.snr[used])


def _of_coadd(survey: Survey, band: str, seen: Coadd, drawn: Sky, patch: np.ndarray) -> Values:
    mag = drawn.mag[:, BANDS.index(band)] + seen.offset
    low, high, least = _ASTROMETRY
    near = _compact(seen) & (mag >= low) & (mag < high) & (seen.snr >= least)
    scale = 1000.0 * survey.pixel_scale
    noise = CENTROID * seen.model[2, near] * scale / seen.snr[near]
    moving = [place_noise(survey, epoch) for epoch in seen.epoch[near].tolist()]
    zero = np.zeros(len(noise))
    bright = _bright(seen)
    shift, error = 1e3 * seen.offset[bright] - ZERO_POINT[band], _magnitude_noise(survey, seen, bright)
    own = {**_offsets(zero, zero, np.hypot(noise, moving)), **_differences(shift, error)}
    values = {f"coadd_{name}": value for name, value in own.items()}
    if "ref_photom_offset" in own:
        values["PA6"] = abs(own["ref_photom_offset"][0]), "mmag"
    patches, counts = np.unique(patch[bright], return_counts=True)
    held = [patch[bright] == number for number in patches[counts >= _FEWEST].tolist()]
    points = [normal_quantile(shift[own_rows], error[own_rows]) for own_rows in held]
    if len(points) > 1:
        values["PA3"] = float(np.std(points, ddof=1)), "mmag"
    return values
