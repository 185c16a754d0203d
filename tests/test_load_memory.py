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

"""The promise of memory where a release is loaded: what is held does not grow
with the rows.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import unittest
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from support_store import OnPostgres, OnSqlite

from lsst.qa.results import GATHERED_SCHEMA, SCHEMA
from lsst.qa.store.batches import Batch, Origin, Provenance
from lsst.qa.store.insertion import write_batch
from lsst.qa.store.query import run_summary

RUN = "u/me/qa/20261122T050000Z"
METRICS = 20
VISITS = 10_000
DETECTORS = 9

PEAK = """
import json, re, sys
from pathlib import Path

def memory(field):
    return int(re.search(field + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024.0

def peak(work):
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the imports
    before = memory("VmRSS")
    work()
    print(memory("VmHWM") - before)
"""

SUM_UP = """
from lsst.qa.store.database import connect
from lsst.qa.store.totals import sum_up

engine = connect(sys.argv[1])
with engine.connect():
    pass
peak(lambda: sum_up(engine))
engine.dispose()
"""

READ = """
from lsst.qa.store.batches import Provenance
from lsst.qa.store.gathered import gathered_batches, gathered_contents, open_gathered

def read():
    with open_gathered(sys.argv[1]) as file:
        contents = gathered_contents(file)
        batches = gathered_batches(file, contents, {*contents.uuids}, lambda run, kind: Provenance())
        assert sum(batch.rows.num_rows for batch in batches) == int(sys.argv[2])

peak(read)
"""


def peak(program: str, *arguments: str) -> float:
    """Return the highest memory of a program above its beginning, in MiB."""
    places = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", PEAK + program, *arguments],
        env={**os.environ, "PYTHONPATH": places},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise AssertionError(done.stderr)
    return float(done.stdout)


def rows_of(schema: pa.Schema, columns: Mapping[str, Any]) -> pa.Table:
    """Make rows of some columns, the others null; of a text for all rows, the
    text alone.
    """
    number = max(len(column) for column in columns.values() if not isinstance(column, str))

    def filled(field: pa.Field) -> pa.Array:
        column = columns.get(field.name)
        if column is None or isinstance(column, str):
            return pa.repeat(pa.scalar(column, field.type), number)
        return pa.array(column, field.type)

    return pa.table([filled(field) for field in schema], schema=schema)


class GatheredTestCase(unittest.TestCase):
    """Tables whose rows of a dataset are all over them."""

    def test_at_one_go(self) -> None:
        self.check(METRICS // 2, 460.0)

    def test_in_parts(self) -> None:
        self.check(METRICS, 360.0)

    def check(self, metrics: int, most: float) -> None:
        """Read a table of a hundred thousand rows of each metric."""
        owner = np.repeat(np.arange(VISITS), DETECTORS + 1)
        shared = {
            "value": np.random.default_rng(3).normal(size=len(owner)),
            "error": np.ones(len(owner)),
            "n": owner,
            "visit": owner,
            "detector": pa.array([None, *range(DETECTORS)]).take(pa.array(np.arange(len(owner)) % 10)),
            "dataset_id": pa.array([str(uuid.UUID(int=n)) for n in range(VISITS)]).take(pa.array(owner)),
            "obs_time": owner * 40_000_000,
            **dict.fromkeys(("band", "unit", "status", "instrument", "run", "task", "dataset_type"), "same"),
        }
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/gathered.parquet"
            with pq.ParquetWriter(path, GATHERED_SCHEMA) as writer:
                for metric in range(metrics):
                    writer.write_table(rows_of(GATHERED_SCHEMA, {"metric": f"m{metric:02}", **shared}))
            self.assertLess(peak(READ, path, str(metrics * len(owner))), most)


class SumsTests:
    """Sums of a run with many whole visits."""

    def test_peak(self) -> None:
        number = METRICS * VISITS
        columns = {
            "metric": np.repeat([f"m{metric:02}" for metric in range(METRICS)], VISITS),
            "band": np.tile(["g", "r"], number // 2),
            "value": np.arange(number) + 0.5,
            "error": np.ones(number),
            "n": np.arange(number),
            "visit": np.tile(np.arange(VISITS), METRICS),
            **{"unit": "mas", "status": "ok", "instrument": "Cam"},
        }
        origin = Origin("00000000-0000-4000-8000-000000000000", RUN, "qa_source_metrics", None, Provenance())
        write_batch(self.engine, Batch([origin], np.array([number]), rows_of(SCHEMA, columns)), "", "")
        self.assertLess(peak(SUM_UP, self.url), 64.0)
        found = run_summary(self.engine, 1)
        self.assertEqual([one.n_rows for one in found], [VISITS // 2] * 2 * METRICS)


class SqliteSumsTestCase(SumsTests, OnSqlite, unittest.TestCase):
    """Sorted by the library in this process."""


class PostgresSumsTestCase(SumsTests, OnPostgres, unittest.TestCase):
    """Sorted by the server."""


if __name__ == "__main__":
    unittest.main()
