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
from lsst.qa.engine import run_metrics, tasks_of
from lsst.qa.engine.grouping import complete_groups
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
                mock.patch("lsst.qa.engine.groups.complete_groups", functools.partial(_spilling, in_memory)),
            ):
                self.assertEqual(same(expected, self.run_within(None), 1e-12), [])

    def test_no_group_is_cut(self) -> None:
        prepared = prepare(Cut(self.table, [50] * 20), tasks_of(self.metrics, ()))
        with mock.patch("lsst.qa.engine.grouping.PART_ROWS", 60):
            pieces = list(complete_groups(prepared.pieces, ["star"], "star", 792, in_memory=500))
        self.assertGreater(len(pieces), 5)
        self.assertEqual(sum(piece.n_rows for piece in pieces), 792)
        stars = [set(piece["star"].tolist()) for piece in pieces]
        self.assertEqual(sum(map(len, stars)), len(set().union(*stars)))


def _spilling(most: int, *read: Any, **_: Any) -> Any:
    return complete_groups(*read, in_memory=most)


if __name__ == "__main__":
    unittest.main()
