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

"""What is known of jobs, their logs and their workers."""

from __future__ import annotations

__all__ = [
    "ENDED",
    "IN_HAND",
    "STATES",
    "Job",
    "LogPiece",
    "WorkerInfo",
    "job_of",
    "state_at",
    "utc_now",
]

import dataclasses
import datetime
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from .database import tables

STATES = ("queued", "running", "following", "succeeded", "failed", "cancelled", "lost")
"""queued: it waits for a worker. running: its pipeline runs. following: what
comes after the pipeline is done. succeeded, failed, cancelled: it has ended.
lost: its worker gives no sign of life; another takes it up while it has
attempts left, else that is the end of it."""

ENDED = ("succeeded", "failed", "cancelled")
"""States that are always the last one."""

IN_HAND = ("running", "following")
"""States in which a worker has a job in hand."""


@dataclasses.dataclass(frozen=True)
class Job:
    """A job; all times are UTC, without a zone.

    Attributes
    ----------
    job_id : `int`
        Number of the job in this database; later ones are larger.
    uuid, name : `str`
        Its identifier, and the readable one.
    definition : `str`
        Name of the declared job.
    parameters : `dict` [`str`, `object`]
        Values that were given.
    submitted_by : `str` or `None`
        Who asked for it.
    submitted, started, finished : `datetime.datetime` or `None`
        When it was asked for, first taken, and ended.
    state : `str`
        One of `STATES`.
    cancel_asked : `datetime.datetime` or `None`
        When somebody asked to stop it.
    cancelled_by : `str` or `None`
        Who did.
    attempts, max_attempts : `int`
        How many workers took it, and how many may.
    worker, host : `str` or `None`
        The worker that has it in hand or had, and where that is.
    heartbeat : `datetime.datetime` or `None`
        Last sign of life from that worker.
    step : `str` or `None`
        The step that is being done, or was last.
    commands : `tuple` [`dict` [`str`, `object`], ...]
        "step" and "command", a list of words, of each step; empty before a
        worker took it.
    repo, output : `str` or `None`
        The repository, and the RUN collection of the results; known once a
        worker took it.
    quanta_total, quanta_done, quanta_failed : `int` or `None`
        Quanta of the pipeline; `None` as long as they are not known.
    exit_code : `int` or `None`
        Of the last command; below 0 for the signal that ended it.
    message : `str` or `None`
        Why it ended as it did.
    log_lines : `int`
        Number of lines that its commands wrote.
    log_pieces : `int`
        Number of pieces that they were written down in.
    """

    job_id: int
    uuid: str
    name: str
    definition: str
    parameters: Mapping[str, Any]
    submitted_by: str | None
    submitted: datetime.datetime
    started: datetime.datetime | None
    finished: datetime.datetime | None
    state: str
    cancel_asked: datetime.datetime | None
    cancelled_by: str | None
    attempts: int
    max_attempts: int
    worker: str | None
    host: str | None
    heartbeat: datetime.datetime | None
    step: str | None
    commands: tuple[Mapping[str, Any], ...]
    repo: str | None
    output: str | None
    quanta_total: int | None
    quanta_done: int | None
    quanta_failed: int | None
    exit_code: int | None
    message: str | None
    log_lines: int
    log_pieces: int

    def plain(self) -> dict[str, Any]:
        """Return it as JSON has it.

        Returns
        -------
        plain : `dict` [`str`, `object`]
            By field; times as text in ISO 8601, with a Z.
        """
        return {
            name: f"{value.isoformat()}Z" if isinstance(value, datetime.datetime) else value
            for name, value in dataclasses.asdict(self).items()
        }

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.finished is not None


class LogPiece(NamedTuple):
    """Some lines of a log.

    Attributes
    ----------
    piece : `int`
        Number of the piece, from 0; where numbers are missing, lines were
        left out because the log was too long.
    step : `str`
        The step whose command wrote them.
    written : `datetime.datetime`
        When they were written down; UTC, without a zone.
    first_line, n_lines : `int`
        Number of the first line, from 0, and how many they are.
    text : `str`
        The lines, each with its end.
    """

    piece: int
    step: str
    written: datetime.datetime
    first_line: int
    n_lines: int
    text: str


class WorkerInfo(NamedTuple):
    """A process that takes jobs.

    Attributes
    ----------
    worker, host : `str`
        Its identifier, and where it is.
    started, heartbeat : `datetime.datetime`
        When it began, and its last sign of life; UTC, without a zone.
    definitions : `tuple` [`str`, ...]
        Names of the jobs that it knows.
    """

    worker: str
    host: str
    started: datetime.datetime
    heartbeat: datetime.datetime
    definitions: tuple[str, ...]


def utc_now() -> datetime.datetime:
    """Return the time.

    Returns
    -------
    now : `datetime.datetime`
        UTC, without a zone.
    """
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


def state_at(now: datetime.datetime) -> sa.ColumnElement[str]:
    """Return the expression of a job's state, as it is at a time.

    Parameters
    ----------
    now : `datetime.datetime`
        UTC, without a zone.

    Returns
    -------
    state : `sqlalchemy.ColumnElement`
        One of `STATES`; a job whose worker gives no sign of life is lost,
        though nobody was there to write that down.
    """
    t = tables().job
    gone = sa.and_(t.c.state.in_(IN_HAND), t.c.lease_until < now)
    return sa.case((gone, "lost"), else_=t.c.state)


def job_of(row: sa.Row[Any], now: datetime.datetime) -> Job:
    """Return the job that a row of its table holds.

    Parameters
    ----------
    row : `sqlalchemy.Row`
        All columns.
    now : `datetime.datetime`
        UTC, without a zone.

    Returns
    -------
    job : `Job`
        The job, as it is at that time.
    """
    held = dict(row._mapping)
    if held["state"] in IN_HAND and held["lease_until"] < now:
        held["state"] = "lost"
    held["parameters"] = json.loads(held["parameters"])
    held["commands"] = tuple(json.loads(held["commands"] or "[]"))
    return Job(**{field.name: held[field.name] for field in dataclasses.fields(Job)})
