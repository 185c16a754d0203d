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

"""The uploader: sends what the collections hold and the ledger does not show
as acknowledged.
"""

from __future__ import annotations

__all__ = ["BATCH_RECORDS", "Outcome", "upload"]

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ..errors import TargetError
from .delivery import DEFAULT_POLICY, Policy, deliver
from .entries import Entry, Settled
from .ledger import Ledger
from .parcel import Parcel
from .record import DEFAULT_NAMING, Naming, Record, records_of
from .shelf import Found, Shelf
from .targets.base import Reply, Target

BATCH_RECORDS = 20_000
"""Records that are in memory at a time, or one dataset if that has more."""

_CHUNK = 200
_MOST_DATASETS = _CHUNK
_LONGEST_PAUSE = 2.0


class Outcome(NamedTuple):
    """What an upload to a target came to.

    Attributes
    ----------
    target : `str`
        Its name.
    counts : `dict` [`str`, `int`]
        Number of datasets by state, of those in the collections.
    records, requests : `int`
        What this uploader sent.
    down : `str` or `None`
        Why the target was given up, if it was.
    """

    target: str
    counts: dict[str, int]
    records: int = 0
    requests: int = 0
    down: str | None = None


def upload(
    shelf: Shelf,
    ledger: Ledger,
    target: Target,
    naming: Naming = DEFAULT_NAMING,
    policy: Policy = DEFAULT_POLICY,
    *,
    batch_records: int = BATCH_RECORDS,
    progress: Callable[[int, int], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Send to a target what it does not have yet.

    It can be stopped at any moment, repeated, and run by several at once on
    one ledger. It ends when nothing is left to be sent, by others either.

    Parameters
    ----------
    shelf : `Shelf`
        What there is to publish.
    ledger : `Ledger`
        What became of it so far.
    target : `Target`
        Where to.
    naming : `Naming`, optional
        How the site names its topics.
    policy : `Policy`, optional
        How patiently.
    batch_records : `int`, optional
        The most records in memory at a time, or one dataset.
    progress : `~collections.abc.Callable`, optional
        Is told how many datasets of how many are done with.
    sleep : `~collections.abc.Callable`, optional
        Waits some seconds.

    Returns
    -------
    outcome : `Outcome`
        What it came to; the target may be down.
    """
    running = _Upload(shelf, ledger, target, naming, policy, batch_records, sleep)
    ledger.plan(target.name, shelf.planned)
    datasets = [planned.dataset for planned in shelf.planned]
    down, pause = None, 0.0
    try:
        target.introduce(shelf.root, shelf.collection, shelf.definitions)
    except TargetError as error:
        return Outcome(target.name, ledger.counts(target.name, datasets), down=str(error))
    while left := _left(ledger.states(target.name, datasets)):
        if progress is not None:
            progress(len(datasets) - len(left), len(datasets))
        before = running.datasets
        try:
            for _ in running.passed(left):
                if progress is not None:
                    progress(len(datasets) - len(left) + running.datasets - before, len(datasets))
        except TargetError as error:
            down = str(error)
            break
        # Nothing was free: it waits for its next attempt, or others have it.
        pause = 0.05 if running.datasets > before else min(2 * pause, _LONGEST_PAUSE)
        if running.datasets == before:
            sleep(pause := max(pause, 0.05))
    if progress is not None and down is None:
        progress(len(datasets), len(datasets))
    counts = ledger.counts(target.name, datasets)
    return Outcome(target.name, counts, running.records, running.requests, down)


def _left(states: dict[str, str]) -> list[str]:
    return [dataset for dataset, state in states.items() if state in ("pending", "sent", "failed")]


class _Upload:
    """An upload under way."""

    def __init__(
        self,
        shelf: Shelf,
        ledger: Ledger,
        target: Target,
        naming: Naming,
        policy: Policy,
        batch_records: int,
        sleep: Callable[[float], None],
    ):
        self.datasets = self.records = self.requests = 0
        self._read_records = 0
        self._shelf, self._ledger, self._target = shelf, ledger, target
        self._naming, self._policy, self._sleep = naming, policy, sleep
        self._batch_records = batch_records
        self._renewed = time.monotonic()

    def passed(self, left: Sequence[str]) -> Iterator[None]:
        """Go once through what is left, from a place that others do not begin
        at as well; give back control after every batch.
        """
        chunks = [left[start : start + _CHUNK] for start in range(0, len(left), _CHUNK)]
        first = random.randrange(len(chunks))
        for chunk in chunks[first:] + chunks[:first]:
            while entries := self._ledger.claim(self._target.name, chunk, self._most_datasets()):
                self._renewed = time.monotonic()
                self._ship(entries)
                yield

    def _most_datasets(self) -> int:
        """As many as fit in memory, as far as those seen before tell."""
        if not self.datasets:
            return 1
        mean = max(self._read_records / self.datasets, 1.0)
        return max(1, min(_MOST_DATASETS, int(self._batch_records / mean)))

    def _ship(self, entries: Sequence[Entry]) -> None:
        waiting = {entry.dataset: entry for entry in entries}
        parcels: list[Parcel] = []
        down = "The uploader was stopped."
        try:
            for found in self._shelf.read([entry.dataset for entry in entries]):
                self._alive()
                parcels.append(self._packed(waiting.pop(found.origin.uuid), found))
                if sum(len(parcel.to_send) for parcel in parcels) >= self._batch_records:
                    self._deliver(parcels)
                    self._settle(parcels, None)
                    parcels = []
            self._deliver(parcels)
            down = ""
        except TargetError as error:
            down = f"{type(error).__name__}: {error}"
            raise
        finally:
            self._settle(parcels, down or None)
            unread = [Settled(dataset, "failed", last_error=down) for dataset in waiting]
            # What was remembered of their records before stays.
            self._ledger.settle(
                self._target.name,
                [one._replace(remaining=waiting[one.dataset].remaining) for one in unread],
            )

    def _packed(self, entry: Entry, found: Found) -> Parcel:
        if isinstance(found.rows, str):
            return Parcel(entry, found, [], {})
        records = records_of(found.origin, found.rows, self._naming, self._shelf.sequence)
        self._read_records += len(records)
        parcel = Parcel(entry, found, records, self._target.faults(records))
        if not self._target.overwrites:
            held = self._target.held(parcel.to_send)
            for record in parcel.to_send:
                if record.key in held:
                    parcel.report(record, Reply("acknowledged", "found there"))
            parcel.to_send = [record for record in parcel.to_send if record.key not in held]
        return parcel

    def _deliver(self, parcels: Sequence[Parcel]) -> None:
        by_dataset = {parcel.dataset: parcel for parcel in parcels}

        def report(record: Record, reply: Reply) -> None:
            self.records += reply.state == "acknowledged"
            by_dataset[record.origin.uuid].report(record, reply)

        for request in self._target.requests([record for parcel in parcels for record in parcel.to_send]):
            deliver(self._target, request, report, self._policy, self._before_request, self._sleep)

    def _settle(self, parcels: Sequence[Parcel], down: str | None) -> None:
        if parcels:
            self._ledger.settle(self._target.name, [parcel.settled(down) for parcel in parcels])
            self.datasets += len(parcels)

    def _before_request(self) -> None:
        self.requests += 1
        self._alive()

    def _alive(self) -> None:
        if time.monotonic() - self._renewed > self._ledger.lease / 4:
            self._ledger.renew(self._target.name)
            self._renewed = time.monotonic()
