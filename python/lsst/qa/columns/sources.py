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

"""Tables whose row is a detection in one visit."""

from __future__ import annotations

__all__ = ["MATCHED", "SOURCE"]

from . import derived
from .kinds import Column, Derived, Table
from .shared import (
    BAND,
    DETECTOR,
    ELLIPTICITIES,
    PSF_FLUX,
    QUALITY,
    SHAPES,
    SKY,
    VISIT,
    flag,
    named,
    real,
)

SOURCE_COLUMNS = named(
    Column("sourceId", "int", "", ("id",)),
    VISIT,
    DETECTOR,
    BAND,
    *SKY,
    *PSF_FLUX,
    real(
        "gauss_mag", "mag", "base_GaussianFlux_mag", derived=(Derived(derived.magnitude, ("gaussianFlux",)),)
    ),
    real("gaussianFlux", "nJy"),
    real("ap09Flux", "nJy"),
    real("ap12Flux", "nJy", "ApFlux"),
    *SHAPES,
    *ELLIPTICITIES,
    *QUALITY,
    flag("sky_source", applied=True),
    flag("detect_isDeblendedSource", applied=True),
    flag("calib_psf_used", "Calib_psf_used", applied=True),
    flag("calib_psf_reserved", "Calib_psf_reserved"),
    flag("calib_astrometry_used", "Calib_astrometry_used", applied=True),
    flag("calib_photometry_used", "Calib_photometry_used", applied=True),
)

MATCHED = Table(
    "matched",
    "A star's detection in one visit; the rows of a star share an integer key.",
    {
        "star": Column("star", "int", "", ("isolated_star_id", "obj_index", "object")),
        # 1 to 6 for u to y, as catalogues of several bands number them.
        "filter_number": Column(
            "filter_number", "int", "", ("filt",), (Derived(derived.filter_number, ("band",)),)
        ),
        **SOURCE_COLUMNS,
        "mjd": real(
            "mjd",
            "d",
            "expMidptMJD",
            "midpointMjdTai",
            derived=(Derived(derived.night, ("visit",)),),
        ),
    },
    split=("band",),
    signature=("star", "visit", "ra", "dec"),
    group="star",
)

SOURCE = Table(
    "source",
    "A detection in one visit.",
    SOURCE_COLUMNS,
    split=("visit", "band"),
    signature=("sourceId", "ra", "dec"),
    without=("star", "objectId", "zeroPoint"),
)
