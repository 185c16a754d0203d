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

"""Change points, and what a metric's page says of them."""

from __future__ import annotations

import datetime
import itertools
import math
import unittest
from collections.abc import Iterator

import numpy as np
from support_dashboard import Browser
from support_store import OnSqlite, batch, row

from lsst.qa.judge.change_points import FEWEST, Shift, segments, shifts
from lsst.qa.store.insertion import write_batch
from lsst.qa.store.query import get_run, package_changes

START = datetime.datetime(2026, 1, 1)


class ShiftsTestCase(unittest.TestCase):
    """Levels of a series."""

    def test_one_change(self) -> None:
        noise = np.random.default_rng(1).normal(0.0, 0.1, 40)
        noise[20:] += 1.0
        (found,) = shifts(noise)
        self.assertEqual(found.place, 20)
        self.assertAlmostEqual(found.after - found.before, 1.0, delta=0.1)

    def test_places_count_what_is_missing(self) -> None:
        values = [1.0, math.nan, 1.0, 1.0, 1.0, math.nan, 2.0, 2.0, 2.0, 2.0]
        self.assertEqual(shifts(values), [Shift(6, 1.0, 2.0)])

    def test_no_change(self) -> None:
        for values in ([], [1.0] * 20, [1.0, 2.0], [1.0] * 9 + [50.0] + [1.0] * 9, [math.nan] * 20):
            self.assertEqual(shifts(values), [], values)

    def test_segments_are_the_best(self) -> None:
        draw = np.random.default_rng(3)
        for n in (3, 6, 8, 11, 14):
            ways = [ends for ends in _partitions(n) if all(np.diff([0, *ends]) >= FEWEST)]
            for _ in range(20):
                levels = np.repeat(draw.normal(0.0, 3.0, n), draw.integers(1, 6, n))[:n]
                values, penalty = levels + draw.normal(0.0, 1.0, n), float(draw.uniform(0.5, 20.0))
                best = min(ways, key=lambda ends: _cost(values, ends, penalty))
                self.assertEqual(segments(values, penalty), best)

    def test_false_alarms_are_few(self) -> None:
        draw = np.random.default_rng(7)
        alarms = sum(bool(shifts(draw.standard_t(3, 40))) for _ in range(200))
        self.assertLessEqual(alarms, 8)


def _partitions(n: int) -> Iterator[list[int]]:
    """Part a series in all ways there are."""
    for number in range(n):
        for ends in itertools.combinations(range(1, n), number):
            yield [*ends, n]


def _cost(values: np.ndarray, ends: list[int], penalty: float) -> float:
    parts = np.split(values, ends[:-1])
    return sum(float(np.sum((part - part.mean()) ** 2)) for part in parts) + penalty * (len(parts) - 1)


class PageTestCase(OnSqlite, unittest.TestCase):
    """Ten runs, of which the seventh brought another level."""

    def setUp(self) -> None:
        super().setUp()
        for number in range(10):
            time = START + datetime.timedelta(days=number)
            run = f"u/level/{time:%Y%m%dT%H%M%SZ}"
            value = (4.0 if number < 6 else 6.0) + 0.01 * (number % 3)
            made = batch(run, [row("PA1", value, tract=1, unit="mmag")], created=time)
            versions = {"lsst-qa": "0.1" if number < 6 else "0.2"}
            origins = [
                origin._replace(provenance=origin.provenance._replace(packages=versions))
                for origin in made.origins
            ]
            write_batch(self.engine, made._replace(origins=origins), "", "")

    def test_metric_page(self) -> None:
        shown = Browser(self.engine).get("/metrics/PA1.json").json()
        (change,) = shown["changes"]
        self.assertEqual(change["run"], "u/level/20260107T000000Z")
        self.assertEqual(
            [(s["band"], s["before"], s["after"]) for s in change["shifts"]], [("r", 4.01, 6.005)]
        )
        self.assertEqual(change["packages"], [{"package": "lsst-qa", "before": "0.1", "after": "0.2"}])
        page = Browser(self.engine).get("/metrics/PA1").text
        self.assertIn("1 change of level", page)

    def test_package_changes(self) -> None:
        runs = [get_run(self.engine, f"u/level/2026010{day}T000000Z") for day in (6, 7, 8)]
        numbers = [run.run_id for run in runs if run is not None]
        found = package_changes(self.engine, numbers)
        self.assertEqual(list(found), [numbers[1]])
        self.assertEqual(package_changes(self.engine, numbers[1:]), {})
