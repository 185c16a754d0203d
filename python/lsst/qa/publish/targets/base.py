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

"""What every place to publish to can do."""

from __future__ import annotations

__all__ = ["Reading", "Reply", "Target", "acknowledged", "by_topic"]

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Self

from ...errors import TargetError
from ...readers.definitions import Definition
from ..checking import faults
from ..record import Record


class Reply(NamedTuple):
    """What a target says about a record.

    Attributes
    ----------
    state : `str`
        acknowledged; failed, where another attempt may succeed; or dead,
        where none would.
    detail : `str`
        Where the record landed, or why it did not.
    """

    state: Literal["acknowledged", "failed", "dead"]
    detail: str = ""


class Reading(NamedTuple):
    """What a target holds of a measurement.

    Attributes
    ----------
    key : `str`
        Identifier of the measurement.
    value, error : `float` or `None`
        As they are there.
    status : `str`
        As it is there.
    """

    key: str
    value: float | None
    error: float | None
    status: str

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Self:
        """Return what a target should hold of a record.

        Parameters
        ----------
        value : `~collections.abc.Mapping`
            Fields of the record.

        Returns
        -------
        reading : `Reading`
            The same once it has been read back.
        """
        return cls(value["record_id"], value["value"], value["error"], value["status"])


class Target(ABC):
    """A place that records are sent to.

    A target does one attempt at a time and reports what happened; when to
    try again, and what to remember, is not its business.

    Parameters
    ----------
    name : `str`
        URL by which the target is known, with nothing secret in it.
    """

    readable = False
    """Whether `readings` works."""

    overwrites = True
    """Whether a record that is sent again takes the place of the first; if
    not, `held` is asked before."""

    def __init__(self, name: str):
        self.name = name
        self.definitions: Mapping[str, Definition] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def close(self) -> None:  # noqa: B027 (most have nothing to close)
        """Let go of connections and files."""

    def introduce(self, repo: str, collection: str, definitions: Mapping[str, Definition]) -> None:
        """Say where the records that are to come are from.

        Parameters
        ----------
        repo, collection : `str`
            Where they were found; "" if that is not known.
        definitions : `~collections.abc.Mapping` [`str`, `Definition`]
            Metrics of other packages by name, for schemas and tables.
        """
        self.definitions = definitions

    def requests(self, records: Sequence[Record]) -> Iterator[Sequence[Record]]:
        """Divide records into the requests that the target takes.

        Parameters
        ----------
        records : `~collections.abc.Sequence` [`Record`]
            Records of complete datasets, one dataset after the other.

        Yields
        ------
        request : `~collections.abc.Sequence` [`Record`]
            What `send` takes.
        """
        if records:
            yield records

    @abstractmethod
    def send(self, records: Sequence[Record]) -> list[Reply]:
        """Attempt one request.

        Parameters
        ----------
        records : `~collections.abc.Sequence` [`Record`]
            One of `requests`, or a part of it.

        Returns
        -------
        replies : `list` [`Reply`]
            One per record, in their order.

        Raises
        ------
        TargetDownError
            Raised if the target does not answer, or asks to wait.
        TargetRefusedError
            Raised if it refuses who asks.
        RejectedError
            Raised if it rejects the request as a whole.
        """

    def faults(self, records: Sequence[Record]) -> dict[int, str]:
        """Find the records that must not be sent.

        Parameters
        ----------
        records : `~collections.abc.Sequence` [`Record`]
            All records of a dataset.

        Returns
        -------
        faults : `dict` [`int`, `str`]
            All that is wrong with a record, by its place in the sequence.
        """
        return faults(records)

    def held(self, records: Sequence[Record]) -> Collection[str]:
        """Tell which records the target holds already.

        Parameters
        ----------
        records : `~collections.abc.Sequence` [`Record`]
            Records that may have been sent before, by others too.

        Returns
        -------
        keys : `~collections.abc.Collection` [`str`]
            Keys of those that it holds; only asked of a target that does
            not overwrite.
        """
        return ()

    def readings(self, topics: Collection[str], runs: Collection[str]) -> Iterator[Reading]:
        """Read back what the target holds.

        Parameters
        ----------
        topics, runs : `~collections.abc.Collection` [`str`]
            Topics and runs wanted; more may come.

        Yields
        ------
        reading : `Reading`
            One per record and time that it is held.

        Raises
        ------
        TargetError
            Raised if the target cannot be read back.
        """
        raise TargetError(f"{self.name} cannot be read back.")


def acknowledged(records: Sequence[Record], where: str) -> list[Reply]:
    """Say that all records landed in the same place.

    Parameters
    ----------
    records : `~collections.abc.Sequence` [`Record`]
        The records.
    where : `str`
        The place.

    Returns
    -------
    replies : `list` [`Reply`]
        One per record.
    """
    return [Reply("acknowledged", where)] * len(records)


def by_topic(records: Sequence[Record], most: int) -> Iterator[Sequence[Record]]:
    """Divide records by topic, and where there are many.

    Parameters
    ----------
    records : `~collections.abc.Sequence` [`Record`]
        The records.
    most : `int`
        The most that go together.

    Yields
    ------
    request : `~collections.abc.Sequence` [`Record`]
        Records of one topic.
    """
    topics: dict[str, list[Record]] = {}
    for record in records:
        topics.setdefault(record.topic, []).append(record)
    for _, found in sorted(topics.items()):
        for start in range(0, len(found), most):
            yield found[start : start + most]
