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

"""How far pipetask is, as its log tells."""

from __future__ import annotations

__all__ = ["Progress"]

import re

from ..store.work import Quanta

_EXECUTED = re.compile(r"Executed (\d+) quanta successfully, (\d+) failed and \d+ remain out of total (\d+)")
_PLANNED = re.compile(r"QuantumGraph contains (\d+|no) quant(?:a|um)\b")
_EARLIER = re.compile(r"\b(\d+) previously succeeded")


class Progress:
    """Counts quanta, from the lines that pipetask writes."""

    def __init__(self) -> None:
        self._earlier = 0
        self._counts: tuple[int, int, int] | None = None

    def hear(self, line: str) -> None:
        """Look at a line.

        Parameters
        ----------
        line : `str`
            A line of pipetask's log.
        """
        if match := _EXECUTED.search(line):
            done, failed, total = map(int, match.groups())
            self._counts = (total, done, failed)
        elif match := _PLANNED.search(line):
            self._counts = (0 if match[1] == "no" else int(match[1]), 0, 0)
        elif match := _EARLIER.search(line):
            self._earlier += int(match[1])

    @property
    def quanta(self) -> Quanta:
        """Numbers of quanta, those of an earlier attempt included."""
        if self._counts is None:
            return Quanta()
        total, done, failed = self._counts
        return Quanta(total + self._earlier, done + self._earlier, failed)

    @property
    def nothing_left(self) -> bool:
        """Whether an earlier attempt had done all."""
        return self._counts == (0, 0, 0) and self._earlier > 0

    @property
    def all_tried(self) -> bool:
        """Whether each quantum has succeeded or failed."""
        total, done, failed = self.quanta
        return bool(total) and total == (done or 0) + (failed or 0)
