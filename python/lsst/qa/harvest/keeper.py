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

__all__ = ["Keeper", "Kept", "clean"]

import datetime
from collections.abc import Mapping
from typing import Any, NamedTuple

from .policy import Policy


class Kept(NamedTuple):
    """A record that is kept: columns of the table of log records."""

    level: int
    attempt: int
    record_number: int
    time: datetime.datetime | None
    logger: str
    place: str | None
    message: str
    exception: str | None


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
        self._held: list[Kept] = []
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
        file, line = record.get("filename"), record.get("lineno")
        self._held.append(
            Kept(
                level,
                self._attempt,
                number,
                time,
                clean(record.get("name") or ""),
                f"{clean(file)}:{line}" if file else None,
                # One more than may be kept tells that there is more.
                clean(record["message"])[: self._policy.message + 1],
                clean(record.get("exc_info") or "")[-self._policy.exception - 1 :] or None,
            )
        )
        if len(self._held) >= 2 * self._policy.most_records:
            self._cut()

    def add_unreadable(self) -> None:
        """Count a record that cannot be read."""
        self.add(None)

    def records(self, attempts: int = 1) -> list[Kept]:
        """Return what is kept, in order.

        Parameters
        ----------
        attempts : `int`, optional
            Number of attempts, which is the number of the last one.

        Returns
        -------
        records : `list` [`Kept`]
            The records.
        """
        self._cut()
        self._held.sort(key=lambda kept: kept[1:3])
        return [self._final(kept, attempts) for kept in self._held]

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

    def _final(self, kept: Kept, attempts: int) -> Kept:
        message, exception = kept.message, kept.exception or ""
        most, longest = self._policy.message, self._policy.exception
        if len(message) > most or len(exception) > longest:
            self.n_shortened += 1
            message, exception = message[:most], exception[-longest:]
        return kept._replace(attempt=attempts + kept.attempt, message=message, exception=exception or None)

    def _cut(self) -> None:
        most = self._policy.most_records
        if len(self._held) > most:
            self._held.sort(key=lambda held: held[:3], reverse=True)
            self.n_over += len(self._held) - most
            del self._held[most:]


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
    if time.tzinfo not in (None, datetime.UTC):
        time = time.astimezone(datetime.UTC)
    return time.replace(tzinfo=None)
