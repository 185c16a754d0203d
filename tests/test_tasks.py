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

"""The tasks: connections, configuration, and what they have in common."""

from __future__ import annotations

import dataclasses
import math
import unittest
import unittest.mock
from typing import Any

import numpy as np
from support_butler import INSTRUMENT, MIDDLE, made, new_run, of, put, results, run_task
from support_tables import sources

from lsst.pex.config import FieldValidationError
from lsst.pipe.base import AnnotatedPartialOutputsError, NoWorkFound
from lsst.pipe.base.testUtils import assertValidOutput, lintConnections
from lsst.qa import catalogue
from lsst.qa.errors import MetricRunError
from lsst.qa.tables.readable import from_columns
from lsst.qa.tasks import (
    GatherMetricsTask,
    MatchedStarMetricsTask,
    ObjectMetricsTask,
    SourceMetricsTask,
    VisitSummaryMetricsTask,
    VisitTableMetricsTask,
)
from lsst.qa.tasks._base import MetricsTask

MEASURING = (
    MatchedStarMetricsTask,
    ObjectMetricsTask,
    SourceMetricsTask,
    VisitSummaryMetricsTask,
    VisitTableMetricsTask,
)


def measured(table: Any, **settings: Any) -> list[dict[str, Any]]:
    """Measure a table as the sources of the first visit."""
    butler = new_run()
    put(butler, "source", table, visit=11)
    run_task(made(SourceMetricsTask, **settings), butler, visit=11)
    return results(butler, "qa_source_metrics", visit=11)


def raising(sourceId: np.ndarray) -> Any:
    """Fail, as a metric with a fault does."""
    raise ZeroDivisionError("there is no tomorrow")


class ConnectionsTestCase(unittest.TestCase):
    """What tasks read and write."""

    def test_lint(self) -> None:
        for kind in (*MEASURING, GatherMetricsTask):
            with self.subTest(kind.__name__):
                config: Any = kind.ConfigClass()
                lintConnections(config.ConnectionsClass(config=config))

    def test_dimensions(self) -> None:
        expected = {
            MatchedStarMetricsTask: {"instrument", "skymap", "tract"},
            ObjectMetricsTask: {"skymap", "tract"},
            SourceMetricsTask: {"instrument", "visit"},
            VisitSummaryMetricsTask: {"instrument", "visit"},
            VisitTableMetricsTask: {"instrument"},
            GatherMetricsTask: set(),
        }
        found = {kind: set(kind.ConfigClass.ConnectionsClass.dimensions) for kind in expected}
        self.assertEqual(found, expected)

    def test_stars_measured_in_their_own_table(self) -> None:
        """The sources of the visits need not even exist then."""
        config: Any = MatchedStarMetricsTask.ConfigClass()
        self.assertEqual(config.ConnectionsClass(config=config).inputs, {"table", "stars", "sources"})
        config.measured_in = "presources"
        connections = config.ConnectionsClass(config=config)
        self.assertEqual(connections.inputs, {"table"})
        lintConnections(connections)

    def test_summaries_as_they_are_registered(self) -> None:
        """Nothing converts between tables and afw's catalogues."""
        config: Any = VisitSummaryMetricsTask.ConfigClass()
        for name in ("ArrowAstropy", "ExposureCatalog"):
            config.stored_as = name
            connections = config.ConnectionsClass(config=config)
            self.assertEqual(connections.table.storageClass, name)
            self.assertEqual(connections.table.name, "visit_summary")
            lintConnections(connections)


class ConfigTestCase(unittest.TestCase):
    """A configuration with a fault says so before anything runs."""

    def refused(self, message: str, kind: type[MetricsTask] = SourceMetricsTask, **settings: Any) -> None:
        with self.assertRaisesRegex(FieldValidationError, message):
            made(kind, **settings)

    def test_metrics(self) -> None:
        self.refused("There is no metric to run")
        self.refused("There is no metric 'n_source'. Did you mean 'n_sources'", metrics=["n_source"])
        self.refused("'PA1' is of table 'matched'; this task reads 'source'", metrics=["n_sources", "PA1"])

    def test_variants(self) -> None:
        kind = MatchedStarMetricsTask
        self.refused("should read like 'PA1", kind, variants={"PA1_deep": "PA1 but deeper"})
        self.refused("has the name of a metric", kind, variants={"PA2": "PA1(snr_min=100)"})
        self.refused("no constant 'snr_mim'.* Did you mean 'snr_min'", kind, variants={"x": "PA1(snr_mim=1)"})
        self.refused("There is no metric 'PA0'. Did you mean", kind, variants={"x": "PA0(snr_min=1)"})
        self.refused("is of table 'matched'", variants={"x": "PA1(snr_min=100)"})

    def test_what_rows_cannot_be_told_apart_by(self) -> None:
        """By no column, or none of a result, or one that does already."""
        self.refused(
            "Not for table 'source': detectr. Those are detector", metrics=["n_sources"], by=["detectr"]
        )
        self.refused("source': extendedness", metrics=["n_sources"], by=["detector", "extendedness"])
        self.refused("source': visit", metrics=["n_sources"], by=["visit"])
        made(ObjectMetricsTask, metrics=["coadd_n_objects"], by=["patch"])

    def test_cuts_that_are_none(self) -> None:
        self.refused(
            "Not for table 'source': isPrimary. Those are .*detect_isPrimary",
            metrics=["n_stars"],
            assume_applied=["isPrimary"],
        )
        made(SourceMetricsTask, metrics=["n_stars"], assume_applied=["detect_isPrimary"])
        made(ObjectMetricsTask, metrics=["coadd_n_stars"], assume_applied=["pixelFlags_edge"])


class SourceMetricsTestCase(unittest.TestCase):
    """What all tasks have in common, on the sources of a visit."""

    def setUp(self) -> None:
        self.butler = new_run()

    def test_values(self) -> None:
        rows = measured(sources(11, [20.0] * 5, extra=4), metrics=["n_primary", "n_sources"])
        self.assertEqual(
            [(row["metric"], row["value"], row["n"]) for row in rows],
            [("n_primary", 5.0, 9), ("n_sources", 9.0, 9)],
        )
        self.assertEqual([row["error"] for row in rows], [math.sqrt(5.0), 3.0])
        self.assertEqual({(row["status"], row["message"], row["unit"]) for row in rows}, {("ok", None, "")})

    def test_data_id(self) -> None:
        """With what the data ID implies, and null where it says nothing."""
        (row,) = measured(sources(11), metrics=["n_sources"])
        told = {name for name in row if row[name] is not None}
        value = {"metric", "value", "error", "n", "unit", "status"}
        whose = {"instrument": INSTRUMENT, "band": "r", "physical_filter": "r_01", "day_obs": 20240229}
        whose |= {"visit": 11, "obs_time": MIDDLE}
        self.assertEqual(told, value | set(whose))
        self.assertEqual({name: row[name] for name in whose}, whose)

    def test_data_id_of_a_table_that_does_not_say(self) -> None:
        table = sources(11)["sourceId", "ra", "dec"]
        (row,) = measured(table, metrics=["n_sources"])
        self.assertEqual((row["visit"], row["band"], row["physical_filter"]), (11, "r", "r_01"))

    def test_by_detector(self) -> None:
        rows = measured(sources(11, [20.0] * 3), metrics=["n_sources", "n_primary"], by=["detector"])
        found = {(row["metric"], row["detector"]): row["value"] for row in rows}
        self.assertEqual(len(rows), 6)
        self.assertEqual([found["n_sources", detector] for detector in (None, 0, 1)], [5.0, 3.0, 2.0])
        self.assertEqual([found["n_primary", detector] for detector in (None, 0, 1)], [3.0, 2.0, 1.0])

    def test_by_a_column_that_is_not_there(self) -> None:
        """The whole is not measured twice."""
        table = sources(11)
        del table["detector"]
        rows = measured(table, metrics=["n_sources"], by=["detector"])
        self.assertEqual([row["detector"] for row in rows], [None])

    def test_no_source(self) -> None:
        put(self.butler, "source", sources(11, extra=0), visit=11)
        with self.assertRaisesRegex(NoWorkFound, "has no row"):
            run_task(made(SourceMetricsTask, metrics=["n_sources"]), self.butler, visit=11)
        self.assertFalse(self.butler.exists("qa_source_metrics", visit=11, instrument=INSTRUMENT))

    def test_nothing_but_nan(self) -> None:
        """A value that there is not is a row, and no reason to stop."""
        table = sources(11, [20.0] * 5)
        for name in ("psfFlux", "extendedness"):
            table[name][:] = np.nan
        rows = measured(table, metrics=["psf_flux_finite_fraction", "n_stars"])
        self.assertEqual([row["metric"] for row in rows], ["psf_flux_finite_fraction", "n_stars"])
        self.assertEqual(rows[0]["value"], 0.0)
        table["detect_isPrimary"][:] = False
        (row,) = measured(table, metrics=["psf_flux_finite_fraction"])
        self.assertEqual((row["status"], row["n"]), ("empty", 0))
        self.assertTrue(math.isnan(row["value"]))

    def test_a_metric_that_raises(self) -> None:
        """The others are kept, the dataset is stored, and then it is told."""
        broken = dataclasses.replace(catalogue.METRICS["n_sources"], name="broken", function=raising)
        with unittest.mock.patch.dict(catalogue.METRICS, broken=broken):
            task = made(SourceMetricsTask, metrics=["n_sources", "broken", "n_primary"], by=["detector"])
            put(self.butler, "source", sources(11), visit=11)
            with (
                self.assertLogs("lsst.qa", "ERROR") as logs,
                self.assertRaises(AnnotatedPartialOutputsError) as caught,
            ):
                run_task(task, self.butler, visit=11)
        self.assertIn("there is no tomorrow", "".join(logs.output))
        message = "broken: ZeroDivisionError: there is no tomorrow"
        cause = caught.exception.__cause__
        self.assertIsInstance(cause, MetricRunError)
        self.assertIn(message, str(cause))
        self.assertIn(message, task.metadata["failure"]["message"])
        self.assertEqual(task.metadata["failure"]["type"], "lsst.qa.errors.MetricRunError")
        self.assertEqual((task.metadata["n_ok"], task.metadata["n_failed"]), (6, 3))
        rows = results(self.butler, "qa_source_metrics", visit=11)
        self.assertEqual([row["value"] for row in of(rows, "n_sources")], [2.0, 1.0, 1.0])
        self.assertEqual([row["value"] for row in of(rows, "n_primary")], [0.0, 0.0, 0.0])
        lost = of(rows, "broken")
        self.assertEqual({(row["status"], row["n"]) for row in lost}, {("failed", 0)})
        self.assertEqual({row["message"] for row in lost}, {message.partition(": ")[2]})
        self.assertTrue(all(math.isnan(row["value"]) and math.isnan(row["error"]) for row in lost))
        self.assertEqual({row["obs_time"] for row in lost}, {MIDDLE})

    def test_lacking_columns_fail(self) -> None:
        task = made(SourceMetricsTask, metrics=["n_sources", "sky_flux_median"])
        put(self.butler, "source", sources(11), visit=11)
        with (
            self.assertLogs("lsst.sourceMetrics", "WARNING") as logs,
            self.assertRaises(AnnotatedPartialOutputsError) as caught,
        ):
            run_task(task, self.butler, visit=11)
        self.assertIn("1 metrics cannot run", logs.output[0])
        self.assertRegex(logs.output[0], "Metrics .*can run: .*n_sources")
        self.assertRegex(
            str(caught.exception.__cause__), "not have ap09Flux, .* needed by sky_flux_median.*undefined"
        )
        whole, lost = results(self.butler, "qa_source_metrics", visit=11)
        self.assertEqual((whole["metric"], whole["status"], whole["value"]), ("n_sources", "ok", 2.0))
        self.assertEqual((lost["metric"], lost["status"], lost["n"]), ("sky_flux_median", "failed", 0))
        self.assertRegex(lost["message"], "'ap09Flux'.* does not have")
        self.assertEqual((lost["visit"], lost["band"], lost["obs_time"]), (11, "r", MIDDLE))

    def test_lacking_columns_undefined(self) -> None:
        with self.assertLogs("lsst.sourceMetrics", "WARNING"):
            rows = measured(
                sources(11), metrics=["n_sources", "sky_flux_median"], lacking_columns="undefined"
            )
        self.assertEqual([row["status"] for row in rows], ["ok", "undefined"])
        self.assertRegex(rows[1]["message"], "'ap09Flux'.* does not have")

    def test_every_metric_lacks_columns(self) -> None:
        with self.assertLogs("lsst.sourceMetrics", "WARNING"):
            rows = measured(
                sources(11)["sourceId", "ra", "dec"], metrics=["n_primary"], lacking_columns="undefined"
            )
        self.assertEqual([(row["metric"], row["status"]) for row in rows], [("n_primary", "undefined")])

    def test_cuts_that_are_applied(self) -> None:
        """Only what the input does not have is assumed."""
        table = sources(11, [20.0] * 3, extra=4)
        settings: dict[str, Any] = {"metrics": ["n_stars"], "assume_applied": ["detect_isPrimary"]}
        self.assertEqual(measured(table, **settings)[0]["value"], 3.0)
        del table["detect_isPrimary"]
        self.assertEqual(measured(table, **settings)[0]["value"], 7.0)

    def test_counts_in_the_metadata(self) -> None:
        put(self.butler, "source", sources(11, [20.0]), visit=11)
        task = made(SourceMetricsTask, metrics=["n_sources", "n_stars", "e1_residual_median"])
        task.config.lacking_columns = "undefined"
        with self.assertLogs("lsst.sourceMetrics", "WARNING"):
            run_task(task, self.butler, visit=11)
        self.assertEqual((task.metadata["n_ok"], task.metadata["n_undefined"]), (2, 1))
        self.assertNotIn("failure", task.metadata)

    def test_without_a_butler(self) -> None:
        task = made(SourceMetricsTask, metrics=["n_sources"])
        result = task.run(from_columns({"sourceId": np.arange(3)}), {"visit": 7})
        assertValidOutput(task, result)
        (row,) = result.metrics.to_pylist()
        self.assertEqual((row["value"], row["visit"], result.failures), (3.0, 7, []))


if __name__ == "__main__":
    unittest.main()
