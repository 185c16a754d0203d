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
"""From log lines to metrics and back, on both databases."""

from __future__ import annotations

import unittest

from support_search import quantum
from support_store import OnPostgres, OnSqlite, SharedSurvey

from lsst.qa.catalogue import METRICS
from lsst.qa.harvest.writing import run_number, write_quanta
from lsst.qa.store.execution import LogRecord
from lsst.qa.store.load import load
from lsst.qa.store.lookup import search_data_ids, search_metrics
from lsst.qa.store.quanta import (
    measurement_quanta,
    quantum_measurements,
)
from lsst.qa.store.query import measurements
from lsst.qa.store.search import search_logs


class MeasurementTests(SharedSurvey):
    """From a log line to metrics, and back."""

    def test_there_and_back(self) -> None:
        load(self.repo, ["u/me/qa"], self.url)
        run = run_number(self.engine, self.refs[0].run, self.repo, "u/me/qa")
        write_quanta(
            self.engine,
            run,
            [
                quantum("sourceMetrics", 1, [(20, "hello")], day_obs=20261121),
                quantum("calibrateImage", 1, [(20, "there")], detector=1, data_id="visit=1 detector=1"),
                quantum("calibrateImage", 1, [(20, "here")], detector=0, data_id="visit=1 detector=0"),
                quantum("calibrateImage", 2, [(20, "elsewhere")]),
            ],
        )
        (hit,) = search_logs(self.engine, "hello")
        found = quantum_measurements(self.engine, hit.quantum)
        self.assertEqual({(m.visit, m.detector, m.task) for m in found}, {(1, None, "sourceMetrics")})
        self.assertEqual({m.metric for m in found}, {"AM1", "PA1"})
        (hit,) = search_logs(self.engine, "there -here")
        detector = quantum_measurements(self.engine, hit.quantum)
        self.assertEqual({m.detector for m in detector}, {None, 1})
        self.assertEqual(len(quantum_measurements(self.engine, hit.quantum, limit=1)), 1)
        back = measurement_quanta(self.engine, found[0])
        self.assertEqual(back[0].task, "sourceMetrics")
        self.assertEqual({q.visit for q in back}, {1})
        (row,) = (m for m in detector if m.metric == "PA1" and m.detector == 1)
        self.assertEqual({q.detector for q in measurement_quanta(self.engine, row)}, {None, 1})
        everything = measurements(self.engine, metric="AM1", limit=10)
        (tract,) = (m for m in everything if m.tract is not None)
        self.assertEqual(measurement_quanta(self.engine, tract), [])

    def test_metrics(self) -> None:
        load(self.repo, ["u/me/qa"], self.url)
        names = [info.name for info in search_metrics(self.engine, "PA1")]
        self.assertEqual(names[0], "PA1")
        self.assertTrue(any(name != "PA1" for name in names))
        described = search_metrics(self.engine, f'"{METRICS["PA1"].doc}"')
        self.assertIn("PA1", [info.name for info in described])
        self.assertTrue(search_metrics(self.engine, "AM1")[0].specs)

    def test_data_ids_of_measurements(self) -> None:
        load(self.repo, ["u/me/qa"], self.url)
        (hit,) = search_data_ids(self.engine, "visit=1")
        self.assertEqual((hit.data_id["visit"], hit.n_quanta, hit.n_measurements), (1, 0, 2))
        (hit,) = search_data_ids(self.engine, "tract 3 sky".replace("tract ", "tract="))
        self.assertEqual((hit.data_id, hit.n_measurements), ({"skymap": "sky", "tract": 3}, 1))


class MeasurementsOnSqliteTestCase(OnSqlite, MeasurementTests, unittest.TestCase):
    pass


class MeasurementsOnPostgresTestCase(OnPostgres, MeasurementTests, unittest.TestCase):
    pass


class LevelsTestCase(unittest.TestCase):
    """Names of levels."""

    def test_names(self) -> None:
        for level, name in ((20, "INFO"), (25, "INFO (25)"), (5, "DEBUG (5)"), (50, "CRITICAL")):
            record = LogRecord(1, 1, 1, 0, None, level, "a", None, "m", None)
            self.assertEqual(record.level_name, name)


if __name__ == "__main__":
    unittest.main()
