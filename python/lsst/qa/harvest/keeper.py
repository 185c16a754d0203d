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

"""Keeping log records within the bounds of a policy."""

from __future__ import annotations

__all__ = ["Keeper", "clean"]

import datetime
from collections.abc import Mapping
from typing import Any

from .policy import Policy

Record = dict[str, Any]


class Keeper:
    """Takes the records of a quantum's logs one by one, keeps some, counts
    all.

    Parameters
    ----------
    policy : `Policy`
        The bounds.

    Attributes
    ----------
    n_records, n_below, n_over, n_shortened : `int`
        Number of records: all; not kept because of their level; not kept
        because there are too many or they cannot be read; shortened.
    first, last : `datetime.datetime` or `None`
        Time of the first and last record of the last attempt.
    """

    def __init__(self, policy: Policy):
        self._policy = policy
        self._held: list[tuple[int, int, int, Mapping[str, Any]]] = []
        self._attempt, self._number = 0, 0
        self.n_records = self.n_below = self.n_over = self.n_shortened = 0
        self.first: datetime.datetime | None = None
        self.last: datetime.datetime | None = None

    def begin(self, attempt: int) -> None:
        """Begin with the records of another attempt.

        Parameters
        ----------
        attempt : `int`
            0 for the last attempt, which also is what comes first without
            this; -1 for the one before, and so on.
        """
        self._attempt, self._number = attempt, 0

    def add(self, record: Any) -> None:
        """Take a record.

        Parameters
        ----------
        record : `~collections.abc.Mapping`
            Fields of `lsst.daf.butler.logging.ButlerLogRecord`; anything
            else counts as not readable.
        """
        number, self._number = self._number, self._number + 1
        self.n_records += 1
        level = record.get("levelno") if isinstance(record, Mapping) else None
        if not isinstance(level, int) or "message" not in record:
            self.n_over += 1
            return
        time = _time(record.get("asctime"))
        if self._attempt == 0:
            self.first, self.last = self.first or time, time or self.last
        if level < self._policy.lowest:
            self.n_below += 1
            return
        self._held.append((level, self._attempt, number, record))
        if len(self._held) >= 2 * self._policy.most_records:
            self._cut()

    def add_unreadable(self) -> None:
        """Count a record that cannot be read."""
        self.add(None)

    def records(self, attempts: int = 1) -> list[Record]:
        """Return what is kept, in order.

        Parameters
        ----------
        attempts : `int`, optional
            Number of attempts, which is the number of the last one.

        Returns
        -------
        records : `list` [`dict`]
            Columns of the table of log records, but for the quantum.
        """
        self._cut()
        ordered = sorted(self._held, key=lambda held: held[1:3])
        return [self._row(level, attempts + age, number, raw) for level, age, number, raw in ordered]

    def shortened(self, text: Any) -> str:
        """Shorten a text that belongs to no record.

        Parameters
        ----------
        text : `typing.Any`
            What an exception says.

        Returns
        -------
        text : `str`
            Its beginning; counted like a record where that is not all.
        """
        whole = clean(text)
        self.n_shortened += len(whole) > self._policy.exception
        return whole[: self._policy.exception]

    def _cut(self) -> None:
        most = self._policy.most_records
        if len(self._held) > most:
            self._held.sort(key=lambda held: held[:3], reverse=True)
            self.n_over += len(self._held) - most
            del self._held[most:]

    def _row(self, level: int, attempt: int, number: int, record: Mapping[str, Any]) -> Record:
        message, exception = clean(record["message"]), clean(record.get("exc_info") or "")
        if len(message) > self._policy.message or len(exception) > self._policy.exception:
            self.n_shortened += 1
        file, line = record.get("filename"), record.get("lineno")
        return {
            "attempt": attempt,
            "record_number": number,
            "time": _time(record.get("asctime")),
            "level": level,
            "logger": clean(record.get("name") or ""),
            "place": f"{clean(file)}:{line}" if file else None,
            "message": message[: self._policy.message],
            "exception": exception[-self._policy.exception :] or None,
        }


def clean(text: Any) -> str:
    """Take out of a text what no database keeps.

    Parameters
    ----------
    text : `typing.Any`
        A text, or what is to be one.

    Returns
    -------
    text : `str`
        Without null characters and halves of surrogate pairs.
    """
    text = str(text)
    if text.isascii():
        return text.replace("\0", "")
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _time(value: Any) -> datetime.datetime | None:
    try:
        time = value if isinstance(value, datetime.datetime) else datetime.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return time.astimezone(datetime.UTC).replace(tzinfo=None) if time.tzinfo else time
