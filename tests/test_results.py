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

"""The row of results: one schema, read back whole by whoever reads it."""

from __future__ import annotations

import io
import json
import math
import unittest
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st
from support import LARGEST_ID, steady
from support_seeded import make_table

from lsst.qa import measure
from lsst.qa.results import (
    DATA_ID,
    GATHERED_SCHEMA,
    METADATA_PREFIX,
    SCHEMA,
    SCHEMA_VERSION,
    STATUSES,
    Rows,
    Whence,
    from_rows,
    gathered,
    run_time,
    to_records,
)

FULL = {
    "metric": "PA1",
    "band": "i",
    "value": 5.5,
    "error": 0.25,
    "n": 120,
    "unit": "mmag",
    "status": "ok",
    "message": None,
    "bin_low": None,
    "bin_high": None,
    "instrument": "HSC",
    "physical_filter": "HSC-I",
    "day_obs": 20241108,
    "visit": LARGEST_ID,
    "exposure": None,
    "detector": 12,
    "skymap": "rings",
    "tract": 9813,
    "patch": None,
    "obs_time": datetime(2024, 11, 9, 6, 12, 49, 28994),
}
BARE = {"metric": "AM1", "value": math.nan, "error": math.nan, "n": 0, "unit": "mas", "status": "empty"}


class SchemaTestCase(unittest.TestCase):
    """The fields, their order and their types are what all rooms rely on."""

    def test_fields(self) -> None:
        self.assertEqual(SCHEMA.names, list(FULL))
        kinds = {
            **dict.fromkeys(("value", "error", "bin_low", "bin_high"), pa.float64()),
            **dict.fromkeys(("n", "day_obs", "visit", "exposure", "detector", "tract", "patch"), pa.int64()),
            "obs_time": pa.timestamp("us"),
        }
        for field in SCHEMA:
            self.assertEqual(field.type, kinds.get(field.name, pa.string()), field.name)
        self.assertEqual(
            GATHERED_SCHEMA.names[len(SCHEMA) :], ["dataset_id", "run", "task", "dataset_type", "run_time"]
        )
        self.assertLess(set(DATA_ID), set(SCHEMA.names))
        self.assertEqual(STATUSES, ("ok", "empty", "undefined", "failed"))

    def test_round_trip(self) -> None:
        table = from_rows([FULL, BARE])
        self.assertEqual(table.to_pylist()[0], FULL)
        bare = table.to_pylist()[1]
        self.assertTrue(math.isnan(bare["value"]))
        self.assertEqual(
            {key: bare[key] for key in ("band", "visit", "obs_time")},
            dict.fromkeys(("band", "visit", "obs_time")),
        )
        file = io.BytesIO()
        pq.write_table(table, file)
        self.assertTrue(pq.read_table(file).schema.equals(table.schema, check_metadata=True))

    def test_provenance(self) -> None:
        metadata = from_rows([FULL], {"task": "matchedStarMetrics"}).schema.metadata
        self.assertEqual(metadata[f"{METADATA_PREFIX}schema_version".encode()], str(SCHEMA_VERSION).encode())
        self.assertEqual(metadata[f"{METADATA_PREFIX}task".encode()], b"matchedStarMetrics")

    def test_no_rows(self) -> None:
        self.assertTrue(from_rows([]).schema.equals(SCHEMA))
        self.assertEqual(to_records(from_rows([])), [])

    def test_what_does_not_fit(self) -> None:
        for field, strange in (
            ("visit", "a"),
            ("value", "a"),
            ("visit", LARGEST_ID + 1),
            ("obs_time", "now"),
        ):
            with self.subTest(field=field), self.assertRaises((pa.ArrowException, OverflowError, TypeError)):
                from_rows([{**FULL, field: strange}])


class RecordsTestCase(unittest.TestCase):
    """Plain objects for JSON: NaN is null, a time a string."""

    @steady
    @given(st.floats(), st.floats(), st.integers(-LARGEST_ID, LARGEST_ID) | st.none(), st.text())
    def test_json(self, value: float, error: float, visit: int | None, message: str) -> None:
        row = {**FULL, "value": value, "error": error, "visit": visit, "message": message}
        try:
            table = from_rows([row])
        except UnicodeEncodeError:
            return  # half of a surrogate pair is no text
        (read,) = json.loads(json.dumps(to_records(table), allow_nan=False))
        self.assertEqual(read["value"], value if math.isfinite(value) else None)
        self.assertEqual(read["error"], error if math.isfinite(error) else None)
        self.assertEqual((read["visit"], read["message"]), (visit, message))
        self.assertEqual(list(read), SCHEMA.names)
        self.assertEqual(read["obs_time"], "2024-11-09T06:12:49.028994")


class RowsTestCase(unittest.TestCase):
    """What ``measure`` returns is a sequence, and any kind of table."""

    def test_sequence(self) -> None:
        rows = Rows([FULL, BARE])
        self.assertEqual((len(rows), rows[0], rows[:1]), (2, FULL, [FULL]))
        self.assertEqual([row["metric"] for row in rows], ["PA1", "AM1"])
        self.assertEqual(len(repr(rows).splitlines()), 2)
        self.assertIn("PA1 i: 5.5", repr(rows))

    def test_astropy(self) -> None:
        """Nulls are masked, and columns of nothing but nulls convert."""
        table = Rows([FULL, BARE]).to_astropy()
        self.assertEqual(list(table["metric"]), ["PA1", "AM1"])
        self.assertEqual(table["visit"][0], LARGEST_ID)
        self.assertTrue(table["visit"].mask[1])
        self.assertTrue(table["exposure"].mask.all())

    def test_pandas(self) -> None:
        try:
            import pandas
        except ImportError:
            self.skipTest("pandas is not installed")
        frame = Rows([FULL, BARE]).to_pandas()
        self.assertEqual(frame["metric"].tolist(), ["PA1", "AM1"])
        self.assertTrue(pandas.isna(frame["visit"][1]))
        self.assertEqual(int(frame["visit"][0]), LARGEST_ID, "ids are no floats")

    def test_arrow(self) -> None:
        table = measure(make_table("source"), "n_sources").to_arrow()
        self.assertEqual(table.schema.names, SCHEMA.names)


class GatheredTestCase(unittest.TestCase):
    """Rows of many datasets say which dataset they came from."""

    def origin(self, **changes: Any) -> dict[str, Any]:
        table = from_rows(
            [FULL, BARE], {"task": "matchedStarMetrics", "created": "2025-01-02T03:04:05+00:00"}
        )
        named = {"dataset_id": "0191", "run": "u/me/20241231T235959Z", "dataset_type": "qa_x", **changes}
        made = gathered([(Whence(**named), table)])
        self.assertTrue(made.schema.equals(GATHERED_SCHEMA))
        self.assertEqual(made.to_pylist()[0]["value"], 5.5)
        return dict(made.to_pylist()[1])

    def test_origin(self) -> None:
        row = self.origin()
        self.assertEqual((row["dataset_id"], row["dataset_type"]), ("0191", "qa_x"))
        self.assertEqual(row["task"], "matchedStarMetrics")
        self.assertEqual(row["run_time"], datetime(2024, 12, 31, 23, 59, 59))
        self.assertEqual(self.origin(run="u/me/test")["run_time"], datetime(2025, 1, 2, 3, 4, 5))

    def test_many(self) -> None:
        """Each keeps its own, those without rows and of other order too."""
        tables = [from_rows([FULL], {"task": "a"}), from_rows([]), from_rows([BARE, BARE], {"task": "b"})]
        tables[2] = tables[2].select(tables[2].column_names[::-1])
        made = gathered((Whence(str(k), f"run{k}", "qa_x"), table) for k, table in enumerate(tables))
        self.assertEqual(made["dataset_id"].to_pylist(), ["0", "2", "2"])
        self.assertEqual(made["task"].to_pylist(), ["a", "b", "b"])
        self.assertEqual(gathered([]).schema, GATHERED_SCHEMA)
        self.assertEqual(gathered([], ["metric"]).schema, GATHERED_SCHEMA)

    def test_order(self) -> None:
        rows = [{**FULL, "metric": name, "tract": tract} for name, tract in (("b", 2), ("a", None), ("b", 1))]
        tables = [(Whence(str(k), "run", "qa_x"), from_rows([row])) for k, row in enumerate(rows)]
        made = gathered(tables, ["metric", "tract"])
        self.assertEqual(made["dataset_id"].to_pylist(), ["1", "2", "0"])
        self.assertEqual(made["tract"].to_pylist(), [None, 1, 2])

    def test_run_time(self) -> None:
        eastern = datetime(2025, 1, 1, 12, tzinfo=timezone(timedelta(hours=3))).isoformat()
        for run, created, time in (
            ("a/20240102T030405Z", None, datetime(2024, 1, 2, 3, 4, 5)),
            ("a/20240102T030405Z/b", None, None),
            ("a", eastern, datetime(2025, 1, 1, 9)),
            ("a", datetime(2025, 1, 1, tzinfo=UTC).isoformat(), datetime(2025, 1, 1)),
            ("a", "2025-01-01T00:00:00", datetime(2025, 1, 1)),
            ("a/20249999T999999Z", eastern, datetime(2025, 1, 1, 9)),
            ("a/20249999T999999Z", None, None),
        ):
            with self.subTest(run=run, created=created):
                self.assertEqual(run_time(run, created), time)


if __name__ == "__main__":
    unittest.main()
