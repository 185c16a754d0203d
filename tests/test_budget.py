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

"""The promise of memory: a task stays within its budget, whatever the budget
the numbers are the same, and one that cannot be kept is refused unread.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from support import same

from lsst.qa.errors import BudgetError
from lsst.qa.tables.files import ParquetTable
from lsst.qa.tasks import MatchedStarMetricsTask, SourceMetricsTask

ROWS = 2_000_000
VISITS = 10
PIECE = 1 << 18

ENOUGH = 512
"""MiB, what the shipped configurations allow."""

MATCHED = ["PA1", "PA2", "PF1", "AM1", "AD1", "AF1", "psfPhotRepStar1", "modelPhotRepStar4"]
SOURCES = ["e1_residual_median", "size_residual_scatter", "sky_flux_mean", "n_stars"]
SOURCES += [f"flag_fraction.{name}" for name in ("psfFlux_flag", "pixelFlags_cr")]

MEASURED = ["isolated_star_id", "ra", "dec", "sourceId", "gaussianFlux"]
MEASURED += ["ap09Flux", "psfFlux_flag", "ixx", "iyy"]

RUN = """
import json, re, sys
from pathlib import Path
from test_budget import task_of
from lsst.qa.tables.files import open_table

def memory(field):
    return int(re.search(field + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024.0

kind, path, budget = sys.argv[1:]
task = task_of(kind, int(budget))
Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the imports
before = memory("VmRSS")
rows = task.run(open_table(path), {}).metrics.to_pylist()
print(json.dumps({"peak": memory("VmHWM") - before, "rows": rows}))
"""


def task_of(kind: str, budget: int) -> Any:
    """Make a task with a budget in MiB."""
    task = MatchedStarMetricsTask if kind == "matched" else SourceMetricsTask
    config = task.ConfigClass()
    config.metrics = MATCHED if kind == "matched" else SOURCES
    config.by = ["detector"] if kind != "matched" else []
    config.memory_budget = budget
    return task(config=config)


def write(kind: str, path: Path) -> None:
    """Write a table of `ROWS` rows, which has no order but maybe of visits."""
    rng = np.random.default_rng(3)
    make = {"matched": _matched, "source": _sources, "mixed": _mixed}[kind]
    writer = None
    for first in range(0, ROWS, PIECE):
        table = pa.table(make(rng, np.arange(first, min(first + PIECE, ROWS))))
        writer = writer or pq.ParquetWriter(path, table.schema, compression="none", use_dictionary=["band"])
        writer.write_table(table)
    assert writer is not None
    writer.close()


def _shared(rng: np.random.Generator, row: np.ndarray, flux: np.ndarray) -> dict[str, Any]:
    n = len(row)
    return {
        "sourceId": row + (1 << 60),
        "visit": row * VISITS // ROWS + 2026010100001,
        "detector": rng.integers(0, 9, n),
        "band": np.full(n, "r"),
        "psfFlux": flux,
        "psfFluxErr": np.full(n, 40.0),
        "extendedness": (rng.random(n) < 0.02) * 1.0,
        "detect_isPrimary": rng.random(n) < 0.99,
        **{f"pixelFlags_{name}": rng.random(n) < 0.01 for name in ("bad", "cr", "edge", "saturated")},
    }


def _matched(rng: np.random.Generator, row: np.ndarray) -> dict[str, Any]:
    star = row % (ROWS // VISITS)
    n = len(row)
    place = np.random.default_rng(4).uniform(-1.0, 1.0, (2, ROWS // VISITS))[:, star]
    bright = 40.0 * 10.0 ** (0.5 + 3.0 * (star % 1000) / 1000.0)
    flux = bright * (1.0 + 0.01 * rng.standard_normal(n))
    sky = place + rng.normal(0.0, 10e-3 / 3600.0, (2, n))
    return {
        "isolated_star_id": star + (1 << 61),
        "ra": 50.0 + sky[0],
        "dec": sky[1],
        "gaussianFlux": 1.01 * flux,
        **_shared(rng, row, flux),
    }


def _sources(rng: np.random.Generator, row: np.ndarray) -> dict[str, Any]:
    n = len(row)
    sky = rng.random(n) < 0.05
    moments = {f"i{axes}{psf}": rng.normal(4.0, 0.1, n) for axes in ("xx", "yy") for psf in ("", "PSF")}
    return {
        **_shared(rng, row, 40.0 * rng.lognormal(3.2, 1.0, n)),
        "ra": rng.uniform(49.0, 51.0, n),
        "dec": rng.uniform(-1.0, 1.0, n),
        "ap09Flux": rng.normal(5.0, 100.0, n),
        "sky_source": sky,
        "psfFlux_flag": rng.random(n) < 0.01,
        "pixelFlags_nodata": np.zeros(n, dtype=bool),
        **{f"ixy{psf}": rng.normal(0.0, 0.1, n) for psf in ("", "PSF")},
        **moments,
    }


def _mixed(rng: np.random.Generator, row: np.ndarray) -> dict[str, Any]:
    return {**_sources(rng, row), "visit": row % VISITS + 2026010100001}


class Unread(ParquetTable):
    """A table of which only that is read which tells what is measured."""

    def pieces(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        if measured := {*names} & {*MEASURED}:
            raise AssertionError(f"these columns were read: {measured}")
        return super().pieces(names)


class BudgetTestCase(unittest.TestCase):
    """Tables of two million rows, in processes of their own."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))

    def path(self, kind: str) -> Path:
        path = self.folder / f"{kind}.parquet"
        if not path.exists():
            write(kind, path)
        return path

    def run_task(self, kind: str, budget: int) -> tuple[float, list[dict[str, Any]]]:
        """Return the peak above the baseline, in MiB, and the rows."""
        command = [sys.executable, "-c", RUN, kind, str(self.path(kind)), str(budget)]
        places = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        done = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": places}, capture_output=True, text=True
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout.splitlines()[-1])
        return told["peak"], told["rows"]

    def smallest(self, kind: str) -> int:
        """Ask for the least budget, which the refusal of none names."""
        with self.assertRaises(BudgetError) as caught:
            self.refused(kind, 128)
        return int(re.search(r"(\d+) MiB would do", str(caught.exception))[1])

    def refused(self, kind: str, budget: int) -> None:
        task_of(kind, budget).run(Unread(self.path(kind)), {})

    def check(self, kind: str) -> None:
        peak, rows = self.run_task(kind, ENOUGH)
        self.assertEqual({row["status"] for row in rows}, {"ok"}, rows)
        self.assertLessEqual(peak, ENOUGH)
        least = self.smallest(kind)
        self.assertLess(least, ENOUGH)
        peak, again = self.run_task(kind, least)
        self.assertLessEqual(peak, least)
        self.assertEqual(same(rows, again, 1e-12), [])
        with self.assertRaisesRegex(BudgetError, f"{least} MiB would do"):
            self.refused(kind, least - 1)

    def test_matched_stars(self) -> None:
        """The rows come by visit, and have to be dealt out by star."""
        self.check("matched")

    def test_sources(self) -> None:
        """By visit and detector; the rows come by visit."""
        self.check("source")

    def test_sources_of_visits_mixed(self) -> None:
        """Rows of a visit lie among those of others."""
        self.check("mixed")


if __name__ == "__main__":
    unittest.main()
