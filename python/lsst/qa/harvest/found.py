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

"""A quantum as it was found, and the rows of the database it becomes."""

from __future__ import annotations

__all__ = ["Found", "Rows", "data_id_words", "rows_of"]

import datetime
from collections.abc import Mapping
from typing import Any, NamedTuple

from lsst.pipe.base import QuantumSuccessCaveats

from ..results import DATA_ID
from .figures import Metadata, figures
from .keeper import Keeper, Kept, clean


class Found(NamedTuple):
    """A quantum as it was found.

    Attributes
    ----------
    task : `str`
        Label of its task.
    data_id : `~collections.abc.Mapping`
        Dimensions and values, those that imply the others first.
    words : `str`
        The data ID in words, see `data_id_words`.
    status : `str`
        One of `lsst.qa.store.execution.STATES`.
    attempts : `int`
        How often it was tried.
    metadata : `~collections.abc.Mapping` or `None`
        Metadata of its last attempt, where there are any.
    exception : `tuple` [`str`, `str`] or `None`
        Type and message of the exception of its last attempt.
    n_before : `int` or `None`
        Number of quanta that its process ran before.
    logs : `Keeper`
        Its log records.
    source : `str`
        Identifier of the dataset that it was found in.
    content_hash : `str`
        Of what was read, and of the policy.
    """

    task: str
    data_id: Mapping[str, Any]
    words: str
    status: str
    attempts: int
    metadata: Metadata | None
    exception: tuple[str, str] | None
    n_before: int | None
    logs: Keeper
    source: str
    content_hash: str


class Rows(NamedTuple):
    """Rows of the database.

    Attributes
    ----------
    quantum : `dict`
        Of the table of quanta, but for the run.
    records : `list` [`Kept`]
        Of the table of log records, but for the quantum.
    """

    quantum: dict[str, Any]
    records: list[Kept]


def data_id_words(required: Mapping[str, Any]) -> str:
    """Write a data ID as words.

    Parameters
    ----------
    required : `~collections.abc.Mapping`
        Values of the required dimensions, in their order.

    Returns
    -------
    words : `str`
        As in "instrument=HSC visit=1176 detector=4".
    """
    return " ".join(f"{name}={value}" for name, value in required.items())


def rows_of(found: Found, now: datetime.datetime) -> Rows:
    """Turn a quantum into rows of the database.

    Parameters
    ----------
    found : `Found`
        The quantum.
    now : `datetime.datetime`
        Time of the harvest; UTC, without a zone.

    Returns
    -------
    rows : `Rows`
        Without metadata, the times are those of the log.
    """
    taken = figures(found.metadata or {}, found.task)
    started, finished = taken.started or found.logs.first, taken.finished or found.logs.last
    exception = found.exception or taken.failure or ("", "")
    records = found.logs.records(found.attempts)
    quantum = {
        "task": found.task,
        "data_id": found.words,
        "status": found.status,
        "caveats": _caveats(taken.caveats),
        "attempts": found.attempts,
        "started": started,
        "finished": finished,
        "wall": (finished - started).total_seconds() if started and finished else None,
        "cpu": taken.cpu,
        "memory": taken.memory,
        "memory_before": taken.memory_before,
        "memory_budget": taken.memory_budget,
        "n_before": found.n_before,
        "host": None if taken.host is None else clean(taken.host),
        "exception_type": clean(exception[0]) or None,
        "exception_message": found.logs.shortened(exception[1]) or None,
        "n_records": found.logs.n_records,
        "n_below": found.logs.n_below,
        "n_over": found.logs.n_over,
        "n_shortened": found.logs.n_shortened,
        **{name: found.data_id.get(name) for name in ("band", *DATA_ID)},
        "source": found.source,
        "content_hash": found.content_hash,
        "harvested_at": now,
    }
    return Rows(quantum, records)


def _caveats(flags: int | None) -> str | None:
    known = [str(flag.name).lower() for flag in QuantumSuccessCaveats if (flags or 0) & flag.value]
    return " ".join(known) or None
