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

"""Tables in pieces, in parts and within a memory: the same comes out."""

from __future__ import annotations

import functools
import unittest
from typing import Any
from unittest import mock

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from support import Columns, Cut, same, steady, taken
from support_seeded import make_table

from lsst.qa import measure
from lsst.qa.catalogue import METRICS
from lsst.qa.engine import Batch, needed, planned, run_metrics, tasks_of
from lsst.qa.engine.grouping import OutOfOrderError, dealt_out, in_order
from lsst.qa.engine.samples import Sample
from lsst.qa.errors import BudgetError
from lsst.qa.tables.measure import measure_readable
from lsst.qa.tables.reading import prepare


class PiecesTestCase(unittest.TestCase):
    """However a table is cut, the same comes out."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.table: Columns = make_table("matched")
        cls.metrics = [METRICS[name] for name in ("PA1", "PF1", "AM1", "AD1", "PA1.validate_drp")]
        cls.whole = list(measure(cls.table, cls.metrics))

    @steady
    @given(
        st.lists(st.integers(0, 300), max_size=12), st.sampled_from(["star", "visit", "sourceId", "psfFlux"])
    )
    def test_any_cut_of_any_order(self, sizes: list[int], order: str) -> None:
        table = taken(self.table, np.argsort(self.table[order], kind="stable"))
        rows = measure_readable(Cut(table, sizes), self.metrics, data_id={})
        self.assertEqual(same(self.whole, list(rows), 1e-12), [])

    def test_a_sample_of_many_stars(self) -> None:
        """Of too many stars and pairs the same ones are chosen in any cut."""
        few = [
            METRICS["AM1"].variant("stars", most_stars=20),
            METRICS["AM1"].variant("pairs", most_pairs=30),
            METRICS["AD1"].variant("rows", most_rows=300),
        ]
        whole = list(measure(self.table, few))
        self.assertEqual([row["status"] for row in whole], ["ok"] * 3)
        self.assertLess(whole[0]["n"], self.whole[2]["n"])
        self.assertEqual(whole[1]["n"], 30)
        self.assertLess(whole[2]["n"], self.whole[3]["n"])
        for seed, sizes in ((1, [100, 50]), (2, [1, 500])):
            order = np.random.default_rng(seed).permutation(len(self.table["star"]))
            cut = measure_readable(Cut(taken(self.table, order), sizes), few, data_id={})
            self.assertEqual(same(whole, list(cut), 1e-12), [])


class MemoryTestCase(unittest.TestCase):
    """Within a memory that is stated, or not at all."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.table: Columns = make_table("matched")
        cls.metrics = [METRICS[name] for name in ("PA1", "PF1", "AM1", "AD1")]

    def run_within(self, memory: int | None) -> list[dict[str, Any]]:
        tasks = tasks_of(self.metrics, ())
        return run_metrics(tasks, prepare(Cut(self.table, [100] * 9), tasks), memory=memory)

    def test_enough(self) -> None:
        self.assertEqual(same(self.run_within(None), self.run_within(1 << 30), 1e-12), [])

    def test_too_little(self) -> None:
        """It is told before anything is read, with the memory it needs."""
        with self.assertRaisesRegex(
            BudgetError, r"1 MiB is too small for .*PA1.* on 792 rows: \d+ MiB would do"
        ):
            self.run_within(1 << 20)

    def test_groups_in_parts_and_files(self) -> None:
        """Rows dealt out to many parts, also on disk, are the same stars."""
        expected = self.run_within(None)
        for in_memory in (1 << 28, 2000):
            with (
                mock.patch("lsst.qa.engine.grouping.PART_ROWS", 60),
                mock.patch("lsst.qa.engine.groups.dealt_out", functools.partial(_spilling, in_memory)),
            ):
                self.assertEqual(same(expected, self.run_within(None), 1e-12), [])

    def test_order_that_breaks_late(self) -> None:
        """Nothing is left of what was made of groups that were not whole."""
        order = np.roll(np.argsort(self.table["star"], kind="stable"), -1)
        cut = Cut(taken(self.table, order), [100] * 9)
        tasks = tasks_of(self.metrics, ())
        pieces = in_order(prepare(cut, tasks).pieces(["star"]), "star")
        for _ in range(5):
            next(pieces)
        with self.assertRaises(OutOfOrderError):
            list(pieces)
        self.assertEqual(same(self.run_within(None), run_metrics(tasks, prepare(cut, tasks)), 1e-12), [])

    def test_groups_in_order(self) -> None:
        self.enterContext(mock.patch("lsst.qa.engine.grouping._ACROSS", 5))
        whole = taken(self.table, np.argsort(self.table["star"], kind="stable"))
        for sizes in ([], [1] * 30, [7, 0, 300, 11]):
            pieces = list(
                in_order(prepare(Cut(whole, sizes), tasks_of(self.metrics, ())).pieces(["star"]), "star")
            )
            self.assertEqual(sum(piece.n_rows for piece in pieces), 792)
            stars = [set(piece["star"].tolist()) for piece in pieces]
            self.assertEqual(sum(map(len, stars)), len(set().union(*stars)))

    def test_no_group_is_cut(self) -> None:
        prepared = prepare(Cut(self.table, [50] * 20), tasks_of(self.metrics, ()))
        with mock.patch("lsst.qa.engine.grouping.PART_ROWS", 60):
            pieces = list(dealt_out(prepared.pieces(["star"]), "star", 792, in_memory=500))
        self.assertGreater(len(pieces), 5)
        self.assertEqual(sum(piece.n_rows for piece in pieces), 792)
        stars = [set(piece["star"].tolist()) for piece in pieces]
        self.assertEqual(sum(map(len, stars)), len(set().union(*stars)))


class ColumnsTestCase(unittest.TestCase):
    """Visit after visit, or some metrics at a time: the same comes out."""

    @classmethod
    def setUpClass(cls) -> None:
        table = make_table("source")
        cls.table: Columns = taken(table, np.argsort(table["visit"], kind="stable"))
        cls.n_rows = len(cls.table["visit"])
        names = ("n_sources", "n_stars", "e1_residual_median", "e1_residual_scatter", "sky_flux_mean")
        cls.tasks = tasks_of([METRICS[name] for name in names], ())
        cls.cost = [needed(batch) - needed_by_nothing() for batch in cls.plan(None)]
        cls.whole = cls.run_within(None)

    @classmethod
    def prepared(cls, order: np.ndarray | None = None) -> Any:
        table = cls.table if order is None else taken(cls.table, order)
        return prepare(Cut(table, [50] * 30), cls.tasks, detail=["detector"])

    @classmethod
    def plan(cls, memory: int | None, order: np.ndarray | None = None) -> list[Batch]:
        return planned(cls.tasks, cls.prepared(order), memory)

    @classmethod
    def run_within(cls, memory: int | None, order: np.ndarray | None = None) -> list[dict[str, Any]]:
        return run_metrics(cls.tasks, cls.prepared(order), detail=["detector"], memory=memory)

    def least(self, order: np.ndarray | None = None) -> int:
        """Ask for the least memory, of which MiB are too coarse a measure."""
        low, high = needed_by_nothing(), needed_by_nothing() + self.cost[0]
        while high - low > 1:
            middle = (low + high) // 2
            try:
                self.plan(middle, order)
                high = middle
            except BudgetError:
                low = middle
        return high

    def test_visit_after_visit(self) -> None:
        """Rows of a visit lie together: no more than those are held."""
        (batch,) = self.plan(needed_by_nothing() + self.cost[0] - 1)
        self.assertTrue(batch.apart)
        self.assertEqual(batch.n_rows, max(np.unique(self.table["visit"], return_counts=True)[1]))
        rows = self.run_within(needed_by_nothing() + self.cost[0] - 1)
        self.assertEqual(same(self.whole, rows, 0.0), [])

    def test_visits_mixed(self) -> None:
        """They do not: all are held, of some metrics at a time."""
        order = np.random.default_rng(5).permutation(self.n_rows)
        least = self.least(order)
        batches = self.plan(least, order)
        self.assertGreater(len(batches), 1)
        self.assertEqual({(batch.apart, batch.n_rows) for batch in batches}, {(False, self.n_rows)})
        self.assertEqual(same(self.whole, self.run_within(least, order), 1e-12), [])

    def test_what_is_selected_is_counted(self) -> None:
        """Where all rows would be too many."""
        counts = {n for batch in self.plan(self.least()) for n in batch.selected.values()}
        primary, visit = self.table["detect_isPrimary"], self.table["visit"]
        self.assertIn(max(np.count_nonzero(primary[visit == one]) for one in np.unique(visit)), counts)
        self.assertEqual(same(self.whole, self.run_within(self.least()), 0.0), [])

    def test_rows_in_files(self) -> None:
        """Where selected rows are too many they go to files: metrics get them
        one by one, or part by part.
        """
        nothing = needed_by_nothing()
        for order in (None, np.random.default_rng(6).permutation(self.n_rows)):
            for most, tolerance in ((0, 0.0), (nothing, 1e-12)):
                batch = Batch(self.tasks, self.n_rows, apart=order is None, within=nothing)
                with (
                    self.subTest(apart=batch.apart, part_by_part=most > 0),
                    mock.patch("lsst.qa.engine.budget._READ", most),
                    mock.patch.object(Sample, "store", autospec=True, side_effect=Sample.store) as store,
                ):
                    rows = run_metrics(self.tasks, self.prepared(order), detail=["detector"], batches=[batch])
                    self.assertGreater(store.call_count, 3)
                whole = self.run_within(None, order)
                self.assertEqual(same(whole, rows, tolerance), [])

    def test_part_by_part(self) -> None:
        """Statistics need no more than that, whatever the rows; others are
        refused with what they need.
        """
        self.enterContext(mock.patch("lsst.qa.engine.budget.largest_context", return_value=10**12))
        self.enterContext(mock.patch("lsst.qa.engine.budget.largest_selections", return_value={}))
        table = Cut(self.table, [])
        table.n_rows = 10**12
        least = needed_by_nothing() + (32 << 20)
        (batch,) = planned(self.tasks, prepare(table, self.tasks), least)
        self.assertEqual((batch.n_rows, batch.within, needed(batch)), (10**12, least, least))
        with self.assertRaisesRegex(BudgetError, "too small for .*n_stars.* 224 MiB would do"):
            planned(self.tasks, prepare(table, self.tasks), least - 1)
        tasks = [*self.tasks, *tasks_of([METRICS["rho1"]], ())]
        with self.assertRaisesRegex(BudgetError, r"too small for rho1 on \d+ rows: \d{6,} MiB would do"):
            planned(tasks, prepare(table, tasks), 1 << 29)


class BandsTestCase(unittest.TestCase):
    """A table with columns for each band."""

    def test_bands_are_read_together(self) -> None:
        """As many as reading them has room for; the same comes out."""
        table = make_table("object")
        names = ("coadd_n_objects", "coadd_n_primary", "coadd_n_stars", "coadd_size_residual_scatter")
        tasks = tasks_of([METRICS[name] for name in names], "gri")
        prepared = prepare(Cut(table, [50] * 9), tasks)
        with mock.patch("lsst.qa.engine.budget._NARROW", 12):
            plans = {memory: planned(tasks, prepared, memory) for memory in (None, 450 << 20, 1 << 30)}
        bands = [[{task.band for task in batch.tasks} for batch in plan] for plan in plans.values()]
        self.assertEqual(bands, [[{None}, {"g"}, {"r"}, {"i"}], [{None, "g", "r"}, {"i"}], [{None, *"gri"}]])
        whole, *others = (run_metrics(tasks, prepared, batches=plan) for plan in plans.values())
        self.assertEqual(len(whole), 8)
        for rows in others:
            self.assertEqual(same(whole, rows, 0.0), [])


def needed_by_nothing() -> int:
    """Return what reading alone takes."""
    return needed(Batch(tasks_of([METRICS["n_sources"]], ()), 0))


def _spilling(most: int, *read: Any, **_: Any) -> Any:
    return dealt_out(*read[:3], most)


if __name__ == "__main__":
    unittest.main()
