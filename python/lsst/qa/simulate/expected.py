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

"""What a visit would measure without noise: the model that tables and truth
share.
"""

from __future__ import annotations

__all__ = ["CENTROID", "DETECTION", "SHAPE", "Expected", "expected", "expected_rows", "shapes", "unresolved"]

from typing import NamedTuple

import numpy as np

from .camera import DETECTORS, PIXELS, from_pixels, to_pixels
from .fields import evaluate
from .imaging import areas, fluxes, moments
from .populations import sky
from .sky import BLEND, GALAXY, Sky, empty_places
from .survey import BANDS, Stream, Survey, generator
from .visits import FWHM, Visit, observe

DETECTION = 5.0
"""S/N, of the PSF flux without noise, from which an object is detected."""

CENTROID = np.sqrt(2.0)
"""Error of a centroid over PSF width and S/N, for a Gaussian on bright sky."""

SHAPE = 2.0
"""Error of e1, of e2, and twice the relative error of size, times S/N."""

_UNRESOLVED = 0.1

_DECEIT = 1.0

_BLOOM = 0.5  # magnitudes fainter than saturation at which neighbouring pixels still saturate


class Expected(NamedTuple):
    """Detections of a visit as they would be without noise, and their errors.

    Attributes
    ----------
    number, kind, parent : `numpy.ndarray` of `int`, (n,)
        As in `Sky`; parent is -1 where the blend is not detected.
    x, y : `numpy.ndarray`, (n,)
        Place on the tangent plane in arcseconds.
    detector : `numpy.ndarray` of `int`, (n,)
        Detector.
    px, py : `numpy.ndarray`, (n,)
        Pixel.
    flux, error : `numpy.ndarray`, (4, n)
        The `FLUXES` and their random errors in nJy, before zero-point
        errors.
    offset : `numpy.ndarray`, (n,)
        Zero-point error in mag, to be added to magnitudes.
    snr : `numpy.ndarray`, (n,)
        PSF flux over error.
    jitter : `numpy.ndarray`, (2, n)
        Shift east and north, in mas.
    centroid : `numpy.ndarray`, (n,)
        Error of the position per axis, in mas.
    shape : `numpy.ndarray`, (3, n)
        Distortion e1, e2, and determinant radius in pixels; NaN for sky.
    model : `numpy.ndarray`, (3, n)
        The same of the PSF model.
    extension : `numpy.ndarray`, (n,)
        Apparent squared width over that of the PSF; NaN for sky.
    saturated, saturated_centre : `numpy.ndarray` of `bool`, (n,)
        Whether pixels of it, or its centre, are saturated.
    """

    number: np.ndarray
    kind: np.ndarray
    parent: np.ndarray
    x: np.ndarray
    y: np.ndarray
    detector: np.ndarray
    px: np.ndarray
    py: np.ndarray
    flux: np.ndarray
    error: np.ndarray
    offset: np.ndarray
    snr: np.ndarray
    jitter: np.ndarray
    centroid: np.ndarray
    shape: np.ndarray
    model: np.ndarray
    extension: np.ndarray
    saturated: np.ndarray
    saturated_centre: np.ndarray

    def take(self, rows: np.ndarray) -> Expected:
        """Return some of the detections.

        Parameters
        ----------
        rows : `numpy.ndarray`
            Mask or indices.

        Returns
        -------
        expected : `Expected`
            Those detections.
        """
        return Expected(*(column[..., rows] for column in self))


def expected_rows(survey: Survey, visit_id: int) -> tuple[Visit, Expected]:
    """Return the rows of a visit's table of sources, without noise.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    visit_id : `int`
        Visit.

    Returns
    -------
    visit : `Visit`
        Its conditions.
    rows : `Expected`
        Objects, blends and sky sources, sorted by detector and number.
    """
    visit = observe(survey, visit_id)
    parts = (expected(visit, sky(survey, visit.tract)), _sky_sources(survey, visit))
    rows = Expected(*(np.concatenate(columns, axis=-1) for columns in zip(*parts)))
    return visit, rows.take(np.lexsort((rows.number, rows.detector)))


def expected(visit: Visit, objects: Sky) -> Expected:
    """Return the detections of some objects in a visit, without noise.

    Parameters
    ----------
    visit : `Visit`
        Conditions of the visit.
    objects : `Sky`
        Objects of the visit's tract.

    Returns
    -------
    detections : `Expected`
        Those objects that fall on a detector and are detected.
    """
    detector, px, py = to_pixels(objects.x, objects.y, visit.placing)
    mag = objects.mag[:, BANDS.index(visit.band)]
    flux, error = fluxes(mag, objects.width / visit.placing.scale, visit.psf_sigma, visit.flux5, visit.gamma)
    found = (detector >= 0) & (flux[0] >= DETECTION * error[0])
    found &= _blends_with_both(objects, np.where(found, detector, -1))
    objects, mag, detector = objects.take(found), mag[found], detector[found]
    flux, error = flux[:, found], error[:, found]
    snr = flux[0] / error[0]
    shape, model = shapes(visit, objects)
    pointlike = objects.width == 0.0
    bright = np.where(pointlike, mag, np.inf)
    return Expected(
        number=objects.number,
        kind=objects.kind,
        parent=_present_parents(objects),
        x=objects.x,
        y=objects.y,
        detector=detector,
        px=px[found],
        py=py[found],
        flux=flux,
        error=error,
        offset=visit.offsets[detector],
        snr=snr,
        jitter=evaluate(visit.jitter, objects.x, objects.y),
        centroid=CENTROID * 1000.0 * shape[2] * visit.placing.scale / snr,
        shape=shape,
        model=model,
        extension=(objects.width * FWHM / visit.seeing) ** 2 + _DECEIT * objects.deceit / snr,
        saturated=bright < visit.saturation + _BLOOM,
        saturated_centre=bright < visit.saturation,
    )


def unresolved(extension: np.ndarray) -> np.ndarray:
    """Tell which detections are classed as stars.

    Parameters
    ----------
    extension : `numpy.ndarray`
        As in `Expected`.

    Returns
    -------
    unresolved : `numpy.ndarray` of `bool`
        Whether the extendedness is 0; False for sky.
    """
    return extension < _UNRESOLVED


def shapes(visit: Visit, objects: Sky) -> tuple[np.ndarray, np.ndarray]:
    """Return the shapes of objects in a visit, and those of the PSF model.

    Parameters
    ----------
    visit : `Visit`
        Conditions of the visit.
    objects : `Sky`
        Objects.

    Returns
    -------
    shape, model : `numpy.ndarray`, (3, n)
        Distortion e1, e2, and determinant radius in pixels.
    """
    e1, e2, log_size = evaluate(visit.psf, objects.x, objects.y)
    size = visit.psf_sigma * np.exp(log_size)
    residual = evaluate(visit.residual, objects.x, objects.y)
    model = np.stack([e1 - residual[0], e2 - residual[1], size / (1.0 + residual[2])])
    psf, own = moments(e1, e2, size), moments(objects.e1, objects.e2, objects.width / visit.placing.scale)
    ixx, iyy, ixy = (a + b for a, b in zip(psf, own))
    trace = ixx + iyy
    return np.stack([(ixx - iyy) / trace, 2.0 * ixy / trace, (ixx * iyy - ixy**2) ** 0.25]), model


def _blends_with_both(objects: Sky, detector: np.ndarray) -> np.ndarray:
    """Tell which objects are not a blend lacking one of its galaxies here."""
    blends = np.flatnonzero(objects.kind == BLEND)
    if not len(blends):
        return np.ones(len(detector), dtype=bool)
    parts = np.flatnonzero((objects.kind == GALAXY) & (objects.parent >= 0) & (detector >= 0))
    # Objects are sorted by number, so a pair's parts follow each other.
    pairs = parts[:-1][
        (objects.parent[parts[1:]] == objects.parent[parts[:-1]])
        & (detector[parts[1:]] == detector[parts[:-1]])
    ]
    kept = np.ones(len(detector), dtype=bool)
    kept[blends] = np.isin(objects.number[blends], objects.parent[pairs])
    return kept


def _present_parents(objects: Sky) -> np.ndarray:
    return np.where(np.isin(objects.parent, objects.number[objects.kind == BLEND]), objects.parent, -1)


def _sky_sources(survey: Survey, visit: Visit) -> Expected:
    """Return the sky sources of a visit."""
    n = DETECTORS * survey.sky_sources
    rng = generator(survey, Stream.SKY_SOURCES, visit.id)
    detector = np.repeat(np.arange(DETECTORS, dtype=np.int16), survey.sky_sources)
    px, py = rng.uniform(-0.5, PIXELS - 0.5, (2, n))
    empty = empty_places(*from_pixels(detector, px, py, visit.placing))
    zero, none = np.zeros(n), np.zeros(n, dtype=bool)
    area = areas(visit.psf_sigma + zero)
    _, error = fluxes(empty.mag[:, 0], zero, visit.psf_sigma, visit.flux5, visit.gamma)
    return Expected(
        number=empty.number,
        kind=empty.kind,
        parent=empty.parent,
        x=empty.x,
        y=empty.y,
        detector=detector,
        px=px,
        py=py,
        flux=visit.sky_residual * area / area[1],
        error=error,
        offset=zero,
        snr=zero,
        jitter=np.zeros((2, n)),
        centroid=zero,
        shape=np.full((3, n), np.nan),
        model=shapes(visit, empty)[1],
        extension=np.full(n, np.nan),
        saturated=none,
        saturated_centre=none,
    )
