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

"""The table whose row is a visit in a band, with what was measured of it."""

from __future__ import annotations

__all__ = ["VISIT_VALUES"]

from .kinds import Column, Table
from .shared import BAND, VISIT, named, real

VISIT_VALUES = Table(
    "visit_values",
    "A visit in a band, with its values of other metrics, by their names.",
    named(
        VISIT,
        BAND,
        Column("physical_filter", "text"),
        real("TE3", ""),
        real("TE4", ""),
        *(real(f"{name}.{part}", "") for name in ("TE3", "TE4") for part in ("E1", "E2", "Ex")),
        real("m5", "mag"),
        real("seeing", "arcsec"),
    ),
    split=("band",),
    signature=("visit", "band", "m5", "seeing"),
    without=("star", "sourceId", "zeroPoint"),
)
