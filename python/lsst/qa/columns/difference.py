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

"""Tables of difference imaging: sources, and fakes with what was found of
them.
"""

from __future__ import annotations

__all__ = ["DIFFERENCE_TABLES"]

from . import derived
from .kinds import Column, Derived, Table
from .shared import BAND, DETECTOR, SKY, VISIT, flag, named, pixel_flag, real

UNUSABLE = ("bad", "saturatedCenter", "interpolatedCenter", "edge", "nodata")
"""Flags about the pixels that a good source has none of."""

# Ids that need not be there are null or 0 then. Only whether there is one is
# asked of them, so that they may be numbers of any kind here.
DIA_SOURCE = Table(
    "dia_source",
    "A detection in a difference image.",
    named(
        Column("diaSourceId", "int", "", ("id",)),
        VISIT,
        DETECTOR,
        BAND,
        *SKY,
        real("diaObjectId", ""),
        real("ssObjectId", ""),
        real("psfFlux", "nJy"),
        real("psfFluxErr", "nJy"),
        real("snr", "", derived=(Derived(derived.ratio, ("psfFlux", "psfFluxErr")),)),
        real("reliability", ""),
        Column(
            "good",
            "flag",
            derived=(Derived(derived.none_of, tuple(f"pixelFlags_{name}" for name in UNUSABLE)),),
            applied=True,
        ),
        flag("isDipole"),
        flag("isNegative", "is_negative"),
        flag("psfFlux_flag"),
        flag("centroid_flag"),
        *map(
            pixel_flag,
            (
                *UNUSABLE,
                "cr",
                "crCenter",
                "injected",
                "interpolated",
                "saturated",
                "streak",
                "streakCenter",
                "suspect",
            ),
        ),
    ),
    split=("band",),
    signature=("diaObjectId", "ssObjectId"),
    without=("dist_diaSrc", "isAssocDiaSource"),
)

DIA_FAKE = Table(
    "dia_fake",
    "A source that was injected into an image, and the detection in the difference image that is it.",
    named(
        Column("injection_id", "int", "", ("fakeId",)),
        VISIT,
        DETECTOR,
        BAND,
        *SKY,
        real("diaSourceId", ""),
        real("dist_diaSrc", "arcsec"),
        flag("isAssocDiaSource", applied=True),
        real("mag", "mag"),
        real("snr", "", "forced_base_PsfFlux_instFlux_SNR"),
        Column(
            "usable",
            "flag",
            derived=(
                Derived(
                    derived.none_of,
                    ("forced_bad", "forced_interpolated", "forced_edgeCenter", "forced_background"),
                ),
            ),
            applied=True,
        ),
        *(
            flag(f"forced_{name}", f"forced_base_PixelFlags_flag_{name}")
            for name in ("bad", "interpolated", "edgeCenter")
        ),
        flag("forced_background", "forced_base_LocalBackground_flag"),
    ),
    split=("band",),
    signature=("diaSourceId", "dist_diaSrc"),
)

DIFFERENCE_TABLES = (DIA_SOURCE, DIA_FAKE)
