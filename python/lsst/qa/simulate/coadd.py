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

"""What the coadd of a band would show without noise."""

from __future__ import annotations

__all__ = ["Coadd", "coadd", "observed"]

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .cadence import visit_ids
from .camera import to_pixels
from .expected import shapes
from .imaging import areas, fluxes
from .sky import SKY, Sky
from .survey import BANDS, Survey
from .visits import Visit, observe


class Coadd(NamedTuple):
    """Objects as the coadd of a band would show them without noise.

    Attributes
    ----------
    inputs : `numpy.ndarray` of `int`, (n,)
        Visits that see the place; where it is 0 all the rest is NaN.
    flux, error : `numpy.ndarray`, (4, n)
        Fluxes as in `Expected`, in nJy.
    offset : `numpy.ndarray`, (n,)
        Zero-point error in mag.
    snr : `numpy.ndarray`, (n,)
        PSF flux over error; 0 for sky.
    shape, model : `numpy.ndarray`, (3, n)
        e1, e2 and determinant radius of the object and of the PSF model:
        means over the visits.
    extension : `numpy.ndarray`, (n,)
        As in `Expected`; NaN for sky.
    epoch : `numpy.ndarray`, (n,)
        Mean time of the visits, MJD.
    saturated_centre : `numpy.ndarray` of `bool`, (n,)
        Whether the centre is saturated, in a visit of mean conditions.
    """

    inputs: np.ndarray
    flux: np.ndarray
    error: np.ndarray
    offset: np.ndarray
    snr: np.ndarray
    shape: np.ndarray
    model: np.ndarray
    extension: np.ndarray
    epoch: np.ndarray
    saturated_centre: np.ndarray


def observed(survey: Survey, tract: int, band: str) -> list[Visit]:
    """Return the conditions of all visits of a tract in a band.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`
        Tract.
    band : `str`
        Band.

    Returns
    -------
    visits : `list` [`Visit`]
        In the order of time.
    """
    return [observe(survey, visit_id) for visit_id in visit_ids(survey, tract, band)]


def coadd(visits: Sequence[Visit], objects: Sky) -> Coadd:
    """Add up the visits of a band.

    Parameters
    ----------
    visits : `~collections.abc.Sequence` [`Visit`]
        Visits of one tract in one band, at least one.
    objects : `Sky`
        Objects of that tract.

    Returns
    -------
    coadd : `Coadd`
        All of them, seen or not, detected or not.
    """
    n = len(objects.x)
    count, weight, offset, epoch = np.zeros((4, n))
    shape, model = np.zeros((2, 3, n))
    for visit in visits:
        detector, _, _ = to_pixels(objects.x, objects.y, visit.placing)
        on = detector >= 0
        count += on
        weight += on * visit.flux5**-2.0
        offset += np.where(on, visit.offsets[detector], 0.0)
        epoch += on * visit.mjd
        for total, values in zip((shape, model), shapes(visit, objects)):
            total += np.where(on, values, 0.0)
    seen = np.where(count > 0, count, np.nan)
    shape, model = shape / seen, model / seen
    band, gamma, scale = visits[0].band, visits[0].gamma, visits[0].placing.scale
    mag, width, empty = objects.mag[:, BANDS.index(band)], objects.width / scale, objects.kind == SKY
    flux, error = fluxes(mag, width, model[2], 1.0 / np.sqrt(np.where(count > 0, weight, np.nan)), gamma)
    snr = flux[0] / error[0]
    area = areas(model[2])
    flux += empty * np.mean([visit.sky_residual for visit in visits]) * area / area[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        extension = (width / model[2]) ** 2 + objects.deceit / snr
    return Coadd(
        inputs=count.astype(np.int32),
        flux=flux,
        error=error,
        offset=np.where(empty, 0.0, offset / seen),
        snr=snr,
        shape=np.where(empty, np.nan, shape),
        model=model,
        extension=np.where(empty, np.nan, extension),
        epoch=epoch / seen,
        saturated_centre=(objects.width == 0.0) & (mag < np.mean([visit.saturation for visit in visits])),
    )
