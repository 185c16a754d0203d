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

"""What a simulated survey is made of: its size, place, errors and seed."""

from __future__ import annotations

__all__ = ["BANDS", "INSTRUMENT", "SKYMAP", "Stream", "Survey", "generator"]

import dataclasses
import enum
import math
from typing import Any

import numpy as np

from ..errors import SimulationError
from .camera import FIELD_PIXELS

BANDS = "ugrizy"

INSTRUMENT = "SimCam"

SKYMAP = "sim_v1"

# Each kind of object has its own range of indices, so that one's number never
# moves another's.
_LIMITS = {
    "stars": (0, 1 << 20),
    "galaxies": (0, 1 << 19),
    "visits": (1, 10_000),
    "tracts": (1, 108),
    "sky_sources": (0, 20_000),
    "seed": (0, (1 << 63) - 1),
}
_RANGES = {
    "ra": (0.0, 360.0),
    "dec": (-80.0, 80.0),
    "tract_size": (0.05, 3.6),
    "pixel_scale": (0.05, 1.2),
    "systematic": (0.0, 100.0),
    "zero_point_scatter": (0.0, 100.0),
    "jitter": (0.0, 1000.0),
    "jitter_length": (0.1, 1000.0),
    "psf_residual": (0.0, 0.1),
    "sky_residual": (0.0, 1e6),
}


class Stream(enum.IntEnum):
    """What a stream of random numbers is for.

    A stream is told by its purpose and its keys (a tract, a visit, a block of
    objects), never by how much was drawn before it.
    """

    STARS = 0
    GALAXIES = 1
    VISIT = 2
    SOURCES = 3
    SKY_SOURCES = 4
    OBJECTS = 5
    SKY_OBJECTS = 6
    MATCHED = 7
    TRUTH = 8
    REFERENCE = 9
    DIFFERENCE = 10
    PARENTS = 11


@dataclasses.dataclass(frozen=True)
class Survey:
    """A survey that can be simulated; a wrong one is refused with all its
    faults.

    Attributes
    ----------
    stars, galaxies : `int`
        Number in each tract, from r = 16 to 26, detected or not.
    visits : `int`
        Visits of each tract in each band.
    bands : `str`
        Bands, as in "gri".
    tracts : `int`
        Tracts, side by side in right ascension.
    seed : `int`
        Seed of all random numbers.
    ra, dec : `float`
        Centre of the first tract, in degrees.
    tract_size : `float`
        Side of a tract in degrees, no wider than the focal plane.
    pixel_scale : `float`
        Arcseconds per pixel; the focal plane is 12,100 pixels wide.
    sky_sources : `int`
        Sky sources of each detector of a visit, and of each of 9 parts of a
        tract's coadd.
    systematic : `float`
        Error of every flux that no error column tells, in mmag.
    zero_point_scatter : `float`
        Standard deviation of the detectors' residual zero-point offsets in
        a visit, in mmag.
    jitter : `float`
        Standard deviation of the astrometric jitter of a visit, in mas and
        per axis.
    jitter_length : `float`
        Correlation length L of the jitter, in arcmin: the structure function
        of an axis is ``2 jitter^2 (1 - exp(-d^2 / 2 L^2))``.
    psf_residual : `float`
        Standard deviation of the PSF model's smooth errors in e1, in e2 and
        in relative size.
    sky_residual : `float`
        Standard deviation of the visits' residual sky in a 9-pixel aperture,
        in nJy.

    Raises
    ------
    lsst.qa.errors.SimulationError
        Raised with every fault named.
    """

    stars: int = 3000
    galaxies: int = 3000
    visits: int = 10
    bands: str = "gri"
    tracts: int = 1
    seed: int = 1
    ra: float = 53.1
    dec: float = -27.8
    tract_size: float = 0.6
    pixel_scale: float = 0.2
    sky_sources: int = 50
    systematic: float = 2.0
    zero_point_scatter: float = 3.0
    jitter: float = 6.0
    jitter_length: float = 8.0
    psf_residual: float = 0.003
    sky_residual: float = 15.0

    def __post_init__(self) -> None:
        if faults := self._faults():
            raise SimulationError(f"This survey cannot be simulated: {'; '.join(faults)}.")

    @property
    def filters(self) -> str:
        """The bands from blue to red."""
        return "".join(band for band in BANDS if band in self.bands)

    def parameters(self) -> dict[str, Any]:
        """Return what tells one survey from another.

        Returns
        -------
        parameters : `dict` [`str`, `typing.Any`]
            All attributes, the bands from blue to red; fit for JSON.
        """
        values = {**dataclasses.asdict(self), "bands": self.filters}
        return {
            name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()
        }

    def _faults(self) -> list[str]:
        found = [
            f"{name} is {value!r}, not a whole number from {low} to {high}"
            for name, (low, high) in _LIMITS.items()
            if not _is_whole(value := getattr(self, name)) or not low <= value <= high
        ]
        found += [
            f"{name} is {value!r}, not a number from {low:g} to {high:g}"
            for name, (low, high) in _RANGES.items()
            if not _is_number(value := getattr(self, name)) or not low <= value <= high
        ]
        bands = self.bands
        if not isinstance(bands, str) or not bands or set(bands) - set(BANDS) or len(set(bands)) < len(bands):
            found.append(f"bands is {bands!r}, not some of the letters {BANDS!r}, each once")
        if not found and self.tract_size > (width := FIELD_PIXELS * self.pixel_scale / 3600.0):
            found.append(
                f"tract_size is {self.tract_size:g} degrees, but the focal plane is {width:.3f} degrees wide "
                "(pixel_scale sets it)"
            )
        return found


def generator(survey: Survey, stream: Stream, *keys: int) -> np.random.Generator:
    """Return the random numbers of one purpose.

    Parameters
    ----------
    survey : `Survey`
        Holds the seed.
    stream : `Stream`
        The purpose.
    *keys : `int`
        What it is for: visit, tract, block.

    Returns
    -------
    rng : `numpy.random.Generator`
        The same for the same seed, purpose and keys.
    """
    sequence = np.random.SeedSequence(survey.seed, spawn_key=(int(stream), *map(int, keys)))
    return np.random.Generator(np.random.PCG64(sequence))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)
