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

"""The table of sources of a visit."""

from __future__ import annotations

__all__ = ["SATURATED_LOSS", "measured", "source_id", "sources"]

import numpy as np

from .cadence import physical_filter
from .camera import deproject
from .expected import SHAPE, Expected, expected_rows, unresolved
from .flags import UNIFORMS, draw_flags
from .imaging import FLUXES, moments
from .sky import BLEND, SKY, tract_centre
from .survey import Stream, Survey, generator
from .visits import Visit

SATURATED_LOSS = 0.3
"""Share of the flux that a star loses whose centre is saturated."""

_NUMBER_BITS = 21
_DEVIATES = 10


def source_id(visit_id: int, number: np.ndarray) -> np.ndarray:
    """Return the ids of sources.

    Parameters
    ----------
    visit_id : `int`
        Visit.
    number : `numpy.ndarray` of `int`
        Numbers of the objects, which remain the lowest 21 bits.

    Returns
    -------
    ids : `numpy.ndarray` of `int`
        Ids of 62 bits, which a float could not hold.
    """
    return (visit_id << _NUMBER_BITS) + number.astype(np.int64)


def sources(survey: Survey, visit_id: int) -> dict[str, np.ndarray]:
    """Make a visit's table of sources.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    visit_id : `int`
        Visit, one of `visit_ids`.

    Returns
    -------
    columns : `dict` [`str`, `numpy.ndarray`]
        Columns by their names in the production table: fluxes in nJy,
        positions in degrees, moments in pixel^2. Fluxes are NaN where their
        flag is set; shapes and extendedness are NaN for sky sources.

    Raises
    ------
    lsst.qa.errors.SimulationError
        Raised if the survey has no such visit.
    """
    visit, rows = expected_rows(survey, visit_id)
    n = len(rows.number)
    rng = generator(survey, Stream.SOURCES, visit_id)
    values = measured(survey, visit, rows, rng.standard_normal((_DEVIATES, n)))
    flags = draw_flags(rows, rng.random((UNIFORMS, n)))
    for name in ("psfFlux", "ap09Flux"):
        for column in (name, f"{name}Err"):
            values[column] = np.where(flags[f"{name}_flag"], np.nan, values[column])
    parent = np.where(rows.parent >= 0, source_id(visit_id, rows.parent), 0)
    return {
        "sourceId": source_id(visit_id, rows.number),
        "visit": np.full(n, visit_id),
        "detector": rows.detector,
        "band": np.full(n, visit.band),
        "physical_filter": np.full(n, physical_filter(visit.band)),
        "coord_ra": values["ra"],
        "coord_dec": values["dec"],
        **values,
        **dict(zip(("ixxPSF", "iyyPSF", "ixyPSF"), moments(*rows.model))),
        "extendedness": np.where(rows.kind == SKY, np.nan, 1.0 - unresolved(rows.extension)),
        "sizeExtendedness": 1.0 / (1.0 + np.exp(np.clip((0.1 - rows.extension) / 0.03, -50.0, 50.0))),
        **flags,
        "detect_isPrimary": (rows.kind != SKY) & (rows.kind != BLEND),
        "parentSourceId": parent,
        "deblend_nChild": np.where(rows.kind == BLEND, 2, 0).astype(np.int32),
    }


def measured(survey: Survey, visit: Visit, rows: Expected, deviates: np.ndarray) -> dict[str, np.ndarray]:
    """Add noise to what a visit would measure without it.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    visit : `Visit`
        Conditions of the visit.
    rows : `Expected`
        Sources.
    deviates : `numpy.ndarray`, (10, n)
        Normal deviates.

    Returns
    -------
    columns : `dict` [`str`, `numpy.ndarray`]
        Positions, fluxes and shapes.
    """
    # Deviates go by rows, so a call with fewer of them can still make
    # positions and fluxes.
    east, north = rows.jitter + rows.centroid * deviates[0:2]
    pixel = _turned(rows.centroid * deviates[0:2] * 1e-3, visit)
    ra, dec = deproject(*tract_centre(survey, visit.tract), rows.x + 1e-3 * east, rows.y + 1e-3 * north)
    columns = {"ra": ra, "dec": dec, "x": rows.px + pixel[0], "y": rows.py + pixel[1]}
    columns["raErr"] = columns["decErr"] = rows.centroid / 3.6e6
    # The sky has no zero point to be wrong, so what is wrong with it is in its
    # flux already.
    shift = np.where(rows.kind == SKY, 0.0, rows.offset + 1e-3 * survey.systematic * deviates[2])
    scale = 10.0 ** (-0.4 * shift) * np.where(rows.saturated_centre, 1.0 - SATURATED_LOSS, 1.0)
    for i, name in enumerate(FLUXES[: len(deviates) - 3]):
        columns[name] = scale * rows.flux[i] + rows.error[i] * deviates[3 + i]
        columns[f"{name}Err"] = rows.error[i]
    if len(deviates) == _DEVIATES:
        columns |= _shapes(rows, deviates[7:10])
    return columns


def _shapes(rows: Expected, deviates: np.ndarray) -> dict[str, np.ndarray]:
    noise = SHAPE / np.maximum(rows.snr, 1.0) * deviates
    e1, e2 = rows.shape[0] + noise[0], rows.shape[1] + noise[1]
    # A faint source can come out longer than any shape is.
    shrink = np.minimum(1.0, 0.95 / np.maximum(np.hypot(e1, e2), 1e-12))
    size = rows.shape[2] * np.maximum(1.0 + 0.5 * noise[2], 0.2)
    return dict(zip(("ixx", "iyy", "ixy"), moments(shrink * e1, shrink * e2, size)))


def _turned(shift: np.ndarray, visit: Visit) -> np.ndarray:
    """Turn shifts in arcseconds on the sky to pixels."""
    cos, sin = np.cos(visit.placing.angle), np.sin(visit.placing.angle)
    return np.stack([cos * shift[0] + sin * shift[1], cos * shift[1] - sin * shift[0]]) / visit.placing.scale
