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

"""Results as one dataset with a folder a metric."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import pyarrow.dataset as ds
from support_store import SharedSurvey

from lsst.qa.errors import CollectionError, InputError
from lsst.qa.results import GATHERED_SCHEMA
from lsst.qa.store.database import connect
from lsst.qa.store.load import load
from lsst.qa.store.partition import partition
from lsst.qa.store.query import measurements


class PartitionTestCase(SharedSurvey, unittest.TestCase):
    """A dataset that other programs read a metric of."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_the_rows_are_those_of_the_database(self) -> None:
        place = self.folder / "by-metric"
        written = partition(self.survey.root, ["*"], str(place))
        url = f"sqlite:///{self.folder / 'm.sqlite3'}"
        load(self.survey.root, ["*"], url)
        engine = connect(url)
        self.addCleanup(engine.dispose)
        table = ds.dataset(place, partitioning="hive").to_table()
        self.assertEqual(set(table.column_names), set(GATHERED_SCHEMA.names))
        held = measurements(engine, detector_rows=True, limit=10 * written.rows)
        self.assertEqual(table.num_rows, written.rows)
        self.assertEqual(len(held), written.rows)
        keys = ("metric", "band", "visit", "detector", "run", "dataset_id")
        ours = [tuple(str(row[key]) for key in keys) + (repr(row["value"]),) for row in table.to_pylist()]
        theirs = [tuple(str(getattr(m, key)) for key in keys) + (repr(m.value),) for m in held]
        self.assertEqual(sorted(ours), sorted(theirs))

    def test_one_metric_is_one_folder(self) -> None:
        place = self.folder / "by-metric"
        partition(self.survey.root, ["*"], str(place))
        names = {path.name for path in place.iterdir()}
        for metric in ds.dataset(place, partitioning="hive").to_table(columns=["metric"])["metric"].unique():
            self.assertIn(f"metric={metric}", names)

    def test_misuse(self) -> None:
        (self.folder / "mine.txt").write_text("keep")
        with self.assertRaisesRegex(InputError, "not an empty folder"):
            partition(self.survey.root, ["*"], str(self.folder))
        self.assertEqual((self.folder / "mine.txt").read_text(), "keep")
        with self.assertRaises(CollectionError):
            partition(self.survey.root, ["nowhere"], str(self.folder / "new"))
        self.assertFalse((self.folder / "new").exists())


if __name__ == "__main__":
    unittest.main()
