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

"""The metrics database as a target."""

from __future__ import annotations

__all__ = ["DatabaseTarget", "name_of", "open_url"]

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from ...catalogue import METRICS
from ...errors import DatabaseError, TargetDownError
from ...readers.definitions import Definition
from ...results import SCHEMA
from ...store.batches import Batch, Origin
from ...store.database import connect, shown_url, tables
from ...store.definitions import define_others, synchronize
from ...store.insertion import write_batch
from ...store.totals import sum_up
from ..record import Record, record_key
from ..settings import Settings
from .base import Reading, Reply, Target, acknowledged


def open_url(url: str, settings: Settings) -> Target:
    """Open a metrics database as a target.

    Parameters
    ----------
    url : `str`
        SQLAlchemy URL.
    settings : `Settings`
        Not needed.

    Returns
    -------
    target : `Target`
        The target; the database is made if it does not exist.

    Raises
    ------
    DatabaseError
        Raised if it does not answer.
    """
    return DatabaseTarget(url)


def name_of(url: str) -> str:
    """Name a metrics database as a target.

    Parameters
    ----------
    url : `str`
        SQLAlchemy URL.

    Returns
    -------
    name : `str`
        The URL without its password.
    """
    return shown_url(url).replace(":***@", "@")


class DatabaseTarget(Target):
    """Takes datasets just as they are loaded from a repository, and each once.

    Parameters
    ----------
    url : `str`
        SQLAlchemy URL.
    """

    readable = True

    def __init__(self, url: str):
        super().__init__(name_of(url))
        self._repo = self._collection = ""
        self._engine = connect(url, create=True)
        synchronize(self._engine, METRICS)

    def close(self) -> None:
        try:
            # Pages are faster for it; a load does it if this cannot.
            with contextlib.suppress(DatabaseError):
                sum_up(self._engine)
        finally:
            self._engine.dispose()

    def introduce(self, repo: str, collection: str, definitions: Mapping[str, Definition]) -> None:
        self._repo, self._collection = repo, collection
        try:
            define_others(self._engine, definitions)
        except DatabaseError as error:
            raise TargetDownError(str(error)) from error

    def faults(self, records: Sequence[Record]) -> dict[int, str]:
        return {}  # rows that could be read can be stored

    def send(self, records: Sequence[Record]) -> list[Reply]:
        held: dict[str, tuple[Origin, pa.Table]] = {r.origin.uuid: (r.origin, r.rows) for r in records}
        origins = [held[name][0] for name in sorted(held)]
        rows = [held[name][1] for name in sorted(held)]
        batch = Batch(
            origins, np.array([len(table) for table in rows]), pa.concat_tables(rows).combine_chunks()
        )
        try:
            write_batch(self._engine, batch, self._repo, self._collection)
        except DatabaseError as error:
            raise TargetDownError(str(error)) from error
        return acknowledged(records, self.name)

    def readings(self, topics: Collection[str], runs: Collection[str]) -> Iterator[Reading]:
        t = tables()
        m, dataset = t.measurement, t.dataset
        names: list[Any] = [m.c[name] for name in SCHEMA.names if name != "metric"]
        chosen = (
            sa.select(dataset.c.uuid, t.metric.c.name.label("metric"), *names)
            .select_from(m.join(dataset, dataset.c.dataset_id == m.c.dataset_id))
            .join(t.metric, t.metric.c.metric_id == m.c.metric_id)
            .join(t.run, t.run.c.run_id == dataset.c.run_id)
        )
        for run in sorted(runs):
            with self._engine.connect().execution_options(yield_per=5000) as connection:
                for row in connection.execute(chosen.where(t.run.c.name == run)).mappings():
                    yield Reading(
                        record_key(row["uuid"], dict(row)), row["value"], row["error"], row["status"]
                    )
