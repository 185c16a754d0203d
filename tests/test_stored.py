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

"""Columns in files: what goes over them part by part gives what arrays do."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from support import steady

from lsst.qa.catalogue import METRICS
from lsst.qa.columns import TABLES
from lsst.qa.engine import Task, columns_of
from lsst.qa.engine.applied import applied, in_parts
from lsst.qa.engine.stored import Files, NotInPartsError, Stored
from lsst.qa.metric import Estimate
from lsst.qa.stats import count, fraction, mean, median, quantile, rms_estimate, sigma_mad, stdev


class StoredTestCase(unittest.TestCase):
    """Files of a few parts."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for name, size in (("_MANY", 200), ("_PROBES", 20), ("_PART", 70)):
            self.enterContext(mock.patch(f"lsst.qa.stats.selection.{name}", size))
        self.enterContext(mock.patch("lsst.qa.engine.stored._AT_ONCE", 100))

    def stored(self, values: np.ndarray, name: str = "column") -> Stored:
        values.tofile(self.folder / name)
        return Stored(self.folder / name, values.dtype)

    def check(self, expected: Any, found: Any) -> None:
        found = found.copy() if isinstance(found, Stored) else found
        if isinstance(expected, np.ndarray):
            self.assertEqual(expected.dtype, found.dtype)
        np.testing.assert_allclose(found, expected, rtol=1e-12)

    @steady
    @given(st.integers(0, 1000), st.integers(0, 9), st.sampled_from([0, 1, 9]))
    def test_statistics(self, size: int, seed: int, digits: int) -> None:
        """Those of the package take a file as they take an array; quantiles to
        the last digit.
        """
        rng = np.random.default_rng(seed)
        values, units = np.round(rng.normal(size=size), digits), rng.integers(0, 7, size)
        values[rng.random(size) < 0.05] = np.nan
        column, unit = self.stored(values), self.stored(units, "unit")
        for exact in (median, sigma_mad, lambda some: quantile(some, 0.9), lambda some: fraction(some > 0.5)):
            np.testing.assert_array_equal(exact(column), exact(values))
        for added in (mean, stdev, rms_estimate):
            np.testing.assert_allclose(added(column), added(values), rtol=1e-12, atol=1e-12)
        self.check(median(values, units), median(column, unit))
        self.check(count(np.isnan(values)), count(np.isnan(column)))

    def test_values(self) -> None:
        values = np.random.default_rng(1).normal(size=300)
        column = self.stored(values)
        self.check(2.0 * values - np.abs(values), 2.0 * column - np.abs(column))
        self.check(values[values > 0.0], column[column > 0.0])
        self.check(np.where(values > 0.0, values, 3.0), np.where(column > 0.0, column, 3.0))
        self.check(values.astype(np.int64), column.astype(np.int64))
        self.check(values[7:250:9], column[7:250:9])
        self.check(values[80:80], column[80:80])
        for name in ("min", "max", "sum", "mean", "std", "all", "any"):
            self.check(getattr(values, name)(), getattr(column, name)())
        self.check(np.median(values), np.median(column))
        self.check(values.std(ddof=1), column.std(ddof=1))

    def test_nothing_is_left(self) -> None:
        """What is made goes when nobody needs it any more."""
        column = self.stored(np.arange(300.0))
        made = np.sqrt(column + 1.0)
        self.assertEqual(len(list(self.folder.iterdir())), 2)
        del made
        self.assertEqual([path.name for path in self.folder.iterdir()], ["column"])

    def test_what_takes_all_at_once(self) -> None:
        column = self.stored(np.arange(300.0))
        for refused in (
            lambda: np.sort(column),
            lambda: np.asarray(column),
            lambda: np.cumsum(column),
            lambda: np.add.accumulate(column),
            lambda: np.modf(column),
            lambda: column + np.arange(3.0),
            lambda: column[[1, 2]],
            lambda: column[::-1],
            lambda: list(column),
        ):
            with self.assertRaises(NotInPartsError):
                refused()
        with mock.patch("lsst.qa.engine.stored._AT_ONCE", 100), self.assertRaises(NotInPartsError):
            column[:]

    def test_contexts(self) -> None:
        """Each has its rows, in the order they came, at each level."""
        rng = np.random.default_rng(2)
        files, parts = Files(self.folder / "files"), []
        for size in (100, 0, 1, 300):
            parts.append((rng.normal(size=size), rng.integers(3, 6, size)))
            values, numbers = parts[-1]
            files.put({"x": [values[:40], values[40:]]}, [np.zeros(1, dtype=int), numbers])
        values, numbers = (np.concatenate(columns) for columns in zip(*parts))
        self.check(values, files.column("x", 0, 0))
        for number in range(7):
            self.check(values[numbers == number], files.column("x", 1, number))
            self.assertEqual(files.rows[1, number], np.count_nonzero(numbers == number))


class MetricsTestCase(unittest.TestCase):
    """Metrics over columns in files, and those that need arrays."""

    def setUp(self) -> None:
        # So that not even a thousand rows are taken at once.
        self.enterContext(mock.patch("lsst.qa.stats.selection._PART", 400))
        self.enterContext(mock.patch("lsst.qa.engine.stored._AT_ONCE", 900))

    def columns(self, task: Task, folder: Path) -> tuple[dict[str, np.ndarray], dict[str, Stored]]:
        """Make columns other than those that it is tried with."""
        rng = np.random.default_rng(7)
        arrays, files = {}, {}
        for place, name in enumerate(columns_of(task, selection=False)):
            found = TABLES[task.metric.table].column(name)
            assert found is not None
            values = rng.lognormal(1.0, 1.5, 3000)
            if found[0].kind != "real":
                values = values.astype(np.int64) % (2 if found[0].kind == "flag" else 50)
            kinds = {"flag": bool, "int": np.int64}
            arrays[name] = values.astype(kinds.get(found[0].kind, np.float64))
            arrays[name].tofile(folder / str(place))
            files[name] = Stored(folder / str(place), arrays[name].dtype)
        return arrays, files

    def test_same_as_of_arrays(self) -> None:
        """What is found to go part by part does, on any rows."""
        tried: dict[Any, bool] = {}
        for metric in METRICS.values():
            kind = metric.function, metric.shared, tuple(sorted(metric.constants.items()))
            if metric.steps or kind in tried:
                continue
            task = Task(metric, "r" if metric.each_band else None)
            if not tried.setdefault(kind, in_parts(task)):
                continue
            with (
                self.subTest(metric.name),
                tempfile.TemporaryDirectory() as folder,
                np.errstate(all="ignore"),
            ):
                found = [applied(task, way, {}, {}) for way in self.columns(task, Path(folder))]
                one, other = ([way] if isinstance(way, Estimate) else way for way in found)
                self.assertEqual(len(one), len(other))
                for expected, estimate in zip(one, other):
                    np.testing.assert_allclose(estimate[:3], expected[:3], rtol=1e-12)
        self.assertGreater(sum(tried.values()), 100)

    def test_which_go_part_by_part(self) -> None:
        yes = ["e1_residual_median", "size_residual_scatter", "sky_flux_stdev", "n_stars", "SE2"]
        yes += ["flag_fraction.pixelFlags_cr", "nan_fraction.psfFlux", "surface_brightness_limit"]
        yes += ["coadd_input_count_mean", "coadd_input_count_sigma_mad", "coadd_range_low.psfFlux"]
        for names, expected in ((yes, True), (["rho1", "TE3", "wPerp", "PA3"], False)):
            for name in names:
                metric = METRICS[name]
                with self.subTest(name):
                    self.assertEqual(in_parts(Task(metric, "r" if metric.each_band else None)), expected)


if __name__ == "__main__":
    unittest.main()
