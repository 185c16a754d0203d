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

"""Questions to the metrics database, on either kind of database."""

from __future__ import annotations

import dataclasses
import datetime
import math
import unittest
import uuid

import numpy as np
from support_store import CREATED, OnPostgres, OnSqlite, batch, row

from lsst.qa.catalogue import METRICS
from lsst.qa.errors import InputError
from lsst.qa.metric import Metric, Spec
from lsst.qa.results import SCHEMA, STATUSES
from lsst.qa.store.definitions import synchronize
from lsst.qa.store.insertion import known_datasets, run_uuid, write_batch
from lsst.qa.store.query import (
    get_metric,
    get_run,
    history,
    latest_runs,
    measurements,
    metric_names,
    observation_series,
    run_summary,
    specifications,
)
from lsst.qa.store.records import Measurement

OLD, NEW = "u/me/qa/20261101T000000Z", "u/me/qa/20261122T050000Z"


def night(minute: int) -> datetime.datetime:
    return datetime.datetime(2026, 11, 22, 1, minute)


class QueryTests:
    """What holds on either kind of database."""

    def write(self, *args, **kwargs) -> tuple[int, int]:
        return write_batch(self.engine, batch(*args, **kwargs), "/repo", "u/me/qa")

    def setUp(self) -> None:
        super().setUp()
        self.write(OLD, [row("AM1", 9.0, visit=1, obs_time=night(1)), row("m5", 24.5, unit="mag", visit=1)])
        self.write(
            NEW,
            [
                row("AM1", 10.0, visit=1, obs_time=night(1)),
                *(row("AM1", 50.0 + detector, visit=1, detector=detector) for detector in range(3)),
                row("m5", 24.0, unit="mag", visit=1),
                row("rho1", 1e-6, visit=1, bin_low=0.0, bin_high=1.0),
            ],
            [row("AM1", 12.0, visit=2, obs_time=night(3)), row("m5", 25.0, unit="mag", visit=2)],
            [
                row("AM1", 17.0, visit=3, obs_time=night(2), band="g"),
                row(
                    "m5",
                    math.nan,
                    error=math.nan,
                    n=0,
                    unit="mag",
                    visit=3,
                    status="empty",
                    message="no rows",
                ),
                row(
                    "PA1",
                    math.nan,
                    error=math.nan,
                    n=None,
                    status="failed",
                    message="ZeroDivisionError",
                    visit=3,
                ),
                row("PA1", math.nan, error=math.nan, n=1, status="undefined", message="one star", visit=3),
            ],
        )
        self.old, self.new = (get_run(self.engine, name) for name in (OLD, NEW))

    def test_runs(self) -> None:
        runs = latest_runs(self.engine)
        self.assertEqual([run.name for run in runs], [NEW, OLD])
        self.assertEqual([run.name for run in latest_runs(self.engine, 1)], [NEW])
        found = runs[0]
        self.assertEqual((found.n_datasets, found.n_measurements, found.n_failed), (3, 12, 1))
        self.assertEqual((found.instruments, found.collection, found.repo), (("Cam",), "u/me/qa", "/repo"))
        self.assertEqual((found.started, found.finished), (datetime.datetime(2026, 11, 22, 5), CREATED))
        self.assertLess(
            abs((found.loaded_at - datetime.datetime.now(datetime.UTC).replace(tzinfo=None)).days), 2
        )

    def test_one_run(self) -> None:
        self.assertEqual(get_run(self.engine, NEW).packages, {"lsst-qa": "0.1"})
        self.assertEqual(get_run(self.engine, run_uuid(NEW).upper()), self.new)
        self.assertEqual(self.new.uuid, run_uuid(NEW))
        self.assertIsNone(get_run(self.engine, "u/me"))
        self.assertIsNone(get_run(self.engine, str(uuid.uuid4())))

    def test_run_identifier(self) -> None:
        """It must never change: other systems know runs by it."""
        self.assertEqual(run_uuid(NEW), "1bd98ec4-a950-55d0-bedf-67960ab47c46")

    def test_run_without_a_time_in_its_name(self) -> None:
        hour = datetime.timedelta(hours=1)
        for created in (CREATED, CREATED - hour, CREATED + hour):
            self.write("u/me/plain", [row("AM1", 1.0)], created=created)
        run = get_run(self.engine, "u/me/plain")
        self.assertEqual((run.started, run.finished), (CREATED - hour, CREATED + hour))

    def test_summary(self) -> None:
        found = {(s.metric, s.band): s for s in run_summary(self.engine, self.new.run_id)}
        self.assertEqual(list(found), [("AM1", "g"), ("AM1", "r"), ("PA1", "r"), ("m5", "r")])
        one = found["AM1", "g"]
        self.assertEqual((one.value, one.error, one.n, one.n_rows, one.worst), (17.0, 0.5, 10, 1, 17.0))
        two = found["AM1", "r"]
        self.assertEqual((two.value, two.n, two.n_rows, two.n_ok, two.unit), (11.0, 20, 2, 2, "mas"))
        self.assertGreater(two.error, 0.5)
        depth = found["m5", "r"]
        self.assertEqual((depth.value, depth.n_rows, depth.n_ok, depth.n_empty), (24.5, 3, 2, 1))
        self.assertEqual((depth.status, depth.message), ("ok", "no rows"))
        lost = found["PA1", "r"]
        self.assertTrue(math.isnan(lost.value) and math.isnan(lost.error) and math.isnan(lost.worst))
        self.assertEqual((lost.n, lost.n_failed, lost.n_undefined), (1, 1, 1))
        self.assertEqual((lost.status, lost.message), ("failed", "ZeroDivisionError"))
        self.assertEqual(run_summary(self.engine, 12345), [])

    def test_error_of_a_median(self) -> None:
        """The error of many visits' median is a Gaussian sample's."""
        values = np.random.default_rng(5).normal(10.0, 2.0, 4000)
        self.write("u/me/many", [row("AM1", value, visit=number) for number, value in enumerate(values)])
        (found,) = run_summary(self.engine, get_run(self.engine, "u/me/many").run_id)
        self.assertEqual(found.value, np.median(values))
        self.assertAlmostEqual(found.error / (1.2533 * 2.0 / math.sqrt(4000)), 1.0, delta=0.25)

    def test_worst(self) -> None:
        """The thresholds tell the bad side, or else it is the farthest."""
        values = {"AM1": (1.0, 5.0, 6.0, 7.0), "m5": (23.0, 24.0, 24.1, 26.0), "odd": (1.0, 5.0, 6.0, 7.0)}
        declared = {name: METRICS[name] for name in ("AM1", "m5")}
        synchronize(self.engine, declared)
        rows = [row(name, value, visit=n) for name, held in values.items() for n, value in enumerate(held)]
        self.write("u/me/worst", rows)
        found = run_summary(self.engine, get_run(self.engine, "u/me/worst").run_id)
        self.assertEqual({s.metric: s.worst for s in found}, {"AM1": 7.0, "m5": 23.0, "odd": 1.0})

    def test_measurements(self) -> None:
        whole = measurements(self.engine, run_id=self.new.run_id)
        self.assertEqual(len(whole), 9)
        self.assertTrue(all(m.detector is None for m in whole))
        every = measurements(self.engine, run_id=self.new.run_id, detector_rows=True)
        self.assertEqual(len(every), 12)
        self.assertEqual({m.run for m in every}, {NEW})
        self.assertEqual(len(measurements(self.engine, metric="AM1")), 4)
        self.assertEqual({m.band for m in measurements(self.engine, metric="AM1", band="g")}, {"g"})
        for status in STATUSES:
            found = measurements(self.engine, run_id=self.new.run_id, status=status, detector_rows=True)
            self.assertEqual([m.cursor for m in found], [m.cursor for m in every if m.status == status])
        self.assertEqual(measurements(self.engine, metric="nothing"), [])

    def test_fields(self) -> None:
        """A measurement has the fields of a gathered row."""
        names = [field.name for field in dataclasses.fields(Measurement)]
        self.assertEqual(names[1 : len(SCHEMA) + 1], SCHEMA.names)
        self.assertEqual(names[len(SCHEMA) + 1 :], ["dataset_id", "run", "task", "dataset_type", "run_time"])
        found = measurements(self.engine, run_id=self.old.run_id, metric="AM1")[0]
        self.assertEqual((found.value, found.error, found.n, found.unit), (9.0, 0.5, 10, "mas"))
        self.assertEqual(
            (found.visit, found.obs_time, found.run_time), (1, night(1), datetime.datetime(2026, 11, 1))
        )
        self.assertEqual((found.task, found.dataset_type), ("sourceMetrics", "qa_source_metrics"))
        self.assertEqual(uuid.UUID(found.dataset_id).version, 4)
        lost = measurements(self.engine, status="empty")[0]
        self.assertTrue(math.isnan(lost.value) and math.isnan(lost.error))

    def test_pages(self) -> None:
        every = measurements(self.engine, detector_rows=True)
        found, cursor = [], None
        while page := measurements(self.engine, detector_rows=True, limit=5, after=cursor):
            self.assertLessEqual(len(page), 5)
            found += page
            cursor = page[-1].cursor
        self.assertEqual([m.cursor for m in found], [m.cursor for m in every])
        self.assertEqual(len({m.cursor for m in found}), 14)
        for wrong in ("", "7", "a-b", "1-2-3", "-1-2", "1 OR 1=1"):
            with self.subTest(cursor=wrong), self.assertRaisesRegex(InputError, "not the cursor"):
                measurements(self.engine, after=wrong)

    def test_history(self) -> None:
        points = history(self.engine, "AM1")
        self.assertEqual(
            [(p.run, p.band, p.value) for p in points], [(OLD, "r", 9.0), (NEW, "g", 17.0), (NEW, "r", 11.0)]
        )
        self.assertEqual(points[0].run_time, datetime.datetime(2026, 11, 1))
        self.assertEqual((points[2].n, points[2].n_rows, points[2].status), (20, 2, "ok"))
        self.assertEqual([p.run for p in history(self.engine, "AM1", "g")], [NEW])
        self.assertEqual([p.status for p in history(self.engine, "PA1")], ["failed"])
        self.assertEqual(history(self.engine, "nothing"), [])
        self.assertEqual(history(self.engine, "rho1"), [])

    def test_history_is_the_summaries(self) -> None:
        for run in (self.old, self.new):
            for summary in run_summary(self.engine, run.run_id):
                points = [
                    p for p in history(self.engine, summary.metric, summary.band) if p.run_id == run.run_id
                ]
                same = (summary.value, summary.error, summary.n, summary.n_rows, summary.status)
                np.testing.assert_equal([tuple(p)[4:] for p in points], [same])

    def test_observations(self) -> None:
        series = observation_series(self.engine, "AM1", run_id=self.new.run_id)
        self.assertEqual(
            [(m.obs_time, m.value) for m in series], [(night(1), 10.0), (night(2), 17.0), (night(3), 12.0)]
        )
        self.assertEqual([m.value for m in observation_series(self.engine, "AM1", "r")], [9.0, 10.0, 12.0])
        self.assertEqual([m.value for m in observation_series(self.engine, "AM1", limit=2)], [17.0, 12.0])
        self.assertEqual(observation_series(self.engine, "m5"), [])

    def test_definitions(self) -> None:
        self.assertEqual(get_metric(self.engine, "AM1")[:3], ("AM1", None, "mas"))
        synchronize(self.engine, METRICS)
        self.assertEqual(set(metric_names(self.engine)), {*METRICS, "rho1"})
        for declared in METRICS.values():
            found = get_metric(self.engine, declared.name)
            self.assertEqual(set(found.specs), set(declared.specs))
            self.assertEqual(found[:4], (declared.name, declared.table, declared.unit, declared.doc))
            self.assertEqual(found[4:6], (declared.formula, declared.reference))
        self.assertIsNone(get_metric(self.engine, "nothing"))
        self.assertEqual(
            list(specifications(self.engine)), sorted(m.name for m in METRICS.values() if m.specs)
        )

    def test_changed_definitions(self) -> None:
        """The catalogue of the last load holds; what it lacks stays."""

        def declared(doc: str, *specs: Spec) -> Metric:
            return Metric(
                "toy", lambda value: value, "source", "mag", doc=doc, specs=specs, inputs={"value": "psfFlux"}
            )

        hard, easy = Spec("design", 1.0), Spec("minimum", 2.0, bands="gri")
        for doc, specs in (("One.", (hard, easy)), ("One.", (easy,)), ("Two.", ()), ("Two.", (hard,))):
            synchronize(self.engine, {"toy": declared(doc, *specs)})
            found = get_metric(self.engine, "toy")
            self.assertEqual((found.description, set(found.specs)), (doc, set(specs)))
        synchronize(self.engine, {})
        self.assertEqual(get_metric(self.engine, "toy"), found)

    def test_known_datasets(self) -> None:
        known = known_datasets(self.engine, [OLD, "u/me/nothing"])
        self.assertEqual(list(known), [OLD])
        self.assertEqual(len(known[OLD]), 1)

    def test_written_once(self) -> None:
        twice = batch(NEW, [row("AM1", 1.0)], [], [row("AM1", 2.0)])
        self.assertEqual(write_batch(self.engine, twice, "/repo", "c"), (3, 2))
        self.assertEqual(write_batch(self.engine, twice, "/repo", "c"), (0, 0))
        half = batch(NEW, [row("AM1", 3.0)])
        both = twice._replace(
            origins=[*twice.origins, *half.origins],
            counts=np.append(twice.counts, half.counts),
            rows=type(twice.rows).from_batches([*twice.rows.to_batches(), *half.rows.to_batches()]),
        )
        self.assertEqual(write_batch(self.engine, both, "/repo", "c"), (1, 1))
        self.assertEqual(measurements(self.engine, metric="AM1")[-1].value, 3.0)


class SqliteTestCase(QueryTests, OnSqlite, unittest.TestCase):
    """A database in a file."""


class PostgresTestCase(QueryTests, OnPostgres, unittest.TestCase):
    """A database on a server."""


if __name__ == "__main__":
    unittest.main()
