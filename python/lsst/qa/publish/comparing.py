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

"""What a target holds, compared with what the Butler holds: to verify, and to
rebuild a ledger that was lost.
"""

from __future__ import annotations

__all__ = ["Comparison", "compare", "rebuild", "verify"]

import datetime
import hashlib
import sqlite3
import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import TargetError
from ..store.database import connect
from .entries import Planned, Settled
from .ledger import Ledger
from .publishing import naming_of, told_of
from .record import Naming, records_of
from .settings import Settings
from .shelf import Shelf, open_shelf
from .targets.base import Reading, Target
from .targets.opening import open_target

_CHUNK = 200
_MOST_RECORDS = 20_000


class Comparison(NamedTuple):
    """What a target holds of the datasets of a shelf.

    Attributes
    ----------
    target : `str`
        Its name.
    datasets, records : `int`
        What it should hold.
    found, missing, different, doubled : `int`
        How many of the records are there as they should be, are not there,
        are there with another value, error or status, and are there more
        than once.
    complete : `list` [`Planned`]
        Datasets of which all is there as it should be.
    incomplete : `list` [`Planned`]
        The others.
    unreadable : `list` [`str`]
        What cannot be read from the Butler, and why.
    """

    target: str
    datasets: int
    records: int
    found: int
    missing: int
    different: int
    doubled: int
    complete: list[Planned]
    incomplete: list[Planned]
    unreadable: list[str]

    @property
    def good(self) -> bool:
        """Whether the target holds all, and all as it should be."""
        return self.found == self.records and not self.unreadable


def compare(
    shelf: Shelf,
    target: Target,
    naming: Naming,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Compare a target with a shelf, record by record.

    Parameters
    ----------
    shelf : `Shelf`
        What should be there.
    target : `Target`
        What is.
    naming : `Naming`
        How the site names its topics.
    progress : `~collections.abc.Callable`, optional
        Is told how many datasets of how many were read.

    Returns
    -------
    comparison : `Comparison`
        The differences. What is expected waits in a temporary file, not in
        memory.

    Raises
    ------
    TargetError
        Raised if the target cannot be read back.
    """
    if not target.readable:
        raise TargetError(f"{target.name} cannot be read back: it is no database, InfluxDB, Kafka or file.")
    with tempfile.NamedTemporaryFile(prefix="qa-compare-") as file:
        held = sqlite3.connect(file.name)
        try:
            held.execute("PRAGMA journal_mode=OFF")
            held.execute("PRAGMA synchronous=OFF")
            held.execute(
                "CREATE TABLE expected (key BLOB PRIMARY KEY, hash BLOB, dataset INTEGER, seen INTEGER,"
                " good INTEGER) WITHOUT ROWID"
            )
            topics, unreadable = _expect(held, shelf, target, naming, progress)
            _see(held, target, topics, {planned.run for planned in shelf.planned})
            return _differences(held, shelf, target, unreadable)
        finally:
            held.close()


def verify(
    repo: str,
    collections: Sequence[str],
    targets: Sequence[str],
    *,
    where: str = "",
    made: datetime.datetime | None = None,
    settings: Settings | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Comparison]:
    """Compare targets with the results of collections.

    Parameters
    ----------
    repo, collections, targets, where, made, settings, progress
        As for `lsst.qa.publish.publishing.publish`.

    Returns
    -------
    comparisons : `list` [`Comparison`]
        One per target.

    Raises
    ------
    QaError
        Raised as by `lsst.qa.publish.publishing.publish`; and if a target
        cannot be read back.
    """
    settings = settings or Settings.load()
    found = []
    with open_shelf(repo, collections, where, made) as shelf:
        for url in targets:
            with open_target(url, settings) as target:
                naming = naming_of(settings, url)
                found.append(compare(shelf, target, naming, told_of(progress, target.name)))
    return found


def rebuild(
    repo: str,
    collections: Sequence[str],
    targets: Sequence[str],
    db: str,
    *,
    where: str = "",
    made: datetime.datetime | None = None,
    settings: Settings | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Comparison]:
    """Rebuild the ledger from what targets hold.

    Parameters
    ----------
    repo, collections, targets, db, where, made, settings, progress
        As for `lsst.qa.publish.publishing.publish`.

    Returns
    -------
    comparisons : `list` [`Comparison`]
        One per target; its complete datasets are acknowledged in the ledger
        now, and the others are to be published.

    Raises
    ------
    QaError
        Raised as by `verify`.
    """
    given: dict[str, Any] = {"where": where, "made": made, "settings": settings, "progress": progress}
    comparisons = verify(repo, collections, targets, **given)
    engine = connect(db, create=True)
    try:
        ledger = Ledger(engine)
        for one in comparisons:
            ledger.forget(one.target, [planned.dataset for planned in one.incomplete])
            done = {p: Settled(p.dataset, "acknowledged", landed="found there") for p in one.complete}
            ledger.acknowledge(one.target, done)
            ledger.plan(one.target, one.incomplete)
    finally:
        engine.dispose()
    return comparisons


def _expect(
    held: sqlite3.Connection,
    shelf: Shelf,
    target: Target,
    naming: Naming,
    progress: Callable[[int, int], None] | None,
) -> tuple[set[str], dict[str, str]]:
    """Write down what the target should hold."""
    topics: set[str] = set()
    unreadable: dict[str, str] = {}
    places = {planned.dataset: place for place, planned in enumerate(shelf.planned)}
    names = list(places)
    for start in range(0, len(names), _CHUNK):
        for found in shelf.read(names[start : start + _CHUNK]):
            if isinstance(found.rows, str):
                said = f"{found.origin.dataset_type} {found.origin.uuid}: {found.rows}"
                unreadable[found.origin.uuid] = said
                continue
            records = records_of(found.origin, found.rows, naming, shelf.sequence)
            topics |= {record.topic for record in records}
            place = places[found.origin.uuid]
            held.executemany(
                "INSERT OR IGNORE INTO expected VALUES (?, ?, ?, 0, 0)",
                ((uuid.UUID(r.key).bytes, _hash(Reading.of(r.value)), place) for r in records),
            )
        held.commit()
        if progress is not None:
            progress(min(start + _CHUNK, len(names)), len(names))
    return topics, unreadable


def _see(held: sqlite3.Connection, target: Target, topics: set[str], runs: set[str]) -> None:
    """Mark what the target holds."""
    seen: list[tuple[bytes, bytes]] = []

    def mark() -> None:
        held.executemany("UPDATE expected SET seen = seen + 1, good = good + (hash = ?) WHERE key = ?", seen)
        held.commit()
        seen.clear()

    for reading in target.readings(topics, runs):
        seen.append((_hash(reading), uuid.UUID(reading.key).bytes))
        if len(seen) >= _MOST_RECORDS:
            mark()
    mark()


def _differences(
    held: sqlite3.Connection, shelf: Shelf, target: Target, unreadable: Mapping[str, str]
) -> Comparison:
    total, found, missing, different, doubled = held.execute(
        "SELECT count(*), total(good = seen AND seen > 0), total(seen = 0), total(good < seen),"
        " total(seen > 1) FROM expected"
    ).fetchone()
    wanting = {
        place
        for (place,) in held.execute("SELECT DISTINCT dataset FROM expected WHERE good = 0 OR good < seen")
    }
    whole = [p for n, p in enumerate(shelf.planned) if n not in wanting and p.dataset not in unreadable]
    kept = set(whole)
    return Comparison(
        target.name,
        len(shelf.planned),
        total,
        int(found),
        int(missing),
        int(different),
        int(doubled),
        whole,
        [planned for planned in shelf.planned if planned not in kept],
        [*shelf.unreadable, *unreadable.values()],
    )


def _hash(reading: Reading) -> bytes:
    # SQLite has no negative zero; 0.0 is as good.
    said = [None if number is None else number + 0.0 for number in (reading.value, reading.error)]
    return hashlib.blake2b(repr((*said, reading.status)).encode(), digest_size=16).digest()
