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

"""Targets that need nothing but this machine."""

from __future__ import annotations

import json
import tempfile
import unittest
from pathlib import Path

from support_publish import TargetContract, dataset, records_for, row, shelf_of
from support_store import OnPostgres, OnSqlite, contents

from lsst.qa.errors import InputError
from lsst.qa.publish.settings import Settings
from lsst.qa.publish.targets.base import Target
from lsst.qa.publish.targets.opening import SCHEMES, open_target
from lsst.qa.publish.targets.recording import RecordingTarget


class RecordingTestCase(TargetContract, unittest.TestCase):
    """The recording target."""

    appends = True

    def setUp(self) -> None:
        self.target = RecordingTarget()

    def open(self) -> Target:
        return self.target


class _InFolder(TargetContract):
    suffix = ""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name, "out put" + self.suffix)

    def open(self) -> Target:
        return open_target(f"file://{self.path}", Settings())

    def test_cut_short(self) -> None:
        """Wherever a killed uploader stopped writing, the file is mended."""
        records = self.records(n_datasets=2)
        with self.open() as target:
            self.send_all(target, records[:6])
            first = self.path.stat().st_size
            self.send_all(target, records)
        whole = self.path.read_bytes()
        for cut in (0, 1, first - 1, first, first + 1, (first + len(whole)) // 2, len(whole) - 1):
            with self.subTest(cut=cut):
                self.path.write_bytes(whole[:cut])
                with self.open() as target:
                    self.send_all(target, records)
                    self.assert_holds(target, records)


class JsonLinesTestCase(_InFolder, unittest.TestCase):
    """JSON Lines."""

    suffix = ".jsonl"

    def test_a_line_is_a_record(self) -> None:
        (record,) = records_for(dataset(1, [row("PA1", float("nan"), visit=7)]))
        with self.open() as target:
            target.send([record])
        found = json.loads(self.path.read_text())
        self.assertEqual(found["topic"], "lsst.debug.qa.PA1")
        self.assertEqual(found["value"], record.value)
        self.assertIsNone(found["value"]["value"])
        self.assertEqual(found["value"]["status"], "undefined")


class AvroFileTestCase(_InFolder, unittest.TestCase):
    """Avro containers."""

    suffix = ".avro"


class _OnDatabase(TargetContract):
    def open(self) -> Target:
        return open_target(self.url, Settings())

    def test_like_a_load(self) -> None:
        """What is published is what a load writes, and each dataset once."""
        import numpy as np

        from lsst.qa.store.batches import Batch
        from lsst.qa.store.insertion import write_batch

        shelf = shelf_of(3)
        found = list(shelf.read([planned.dataset for planned in shelf.planned]))
        for one in found:
            write_batch(self.engine, Batch([one.origin], np.array([len(one.rows)]), one.rows), "", "")
        loaded = contents(self.engine)
        with self.open() as target:
            self.send_all(target, self.records(n_datasets=3))
        self.assertEqual(contents(self.engine), loaded)
        with self.engine.begin() as connection:
            connection.exec_driver_sql(
                "DELETE FROM " + ("qa." if "postgres" in self.url else "") + "measurement"
            )
            connection.exec_driver_sql("DELETE FROM " + ("qa." if "postgres" in self.url else "") + "dataset")
        with self.open() as target:
            self.send_all(target, self.records(n_datasets=3))
        self.assertEqual(contents(self.engine), loaded)


class SqliteTestCase(_OnDatabase, OnSqlite, unittest.TestCase):
    """A metrics database in a file."""

    signed_zero = False  # SQLite has none


class PostgresTestCase(_OnDatabase, OnPostgres, unittest.TestCase):
    """A metrics database on a server."""


class OpenTestCase(unittest.TestCase):
    """From a URL to a target."""

    def test_not_a_target(self) -> None:
        for url, expected in (
            ("elsewhere", "begins with no scheme"),
            ("sasquach+https://x", "Did you mean 'sasquatch+https'"),
            ("https://x", "begins with 'https'"),
            ("file:///x.csv", "names no format"),
            ("influxdb://x:1", "names no database"),
            ("kafka://x:1", "schema registry"),
        ):
            with self.subTest(url=url), self.assertRaises(InputError) as caught:
                open_target(url, Settings())
            self.assertIn(expected, str(caught.exception))

    def test_secrets_stay_out_of_urls(self) -> None:
        for url in (
            "sasquatch+https://me:hush@host/x",
            "influxdb://hush@host/db",
            "sasquatch+https://host/x?token=hush",
            "influxdb://host/db?password=hush",
        ):
            with self.subTest(url=url), self.assertRaises(InputError) as caught:
                open_target(url, Settings())
            self.assertNotIn("hush", str(caught.exception))

    def test_schemes(self) -> None:
        for scheme in ("sqlite", "kafka", "influxdb", "sasquatch+https", "file"):
            self.assertIn(scheme, SCHEMES)


if __name__ == "__main__":
    unittest.main()
