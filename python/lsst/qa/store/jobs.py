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

"""Jobs as everybody sees them: asked for, looked at, called off."""

from __future__ import annotations

__all__ = [
    "ENDED",
    "STATES",
    "Job",
    "LogPiece",
    "WorkerInfo",
    "add_job",
    "cancel_job",
    "get_job",
    "job_log",
    "list_jobs",
    "list_workers",
]

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from ..errors import InputError, UnknownNameError
from .database import tables, writing
from .job_records import ENDED, STATES, Job, LogPiece, WorkerInfo, job_of, state_at, utc_now

_SUGGESTED_FROM = 200

_DIGITS = 10
"""Digits of a job's identifier in its name: they tell jobs of the same second
apart, of which two had the same six once.
"""


def add_job(
    engine: sa.Engine,
    definition: str,
    parameters: Mapping[str, Any],
    user: str | None,
    max_attempts: int,
) -> Job:
    """Write down that a job is to be done.

    Nothing is checked here: `lsst.qa.jobs.submit` is what users are given.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    definition : `str`
        Name of the declared job.
    parameters : `~collections.abc.Mapping` [`str`, `object`]
        Values of its parameters, of types that JSON has.
    user : `str` or `None`
        Who asks for it.
    max_attempts : `int`
        How many workers may take it, one after the other.

    Returns
    -------
    job : `Job`
        The job, queued.
    """
    now, identifier = utc_now(), uuid.uuid4()
    row = {
        "uuid": str(identifier),
        "name": f"{definition}-{now:%Y%m%dT%H%M%SZ}-{identifier.hex[:_DIGITS]}",
        "definition": definition,
        "parameters": json.dumps(dict(parameters), sort_keys=True),
        "submitted_by": user,
        "submitted": now,
        "state": "queued",
        "attempts": 0,
        "max_attempts": max_attempts,
        "log_lines": 0,
        "log_pieces": 0,
        "log_size": 0,
    }
    with writing(engine) as connection:
        connection.execute(sa.insert(tables().job), row)
    return get_job(engine, str(identifier))


def get_job(engine: sa.Engine, name: str) -> Job:
    """Look a job up.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    name : `str`
        Its UUID or its readable name.

    Returns
    -------
    job : `Job`
        The job as it is now.

    Raises
    ------
    UnknownNameError
        Raised if there is none.
    """
    t = tables().job
    with engine.connect() as connection:
        found = connection.execute(sa.select(t).where(sa.or_(t.c.uuid == name, t.c.name == name))).first()
        if found is None:
            latest = sa.select(t.c.name).order_by(t.c.job_id.desc()).limit(_SUGGESTED_FROM)
            raise UnknownNameError("job", name, connection.execute(latest).scalars())
    return job_of(found, utc_now())


def list_jobs(
    engine: sa.Engine,
    *,
    states: Sequence[str] = (),
    definition: str | None = None,
    limit: int = 50,
    before: int | None = None,
) -> list[Job]:
    """List jobs, the latest first.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    states : `~collections.abc.Sequence` [`str`], optional
        Only jobs in one of these; all if empty.
    definition : `str`, optional
        Only jobs of this declaration.
    limit : `int`, optional
        The most jobs to return.
    before : `int`, optional
        Continue a list: only jobs with a ``job_id`` below this.

    Returns
    -------
    jobs : `list` [`Job`]
        The jobs.

    Raises
    ------
    InputError
        Raised if a state is none.
    """
    if unknown := sorted(set(states) - set(STATES)):
        raise InputError(f"A job is never {', '.join(unknown)}: expected {', '.join(STATES)}.")
    t, now = tables().job, utc_now()
    chosen = sa.select(t).order_by(t.c.job_id.desc()).limit(limit)
    if states:
        chosen = chosen.where(state_at(now).in_(states))
    if definition is not None:
        chosen = chosen.where(t.c.definition == definition)
    if before is not None:
        chosen = chosen.where(t.c.job_id < before)
    with engine.connect() as connection:
        return [job_of(row, now) for row in connection.execute(chosen)]


def cancel_job(engine: sa.Engine, name: str, user: str | None) -> Job:
    """Ask for a job to be stopped; one that no worker has ends at once.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    name : `str`
        Its UUID or its readable name.
    user : `str` or `None`
        Who asks.

    Returns
    -------
    job : `Job`
        The job; a worker that has it in hand stops it some seconds later, one
        that has ended stays as it is.

    Raises
    ------
    UnknownNameError
        Raised if there is none.
    """
    job = get_job(engine, name)
    t, now = tables().job, utc_now()
    open_ = sa.update(t).where(t.c.job_id == job.job_id, t.c.finished.is_(None))
    asked = {"cancel_asked": sa.func.coalesce(t.c.cancel_asked, now), "cancelled_by": user}
    idle = sa.or_(t.c.state == "queued", t.c.lease_until < now)
    ended = {"state": "cancelled", "finished": now, "message": "It was cancelled while no worker had it."}
    with writing(engine) as connection:
        connection.execute(open_.where(t.c.cancel_asked.is_(None)).values(asked))
        connection.execute(open_.where(idle).values(ended))
    return get_job(engine, job.uuid)


def job_log(
    engine: sa.Engine, name: str, *, after: int = -1, last: int | None = None, limit: int = 1000
) -> list[LogPiece]:
    """Read the log of a job, as far as it was written.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    name : `str`
        UUID or readable name of the job.
    after : `int`, optional
        Only pieces after this one: to go on with a log.
    last : `int`, optional
        Only so many pieces from the end.
    limit : `int`, optional
        The most pieces to return.

    Returns
    -------
    pieces : `list` [`LogPiece`]
        In order.

    Raises
    ------
    UnknownNameError
        Raised if there is no such job.
    """
    t, job = tables().job_log, get_job(engine, name)
    columns = [t.c[field] for field in LogPiece._fields]
    chosen = sa.select(*columns).where(t.c.job_id == job.job_id, t.c.piece > after)
    backwards = last is not None
    chosen = chosen.order_by(t.c.piece.desc() if backwards else t.c.piece)
    with engine.connect() as connection:
        rows = connection.execute(chosen.limit(limit if last is None else min(last, limit))).all()
    pieces = [LogPiece(*row) for row in rows]
    return pieces[::-1] if backwards else pieces


def list_workers(engine: sa.Engine) -> list[WorkerInfo]:
    """List the workers that give signs of life.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.

    Returns
    -------
    workers : `list` [`WorkerInfo`]
        The longest at work first; without any, jobs stay queued.
    """
    t = tables().worker
    columns = [t.c[field] for field in WorkerInfo._fields]
    chosen = sa.select(*columns).where(t.c.lease_until >= utc_now()).order_by(t.c.started, t.c.worker)
    with engine.connect() as connection:
        found = [WorkerInfo(**row._mapping) for row in connection.execute(chosen)]
    return [one._replace(definitions=tuple(json.loads(str(one.definitions)))) for one in found]
