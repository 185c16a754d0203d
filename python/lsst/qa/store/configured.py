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

"""Which tasks made the results of a run, and how they were configured."""

from __future__ import annotations

__all__ = ["Made", "made_by"]

import datetime
from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa

from .database import tables


class Made(NamedTuple):
    """Datasets of results that one task made with one configuration.

    Attributes
    ----------
    task, config_hash : `str` or `None`
        Label of the task, and the hash of its configuration.
    dataset_type : `str`
        What it made.
    n_datasets : `int`
        How many.
    first, last : `datetime.datetime` or `None`
        When; UTC, without a zone.
    """

    task: str | None
    config_hash: str | None
    dataset_type: str
    n_datasets: int
    first: datetime.datetime | None
    last: datetime.datetime | None


def made_by(engine: sa.Engine, run_ids: Collection[int]) -> dict[int, list[Made]]:
    """List what made the results of runs.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    run_ids : `~collections.abc.Collection` [`int`]
        Numbers of the runs.

    Returns
    -------
    made : `dict` [`int`, `list` [`Made`]]
        By run; in each by type of dataset and configuration.
    """
    dataset = tables().dataset.c
    kinds = dataset.task, dataset.config_hash, dataset.dataset_type
    sums = sa.func.count(), sa.func.min(dataset.created), sa.func.max(dataset.created)
    asked = sa.select(dataset.run_id, *kinds, *sums).where(dataset.run_id.in_(list(run_ids)))
    found: dict[int, list[Made]] = {number: [] for number in run_ids}
    with engine.connect() as connection:
        for number, *row in connection.execute(asked.group_by(dataset.run_id, *kinds)):
            found[number].append(Made(*row))
    for made in found.values():
        made.sort(key=lambda one: (one.dataset_type, one.task or "", one.config_hash or ""))
    return found
