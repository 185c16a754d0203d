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

"""A target that only remembers, for tests and for trying things out."""

from __future__ import annotations

__all__ = ["RecordingTarget"]

from collections.abc import Callable, Collection, Iterator, Sequence

from ..record import Record
from .base import Reading, Reply, Target, acknowledged, by_topic


class RecordingTarget(Target):
    """Keeps what it is sent, and can be told to misbehave.

    Parameters
    ----------
    name : `str`, optional
        What it is called.
    before : `~collections.abc.Callable`, optional
        Is called with the records of each request first; what it raises is
        raised, and replies that it returns replace the target's own.
    most : `int`, optional
        The most records in a request.
    """

    readable = True

    def __init__(
        self,
        name: str = "recording://",
        before: Callable[[Sequence[Record]], list[Reply] | None] | None = None,
        most: int = 1000,
    ):
        super().__init__(name)
        self.sent: list[Record] = []
        self.n_requests = 0
        self._before = before
        self._most = most

    def requests(self, records: Sequence[Record]) -> Iterator[Sequence[Record]]:
        return by_topic(records, self._most)

    def send(self, records: Sequence[Record]) -> list[Reply]:
        self.n_requests += 1
        replies = self._before(records) if self._before else None
        replies = acknowledged(records, "memory") if replies is None else replies
        self.sent += [r for r, reply in zip(records, replies, strict=True) if reply.state == "acknowledged"]
        return replies

    def readings(self, topics: Collection[str], runs: Collection[str]) -> Iterator[Reading]:
        for record in self.sent:
            if record.topic in topics:
                yield Reading.of(record.value)
