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

"""What made a run's results, and whether it is configured as before."""

from __future__ import annotations

import unittest
from typing import Any

from support_dashboard import Browser
from support_store import OnPostgres, OnSqlite, batch, row

from lsst.qa.store.configured import made_by
from lsst.qa.store.insertion import write_batch
from lsst.qa.store.query import get_run

RUNS = [f"u/erin/qa/w_{week}/2026010{week - 9}T000000Z" for week in (10, 11, 12)]


def load(engine: Any, run: str, config: str) -> None:
    """Load one dataset that was made with a configuration."""
    made = batch(run, [row("PA1", 5.0, tract=1)])
    (origin,) = made.origins
    told = origin._replace(provenance=origin.provenance._replace(config_hash=config))
    write_batch(engine, made._replace(origins=[told]), "/repo", "u/erin")


class MadeTests:
    """Runs of a database; a kind of database inherits."""

    def setUp(self: Any) -> None:
        super().setUp()  # type: ignore[misc]
        for run, config in zip(RUNS, ("a" * 64, "a" * 64, "b" * 64)):
            load(self.engine, run, config)
        self.ids = [get_run(self.engine, run).run_id for run in RUNS]

    def test_made(self: Any) -> None:
        found = made_by(self.engine, self.ids)
        self.assertEqual([len(found[number]) for number in self.ids], [1, 1, 1])
        (one,) = found[self.ids[2]]
        self.assertEqual((one.n_datasets, one.config_hash), (1, "b" * 64))
        self.assertEqual(made_by(self.engine, []), {})


class SqliteTestCase(MadeTests, OnSqlite, unittest.TestCase):
    """In a file, with the page."""

    def test_page(self) -> None:
        browser = Browser(self.engine)
        for run, new in zip(RUNS, (None, False, True)):
            (one,) = browser.get(f"/runs/{run}.json").json()["made"]
            self.assertIs(one["new"], new, run)
        page = browser.get(f"/runs/{RUNS[2]}").text
        self.assertIn("changed", page)
        self.assertIn('_config").toDict()', page)
        self.assertIn("<dd>erin</dd>", page)


class PostgresTestCase(MadeTests, OnPostgres, unittest.TestCase):
    """On a server."""


if __name__ == "__main__":
    unittest.main()
