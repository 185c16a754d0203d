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

"""What the ledger of publications says to people: the state of each target,
and the datasets that could not be delivered.
"""

from __future__ import annotations

__all__ = ["STATES", "DeadLetter", "TargetStatus", "dead_letters", "drop", "retry", "statuses"]

import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from .database import tables, writing
from .job_records import utc_now

STATES = ("pending", "sent", "acknowledged", "failed", "dead", "dropped")
"""pending: never tried. sent: an uploader has it in hand. acknowledged: the
target has all its records. failed: to be tried again. dead: some of its
records will not be taken until somebody asks to try them again. dropped: dead,
and nobody wants to know."""

_DONE = ("acknowledged", "dropped")


class TargetStatus(NamedTuple):
    """What there is to know of a target.

    Attributes
    ----------
    target : `str`
        Its name.
    counts : `dict` [`str`, `int`]
        Number of datasets by state, of every one of `STATES`.
    records : `int`
        Number of records of the acknowledged datasets.
    oldest : `datetime.datetime` or `None`
        Since when the oldest one waits that is neither acknowledged nor
        dropped; UTC, without a zone.
    last_error : `str` or `None`
        The latest error of those.
    """

    target: str
    counts: dict[str, int]
    records: int
    oldest: datetime.datetime | None
    last_error: str | None


class DeadLetter(NamedTuple):
    """A dataset with records that a target will not take.

    Attributes
    ----------
    target, dataset, run, dataset_type : `str`
        Which, and where it was to go.
    n_records : `int` or `None`
        Number of its records.
    n_dead : `int` or `None`
        Number of those that are dead; `None` if it could not be read.
    reason : `str` or `None`
        Why.
    since : `datetime.datetime`
        When they died; UTC, without a zone.
    """

    target: str
    dataset: str
    run: str
    dataset_type: str
    n_records: int | None
    n_dead: int | None
    reason: str | None
    since: datetime.datetime


def statuses(engine: sa.Engine) -> list[TargetStatus]:
    """Tell the state of each target.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.

    Returns
    -------
    statuses : `list` [`TargetStatus`]
        By name of the target.
    """
    t = tables().publication
    counting = (
        sa.select(
            t.c.target, t.c.state, sa.func.count(), sa.func.sum(t.c.n_records), sa.func.min(t.c.planned_at)
        )
        .group_by(t.c.target, t.c.state)
        .order_by(t.c.target)
    )
    found: dict[str, dict[str, tuple[Any, ...]]] = {}
    with engine.connect() as connection:
        for target, state, *facts in connection.execute(counting):
            found.setdefault(target, {})[state] = tuple(facts)
        errors = {target: _last_error(connection, target) for target in found}
    return [
        TargetStatus(
            target,
            {state: int(facts[state][0]) if state in facts else 0 for state in STATES},
            int(facts["acknowledged"][1] or 0) if "acknowledged" in facts else 0,
            min((facts[state][2] for state in facts if state not in _DONE), default=None),
            errors[target],
        )
        for target, facts in found.items()
    ]


def dead_letters(engine: sa.Engine, target: str | None = None) -> list[DeadLetter]:
    """List the datasets with dead records.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    target : `str`, optional
        Only those of this target.

    Returns
    -------
    letters : `list` [`DeadLetter`]
        By target and dataset.
    """
    t = tables().publication
    columns = (
        t.c.target,
        t.c.dataset,
        t.c.run,
        t.c.dataset_type,
        t.c.n_records,
        t.c.remaining,
        t.c.last_error,
    )
    chosen = sa.select(*columns, t.c.updated_at).where(*_dead(target)).order_by(t.c.target, t.c.dataset)
    with engine.connect() as connection:
        rows = connection.execute(chosen).all()
    return [
        DeadLetter(
            *row[:5], n_dead=row[4] if row[5] is None else row[5].count(",") + 1, reason=row[6], since=row[7]
        )
        for row in rows
    ]


def retry(engine: sa.Engine, target: str | None = None) -> int:
    """Let the next uploader try dead records again.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    target : `str`, optional
        Only those of this target.

    Returns
    -------
    n_datasets : `int`
        How many datasets that concerns.
    """
    return _change(engine, target, {"state": "failed", "attempts": 0, "next_try": None})


def drop(engine: sa.Engine, target: str | None = None) -> int:
    """Give dead records up for good.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    target : `str`, optional
        Only those of this target.

    Returns
    -------
    n_datasets : `int`
        How many datasets that concerns.
    """
    return _change(engine, target, {"state": "dropped"})


def _dead(target: str | None) -> list[Any]:
    t = tables().publication
    return [t.c.state == "dead", *([] if target is None else [t.c.target == target])]


def _change(engine: sa.Engine, target: str | None, values: dict[str, Any]) -> int:
    statement = sa.update(tables().publication).where(*_dead(target)).values(updated_at=utc_now(), **values)
    with writing(engine) as connection:
        return int(connection.execute(statement).rowcount)


def _last_error(connection: sa.Connection, target: str) -> str | None:
    t = tables().publication
    said = sa.select(t.c.last_error).where(
        t.c.target == target, t.c.last_error.is_not(None), t.c.state.not_in(_DONE)
    )
    return connection.execute(said.order_by(t.c.updated_at.desc()).limit(1)).scalar()
