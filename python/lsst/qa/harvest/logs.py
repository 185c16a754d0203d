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

"""Reading the log of a quantum, in any of the forms that it is stored in."""

from __future__ import annotations

__all__ = ["LogEnd", "read_log"]

import json
from collections.abc import Mapping
from typing import IO, Any, NamedTuple

from lsst.daf.butler.logging import ButlerLogRecords

from ..errors import InputError
from .figures import Metadata
from .keeper import Keeper
from .policy import Policy

_EXTRA = ButlerLogRecords.STREAMING_EXTRA_DELIMITER.encode()


class LogEnd(NamedTuple):
    """What stands beside the records of a log.

    Attributes
    ----------
    attempts : `int`
        How often the quantum was tried.
    metadata : `~collections.abc.Mapping` or `None`
        Metadata of a quantum that failed.
    exception : `tuple` [`str`, `str`] or `None`
        Type and message of the exception that it failed with.
    n_before : `int` or `None`
        Number of quanta that its process ran before, if the log says so.
    """

    attempts: int
    metadata: Metadata | None
    exception: tuple[str, str] | None
    n_before: int | None


def read_log(stream: IO[bytes], size: int, keeper: Keeper, policy: Policy) -> LogEnd:
    """Read a log.

    Parameters
    ----------
    stream : `typing.IO`
        Its bytes: a JSON object or array, or an object a line with perhaps
        one for the whole at the end. The latter is read line by line.
    size : `int`
        Number of bytes.
    keeper : `Keeper`
        Takes the records of all attempts.
    policy : `Policy`
        Bounds.

    Returns
    -------
    end : `LogEnd`
        The rest.

    Raises
    ------
    InputError
        Raised if it is no log, or larger than the policy allows; the keeper
        has taken what could be read.
    """
    first = stream.readline(32)
    if not first.strip():
        return LogEnd(1, None, None, None)
    whole = first.startswith((b"[", b'{"extended"', b"{\n"))
    if not whole:
        return _read_lines(stream, first + (b"" if first.endswith(b"\n") else stream.readline()), keeper)
    if size > policy.most_bytes:
        raise InputError(f"it has {size} bytes and must be read at once, which the policy does not allow")
    return _read_object(_parsed(first + stream.read()), keeper)


def _read_object(log: Any, keeper: Keeper) -> LogEnd:
    if isinstance(log, list):
        log = {"records": log}
    elif isinstance(log, Mapping) and "records" not in log and "levelno" in log:
        log = {"records": [log]}
    if not isinstance(log, Mapping) or not isinstance(log.get("records"), list):
        raise InputError("it is no log: expected records")
    end = _end(log, keeper) if "extended" in log else LogEnd(1, None, None, None)
    for record in log["records"]:
        keeper.add(record)
    return end


def _read_lines(stream: IO[bytes], first: bytes, keeper: Keeper) -> LogEnd:
    line, broken = first, 0
    while line and not line.startswith(_EXTRA):
        if text := line.strip():
            try:
                keeper.add(json.loads(text))
            except ValueError:
                keeper.add_unreadable()
                broken += 1
        line = stream.readline()
    rest = stream.read().strip() if line else b""
    end = _end(_parsed(rest), keeper) if rest else LogEnd(1, None, None, 0 if line else None)
    if broken:
        raise InputError(f"{broken} of its lines are not JSON")
    return end


def _end(extra: Any, keeper: Keeper) -> LogEnd:
    """Read what stands beside the records, and those of earlier attempts."""
    if not isinstance(extra, Mapping):
        raise InputError("what stands beside its records is no object")
    earlier = [past for past in extra.get("previous_attempts") or () if isinstance(past, Mapping)]
    for place, past in enumerate(earlier):
        keeper.begin(place - len(earlier))
        for record in past.get("logs") or ():
            keeper.add(record)
    keeper.begin(0)
    raised = extra.get("exception")
    return LogEnd(
        1 + len(earlier),
        extra.get("metadata"),
        (str(raised.get("type_name")), str(raised.get("message"))) if isinstance(raised, Mapping) else None,
        len(extra.get("previous_process_quanta") or ()),
    )


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"it is not JSON: {error}") from error
