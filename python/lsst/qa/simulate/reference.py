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

"""A reference catalogue of a survey's stars, in shards, with errors of its
own.
"""

from __future__ import annotations

__all__ = [
    "FLUX_NOISE",
    "FRAME",
    "REFCAT",
    "ZERO_POINT",
    "motion_noise",
    "place_noise",
    "reference_shards",
    "reference_stars",
]

import numpy as np

from ..stats.motion import DAYS_PER_YEAR, moved
from .cadence import mid_exposure, visit_ids
from .camera import deproject
from .populations import BLOCK, star_block, within
from .sky import object_id, tract_centre
from .survey import BANDS, Stream, Survey, generator

REFCAT = "the_monster_20250219"
"""Dataset type, and name of the catalogue that it stands for."""

FRAME = (-6.0, 4.0)
"""By how much all its positions are wrong, to the east and north, in mas."""

ZERO_POINT = {"u": 9.0, "g": -5.0, "r": 4.0, "i": -3.0, "z": 2.0, "y": -6.0}
"""By how much all its magnitudes are wrong, in mmag."""

FLUX_NOISE = 6.0
"""Standard deviation of the error of each magnitude, in mmag."""

_PLACE_NOISE = 2.0
_MOTION, _PARALLAX = 6.0, 1.0
"""Standard deviation of proper motions and mean of parallaxes, in mas."""

_FAINTEST = 22.0
_EPOCH = 57388.0
_LEVEL = 7
_MAS = np.radians(1.0) / 3.6e6


def reference_stars(survey: Survey, tract: int) -> dict[str, np.ndarray]:
    """Make the reference stars of a tract.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`
        Tract.

    Returns
    -------
    columns : `dict` [`str`, `numpy.ndarray`]
        Columns as in a catalogue of the observatory: positions in degrees at
        ``epoch`` (MJD), proper motions and parallaxes in radians and years,
        fluxes in nJy. In the middle of the survey stars are where visits see
        them.
    """
    parts = [_block(survey, tract, block) for block in range(-(-survey.stars // BLOCK))]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}


def reference_shards(survey: Survey) -> dict[int, dict[str, np.ndarray]]:
    """Make the reference stars of a survey, by pixel of the sky.

    Parameters
    ----------
    survey : `Survey`
        The survey.

    Returns
    -------
    shards : `dict` [`int`, `dict` [`str`, `numpy.ndarray`]]
        Columns as of `reference_stars`, by HTM index of level 7.
    """
    from lsst.sphgeom import HtmPixelization, UnitVector3d

    parts = [part for tract in range(survey.tracts) if (part := reference_stars(survey, tract))]
    if not parts:
        return {}
    stars = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    pixels = HtmPixelization(_LEVEL)
    ra, dec = np.radians(stars["coord_ra"]), np.radians(stars["coord_dec"])
    vectors = np.stack([np.cos(ra) * np.cos(dec), np.sin(ra) * np.cos(dec), np.sin(dec)], axis=1)
    index = np.array([pixels.index(UnitVector3d(*vector)) for vector in vectors.tolist()], dtype=np.int64)
    return {
        pixel: {name: values[index == pixel] for name, values in stars.items()}
        for pixel in np.unique(index).tolist()
    }


def place_noise(survey: Survey, mjd: float) -> float:
    """Return the scatter of its positions about the true ones and `FRAME`.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    mjd : `float`
        Time that positions are moved to.

    Returns
    -------
    noise : `float`
        Standard deviation of an axis in mas; without what parallaxes do from
        the middle of the survey to that time.
    """
    return float(np.hypot(_PLACE_NOISE, motion_noise(survey, mjd)))


def motion_noise(survey: Survey, mjd: float) -> float:
    """Return how far proper motions carry stars from where visits see them,
    as these do not move.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    mjd : `float`
        Time that positions are moved to.

    Returns
    -------
    noise : `float`
        Standard deviation of an axis in mas.
    """
    return _MOTION * abs(mjd - _middle(survey)) / DAYS_PER_YEAR


def _middle(survey: Survey) -> float:
    ids = visit_ids(survey)
    return 0.5 * (mid_exposure(ids[0]) + mid_exposure(ids[-1]))


def _block(survey: Survey, tract: int, block: int) -> dict[str, np.ndarray]:
    """Make the reference stars of a block of stars."""
    drawn = star_block(survey, tract, block)
    rng = generator(survey, Stream.REFERENCE, tract, block)
    place, motion = _PLACE_NOISE * rng.standard_normal((2, BLOCK)), rng.normal(0.0, _MOTION, (2, BLOCK))
    parallax, noise = rng.exponential(_PARALLAX, BLOCK), rng.normal(0.0, FLUX_NOISE, (BLOCK, len(BANDS)))
    kept = within(survey, drawn) & (drawn.mag[:, BANDS.index("r")] < _FAINTEST)
    drawn, place, motion = drawn.take(kept), place[:, kept], motion[:, kept]
    east, north = (1e-3 * (place[i] + FRAME[i]) for i in (0, 1))
    seen = deproject(*tract_centre(survey, tract), drawn.x + east, drawn.y + north)
    listed = _listed(np.radians(seen), _MAS * motion, _MAS * parallax[kept], _middle(survey))
    mag = drawn.mag + 1e-3 * (noise[kept] + [ZERO_POINT[band] for band in BANDS])
    columns = {
        "id": object_id(tract, drawn.number),
        "coord_ra": np.degrees(listed[0]),
        "coord_dec": np.degrees(listed[1]),
        "epoch": np.full(len(drawn.x), _EPOCH),
        "pm_ra": _MAS * motion[0],
        "pm_dec": _MAS * motion[1],
        "parallax": _MAS * parallax[kept],
    }
    for i, band in enumerate(BANDS):
        if band in survey.bands:
            flux = 10.0 ** (-0.4 * (mag[:, i] - 31.4))
            columns |= {f"monster_ComCam_{band}_flux": flux}
            columns |= {f"monster_ComCam_{band}_fluxErr": flux * FLUX_NOISE * np.log(10.0) / 2500.0}
    return columns


def _listed(seen: np.ndarray, pm: np.ndarray, parallax: np.ndarray, mjd: float) -> np.ndarray:
    """Return where stars are at the catalogue's epoch that are seen somewhere
    at another time.
    """
    epoch, when = np.full(len(parallax), _EPOCH), np.full(len(parallax), mjd)
    listed = seen.copy()
    for _ in range(3):  # each leaves what a motion changes over the motion
        ra, dec = moved(listed[0], listed[1], pm[0], pm[1], parallax, epoch, when)
        listed[0] = np.mod(listed[0] + np.mod(seen[0] - ra + np.pi, 2.0 * np.pi) - np.pi, 2.0 * np.pi)
        listed[1] += seen[1] - dec
    return listed
