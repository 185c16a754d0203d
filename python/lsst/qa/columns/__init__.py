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

"""The input tables: each column's name, kind, unit, and its names in older
releases.

A metric names a column once, by the name it has here; `lsst.qa.resolution`
finds it in a table of whichever release, under another name, in another unit,
or computed from others.
"""

from __future__ import annotations

__all__ = [
    "ANY_BAND",
    "BANDS",
    "BAND_PREFIX",
    "OBS_MJD",
    "TABLES",
    "Column",
    "Derived",
    "Table",
]

from .coadds import COADD_TABLES
from .difference import DIFFERENCE_TABLES
from .execution import EXECUTION_TABLES
from .kinds import ANY_BAND, BAND_PREFIX, BANDS, OBS_MJD, Column, Derived, Table
from .objects import OBJECT
from .reference import OBJECT_REFERENCE, SOURCE_REFERENCE
from .sources import MATCHED, SOURCE
from .summaries import VISIT_SUMMARY
from .truth import TRUTH_MATCH
from .visit_values import VISIT_VALUES

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        MATCHED,
        SOURCE,
        OBJECT,
        VISIT_SUMMARY,
        *COADD_TABLES,
        *DIFFERENCE_TABLES,
        VISIT_VALUES,
        SOURCE_REFERENCE,
        OBJECT_REFERENCE,
        TRUTH_MATCH,
        *EXECUTION_TABLES,
    )
}
"""The kinds of input tables, by name."""
