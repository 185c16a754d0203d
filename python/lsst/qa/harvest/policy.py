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

"""What is kept of the logs of quanta."""

from __future__ import annotations

__all__ = ["Policy"]

import dataclasses

from ..errors import InputError
from ..store.execution import LEVELS

_LONGEST = 200_000  # PostgreSQL makes no text search vector of a megabyte


@dataclasses.dataclass(frozen=True)
class Policy:
    """Bounds on what a harvest keeps; what they cut is counted.

    Attributes
    ----------
    level : `str`
        The lowest level of a record that is kept, of
        `lsst.qa.store.execution.LEVELS`.
    most_records : `int`
        The most records of a quantum: the most severe, and of those of one
        level the latest.
    message : `int`
        The most characters of a message; its beginning is kept.
    exception : `int`
        The most characters of a traceback; its end is kept.
    most_bytes : `int`
        A file that has to be read at once is not read if it is larger.
    """

    level: str = "INFO"
    most_records: int = 1000
    message: int = 4000
    exception: int = 20_000
    most_bytes: int = 1 << 26

    def __post_init__(self) -> None:
        faults = [
            f"{field.name} is {getattr(self, field.name)}, which is not at least 1"
            for field in dataclasses.fields(self)
            if field.name != "level" and getattr(self, field.name) < 1
        ]
        faults += [
            f"{name} is {getattr(self, name)}, which is more than {_LONGEST}"
            for name in ("message", "exception")
            if getattr(self, name) > _LONGEST
        ]
        if self.level not in LEVELS:
            faults.append(f"there is no level {self.level!r}, only {', '.join(LEVELS)}")
        if faults:
            raise InputError(f"Logs cannot be kept so: {'; '.join(faults)}.")

    @property
    def lowest(self) -> int:
        """The lowest level as a number."""
        return LEVELS[self.level]
