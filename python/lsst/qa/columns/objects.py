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

"""The table whose row is an object of the coadds."""

from __future__ import annotations

__all__ = ["OBJECT"]

import dataclasses

from . import derived
from .kinds import BAND_PREFIX, BANDS, Column, Derived, Table
from .shared import (
    ELLIPTICITIES,
    SHAPES,
    SKY,
    flag,
    named,
    pixel_flag,
    real,
)

_OBJECT_COLUMNS = named(
    Column("objectId", "int", "", ("id",)),
    Column("tract", "int"),
    Column("patch", "int"),
    *SKY,
    flag("sky_object", "merge_peak_sky", applied=True),
    flag("detect_isPrimary", applied=True),
    flag("detect_isDeblendedSource", applied=True),
    real("ebv", "mag"),
    # Matched catalogues of several bands have the band at the end.
    *(
        real(
            f"{band}_psf_mag",
            "mag",
            f"base_PsfFlux_mag_{band}",
            derived=(Derived(derived.magnitude, (f"{band}_psfFlux",)),),
        )
        for band in BANDS
    ),
    *(
        dataclasses.replace(
            column,
            name=BAND_PREFIX + column.name,
            derived=tuple(
                Derived(way.function, tuple(BAND_PREFIX + name for name in way.inputs))
                for way in column.derived
            ),
            aliases=tuple(BAND_PREFIX + alias for alias in column.aliases),
        )
        for column in (
            real("psfFlux", "nJy"),
            real("psfFluxErr", "nJy"),
            real("cModelFlux", "nJy"),
            real("cModelFluxErr", "nJy"),
            real("ap09Flux", "nJy"),
            real("psf_mag", "mag", derived=(Derived(derived.magnitude, ("psfFlux",)),)),
            real("cmodel_mag", "mag", derived=(Derived(derived.magnitude, ("cModelFlux",)),)),
            real("psf_snr", "", derived=(Derived(derived.ratio, ("psfFlux", "psfFluxErr")),)),
            *SHAPES,
            *ELLIPTICITIES,
            real("extendedness", ""),
            real("inputCount", ""),
            flag("psfFlux_flag"),
            *map(pixel_flag, ("bad", "cr", "edge", "interpolatedCenter", "nodata", "saturatedCenter")),
        )
    ),
)

OBJECT = Table(
    "object",
    "An object of the coadds, with columns in each band.",
    _OBJECT_COLUMNS,
    split=("tract",),
    signature=("objectId",),
    without=("visit", "ccdVisitId", "psfFlux"),
    by_band=True,
)
