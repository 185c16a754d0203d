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

"""Rows on their way into the database: their order, and what is no number."""

from __future__ import annotations

import datetime
import math
import random
import unittest
from unittest import mock

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from support import steady
from support_store import OnPostgres, OnSqlite, batch, contents, row

from lsst.qa.errors import DatabaseError, NotATableError
from lsst.qa.results import SCHEMA, from_rows
from lsst.qa.store import insertion
from lsst.qa.store.batches import Provenance, conform, database_rows, in_order, provenance
from lsst.qa.store.insertion import known_datasets, write_batch

_texts = st.sampled_from([None, "", "g", "r", "é"])
_numbers = st.none() | st.sampled_from([0, 7, 2**63 - 1, -(2**63)])
_bins = st.none() | st.sampled_from([0.0, -1.5, 1e300])
_KEYS = (
    "metric",
    "band",
    "instrument",
    "visit",
    "exposure",
    "detector",
    "tract",
    "patch",
    "bin_low",
    "bin_high",
)
_rows = st.lists(
    st.fixed_dictionaries(
        {
            "owner": st.integers(0, 3),
            "metric": st.sampled_from(["AM1", "PA1", "PA10"]),
            **dict.fromkeys(("band", "instrument"), _texts),
            **dict.fromkeys(("visit", "exposure", "detector", "tract", "patch"), _numbers),
            **dict.fromkeys(("bin_low", "bin_high"), _bins),
        }
    ),
    max_size=12,
)


def obvious_key(found: dict) -> tuple:
    """Return what rows are sorted by: null first, then the value."""
    return (found["owner"], *(() if found[name] is None else (found[name],) for name in _KEYS))


class OrderTestCase(unittest.TestCase):
    """The order of rows does not depend on where they were read."""

    @steady
    @given(_rows)
    def test_against_python(self, rows: list[dict]) -> None:
        owners = np.array([found["owner"] for found in rows], dtype=int)
        got = in_order(from_rows(rows), owners).to_pylist()
        expected = [from_rows([found]).to_pylist()[0] for found in sorted(rows, key=obvious_key)]
        self.assertEqual(got, expected)

    def test_many_values(self) -> None:
        """More combinations of values than there are integers."""
        rng = random.Random(3)
        rows = [row("AM1", 0.0, **{name: rng.getrandbits(62) for name in _KEYS[3:8]}) for _ in range(20_000)]
        rows += [dict(found, patch=None) for found in rows[:10]]
        got = in_order(from_rows(rows), np.zeros(len(rows), dtype=int)).to_pylist()
        rows = [{"owner": 0, "bin_low": None, "bin_high": None, **found} for found in rows]
        expected = [found["visit"] for found in sorted(rows, key=obvious_key)]
        self.assertEqual([found["visit"] for found in got], expected)


class ConformTestCase(unittest.TestCase):
    """Tables of other versions of the schema."""

    def test_same(self) -> None:
        table = from_rows([row("AM1", 1.0)])
        self.assertEqual(conform(table).to_pylist(), table.to_pylist())
        self.assertTrue(conform(table).schema.equals(SCHEMA.remove_metadata()))

    def test_other_columns(self) -> None:
        table = from_rows([row("AM1", 1.0, visit=2**62)]).drop_columns(["patch", "obs_time"])
        table = table.append_column("later", pa.array([1])).select(sorted([*table.column_names, "later"]))
        found = conform(table).to_pylist()[0]
        self.assertEqual(found, from_rows([row("AM1", 1.0, visit=2**62)]).to_pylist()[0])

    def test_other_types(self) -> None:
        table = from_rows([row("AM1", 1.0, obs_time=datetime.datetime(2026, 1, 1, 12))])
        for name, kind in (
            ("metric", pa.dictionary(pa.int32(), pa.string())),
            ("band", pa.large_string()),
            ("n", pa.int16()),
            ("value", pa.float32()),
            ("message", pa.null()),
            ("obs_time", pa.timestamp("ns", "UTC")),
        ):
            with self.subTest(column=name):
                column = table[name].cast(kind) if kind != pa.null() else pa.nulls(1)
                other = table.set_column(table.column_names.index(name), name, column)
                self.assertEqual(conform(other).to_pylist(), table.to_pylist())

    def test_other_tables(self) -> None:
        with self.assertRaisesRegex(NotATableError, "a column metric and status; found mag, value"):
            conform(pa.table({"mag": [1.0], "value": [2.0]}))
        with self.assertRaisesRegex(NotATableError, "not of its type"):
            conform(pa.table({"metric": ["AM1"], "value": ["large"], "status": ["ok"]}))


class ProvenanceTestCase(unittest.TestCase):
    """What a table says about its making."""

    def test_all(self) -> None:
        said = {"task": "t", "packages": '{"a": "1"}', "config": "ff", "created": "2026-01-01T02:00:00+02:00"}
        found = provenance(from_rows([], said).schema.metadata)
        self.assertEqual(found, Provenance("t", 1, "ff", datetime.datetime(2026, 1, 1), {"a": "1"}))

    def test_nonsense(self) -> None:
        for metadata in (None, {}, {b"pandas": b"{}"}):
            self.assertEqual(provenance(metadata), Provenance())
        wrong = {b"qa.schema_version": b"x", b"qa.created": b"soon", b"qa.packages": b"[1"}
        self.assertEqual(provenance(wrong), Provenance())
        self.assertEqual(provenance({b"qa.packages": b"[1]"}), Provenance())


class NumbersTestCase(unittest.TestCase):
    """Numbers that are not finite are null, and the status says why."""

    def rows(self, *rows: dict) -> list[dict]:
        table = from_rows(rows)
        numbers = np.arange(len(rows))
        return database_rows(table, numbers + 5, numbers, {"AM1": 9, "PA1": 8}).to_pylist()

    def test_keys(self) -> None:
        found = self.rows(row("PA1", 1.0), row("AM1", 2.0))
        self.assertEqual(
            [(f["dataset_id"], f["row_number"], f["metric_id"]) for f in found], [(5, 0, 8), (6, 1, 9)]
        )

    def test_not_finite(self) -> None:
        for value, message in ((math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf"), (None, "null")):
            found = self.rows(row("AM1", value, error=math.inf), row("AM1", 1.0))
            self.assertEqual(
                (found[0]["value"], found[0]["error"], found[0]["status"]), (None, None, "undefined")
            )
            self.assertEqual(found[0]["message"], f"the value is {message}")
            self.assertEqual((found[1]["value"], found[1]["status"], found[1]["message"]), (1.0, "ok", None))

    def test_reasons_are_kept(self) -> None:
        found = self.rows(
            row("AM1", math.nan, status="empty"),
            row("AM1", math.nan, status="failed", message="ZeroDivisionError"),
            row("AM1", math.inf, message="lost"),
            row("AM1", 1.0, status=None),
        )
        self.assertEqual(
            [(f["status"], f["message"]) for f in found],
            [("empty", None), ("failed", "ZeroDivisionError"), ("undefined", "lost"), ("ok", None)],
        )

    def test_open_bins(self) -> None:
        found = self.rows(row("AM1", 1.0, bin_low=-math.inf, bin_high=2.0))[0]
        self.assertEqual((found["bin_low"], found["bin_high"]), (None, 2.0))


class RoundTripTests:
    """What is written is read, whatever it is."""

    def test_extremes(self) -> None:
        moment = datetime.datetime(2026, 12, 31, 23, 59, 59, 999_999)
        texts = ("", "a,b", 'say "no"', "line\nbreak", "\\N", "NULL", "é µ 星", "tab\t", " ", "'; --")
        rows = [
            row("AM1", 0.1 + 0.2, error=5e-324, n=2**63 - 1, visit=-(2**63), obs_time=moment, tract=0),
            row("AM1", -1.7976931348623157e308, error=-0.0, visit=2**53 + 1, message=None),
            *(row(f"m{number}", 1.0, message=text, unit=text) for number, text in enumerate(texts)),
        ]
        made = batch("u/run", rows)
        self.assertEqual(write_batch(self.engine, made, "/repo", "c"), (1, len(rows)))
        fields = ("metric", "band", "value", "error", "n", "unit", "message", "visit", "tract", "obs_time")
        names = ("uuid", "metric", "row_number", *(n for n in SCHEMA.names if n != "metric"))
        found = [dict(zip(names, held)) for held in contents(self.engine)]
        found = sorted(found, key=lambda held: held["row_number"])
        for got, put in zip(found, rows, strict=True):
            self.assertEqual([got[name] for name in fields], [put.get(name) for name in fields])

    def test_message_with_a_null_character(self) -> None:
        failed = row("AM1", math.nan, status="failed", message="bad\0byte")
        write_batch(self.engine, batch("u/run", [failed]), "/repo", "c")
        self.assertEqual([held[9] for held in contents(self.engine)], ["badbyte"])

    def test_refused(self) -> None:
        """A batch that cannot be written leaves nothing behind."""

        def same_key(rows: pa.Table, ids: np.ndarray, numbers: np.ndarray, metrics: dict) -> pa.Table:
            return database_rows(rows, ids, 0 * numbers, metrics)

        made = batch("u/run", [row("AM1", 1.0), row("AM1", 2.0)])
        with (
            mock.patch.object(insertion, "database_rows", same_key),
            self.assertRaisesRegex((DatabaseError, IntegrityError), "measurement"),
        ):
            write_batch(self.engine, made, "/repo", "c")
        self.assertEqual((contents(self.engine), known_datasets(self.engine, ["u/run"])), ([], {}))
        self.assertEqual(write_batch(self.engine, made, "/repo", "c"), (1, 2))

    def test_columns_that_are_sometimes_null(self) -> None:
        rows = [
            row("AM1", float(n), visit=n or None, band="g" if n % 2 else None, obs_time=None)
            for n in range(5)
        ]
        write_batch(self.engine, batch("u/run", rows), "/repo", "c")
        found = sorted(contents(self.engine), key=lambda held: held[2])
        self.assertEqual([held[3] for held in found], [None, "g", None, "g", None])
        self.assertEqual([held[4] for held in found], [0.0, 1.0, 2.0, 3.0, 4.0])


class SqliteTestCase(RoundTripTests, OnSqlite, unittest.TestCase):
    """A database in a file."""


class PostgresTestCase(RoundTripTests, OnPostgres, unittest.TestCase):
    """A database on a server."""


if __name__ == "__main__":
    unittest.main()
