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

"""Datasets to publish without a repository, and what every target must do."""

from __future__ import annotations

__all__ = ["EXTREMES", "MemoryShelf", "TargetContract", "measured_in", "records_for", "shelf_of"]

import datetime
import json
import math
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from support_store import row

from lsst.qa.publish.entries import Planned
from lsst.qa.publish.record import Naming, Record, records_of
from lsst.qa.publish.shelf import Found, Shelf
from lsst.qa.publish.targets.base import Reading, Target
from lsst.qa.results import from_rows
from lsst.qa.store.batches import Origin, Provenance, conform, in_order

EXTREMES = (
    0.1 + 0.2,
    -0.0,
    5e-324,
    1.7976931348623157e308,
    -1e-300,
    2.0**53 + 2,
    3.0,
    math.nan,
    math.inf,
    -math.inf,
    None,
)
"""Values that a careless target would change."""

RUN_TIME = datetime.datetime(2026, 11, 22, 5, 0)


DEBUG = Naming("lsst.debug")


class MemoryShelf(Shelf):
    """Datasets in memory.

    Parameters
    ----------
    found : `~collections.abc.Iterable` [`Found`]
        The datasets.
    """

    def __init__(self, found: Iterable[Found]):
        self._found = {one.origin.uuid: one for one in found}
        self.planned = [
            Planned(key, o.origin.run, o.origin.dataset_type) for key, o in sorted(self._found.items())
        ]
        self.n_read = 0

    def read(self, datasets: Sequence[str]) -> Iterator[Found]:
        for name in datasets:
            self.n_read += 1
            yield self._found[name]


def dataset(number: int, rows: Iterable[Mapping[str, Any]], run: str = "u/me/20261122T050000Z") -> Found:
    """Return a dataset with these rows, the same one whenever it is asked."""
    made = Provenance("sourceMetrics", 1, "ab", RUN_TIME, {"lsst-qa": "0.1"})
    origin = Origin(
        str(uuid.uuid5(uuid.NAMESPACE_OID, f"{number} {run}")), run, "qa_source_metrics", RUN_TIME, made
    )
    table = conform(from_rows(rows))
    return Found(origin, in_order(table, np.zeros(len(table), dtype=np.int64)))


def shelf_of(n_datasets: int, detectors: int = 3, metrics: Sequence[str] = ("PA1", "AM1")) -> MemoryShelf:
    """Return visits with some metrics of each detector."""
    return MemoryShelf(
        dataset(
            visit,
            [
                row(metric, visit + 0.001 * detector, visit=visit, detector=detector, day_obs=20261121)
                for metric in metrics
                for detector in range(detectors)
            ],
        )
        for visit in range(1, n_datasets + 1)
    )


def records_for(found: Found, naming: Naming = DEBUG) -> list[Record]:
    """Return the records of a dataset."""
    return records_of(found.origin, found.rows, naming)


def measured_in(shelf: Shelf, naming: Naming = DEBUG) -> dict[str, Reading]:
    """Return what a target should hold of a shelf, by key."""
    made = (
        record
        for found in shelf.read([planned.dataset for planned in shelf.planned])
        for record in records_for(found, naming)
    )
    return {record.key: Reading.of(record.value) for record in made}


class TargetContract:
    """What every target must do; a test case of a kind inherits it and opens
    one.
    """

    def open(self) -> Target:
        """Open the target, which is empty in every test."""
        raise NotImplementedError

    def send_all(self, target: Target, records: Sequence[Record]) -> None:
        """Send records as an uploader would that lost its memory."""
        if not target.overwrites:
            held = target.held(records)
            records = [record for record in records if record.key not in held]
        for request in target.requests(records):
            replies = target.send(request)
            self.assertEqual([reply.state for reply in replies], ["acknowledged"] * len(request))
            self.assertTrue(all(reply.detail for reply in replies))

    def read_back(self, target: Target, records: Sequence[Record]) -> list[Reading]:
        """Return what the target holds of records."""
        found = target.readings({r.topic for r in records}, {r.origin.run for r in records})
        wanted = {record.key for record in records}
        return sorted((reading for reading in found if reading.key in wanted), key=lambda one: one.key)

    def expect(self, records: Sequence[Record]) -> list[Reading]:
        """Return what the target should hold of records."""
        return sorted((Reading.of(record.value) for record in records), key=lambda one: one.key)

    def assert_holds(self, target: Target, records: Sequence[Record]) -> None:
        """Compare bit by bit."""
        found, wanted = self.read_back(target, records), self.expect(records)
        if not self.signed_zero:
            wanted = [one._replace(value=_unsigned(one.value), error=_unsigned(one.error)) for one in wanted]
        self.assertEqual(json.dumps(found), json.dumps(wanted))

    def test_requests_are_all_records_once(self) -> None:
        records = self.records(n_datasets=3)
        with self.open() as target:
            requested = [record.key for request in target.requests(records) for record in request]
            self.assertEqual(list(target.requests([])), [])
        self.assertEqual(sorted(requested), sorted(record.key for record in records))

    def test_values_arrive_bit_by_bit(self) -> None:
        found = dataset(1, [row("PA1", x, error=x, detector=i, visit=7) for i, x in enumerate(EXTREMES)])
        records = records_for(found)
        with self.open() as target:
            self.assertEqual(target.faults(records), {})
            self.send_all(target, records)
            if target.readable:
                self.assert_holds(target, records)

    def test_sent_again_nothing_is_doubled(self) -> None:
        records = self.records(n_datasets=2)
        with self.open() as target:
            self.send_all(target, records[:5])
        with self.open() as target:
            self.send_all(target, records)
            if target.readable and not self.appends:
                self.assert_holds(target, records)

    def test_any_name_and_number(self) -> None:
        names = ("PA1.faro", "µ σ", "a,b=c d", 'quo"te\\', "valid_drp.AM1", "x/y?z#1", "零点")
        rows = [row(name, 1.5, unit="µmag", message="a\tb 'c' \"d\"", visit=2**63 - 1) for name in names]
        rows += [row("PA1", 1.0, visit=2**63 - 1, detector=2**63 - 1, n=2**63 - 1, skymap="a b,c=d")]
        rows += [row("PA1", 1.0, visit=0, detector=0, n=-(2**63), band="")]
        records = records_for(dataset(1, rows, run="u/ä ö/20261122T050000Z"))
        with self.open() as target:
            self.assertEqual(target.faults(records), {})
            self.send_all(target, records)
            if target.readable:
                self.assert_holds(target, records)

    signed_zero = True
    """Whether -0.0 stays what it is."""

    appends = False
    """Whether what is sent again stands beside the first."""

    def records(self, n_datasets: int) -> list[Record]:
        """Return records of datasets, one after the other."""
        shelf = shelf_of(n_datasets)
        return [r for found in shelf.read([p.dataset for p in shelf.planned]) for r in records_for(found)]


def _unsigned(value: float | None) -> float | None:
    return value + 0.0 if value == 0.0 else value
