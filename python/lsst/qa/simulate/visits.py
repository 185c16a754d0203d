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

"""The conditions of a visit: where it points, seeing, sky, and all that it
gets wrong.
"""

from __future__ import annotations

__all__ = ["FWHM", "Visit", "observe"]

import dataclasses
from typing import NamedTuple

import numpy as np

from .cadence import checked, mid_exposure
from .camera import DETECTORS, FIELD_PIXELS, Placing
from .fields import Field, draw_field
from .imaging import AB_NANOJANSKY, areas
from .survey import Stream, Survey, generator

FWHM = 2.355
"""FWHM of a Gaussian over its standard deviation, as seeing is defined."""


class _Site(NamedTuple):
    """What a band's images are like: sky, extinction, depth after Ivezić et
    al. 2019, table 2.
    """

    sky: float  # mag/arcsec^2 at the zenith
    extinction: float  # mag/airmass
    gamma: float  # of the error model
    depth: float  # C_m of the depth formula
    fiducial: float  # depth at the effective time of a full exposure
    seeing: float  # median FWHM in arcsec
    zero_point: float  # mag of one count in a visit
    saturation: float  # mag at a seeing of 0.8 arcsec


_SITE = {
    "u": _Site(22.99, 0.491, 0.038, 23.09, 23.70, 1.00, 30.60, 15.6),
    "g": _Site(22.26, 0.213, 0.039, 24.42, 24.97, 0.95, 32.20, 16.6),
    "r": _Site(21.20, 0.126, 0.039, 24.44, 24.52, 0.91, 32.00, 16.7),
    "i": _Site(20.48, 0.096, 0.039, 24.32, 24.13, 0.89, 31.80, 16.6),
    "z": _Site(19.60, 0.069, 0.039, 24.16, 23.56, 0.88, 31.40, 16.1),
    "y": _Site(18.61, 0.170, 0.039, 23.73, 22.55, 0.87, 30.60, 14.8),
}


@dataclasses.dataclass(frozen=True, eq=False)
class Visit:
    """A visit and its conditions.

    Attributes
    ----------
    id, day_obs, seq : `int`
        Visit id, night and number within the night.
    band : `str`
        Band.
    tract : `int`
        Tract that it looks at.
    mjd : `float`
        Middle of the exposure, TAI, in days.
    placing : `Placing`
        Pointing and rotation.
    airmass : `float`
        Airmass.
    seeing : `float`
        FWHM of the PSF in arcseconds.
    sky : `float`
        Sky brightness in mag/arcsec^2.
    m5 : `float`
        Magnitude of a point source at S/N = 5.
    fiducial : `float`
        Depth of a fully effective exposure, in mag.
    gamma : `float`
        The share of the sky in the errors, of the photometric error model.
    zero_point : `float`
        Magnitude of one count.
    saturation : `float`
        Magnitude at which the centre of a star saturates.
    offsets : `numpy.ndarray`, (9,)
        Error of the zero point of each detector: what is added to every
        magnitude measured there.
    astrometric_scatter : `numpy.ndarray`, (9,)
        Standard deviation, per axis and in mas, of the offsets of each
        detector's bright stars from a reference catalogue.
    sky_residual : `float`
        What is left of the sky in the 9-pixel aperture, in nJy.
    jitter : `Field`
        Shift of positions: east and north, in mas.
    psf : `Field`
        The PSF: e1, e2, and natural logarithm of its size over the mean.
    residual : `Field`
        The PSF minus its model: e1, e2, and relative size.
    """

    id: int
    day_obs: int
    seq: int
    band: str
    tract: int
    mjd: float
    placing: Placing
    airmass: float
    seeing: float
    sky: float
    m5: float
    fiducial: float
    gamma: float
    zero_point: float
    saturation: float
    offsets: np.ndarray
    astrometric_scatter: np.ndarray
    sky_residual: float
    jitter: Field
    psf: Field
    residual: Field

    @property
    def flux5(self) -> float:
        """Flux of a point source at S/N = 5, in nJy."""
        return float(10.0 ** (-0.4 * (self.m5 - AB_NANOJANSKY)))

    @property
    def psf_sigma(self) -> float:
        """Width of the PSF in pixels."""
        return self.seeing / FWHM / self.placing.scale

    @property
    def pixel_noise(self) -> float:
        """Standard deviation of the sky in a pixel, in nJy."""
        return float(np.sqrt(self.gamma) * self.flux5 / np.sqrt(areas(self.psf_sigma)[0]))

    @property
    def count(self) -> float:
        """Counts per nJy."""
        return float(10.0 ** (0.4 * (self.zero_point - AB_NANOJANSKY)))


def observe(survey: Survey, visit_id: int) -> Visit:
    """Draw the conditions of a visit.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    visit_id : `int`
        One of `visit_ids`.

    Returns
    -------
    visit : `Visit`
        The same whatever the other visits of the survey.

    Raises
    ------
    lsst.qa.errors.SimulationError
        Raised if the survey has no such visit.
    """
    tract, band = checked(survey, visit_id)
    site, rng = _SITE[band], generator(survey, Stream.VISIT, visit_id)
    seeing = site.seeing * np.exp(rng.normal(0.0, 0.13))
    airmass = 1.0 + 0.5 * rng.random() ** 2
    clouds = abs(rng.normal(0.0, 0.02))
    sky = site.sky + rng.normal(0.0, 0.12) - 0.3 * (airmass - 1.0)
    dimming = site.extinction * (airmass - 1.0) + clouds
    m5 = site.depth + 0.5 * (sky - 21.0) + 2.5 * np.log10(0.7 / seeing) - dimming
    offset = 0.006 * FIELD_PIXELS * survey.pixel_scale
    angle = np.radians(90.0 * rng.integers(4) + rng.uniform(-3.0, 3.0))
    x, y = rng.uniform(-offset, offset, 2)
    matching = np.hypot(survey.jitter, 7.0)
    return Visit(
        id=visit_id,
        day_obs=visit_id // 100_000,
        seq=visit_id % 100_000,
        band=band,
        tract=tract,
        mjd=mid_exposure(visit_id),
        placing=Placing(float(x), float(y), float(angle), survey.pixel_scale),
        airmass=float(airmass),
        seeing=float(seeing),
        sky=float(sky),
        m5=float(m5),
        fiducial=site.fiducial,
        gamma=site.gamma,
        zero_point=float(site.zero_point - dimming),
        # The brightest pixel of a star is proportional to its flux over the
        # area of the PSF.
        saturation=float(site.saturation - 5.0 * np.log10(seeing / 0.8)),
        offsets=rng.normal(0.0, 1e-3 * survey.zero_point_scatter, DETECTORS),
        astrometric_scatter=matching * np.exp(rng.normal(0.0, 0.1, DETECTORS)),
        sky_residual=float(rng.normal(0.0, survey.sky_residual)),
        jitter=draw_field(rng, 60.0 * survey.jitter_length, np.full(2, survey.jitter), np.zeros(2)),
        psf=draw_field(rng, 1200.0, np.full(3, 0.01), np.append(rng.normal(0.0, 0.03, 2), 0.0)),
        residual=draw_field(
            rng, 300.0, np.full(3, survey.psf_residual), rng.normal(0.0, 0.3 * survey.psf_residual, 3)
        ),
    )
