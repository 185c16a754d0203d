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

"""Tables of pairs of a detection and a star of a reference catalogue."""

from __future__ import annotations

__all__ = ["OBJECT_REFERENCE", "SOURCE_REFERENCE", "place_key"]

import dataclasses
from collections.abc import Mapping

import numpy as np

from . import derived
from .kinds import BAND_PREFIX, Column, Derived, Table
from .objects import OBJECT
from .shared import flag, named, real
from .sources import SOURCE_COLUMNS


def place_key(ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """Make numbers of places, where a table does not number what is there.

    Parameters
    ----------
    ra, dec : `numpy.ndarray`, (n,)
        Coordinates.

    Returns
    -------
    keys : `numpy.ndarray` of `int`, (n,)
        The same for the same place, in whatever rows and pieces it comes.
    """
    bits = [np.ascontiguousarray(values, dtype=np.float64).view(np.uint64) for values in (ra, dec)]
    mixed = bits[0] * np.uint64(0x9E3779B97F4A7C15)
    return (mixed ^ (mixed >> np.uint64(29)) ^ bits[1] * np.uint64(0xBF58476D1CE4E5B9)).view(np.int64)


def _target(column: Column) -> Column:
    """Return a column of the detections, as it is named beside reference
    columns.
    """
    return dataclasses.replace(
        column, aliases=tuple(f"{name}_target" for name in (column.name, *column.aliases))
    )


def _targets(columns: Mapping[str, Column], key: str) -> dict[str, Column]:
    found = {name: _target(column) for name, column in columns.items()}
    found[key] = dataclasses.replace(found[key], derived=(Derived(place_key, ("ra", "dec")),))
    return found


_PLACES = tuple(
    Column(f"ref_{axis}", "real", "rad", (f"{axis}_ref", f"coord_{axis}_ref"), stated="deg")
    for axis in ("ra", "dec")
)
_REF_ID = Column("ref_id", "int", "", ("id_ref",), (Derived(place_key, ("ref_ra", "ref_dec")),))
_NEAREST = flag("nearest", applied=True)
_LIGHT = (
    real("ref_mag", "mag", "mag_ref", derived=(Derived(derived.magnitude, ("ref_flux",)),)),
    real("ref_flux", "nJy", "flux_ref"),
)

SOURCE_REFERENCE = Table(
    "source_reference",
    "A detection in a visit, and a star of a reference catalogue close to it.",
    {**_targets(SOURCE_COLUMNS, "sourceId"), **named(*_PLACES, _REF_ID, _NEAREST, *_LIGHT)},
    split=("visit", "band"),
    signature=("sourceId", "ra", "dec", "ref_id", "psf_mag"),
)

_BANDED = named(
    # A band's own position, or where there is none that of the object.
    *(
        Column(
            f"{BAND_PREFIX}own_{axis}",
            "real",
            "rad",
            (f"{BAND_PREFIX}{axis}_target",),
            (Derived(np.array, (axis,)),),
            stated="deg",
        )
        for axis in ("ra", "dec")
    ),
    # A star that moves is elsewhere at the epoch of each band.
    *(
        Column(
            f"{BAND_PREFIX}ref_{axis}",
            "real",
            "rad",
            (f"{BAND_PREFIX}{axis}_ref", f"{axis}_ref", f"coord_{axis}_ref"),
            stated="deg",
        )
        for axis in ("ra", "dec")
    ),
    *(
        dataclasses.replace(
            column,
            name=BAND_PREFIX + column.name,
            aliases=tuple(BAND_PREFIX + alias for alias in column.aliases),
            derived=tuple(
                Derived(way.function, tuple(BAND_PREFIX + name for name in way.inputs))
                for way in column.derived
            ),
        )
        for column in _LIGHT
    ),
)

OBJECT_REFERENCE = Table(
    "object_reference",
    "An object of the coadds, and a star of a reference catalogue close to it.",
    {**_targets(OBJECT.columns, "objectId"), **_BANDED, **named(_REF_ID, _NEAREST)},
    split=("tract",),
    signature=("objectId", "ref_id"),
    without=("psfFlux", "psfFlux_target", "match_distance"),
    by_band=True,
)
