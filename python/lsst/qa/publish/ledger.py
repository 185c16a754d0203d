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

"""What became of each dataset at each target: a table of the metrics database
that uploaders share.
"""

from __future__ import annotations

__all__ = ["Ledger", "publication"]

import datetime
import json
import os
import socket
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from ..store.database import insert, tables, writing
from ..store.job_records import utc_now
from ..store.letters import STATES
from .entries import Entry, Planned, Settled

_CHUNK = 400  # well below the number of parameters that a statement may have


def publication() -> sa.Table:
    """Return the ledger's table, for statements on an engine of
    `lsst.qa.store.database.connect`.

    Returns
    -------
    table : `sqlalchemy.Table`
        The table that the Felis schema declares.
    """
    return tables().publication


class Ledger:
    """The ledger as one uploader sees it.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    lease : `float`, optional
        Seconds without a sign of life after which others may take what this
        uploader has in hand.
    now : `~collections.abc.Callable`, optional
        Tells the time; UTC, without a zone.
    """

    def __init__(
        self, engine: sa.Engine, lease: float = 120.0, now: Callable[[], datetime.datetime] = utc_now
    ):
        self.lease = lease
        self.owner = f"{socket.gethostname()[:20]}:{os.getpid()}:{uuid.uuid4().hex}"[:64]
        self._engine = engine
        self._now = now

    def plan(self, target: str, planned: Iterable[Planned]) -> None:
        """Note datasets that are to be published, if they are new.

        Parameters
        ----------
        target : `str`
            Name of the target.
        planned : `~collections.abc.Iterable` [`Planned`]
            The datasets.
        """
        now = self._now()
        rows = [
            {
                "target": target,
                **entry._asdict(),
                "state": "pending",
                "attempts": 0,
                "planned_at": now,
                "updated_at": now,
            }
            for entry in planned
        ]
        known = self.states(target, [row["dataset"] for row in rows])
        for some in _chunks([row for row in rows if row["dataset"] not in known]):
            with writing(self._engine) as connection:
                connection.execute(insert(connection, publication()).on_conflict_do_nothing(), list(some))

    def states(self, target: str, datasets: Sequence[str]) -> dict[str, str]:
        """Tell the states of datasets.

        Parameters
        ----------
        target : `str`
            Name of the target.
        datasets : `~collections.abc.Sequence` [`str`]
            UUIDs.

        Returns
        -------
        states : `dict` [`str`, `str`]
            By UUID, of those that the ledger knows.
        """
        t = publication()
        found: dict[str, str] = {}
        with self._engine.connect() as connection:
            for some in _chunks(datasets):
                chosen = sa.select(t.c.dataset, t.c.state).where(t.c.target == target, t.c.dataset.in_(some))
                found.update((dataset, state) for dataset, state in connection.execute(chosen))
        return found

    def claim(self, target: str, datasets: Sequence[str], most: int) -> list[Entry]:
        """Take datasets in hand that no other uploader has.

        Parameters
        ----------
        target : `str`
            Name of the target.
        datasets : `~collections.abc.Sequence` [`str`]
            UUIDs to choose from, at most some hundred.
        most : `int`
            The most to take.

        Returns
        -------
        entries : `list` [`Entry`]
            What was taken; nothing if all is done, waits, or is in the hands
            of others.
        """
        t, now = publication(), self._now()
        due = sa.or_(
            t.c.state == "pending",
            sa.and_(t.c.state == "failed", sa.or_(t.c.next_try.is_(None), t.c.next_try <= now)),
            sa.and_(t.c.state == "sent", t.c.lease_until < now),
        )
        chosen = (
            sa.select(t.c.dataset, t.c.attempts, t.c.remaining)
            .where(t.c.target == target, t.c.dataset.in_(datasets), due)
            .order_by(t.c.dataset)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        with writing(self._engine) as connection:
            found = connection.execute(chosen).all()
            if found:
                mine = sa.update(t).where(t.c.target == target, t.c.dataset.in_([row[0] for row in found]))
                taken = {"state": "sent", "owner": self.owner, "lease_until": self._lease_end()}
                connection.execute(mine.values(attempts=t.c.attempts + 1, updated_at=now, **taken))
        return [
            Entry(dataset, attempts + 1, None if remaining is None else json.loads(remaining))
            for dataset, attempts, remaining in found
        ]

    def renew(self, target: str) -> None:
        """Give a sign of life: keep what is in hand for another while.

        Parameters
        ----------
        target : `str`
            Name of the target.
        """
        with writing(self._engine) as connection:
            connection.execute(self._mine(target).values(lease_until=self._lease_end()))

    def settle(self, target: str, settled: Sequence[Settled]) -> int:
        """Write down what became of datasets in hand, and let go of them.

        Parameters
        ----------
        target : `str`
            Name of the target.
        settled : `~collections.abc.Sequence` [`Settled`]
            What became of each.

        Returns
        -------
        n_settled : `int`
            How many were still in hand; another uploader has the others.
        """
        now = self._now()
        n_settled = 0
        with writing(self._engine) as connection:
            for one in settled:
                statement = self._mine(target).where(publication().c.dataset == one.dataset)
                n_settled += connection.execute(statement.values(one.columns(now))).rowcount
        return n_settled

    def acknowledge(self, target: str, planned: Mapping[Planned, Settled]) -> None:
        """Write down what a target was found to hold.

        Parameters
        ----------
        target : `str`
            Name of the target.
        planned : `~collections.abc.Mapping` [`Planned`, `Settled`]
            Datasets that it holds, and what is known of them.
        """
        self.plan(target, planned)
        now, t = self._now(), publication()
        with writing(self._engine) as connection:
            for one in planned.values():
                mine = sa.update(t).where(t.c.target == target, t.c.dataset == one.dataset)
                connection.execute(mine.values(one.columns(now)))

    def forget(self, target: str, datasets: Sequence[str]) -> None:
        """Strike datasets from the ledger, whatever their state.

        Parameters
        ----------
        target : `str`
            Name of the target.
        datasets : `~collections.abc.Sequence` [`str`]
            UUIDs.
        """
        t = publication()
        with writing(self._engine) as connection:
            for some in _chunks(datasets):
                connection.execute(sa.delete(t).where(t.c.target == target, t.c.dataset.in_(some)))

    def counts(self, target: str, datasets: Sequence[str]) -> dict[str, int]:
        """Count datasets by state.

        Parameters
        ----------
        target : `str`
            Name of the target.
        datasets : `~collections.abc.Sequence` [`str`]
            UUIDs.

        Returns
        -------
        counts : `dict` [`str`, `int`]
            By every one of `STATES`.
        """
        states = list(self.states(target, datasets).values())
        return {state: states.count(state) for state in STATES}

    def _mine(self, target: str) -> sa.Update:
        t = publication()
        return sa.update(t).where(t.c.target == target, t.c.state == "sent", t.c.owner == self.owner)

    def _lease_end(self) -> datetime.datetime:
        return self._now() + datetime.timedelta(seconds=self.lease)


def _chunks(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
