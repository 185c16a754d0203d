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

"""Jobs as a worker sees them: taken, reported on, let go of.

Any number of workers may share a database; what a worker writes about a job
counts only as long as it has that job in hand.
"""

from __future__ import annotations

__all__ = ["Hand", "Orders", "Quanta"]

import datetime
import enum
import json
import os
import socket
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from .database import insert, tables, writing
from .job_lines import storable, write_lines
from .job_records import IN_HAND, Job, job_of, utc_now

_MOST_TEXT = 4000


class Quanta(NamedTuple):
    """How far a pipeline is: numbers of its quanta, or `None`."""

    total: int | None = None
    done: int | None = None
    failed: int | None = None


class Orders(enum.Enum):
    """What a worker is to do with the job it has in hand."""

    GO_ON = "go on"
    CANCEL = "cancel"
    LET_GO = "let go"
    """Another has taken it, or it has ended: nothing more may be done."""


class Hand:
    """A worker's hand on the jobs of a database.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    definitions : `~collections.abc.Iterable` [`str`]
        Names of the jobs that the worker knows.
    lease : `float`, optional
        Seconds without a sign of life after which others may take what this
        worker has in hand.
    now : `~collections.abc.Callable`, optional
        Tells the time; UTC, without a zone.
    """

    def __init__(
        self,
        engine: sa.Engine,
        definitions: Iterable[str],
        lease: float = 60.0,
        now: Callable[[], datetime.datetime] = utc_now,
    ):
        self.lease = lease
        self.host = socket.gethostname()
        self.worker = f"{self.host[:20]}:{os.getpid()}:{uuid.uuid4().hex}"[:64]
        self.definitions = tuple(sorted(definitions))
        self._engine = engine
        self._now = now

    def wave(self) -> None:
        """Give a sign of life, whether there is a job in hand or not."""
        t, now = tables().worker, self._now()
        seen = {"heartbeat": now, "lease_until": self._lease_end(now)}
        row = {
            "worker": self.worker,
            "host": self.host,
            "started": now,
            "definitions": json.dumps(self.definitions),
            **seen,
        }
        with writing(self._engine) as connection:
            adding = insert(connection, t).values(row)
            connection.execute(adding.on_conflict_do_update(index_elements=[t.c.worker], set_=seen))

    def leave(self) -> None:
        """Take the worker, and those that are long gone, off the list."""
        t, now = tables().worker, self._now()
        gone = sa.or_(t.c.worker == self.worker, t.c.lease_until < now - datetime.timedelta(days=1))
        with writing(self._engine) as connection:
            connection.execute(sa.delete(t).where(gone))

    def take(self, name: str | None = None) -> Job | None:
        """Take a job in hand: the oldest that waits for a worker.

        Jobs that were left behind by workers without a sign of life are taken
        up again, or, if that was their last attempt, ended.

        Parameters
        ----------
        name : `str`, optional
            UUID of the only job to take.

        Returns
        -------
        job : `Job` or `None`
            The job, running; `None` if there is nothing to do.
        """
        t, now = tables().job, self._now()
        gone = sa.and_(t.c.state.in_(IN_HAND), t.c.lease_until < now)
        due = [sa.or_(t.c.state == "queued", gone), t.c.definition.in_(self.definitions)]
        if name is not None:
            due.append(t.c.uuid == name)
        chosen = sa.select(t).where(*due).order_by(t.c.job_id).limit(1).with_for_update(skip_locked=True)
        with writing(self._engine) as connection:
            _end_the_lost(connection, gone, now)
            found = connection.execute(chosen).first()
            if found is None:
                return None
            this = t.c.job_id == found.job_id
            taken = {
                "state": "following" if found.state == "following" else "running",
                "attempts": found.attempts + 1,
                "worker": self.worker,
                "host": self.host,
                "heartbeat": now,
                "lease_until": self._lease_end(now),
                "started": found.started or now,
            }
            connection.execute(sa.update(t).where(this).values(taken))
            return job_of(connection.execute(sa.select(t).where(this)).one(), now)

    def describe(self, job: Job, commands: Sequence[Mapping[str, Any]], repo: str, output: str) -> None:
        """Write down what is going to be run.

        Parameters
        ----------
        job : `Job`
            A job in hand.
        commands : `~collections.abc.Sequence`
            "step" and "command" of each step.
        repo, output : `str`
            The repository, and the RUN collection of the results.
        """
        values = {"commands": json.dumps([dict(one) for one in commands]), "repo": repo, "output": output}
        with writing(self._engine) as connection:
            connection.execute(self._mine(job).values(values))

    def begin(self, job: Job, step: str, state: str) -> None:
        """Write down that a step begins.

        Parameters
        ----------
        job : `Job`
            A job in hand.
        step : `str`
            Name of the step.
        state : `str`
            "running" or "following".
        """
        with writing(self._engine) as connection:
            connection.execute(self._mine(job).values(step=step, state=state))

    def report(self, job: Job, step: str, lines: Sequence[str] = (), quanta: Quanta | None = None) -> Orders:
        """Give a sign of life, and say what has happened since the last one.

        Parameters
        ----------
        job : `Job`
            A job in hand.
        step : `str`
            Name of the step.
        lines : `~collections.abc.Sequence` [`str`], optional
            What its command wrote.
        quanta : `Quanta`, optional
            How far the pipeline is, where that has changed.

        Returns
        -------
        orders : `Orders`
            What to do now.
        """
        t, now = tables().job, self._now()
        with writing(self._engine) as connection:
            alive: dict[str, Any] = {"heartbeat": now, "lease_until": self._lease_end(now)}
            of_mine = sa.update(tables().worker).where(tables().worker.c.worker == self.worker)
            connection.execute(of_mine.values(alive))
            if quanta is not None:
                alive.update({f"quanta_{field}": n for field, n in quanta._asdict().items()})
            if not connection.execute(self._mine(job).values(alive)).rowcount:
                return Orders.LET_GO
            if lines:
                write_lines(connection, job, step, lines, now)
            asked = connection.execute(sa.select(t.c.cancel_asked).where(t.c.job_id == job.job_id))
            return Orders.GO_ON if asked.scalar_one() is None else Orders.CANCEL

    def finish(self, job: Job, state: str, message: str, exit_code: int | None = None) -> bool:
        """Write down how a job ended, and let go of it.

        Parameters
        ----------
        job : `Job`
            A job in hand.
        state : `str`
            "succeeded", "failed" or "cancelled".
        message : `str`
            Why.
        exit_code : `int`, optional
            Of the last command.

        Returns
        -------
        counted : `bool`
            Whether it was still in hand.
        """
        values = {
            "state": state,
            "finished": self._now(),
            "message": storable(message)[:_MOST_TEXT],
            "exit_code": exit_code,
            "lease_until": None,
        }
        with writing(self._engine) as connection:
            return bool(connection.execute(self._mine(job).values(values)).rowcount)

    def hand_back(self, job: Job) -> None:
        """Let go of a job that another worker is to go on with.

        Parameters
        ----------
        job : `Job`
            A job in hand; this attempt does not count.
        """
        waiting = {"state": "queued", "lease_until": None, "attempts": tables().job.c.attempts - 1}
        with writing(self._engine) as connection:
            connection.execute(self._mine(job).values(waiting))

    def _mine(self, job: Job) -> sa.Update:
        t = tables().job
        return sa.update(t).where(
            t.c.job_id == job.job_id,
            t.c.worker == self.worker,
            t.c.attempts == job.attempts,
            t.c.state.in_(IN_HAND),
        )

    def _lease_end(self, now: datetime.datetime) -> datetime.datetime:
        return now + datetime.timedelta(seconds=self.lease)


def _end_the_lost(connection: sa.Connection, gone: sa.ColumnElement[bool], now: datetime.datetime) -> None:
    """End jobs whose worker is gone and that nobody is to take up again."""
    t = tables().job
    # Without waiting for rows that another worker is looking at.
    chosen = sa.select(t.c.job_id).where(gone).order_by(t.c.job_id).with_for_update(skip_locked=True)
    lost = sa.update(t).where(t.c.job_id.in_(list(connection.execute(chosen).scalars())))
    called_off = {
        "state": "cancelled",
        "finished": now,
        "message": "It was cancelled, and its worker gave no sign of life.",
    }
    given_up = {
        "state": "lost",
        "finished": now,
        "message": "Its worker gave no sign of life, and it was its last attempt.",
    }
    connection.execute(lost.where(t.c.cancel_asked.is_not(None)).values(called_off))
    given_up_now = lost.where(t.c.finished.is_(None), t.c.attempts >= t.c.max_attempts)
    connection.execute(given_up_now.values(given_up))
