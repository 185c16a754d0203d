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

"""The table of objects of a tract: what the coadds of all its visits would
show.
"""

from __future__ import annotations

__all__ = ["PATCHES", "detected_pieces", "object_flags", "object_pieces", "objects", "patch_of"]

from collections.abc import Iterator

import numpy as np

from .camera import DETECTORS, deproject
from .coadd import Coadd, coadd, observed
from .expected import CENTROID, DETECTION, SHAPE, unresolved
from .imaging import moments
from .populations import BLOCK, galaxy_block, star_block, within
from .sky import BLEND, SKY, Sky, empty_places, object_id, tract_centre
from .survey import BANDS, Stream, Survey, generator
from .visits import Visit

PATCHES = 4
"""Patches along a side of a tract."""

_PRIORITY = "irzygu"
_EDGE = 2.0  # arcsec from the tract's border
_FLAGGED = 0.001
_DUST = 0.01  # mag at the centre of a tract, rising by a third to its northern border


def object_pieces(survey: Survey, tract: int) -> Iterator[dict[str, np.ndarray]]:
    """Make a tract's table of objects, piece by piece.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`
        Tract.

    Yields
    ------
    columns : `dict` [`str`, `numpy.ndarray`]
        Columns by their names in the production table; at least one piece,
        with the sky objects.
    """
    for number, visits, drawn in _pieces(survey, tract):
        yield _columns(survey, tract, number, visits, *_seen(visits, drawn))


def detected_pieces(survey: Survey, tract: int) -> Iterator[tuple[Sky, dict[str, Coadd]]]:
    """Predict a tract's table of objects, piece by piece, without noise.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`
        Tract.

    Yields
    ------
    drawn : `Sky`
        The objects of a piece.
    coadds : `dict` [`str`, `Coadd`]
        How they are seen in each band.
    """
    for _, visits, drawn in _pieces(survey, tract):
        yield _seen(visits, drawn)


def object_flags(survey: Survey, drawn: Sky, seen: Coadd) -> dict[str, np.ndarray]:
    """Return the probability of each flag in a band.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    drawn : `Sky`
        Objects.
    seen : `Coadd`
        How they are seen in the band.

    Returns
    -------
    probabilities : `dict` [`str`, `numpy.ndarray`]
        By column name without the band; one per object.
    """
    chance = np.where(seen.inputs == 0, 1.0, _FLAGGED)
    border = 1800.0 * survey.tract_size - _EDGE
    return {
        "psfFlux_flag": chance,
        "ap09Flux_flag": chance,
        "pixelFlags_nodata": chance,
        "pixelFlags_edge": (np.maximum(np.abs(drawn.x), np.abs(drawn.y)) > border).astype(np.float64),
        "pixelFlags_saturatedCenter": (seen.saturated_centre & (seen.inputs > 0)).astype(np.float64),
    }


def objects(survey: Survey, tract: int) -> dict[str, np.ndarray]:
    """Make a tract's table of objects.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`
        Tract.

    Returns
    -------
    columns : `dict` [`str`, `numpy.ndarray`]
        Fluxes in nJy, positions in degrees, moments in pixel^2; an object
        is there if any of its PSF fluxes has an S/N of 5. What a band does
        not see is NaN there, and flagged.
    """
    pieces = list(object_pieces(survey, tract))
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def _sky_places(survey: Survey, tract: int) -> Sky:
    half = 1800.0 * survey.tract_size
    rng = generator(survey, Stream.SKY_OBJECTS, tract)
    return empty_places(*rng.uniform(-half, half, (2, DETECTORS * survey.sky_sources)))


def _pieces(survey: Survey, tract: int) -> Iterator[tuple[int, dict[str, list[Visit]], Sky]]:
    """Draw the objects of a tract, piece by piece, numbered."""
    visits = {band: observed(survey, tract, band) for band in survey.filters}
    # Numbered so that a piece's number does not depend on how many there are
    # of another kind.
    for block in range(-(-survey.stars // BLOCK)):
        piece = star_block(survey, tract, block)
        yield 2 * block + 1, visits, piece.take(within(survey, piece))
    for block in range(-(-survey.galaxies // BLOCK)):
        piece = galaxy_block(survey, tract, block)
        yield 2 * block + 2, visits, piece.take(within(survey, piece))
    yield 0, visits, _sky_places(survey, tract)


def _seen(visits: dict[str, list[Visit]], drawn: Sky) -> tuple[Sky, dict[str, Coadd]]:
    """Return those objects that the coadds show, and how."""
    coadds = {band: coadd(visits[band], drawn) for band in visits}
    bright = np.any([np.nan_to_num(coadds[band].snr) >= DETECTION for band in visits], axis=0)
    found = _detected(drawn, bright)
    return drawn.take(found), {
        band: Coadd(*(column[..., found] for column in coadds[band])) for band in visits
    }


def _columns(
    survey: Survey,
    tract: int,
    number: int,
    visits: dict[str, list[Visit]],
    drawn: Sky,
    coadds: dict[str, Coadd],
) -> dict[str, np.ndarray]:
    """Make a piece of the table."""
    per_band = {
        band: _in_band(
            survey,
            tract,
            drawn,
            coadds[band],
            visits[band],
            generator(survey, Stream.OBJECTS, tract, number, i),
        )
        for i, band in enumerate(BANDS)
        if band in visits
    }
    reference = _reference(list(visits), np.stack([np.nan_to_num(coadds[band].snr) for band in visits]))

    def chosen(name: str) -> np.ndarray:
        return np.choose(reference, [per_band[band][name] for band in visits])

    blend = drawn.kind == BLEND
    inner = ~(blend | (drawn.kind == SKY))
    return {
        "objectId": object_id(tract, drawn.number),
        "parentObjectId": np.where(
            np.isin(drawn.parent, drawn.number[blend]), object_id(tract, drawn.parent), 0
        ),
        "tract": np.full(len(drawn.x), tract),
        "patch": patch_of(survey, drawn),
        "coord_ra": chosen("ra"),
        "coord_dec": chosen("dec"),
        "ebv": _DUST * (1.0 + drawn.y / (5400.0 * survey.tract_size)),
        "sky_object": drawn.kind == SKY,
        "detect_isPrimary": inner,
        "detect_isPatchInner": np.ones(len(drawn.x), dtype=bool),
        "detect_isDeblendedSource": ~blend,
        "refExtendedness": chosen("extendedness"),
        "refBand": np.array([*visits])[reference] if len(drawn.x) else np.zeros(0, dtype="U1"),
        **{f"{band}_{name}": values for band in visits for name, values in per_band[band].items()},
    }


def _in_band(
    survey: Survey, tract: int, drawn: Sky, seen: Coadd, visits: list[Visit], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Make the columns of a band."""
    n = len(drawn.x)
    deviates, uniform = rng.standard_normal((9, n)), rng.random((5, n))
    systematic = 1e-3 * survey.systematic / np.sqrt(np.maximum(seen.inputs, 1)) * deviates[0]
    scale = np.where(drawn.kind == SKY, 1.0, 10.0 ** (-0.4 * (seen.offset + systematic)))
    flux = scale * seen.flux + seen.error * deviates[[1, 2, 2, 3]]
    columns: dict[str, np.ndarray] = {}
    for name, i in (("psfFlux", 0), ("cModelFlux", 3), ("ap09Flux", 1)):
        columns |= {name: flux[i], f"{name}Err": seen.error[i]}
    columns |= {
        name: chosen < chance
        for chosen, (name, chance) in zip(uniform, object_flags(survey, drawn, seen).items())
    }
    # A shape needs some light; without it the noise has no meaning.
    snr = np.where(seen.snr >= 1.0, seen.snr, np.nan)
    noise = SHAPE / snr * deviates[4:7]
    e1, e2 = seen.shape[0] + noise[0], seen.shape[1] + noise[1]
    shrink = np.minimum(1.0, 0.95 / np.maximum(np.hypot(e1, e2), 1e-12))
    size = seen.shape[2] * np.maximum(1.0 + 0.5 * noise[2], 0.2)
    columns |= dict(zip(("ixx", "iyy", "ixy"), moments(shrink * e1, shrink * e2, size)))
    columns |= dict(zip(("ixxPSF", "iyyPSF", "ixyPSF"), moments(*seen.model)))
    measurable = np.isfinite(snr)
    columns["extendedness"] = np.where(measurable, 1.0 - unresolved(seen.extension), np.nan)
    columns["extendedness_flag"] = ~measurable
    columns["inputCount"] = seen.inputs
    columns["blendedness"] = np.where(drawn.parent >= 0, 0.3, 0.0)
    error = np.where(measurable, CENTROID * seen.model[2] * visits[0].placing.scale / snr, 0.0)
    east, north = error * deviates[7:9]
    columns["ra"], columns["dec"] = deproject(*tract_centre(survey, tract), drawn.x + east, drawn.y + north)
    columns["epoch"] = seen.epoch
    return columns


def _detected(drawn: Sky, bright: np.ndarray) -> np.ndarray:
    """Tell which objects are in the table; a blend, if its galaxies are."""
    members = drawn.parent[bright & (drawn.parent >= 0)]
    whole, count = np.unique(members, return_counts=True)
    return np.where(drawn.kind == BLEND, np.isin(drawn.number, whole[count == 2]), bright) | (
        drawn.kind == SKY
    )


def _reference(bands: list[str], snr: np.ndarray) -> np.ndarray:
    """Return each object's reference band: the first that detects it."""
    order = [bands.index(band) for band in _PRIORITY if band in bands]
    return np.array(order)[np.argmax(snr[order] >= DETECTION, axis=0)]


def patch_of(survey: Survey, drawn: Sky) -> np.ndarray:
    """Return the patches that objects are in.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    drawn : `Sky`
        Objects of a tract.

    Returns
    -------
    patch : `numpy.ndarray` of `int`, (n,)
        Numbers of the patches.
    """
    side = 3600.0 * survey.tract_size / PATCHES
    column, row = (np.clip(np.floor(at / side + 0.5 * PATCHES), 0, PATCHES - 1) for at in (drawn.x, drawn.y))
    return (row * PATCHES + column).astype(np.int32)
