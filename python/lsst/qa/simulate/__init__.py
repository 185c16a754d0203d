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

"""A survey of which everything is known: stars, galaxies, visits, noise, and
the true value of every metric.

What a survey holds follows from its seed alone. A visit's table does not
depend on how many visits there are, a star not on how many stars, and a piece
of a table not on where it was cut.
"""

from .cadence import visit_ids
from .matched import matched_rows, write_matched
from .objects import object_pieces, objects
from .repository import Written, planned, write_repository
from .sources import sources
from .summary import visit_detector_table, visit_summary, visit_table
from .survey import Survey
from .truth import Truth, truth
from .visits import Visit, observe

__all__ = [
    "Survey",
    "Truth",
    "Visit",
    "Written",
    "matched_rows",
    "object_pieces",
    "objects",
    "observe",
    "planned",
    "sources",
    "truth",
    "visit_detector_table",
    "visit_ids",
    "visit_summary",
    "visit_table",
    "write_matched",
    "write_repository",
]
