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

"""The tables that describe visits: the summary of each, and lists of all."""

from __future__ import annotations

__all__ = ["visit_detector_table", "visit_summary", "visit_table"]

import numpy as np

from .cadence import EXPOSURE_TIME, physical_filter, visit_ids
from .camera import DETECTORS, PIXELS, corners, deproject, from_pixels
from .expected import SHAPE, expected, unresolved
from .fields import evaluate
from .populations import sky
from .sky import tract_centre
from .survey import BANDS, Survey
from .visits import FWHM, Visit, observe

_PSF_STARS_SNR = 50.0
_TYPICAL_SNR = 100.0


def visit_summary(survey: Survey, visit_id: int) -> dict[str, np.ndarray]:
    """Make the summary of a visit.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    visit_id : `int`
        Visit, one of `visit_ids`.

    Returns
    -------
    columns : `dict` [`str`, `numpy.ndarray`]
        A row per detector; free of noise, apart from the zero point, which
        errs by what the detector's fluxes err by.

    Raises
    ------
    lsst.qa.errors.SimulationError
        Raised if the survey has no such visit.
    """
    visit = observe(survey, visit_id)
    return {
        "visit": np.full(DETECTORS, visit_id),
        "detector": np.arange(DETECTORS, dtype=np.int16),
        "id": np.arange(DETECTORS),
        "physical_filter": np.full(DETECTORS, physical_filter(visit.band)),
        "band": np.full(DETECTORS, visit.band),
        **_place(survey, visit),
        **_psf(visit),
        **_conditions(visit),
        **_stars(survey, visit),
    }


def visit_table(survey: Survey) -> dict[str, np.ndarray]:
    """Make the table of visits.

    Parameters
    ----------
    survey : `Survey`
        The survey.

    Returns
    -------
    columns : `dict` [`str`, `numpy.ndarray`]
        A row per visit, in the order of time.
    """
    return _stacked([_visit_row(survey, observe(survey, visit_id)) for visit_id in visit_ids(survey)])


def visit_detector_table(survey: Survey) -> dict[str, np.ndarray]:
    """Make the table of all detectors of all visits.

    Parameters
    ----------
    survey : `Survey`
        The survey.

    Returns
    -------
    columns : `dict` [`str`, `numpy.ndarray`]
        The rows of all `visit_summary` tables, with the seeing and the time.
    """
    tables = []
    for visit_id in visit_ids(survey):
        table = visit_summary(survey, visit_id)
        del table["id"]
        table["visitId"] = table["visit"]
        table["seeing"] = FWHM * table["psfSigma"] * table["pixelScale"]
        table["expMidptMJD"] = np.full(DETECTORS, observe(survey, visit_id).mjd)
        tables.append(table)
    return _stacked(tables)


def _place(survey: Survey, visit: Visit) -> dict[str, np.ndarray]:
    centre = tract_centre(survey, visit.tract)
    columns = dict(zip(("ra", "dec"), deproject(*centre, *_centres(visit))))
    corner_ra, corner_dec = deproject(*centre, *corners(visit.placing))
    for i, corner in enumerate(("llc", "ulc", "urc", "lrc")):
        columns |= {f"{corner}ra": corner_ra[:, i], f"{corner}dec": corner_dec[:, i]}
    for axis in "xy":
        columns[f"bbox_min_{axis}"] = np.zeros(DETECTORS, dtype=np.int32)
        columns[f"bbox_max_{axis}"] = np.full(DETECTORS, PIXELS - 1, dtype=np.int32)
    columns["pixelScale"] = np.full(DETECTORS, visit.placing.scale)
    columns["zenithDistance"] = np.full(DETECTORS, np.degrees(np.arccos(1.0 / visit.airmass)))
    return columns


def _psf(visit: Visit) -> dict[str, np.ndarray]:
    """Describe the PSF model at the centres of the detectors."""
    e1, e2, log_size = evaluate(visit.psf, *_centres(visit))
    residual = evaluate(visit.residual, *_centres(visit))
    size = visit.psf_sigma * np.exp(log_size) / (1.0 + residual[2])
    e1, e2 = e1 - residual[0], e2 - residual[1]
    half = size**2 / np.sqrt(1.0 - e1**2 - e2**2)
    detector, ends = np.arange(DETECTORS), (0.0, PIXELS - 1.0)
    places = [
        from_pixels(detector, np.full(DETECTORS, px), np.full(DETECTORS, py), visit.placing)
        for px in ends
        for py in ends
    ]
    sizes = np.stack([size, *(visit.psf_sigma * np.exp(evaluate(visit.psf, *place)[2]) for place in places)])
    noise = SHAPE / _TYPICAL_SNR
    return {
        "psfSigma": size,
        "psfArea": 4.0 * np.pi * size**2,
        "psfIxx": half * (1.0 + e1),
        "psfIyy": half * (1.0 - e1),
        "psfIxy": half * e2,
        "psfTraceRadiusDelta": np.ptp(sizes, axis=0),
        "psfStarDeltaE1Median": residual[0],
        "psfStarDeltaE1Scatter": np.full(DETECTORS, noise),
        "psfStarDeltaE2Median": residual[1],
        "psfStarDeltaE2Scatter": np.full(DETECTORS, noise),
        "psfStarDeltaSizeMedian": size * residual[2],
        "psfStarDeltaSizeScatter": 0.5 * noise * size,
        "psfStarScaledDeltaSizeScatter": np.full(DETECTORS, 0.5 * noise),
    }


def _conditions(visit: Visit) -> dict[str, np.ndarray]:
    background = 10.0 ** (0.4 * (visit.zero_point - visit.sky)) * visit.placing.scale**2
    noise = visit.pixel_noise * visit.count
    # Offsets of two normal coordinates are Rayleigh-distributed.
    scatter = 1e-3 * visit.astrometric_scatter
    uniform = {
        "skyBg": background,
        "skyNoise": noise,
        "meanVar": noise**2,
        "magLim": visit.m5,
        "expTime": EXPOSURE_TIME,
        "effTime": EXPOSURE_TIME * 10.0 ** (0.8 * (visit.m5 - visit.fiducial)),
    }
    return {
        "zeroPoint": visit.zero_point + visit.offsets,
        **{name: np.full(DETECTORS, value) for name, value in uniform.items()},
        "astromOffsetMean": scatter * np.sqrt(0.5 * np.pi),
        "astromOffsetStd": scatter * np.sqrt(2.0 - 0.5 * np.pi),
    }


def _stars(survey: Survey, visit: Visit) -> dict[str, np.ndarray]:
    objects = sky(survey, visit.tract)
    # Far brighter than the limit, to look at few objects; S/N = 50 is 2.5
    # magnitudes above it at most.
    near = objects.take(objects.mag[:, BANDS.index(visit.band)] < visit.m5 - 2.0)
    rows = expected(visit, near)
    used = rows.detector[unresolved(rows.extension) & (rows.snr >= _PSF_STARS_SNR) & ~rows.saturated]
    return {"nPsfStar": np.bincount(used, minlength=DETECTORS).astype(np.int32)}


def _centres(visit: Visit) -> tuple[np.ndarray, np.ndarray]:
    middle = np.full(DETECTORS, 0.5 * (PIXELS - 1))
    return from_pixels(np.arange(DETECTORS), middle, middle, visit.placing)


def _visit_row(survey: Survey, visit: Visit) -> dict[str, np.ndarray]:
    pointing = np.array([visit.placing.x]), np.array([visit.placing.y])
    ra, dec = deproject(*tract_centre(survey, visit.tract), *pointing)
    zenith = float(np.degrees(np.arccos(1.0 / visit.airmass)))
    row = {
        "visitId": visit.id,
        "visit": visit.id,
        "physical_filter": physical_filter(visit.band),
        "band": visit.band,
        "ra": ra[0],
        "dec": dec[0],
        "skyRotation": float(np.degrees(visit.placing.angle)) % 360.0,
        "zenithDistance": zenith,
        "altitude": 90.0 - zenith,
        "airmass": visit.airmass,
        "expTime": EXPOSURE_TIME,
        "expMidptMJD": visit.mjd,
        "obsStartMJD": visit.mjd - 0.5 * EXPOSURE_TIME / 86_400.0,
        "day_obs": visit.day_obs,
        "seq_num": visit.seq,
    }
    return {name: np.array([value]) for name, value in row.items()}


def _stacked(tables: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
