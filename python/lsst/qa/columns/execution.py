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

"""The tables of what quanta took, and of the numbers in their metadata."""

from __future__ import annotations

__all__ = ["EXECUTION_TABLES"]

import dataclasses

from .kinds import Column, Table
from .shared import BAND, VISIT, named, real

_TASK = Column("task", "text")
_INSTRUMENT = Column("instrument", "text")

EXECUTION_TABLES = (
    Table(
        "quantum",
        "A quantum that was run: what it took, and whether it failed.",
        named(
            _INSTRUMENT,
            _TASK,
            Column("failed", "flag", applied=False),
            real("wall", "s"),
            real("prep_cpu", "s"),
            real("init_cpu", "s"),
            real("run_cpu", "s"),
            real("memory", "byte"),
            real("memory_before", "byte"),
            real("memory_budget", "byte"),
        ),
        split=("instrument",),
        signature=("task", "failed", "wall", "memory"),
    ),
    Table(
        "task_metadata",
        "A number in the metadata of a quantum.",
        named(
            _TASK,
            Column("entry", "text"),
            real("number", ""),
            dataclasses.replace(VISIT, aliases=()),
            Column("exposure", "int"),
            Column("detector", "int"),
            Column("tract", "int"),
            Column("patch", "int"),
            BAND,
            Column("physical_filter", "text"),
        ),
        split=("visit", "exposure", "tract", "band", "physical_filter"),
        signature=("task", "entry", "number"),
    ),
)
"""The tables."""
