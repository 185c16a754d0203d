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

"""The contract that every metric of the catalogue keeps, on tables whole and
broken.
"""

from __future__ import annotations

import math
import re
import unittest
from collections.abc import Sequence
from typing import Any

import numpy as np
from support import LARGEST_ID, Columns, Cut, same, shuffled, taken
from support_seeded import make_table

from lsst.qa.catalogue import METRICS, of_table
from lsst.qa.columns import TABLES
from lsst.qa.engine import tasks_of
from lsst.qa.metric import Estimate, Metric, positional_of
from lsst.qa.stats import group_rows
from lsst.qa.tables.measure import measure_readable
from lsst.qa.tables.readable import from_columns
from lsst.qa.tables.reading import prepare

Row = dict[str, Any]

COUNTS = re.compile(
    r"(coadd_)?(n_|(flag|nan|finite|valid)_fraction|psf_flux_finite)"
    r"|quanta_failed_fraction|(dia|deblend|peak|coadd|mask)_\w*(fraction|per_patch)"
)
"""Metrics that look at whether rows are there, and what their flags say."""


class ContractTests:
    """What holds for the metrics of every kind of table; a kind inherits."""

    kind: str
    ids: tuple[str, ...]

    @classmethod
    def setUpClass(cls) -> None:
        cls.table = make_table(cls.kind)
        cls.whole = cls.rows_of(cls.table)

    @classmethod
    def rows_of(cls, table: Columns, sizes: Sequence[int] = ()) -> list[Row]:
        return list(measure_readable(Cut(table, sizes), None, kind=cls.kind, data_id={}))

    def assertSound(self, rows: Sequence[Row]) -> None:
        """Whatever the table, a row says how sure it is or why not."""
        faults = []
        for row in rows:
            good = row["status"] == "ok"
            alone = row["n"] < 2 and row["unit"] != "%" and not COUNTS.match(row["metric"])
            for kept, what in (
                (row["status"] in ("ok", "empty", "undefined"), "status"),
                (good == math.isfinite(row["value"]), "a finite value is ok, another is not"),
                (good == (row["message"] is None), "what is not ok says why"),
                ((row["status"] == "empty") == (row["n"] == 0), "empty is nothing to measure"),
                (math.isnan(row["error"]) or 0 <= row["error"] < math.inf, "error"),
                (good or math.isnan(row["error"]), "no error without a value"),
                (math.isnan(row["error"]) or not alone, "one value has no scatter"),
            ):
                if not kept:
                    faults.append(f"{what}: {row}")
        self.assertEqual(faults, [])

    def test_all_are_measured(self) -> None:
        """Every metric finds a value and an error in the table made for it."""
        self.assertEqual(
            {row["metric"] for row in self.whole}, {metric.name for metric in of_table(self.kind)}
        )
        self.assertSound(self.whole)
        sure = {row["metric"] for row in self.whole if row["status"] == "ok" and row["error"] > 0.0}
        self.assertEqual({row["metric"] for row in self.whole} - sure, set())
        self.assertEqual([row for row in self.whole if row["error"] == 0.0], [], "no value is certain")
        self.assertEqual([row for row in self.whole if row["unit"] != METRICS[row["metric"]].unit], [])

    def test_order_of_rows(self) -> None:
        self.assertEqual(same(self.whole, self.rows_of(shuffled(self.table, 1)), 1e-12), [])

    def test_pieces(self) -> None:
        rows = len(next(iter(self.table.values())))
        for sizes in ([1, 0, 2], [7] * (rows // 7), [0, rows, 0]):
            self.assertEqual(same(self.whole, self.rows_of(self.table, sizes), 1e-12), [], sizes)

    def test_pieces_of_an_ordered_table(self) -> None:
        ordered = taken(self.table, np.argsort(self.table[self.ids[0]], kind="stable"))
        for sizes in ([], [5] * 20):
            self.assertEqual(same(self.whole, self.rows_of(ordered, sizes), 1e-12), [], sizes)

    def test_largest_ids(self) -> None:
        """Keys close to the end of int64 keep all their digits."""
        moved = dict(self.table)
        for name in self.ids:
            moved[name] = LARGEST_ID - (self.table[name].max() - self.table[name])
        found = self.rows_of(moved)
        unmoved = [{**row, "visit": None} for row in self.whole]
        self.assertEqual(same(unmoved, [{**row, "visit": None} for row in found], 1e-12), [])
        if "visit" in self.ids:
            self.assertEqual(max(row["visit"] or 0 for row in found) in (LARGEST_ID, 0), True)

    def test_no_number_at_all(self) -> None:
        """All-NaN columns: no value out of nothing, and no exception."""
        blank = {
            name: np.full(len(values), np.nan) if values.dtype.kind == "f" else values
            for name, values in self.table.items()
        }
        rows = self.rows_of(blank)
        self.assertSound(rows)
        for row in rows:
            if row["status"] == "ok":
                self.assertRegex(row["metric"], COUNTS)

    def test_nothing_good(self) -> None:
        """Every flag tells of a bad row."""
        table = TABLES[self.kind]
        bad = dict(self.table)
        for name, values in self.table.items():
            found = table.column(name)
            if values.dtype.kind == "b" and found is not None:
                bad[name] = np.full(len(values), not found[0].applied)
        self.assertSound(self.rows_of(bad))

    def test_zeros(self) -> None:
        """Fluxes, errors and moments of 0 divide nothing by nothing."""
        zero = {n: np.zeros(len(v)) if v.dtype.kind == "f" else v for n, v in self.table.items()}
        self.assertSound(self.rows_of(zero))

    def test_infinities(self) -> None:
        rng = np.random.default_rng(3)
        wild = dict(self.table)
        for name, values in self.table.items():
            if values.dtype.kind == "f":
                strange = rng.choice([np.inf, -np.inf, np.nan, -1.0, 0.0], len(values))
                wild[name] = np.where(rng.random(len(values)) < 0.2, strange, values)
        self.assertSound(self.rows_of(wild))

    def test_few_rows(self) -> None:
        for rows in (1, 2, 3):
            self.assertSound(self.rows_of(taken(self.table, slice(rows))))

    def test_without_selected_rows(self) -> None:
        """What is given no row at all is NaN, with n = 0."""
        for metric in of_table(self.kind):
            with self.subTest(metric.name):
                none = {name: _none(self.kind, name) for name in metric.columns}
                value, error, n = _by_hand(metric, none, None)
                self.assertTrue(math.isnan(value) and math.isnan(error))
                self.assertEqual(n, 0)


class MatchedTestCase(ContractTests, unittest.TestCase):
    """Groups of detections."""

    kind = "matched"
    ids = ("star", "sourceId", "visit")

    def test_one_star_and_one_visit(self) -> None:
        star = self.table["star"] == self.table["star"][0]
        self.assertSound(self.rows_of(taken(self.table, star)))
        visit = self.table["visit"] == self.table["visit"][0]
        rows = self.rows_of(taken(self.table, visit))
        self.assertSound(rows)
        self.assertEqual({row["status"] for row in rows if row["metric"] in ("PA1", "AM1", "AD1")}, {"empty"})

    def test_engine_against_plain_calls(self) -> None:
        """Neither pieces nor what is shared among metrics changes any."""
        metrics = of_table("matched")
        prepared = prepare(from_columns(self.table), tasks_of(metrics, ()))
        for metric in metrics:
            (piece,) = prepared.pieces(metric.columns)
            value, error, n = _by_hand(metric, {name: piece[name] for name in metric.columns}, "i")
            found = [{"metric": metric.name, "band": "i", "value": value, "error": error, "n": n}]
            expected = [
                {key: row[key] for key in found[0]}
                for row in self.whole
                if row["metric"] == metric.name and row["band"] == "i"
            ][-1:]
            self.assertEqual(same(expected, found, 1e-12), [])

    def test_visits_twice(self) -> None:
        """A star detected twice in a visit: the same result in any order."""
        again = taken(self.table, np.arange(0, len(self.table["star"]), 3))
        again |= {"sourceId": again["sourceId"] + 1_000_000, "ra": again["ra"] + 1e-5}
        doubled = {name: np.concatenate([self.table[name], again[name]]) for name in again}
        rows = self.rows_of(doubled)
        self.assertSound(rows)
        self.assertEqual(same(rows, self.rows_of(shuffled(doubled, 5), [100, 300]), 1e-12), [])

    def test_without_ids_of_sources(self) -> None:
        bare = {name: values for name, values in self.table.items() if name != "sourceId"}
        self.assertEqual(same(self.whole, self.rows_of(bare), 1e-12), [])
        self.assertEqual(same(self.whole, self.rows_of(shuffled(bare, 4), [50]), 1e-12), [])


class SourceTestCase(ContractTests, unittest.TestCase):
    """Detections in visits."""

    kind = "source"
    ids = ("sourceId", "visit")


class ObjectTestCase(ContractTests, unittest.TestCase):
    """Objects of coadds, by band."""

    kind = "object"
    ids = ("objectId",)


class VisitValuesTestCase(ContractTests, unittest.TestCase):
    """Values of visits."""

    kind = "visit_values"
    ids = ("visit",)


class VisitSummaryTestCase(ContractTests, unittest.TestCase):
    """Detectors of visits."""

    kind = "visit_summary"
    ids = ("visit",)


class QuantumTestCase(ContractTests, unittest.TestCase):
    """Quanta of a run."""

    kind = "quantum"
    ids = ("task",)

    test_largest_ids = None  # there are no numbers that tell rows apart


class TaskMetadataTestCase(ContractTests, unittest.TestCase):
    """Numbers in the metadata of quanta."""

    kind = "task_metadata"
    ids = ("visit",)


def _none(kind: str, name: str) -> np.ndarray:
    found = TABLES[kind].column(name)
    assert found is not None
    return np.zeros(0, {"real": float, "int": np.int64, "flag": bool, "text": np.str_}[found[0].kind])


def _by_hand(metric: Metric, columns: Columns, band: str | None) -> tuple[float, float, int]:
    """Run a metric with nothing in between."""

    def call(function: Any, values: Columns, *first: Any) -> Any:
        names = positional_of(function)[len(first) :]
        context = {"band": band, "instrument": None}
        given = {name: context[name] if name in context else values[name] for name in names}
        return function(*first, **given, **metric.arguments(function, band))

    named = {name: columns[metric.inputs.get(name, name)] for name in {*columns, *metric.inputs}}
    if metric.rows is not None:
        named = taken(named, call(metric.rows, named))
    for place, step in enumerate(metric.steps):
        first = ()
        if place == 0:
            index, groups = group_rows(named[TABLES[metric.table].group])
            named, first = taken(named, slice(None) if index is None else index), (groups,)
        named = call(step, named, *first)
    first = () if metric.shared is None else (call(metric.shared, named),)
    made = call(metric.function, named, *first)
    return tuple((made if isinstance(made, Estimate) else made[-1])[:3])


if __name__ == "__main__":
    unittest.main()
