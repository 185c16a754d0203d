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

"""What tests of tables share: comparing, cutting and storing them."""

from __future__ import annotations

__all__ = [
    "LARGEST_ID",
    "SHARED",
    "Columns",
    "Cut",
    "FolderTestCase",
    "needs_shared",
    "same",
    "shuffled",
    "steady",
    "taken",
]

import math
import tempfile
import unittest
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from click.testing import CliRunner, Result
from hypothesis import settings

from lsst.qa.cli import main
from lsst.qa.tables.readable import InMemory

Columns = dict[str, np.ndarray]

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
needs_shared = unittest.skipUnless(
    SHARED.is_dir(), "there are no real data: ../shared/data, beside the checkout, is absent"
)
"""Decorator of tests on real data, which the repository does not hold."""

steady = settings(max_examples=60, deadline=None, derandomize=True, database=None)
"""Decorator of property tests: the same examples in every run."""

LARGEST_ID = 2**63 - 1


def taken(columns: Mapping[str, np.ndarray], rows: Any) -> Columns:
    """Return some rows of a table.

    Parameters
    ----------
    columns : `dict` [`str`, `numpy.ndarray`]
        The table.
    rows : `numpy.ndarray` or `slice`
        Which.

    Returns
    -------
    columns : `dict` [`str`, `numpy.ndarray`]
        These rows.
    """
    return {name: values[rows] for name, values in columns.items()}


def shuffled(columns: Mapping[str, np.ndarray], seed: int) -> Columns:
    """Return the rows in another order.

    Parameters
    ----------
    columns : `dict` [`str`, `numpy.ndarray`]
        The table.
    seed : `int`
        Other seeds, other orders.

    Returns
    -------
    columns : `dict` [`str`, `numpy.ndarray`]
        All its rows.
    """
    rows = len(next(iter(columns.values())))
    return taken(columns, np.random.default_rng(seed).permutation(rows))


def same(one: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]], rtol: float) -> list[str]:
    """Compare rows of results.

    Parameters
    ----------
    one, other : `~collections.abc.Sequence` [`~collections.abc.Mapping`]
        Rows in the same order.
    rtol : `float`
        What values may differ by, relative to the value or its error.

    Returns
    -------
    faults : `list` [`str`]
        What differs.
    """
    if len(one) != len(other):
        return [f"{len(one)} rows and {len(other)}"]
    found = []
    for a, b in zip(one, other):
        size = max(abs(a["value"]), a["error"] if a["error"] == a["error"] else 0.0)
        for field in a:
            if field in ("value", "error"):
                near = math.isclose(a[field], b[field], rel_tol=0.0, abs_tol=rtol * size)
                near = near or (math.isnan(a[field]) and math.isnan(b[field]))
            else:
                near = a[field] == b[field]
            if not near:
                found.append(f"{a['metric']} {a['band']} {field}: {a[field]!r} and {b[field]!r}")
    return found


class FolderTestCase(unittest.TestCase):
    """Base of tests that write files and measure them."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def parquet(self, table: Columns, name: str = "table.parq", **options: Any) -> Path:
        pq.write_table(pa.table(table), self.folder / name, **options)
        return self.folder / name

    def run_cli(self, *words: Any) -> Result:
        return CliRunner().invoke(main, ["measure", *map(str, words)])


class Cut(InMemory):
    """A table that hands its rows over in pieces of given sizes.

    Parameters
    ----------
    columns : `dict` [`str`, `numpy.ndarray`]
        Its columns.
    sizes : `~collections.abc.Sequence` [`int`]
        Number of rows of each piece, 0 for an empty one; the rest of the
        rows are the last piece.
    """

    def __init__(self, columns: Columns, sizes: Sequence[int]):
        super().__init__(columns, {}, "a table in pieces")
        self._edges = np.minimum(np.cumsum([0, *sizes, self.n_rows]), self.n_rows)

    def pieces(self, names: Sequence[str]) -> Iterator[dict[str, np.ndarray]]:
        for piece in super().pieces(names):
            for low, high in zip(self._edges[:-1], self._edges[1:]):
                yield {name: values[low:high] for name, values in piece.items()}
