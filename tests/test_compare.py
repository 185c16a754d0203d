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

"""Changes from run to run: their size, their significance, their direction."""

from __future__ import annotations

import math
import unittest
from typing import Any

import numpy as np
from support_dashboard import Browser
from support_store import OnPostgres, OnSqlite, batch, row

from lsst.qa.judge.changes import change, change_of_all, direction
from lsst.qa.metric import srd
from lsst.qa.store.compared import paired
from lsst.qa.store.insertion import write_batch
from lsst.qa.store.query import get_run

LESS, MORE = srd(3.0, 2.0, 1.0, bands="r"), srd(1.0, 2.0, 3.0, bands="r", op=">=")


def changed(before: Any, after: Any, error: float = 0.1, specs: Any = LESS) -> Any:
    """Compare values with the same errors."""
    errors = np.full(len(before), error)
    return change(np.array(before), np.array(after), errors, errors, "r", specs)


class ChangeTestCase(unittest.TestCase):
    """What is told of one metric."""

    def test_scatter_of_visits_drops_out(self) -> None:
        visits = np.random.default_rng(1).normal(10.0, 5.0, 50)
        noise = np.random.default_rng(2).normal(0.0, 0.01, 50)
        found = changed(visits, visits + 0.1 + noise)
        self.assertAlmostEqual(found.difference, 0.1, delta=0.01)
        self.assertLess(found.error, 0.005)
        self.assertEqual((found.direction, found.pairs), ("worse", 50))
        apart = change_of_all(*(np.stack([v, v], axis=1) for v in (visits, visits + 0.1)), "r", LESS)
        self.assertEqual((apart.direction, apart.pairs), ("same", 0))

    def test_few_pairs_use_their_own_errors(self) -> None:
        found = changed([1.0], [1.5])
        self.assertAlmostEqual(found.error, 0.1 * math.sqrt(2.0))
        self.assertEqual(found.direction, "worse")
        self.assertEqual(changed([1.0], [1.4], specs=MORE).direction, "same")
        self.assertEqual(changed([1.0], [1.5], specs=MORE).direction, "better")

    def test_without_error_or_value(self) -> None:
        self.assertEqual(changed([1.0], [1.5], error=math.nan).direction, "unknown")
        self.assertEqual(changed([1.0], [1.0], error=math.nan).direction, "same")
        found = changed([math.nan, 1.0], [1.0, math.inf])
        self.assertEqual((found.pairs, found.direction), (0, "unknown"))
        empty = change_of_all(np.empty((0, 2)), np.array([[1.0, 0.1]]), "r")
        self.assertEqual((empty.direction, empty.after), ("unknown", 1.0))

    def test_direction(self) -> None:
        for before, after, significance, specs, expected in (
            (1.0, 2.0, 5.0, (), "changed"),
            (1.0, 2.0, 5.0, srd(1, 1, 1, bands="g"), "changed"),
            (2.0, 1.0, -5.0, LESS, "better"),
            (2.0, 1.0, -5.0, MORE, "worse"),
            (-2.0, 1.0, 5.0, LESS + MORE, "better"),
            (-1.0, -2.0, -5.0, LESS + MORE, "worse"),
            (-1.0, 1.0, 5.0, LESS + MORE, "changed"),
            (1.0, 2.0, 2.9, LESS, "same"),
        ):
            self.assertEqual(direction(before, after, significance, "r", specs), expected)


class PairedTests:
    """Two runs of a database; a kind of database inherits."""

    engine: Any
    url: str

    def setUp(self) -> None:
        super().setUp()  # type: ignore[misc]
        before = [row("PA1", 1.0 + v, visit=v, unit="mmag") for v in range(6)]
        before += [row("PA1", 9.0, visit=0, detector=3, unit="mmag"), row("AM1", 4.0, tract=1)]
        after = [row("PA1", 1.2 + v, error=None, visit=v, unit="mmag") for v in range(1, 7)]
        after += [row("AM1", 4e-3, tract=1, unit="arcsec")]
        write_batch(self.engine, batch("u/before", before), "", "")
        write_batch(self.engine, batch("u/after", after), "", "")
        self.runs = [get_run(self.engine, name).run_id for name in ("u/before", "u/after")]  # type: ignore[union-attr]

    def test_pairs(self: Any) -> None:
        found = {(one.metric, one.unit): one for one in paired(self.engine, *self.runs)}
        held = found["PA1", "mmag"]
        self.assertEqual([pair.data_id["visit"] for pair in held.pairs], [1, 2, 3, 4, 5])
        np.testing.assert_allclose(held.after - held.before, 0.2)
        self.assertTrue(np.isnan(held.after_error).all())
        np.testing.assert_array_equal(held.only_before, [[1.0, 0.5]])
        self.assertEqual(len(held.only_after), 1)
        self.assertEqual(len(found["AM1", "mas"].pairs), 0, "units differ")
        self.assertEqual(
            [one.metric for one in paired(self.engine, *self.runs, metrics=["AM1"])], ["AM1"] * 2
        )
        self.assertEqual(paired(self.engine, *self.runs, band="g"), [])


class SqliteTestCase(PairedTests, OnSqlite, unittest.TestCase):
    """In a file, with the page."""

    def test_page(self) -> None:
        shown = Browser(self.engine).get("/compare.json?before=u/before&after=u/after").json()
        rows = {(one["metric"], one["unit"]): one for one in shown["changes"]}
        self.assertEqual((rows["PA1", "mmag"]["pairs"], rows["PA1", "mmag"]["only_after"]), (5, 1))
        self.assertEqual(shown["counts"], {**dict.fromkeys(shown["counts"], 0), "unknown": 2, "changed": 1})
        page = Browser(self.engine).get("/compare?before=u/before&after=u/after&metric=PA1&band=r&direction=")
        self.assertEqual(page.status_code, 200)
        self.assertIn("visit 5", page.text)

    def test_sorted_and_of_a_band(self) -> None:
        rows = [
            ("m5", "r", 24.0, 25.0),
            ("PA1", "g", 1.0, 1.1),
            ("PA1", "r", 1.0, 3.0),
            ("AM1", "r", 9.0, 9.0),
        ]
        for run, place in (("u/x/w_01/20260101T000000Z", 2), ("u/x/w_02/20260108T000000Z", 3)):
            made = [row(one[0], one[place], band=one[1], visit=1, error=0.01) for one in rows]
            write_batch(self.engine, batch(run, made), "", "")
        browser = Browser(self.engine)

        def shown(query: str = "") -> list[str]:
            found = browser.get(f"/compare.json?after=u/x/w_02/20260108T000000Z{query}").json()
            self.assertEqual(found["before"]["name"], "u/x/w_01/20260101T000000Z")
            self.assertEqual(found["bands"], ["g", "r"] if "metric=m5" not in query else ["r"])
            return [f"{one['metric']} {one['band']}" for one in found["changes"]]

        self.assertEqual(shown("&sort=metric"), ["AM1 r", "PA1 g", "PA1 r", "m5 r"])
        self.assertEqual(shown("&sort=change"), ["PA1 r", "PA1 g", "m5 r", "AM1 r"])
        self.assertEqual(shown("&sort=change&band=r"), ["PA1 r", "m5 r", "AM1 r"])
        self.assertEqual(shown("&metric=m5"), ["m5 r"])
        page = browser.get("/compare?after=u/x/w_02/20260108T000000Z&sort=metric&metric=PA1").text
        self.assertIn('aria-sort="ascending"', page)
        self.assertRegex(page, r'<a href="/data\?[^"]*visit=1">')

    def test_nothing_in_common(self) -> None:
        write_batch(self.engine, batch("u/other", [row("m5", 24.0, visit=1)]), "", "")
        self.assertIn(
            "Nothing in common", Browser(self.engine).get("/compare?before=u/before&after=u/other").text
        )

    def test_misuse(self) -> None:
        browser = Browser(self.engine)
        for query, status, told in (
            ("before=u/after&after=u/after", 422, "compared with itself"),
            ("before=u/befor", 404, "u/before"),
            ("direction=up", 422, "worse"),
        ):
            answer = browser.get(f"/compare?{query}")
            self.assertEqual(answer.status_code, status)
            self.assertIn(told, answer.text)


class EmptyTestCase(OnSqlite, unittest.TestCase):
    """A database that is new."""

    def test_page_says_what_to_do(self) -> None:
        page = Browser(self.engine).get("/compare")
        self.assertEqual(page.status_code, 200)
        self.assertIn("lsst-qa load", page.text)


class PostgresTestCase(PairedTests, OnPostgres, unittest.TestCase):
    """On a server."""
