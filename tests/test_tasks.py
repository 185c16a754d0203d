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

"""The tasks, each run on datasets of a repository."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import math
import tempfile
import unittest
import unittest.mock
from typing import Any

import numpy as np
import pyarrow as pa
from astropy import units as u
from astropy.table import Table
from support_butler import (
    INSTRUMENT,
    MIDDLE,
    SKYMAP,
    make_repository,
    objects,
    presources,
    put,
    results,
    run_task,
    shared_repository,
    sources,
    stars,
    summary,
)

from lsst.daf.butler import Butler
from lsst.daf.butler.tests import makeTestCollection
from lsst.pex.config import FieldValidationError
from lsst.pipe.base import AnnotatedPartialOutputsError, NoWorkFound
from lsst.pipe.base.testUtils import assertValidOutput, lintConnections
from lsst.qa import catalogue
from lsst.qa.errors import InputError, MetricRunError
from lsst.qa.results import SCHEMA, SCHEMA_VERSION
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
DEVIATION = 4e-3
"""How far a star's first visit is above its mean, and the third below it, in
magnitudes."""


def made(kind: type[MetricsTask], **settings: Any) -> MetricsTask:
    """Make a task."""
    config = kind.ConfigClass()
    config.update(**settings)
    config.validate()
    return kind(config=config)


def new_run() -> Butler:
    """Begin an empty run."""
    return makeTestCollection(shared_repository())


def raising(sourceId: np.ndarray) -> Any:
    """Fail, as a metric with a fault does."""
    raise ZeroDivisionError("there is no tomorrow")


def of(rows: list[dict[str, Any]], metric: str) -> list[dict[str, Any]]:
    """Return the rows of a metric."""
    return [row for row in rows if row["metric"] == metric]


class ConnectionsTestCase(unittest.TestCase):
    """What tasks read and write."""

    def test_lint(self) -> None:
        for kind in (*MEASURING, GatherMetricsTask):
            with self.subTest(kind.__name__):
                config = kind.ConfigClass()
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
        config = MatchedStarMetricsTask.ConfigClass()
        self.assertEqual(config.ConnectionsClass(config=config).inputs, {"table", "stars", "sources"})
        config.measured_in = "presources"
        connections = config.ConnectionsClass(config=config)
        self.assertEqual(connections.inputs, {"table"})
        lintConnections(connections)

    def test_summaries_as_they_are_registered(self) -> None:
        """Nothing converts between tables and afw's catalogues."""
        config = VisitSummaryMetricsTask.ConfigClass()
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


class RepositoryTestCase(unittest.TestCase):
    """Tasks run on datasets; each test has a run of its own."""

    def setUp(self) -> None:
        self.butler = new_run()

    def measured(self, table: Any, **settings: Any) -> list[dict[str, Any]]:
        """Measure a table as the sources of the first visit."""
        put(self.butler, "source", table, visit=11)
        run_task(made(SourceMetricsTask, **settings), self.butler, visit=11)
        return results(self.butler, "qa_source_metrics", visit=11)


class SourceMetricsTestCase(RepositoryTestCase):
    """What all tasks have in common, on the sources of a visit."""

    def test_values(self) -> None:
        rows = self.measured(sources(11, [20.0] * 5, extra=4), metrics=["n_primary", "n_sources"])
        self.assertEqual(
            [(row["metric"], row["value"], row["n"]) for row in rows],
            [("n_primary", 5.0, 9), ("n_sources", 9.0, 9)],
        )
        self.assertEqual([row["error"] for row in rows], [math.sqrt(5.0), 3.0])
        self.assertEqual({(row["status"], row["message"], row["unit"]) for row in rows}, {("ok", None, "")})

    def test_data_id(self) -> None:
        """With what the data ID implies, and null where it says nothing."""
        (row,) = self.measured(sources(11), metrics=["n_sources"])
        told = {name for name, value in row.items() if value is not None}
        measured = {"metric", "value", "error", "n", "unit", "status"}
        whose = {"instrument": INSTRUMENT, "band": "r", "physical_filter": "r_01", "day_obs": 20240229}
        whose |= {"visit": 11, "obs_time": MIDDLE}
        self.assertEqual(told, measured | set(whose))
        self.assertEqual({name: row[name] for name in whose}, whose)

    def test_data_id_of_a_table_that_does_not_say(self) -> None:
        table = sources(11)["sourceId", "ra", "dec"]
        (row,) = self.measured(table, metrics=["n_sources"])
        self.assertEqual((row["visit"], row["band"], row["physical_filter"]), (11, "r", "r_01"))

    def test_by_detector(self) -> None:
        rows = self.measured(sources(11, [20.0] * 3), metrics=["n_sources", "n_primary"], by=["detector"])
        found = {(row["metric"], row["detector"]): row["value"] for row in rows}
        self.assertEqual(len(rows), 6)
        self.assertEqual([found["n_sources", detector] for detector in (None, 0, 1)], [5.0, 3.0, 2.0])
        self.assertEqual([found["n_primary", detector] for detector in (None, 0, 1)], [3.0, 2.0, 1.0])

    def test_by_a_column_that_is_not_there(self) -> None:
        """The whole is not measured twice."""
        table = sources(11)
        del table["detector"]
        rows = self.measured(table, metrics=["n_sources"], by=["detector"])
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
        rows = self.measured(table, metrics=["psf_flux_finite_fraction", "n_stars"])
        self.assertEqual([row["metric"] for row in rows], ["psf_flux_finite_fraction", "n_stars"])
        self.assertEqual(rows[0]["value"], 0.0)
        table["detect_isPrimary"][:] = False
        self.butler = new_run()
        (row,) = self.measured(table, metrics=["psf_flux_finite_fraction"])
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
        self.assertRegex(str(caught.exception.__cause__), "sky_flux_median.* needs .*'ap09Flux'")
        whole, lost = results(self.butler, "qa_source_metrics", visit=11)
        self.assertEqual((whole["metric"], whole["status"], whole["value"]), ("n_sources", "ok", 2.0))
        self.assertEqual((lost["metric"], lost["status"], lost["n"]), ("sky_flux_median", "failed", 0))
        self.assertRegex(lost["message"], "'ap09Flux'.* does not have")
        self.assertEqual((lost["visit"], lost["band"], lost["obs_time"]), (11, "r", MIDDLE))

    def test_lacking_columns_undefined(self) -> None:
        with self.assertLogs("lsst.sourceMetrics", "WARNING"):
            rows = self.measured(
                sources(11), metrics=["n_sources", "sky_flux_median"], lacking_columns="undefined"
            )
        self.assertEqual([row["status"] for row in rows], ["ok", "undefined"])
        self.assertRegex(rows[1]["message"], "'ap09Flux'.* does not have")

    def test_every_metric_lacks_columns(self) -> None:
        with self.assertLogs("lsst.sourceMetrics", "WARNING"):
            rows = self.measured(
                sources(11)["sourceId", "ra", "dec"], metrics=["n_primary"], lacking_columns="undefined"
            )
        self.assertEqual([(row["metric"], row["status"]) for row in rows], [("n_primary", "undefined")])

    def test_cuts_that_are_applied(self) -> None:
        """Only what the input does not have is assumed."""
        table = sources(11, [20.0] * 3, extra=4)
        settings: dict[str, Any] = {"metrics": ["n_stars"], "assume_applied": ["detect_isPrimary"]}
        self.assertEqual(self.measured(table, **settings)[0]["value"], 3.0)
        del table["detect_isPrimary"]
        self.butler = new_run()
        self.assertEqual(self.measured(table, **settings)[0]["value"], 7.0)

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


class StoredResultsTestCase(RepositoryTestCase):
    """What a dataset of results says of itself, and who can read it."""

    def setUp(self) -> None:
        super().setUp()
        with self.assertLogs("lsst.sourceMetrics", "WARNING"):
            self.measured(
                sources(11, [20.0]),
                metrics=["n_sources", "sky_flux_median"],
                by=["detector"],
                lacking_columns="undefined",
            )

    def read(self, storage_class: str | None = None) -> Any:
        return self.butler.get(
            "qa_source_metrics", instrument=INSTRUMENT, visit=11, storageClass=storage_class
        )

    def test_arrow(self) -> None:
        table = self.read()
        self.assertTrue(table.schema.equals(SCHEMA, check_metadata=False), table.schema)
        self.assertEqual(table["detector"].to_pylist(), [None, 0, 1, None])

    def test_metadata(self) -> None:
        facts = {key.decode(): value.decode() for key, value in self.read().schema.metadata.items()}
        self.assertEqual(facts["qa.schema_version"], str(SCHEMA_VERSION))
        self.assertEqual(facts["qa.task"], "sourceMetrics")
        versions = json.loads(facts["qa.packages"])
        self.assertEqual(versions["pyarrow"], pa.__version__)
        self.assertEqual(versions["numpy"], np.__version__)
        self.assertIn("lsst-qa", versions)
        age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(facts["qa.created"])
        self.assertLess(abs(age), datetime.timedelta(minutes=10))
        self.assertRegex(facts["qa.config"], "^[0-9a-f]{64}$")

    def test_configuration(self) -> None:
        """The same one, the same digest; another one, another."""
        task = made(SourceMetricsTask, metrics=["n_sources"])
        again = made(SourceMetricsTask, metrics=["n_sources"])
        other = made(SourceMetricsTask, metrics=["n_primary"])
        self.assertEqual(task.provenance()["config"], again.provenance()["config"])
        self.assertNotEqual(task.provenance()["config"], other.provenance()["config"])
        self.assertNotEqual(task.provenance()["config"], hashlib.sha256(b"").hexdigest())

    def test_astropy(self) -> None:
        table = self.read("ArrowAstropy")
        self.assertIsInstance(table, Table)
        self.assertEqual(list(table["metric"]), ["n_sources"] * 3 + ["sky_flux_median"])
        self.assertEqual(list(table["detector"].mask), [True, False, False, True])
        self.assertEqual(list(table["detector"][1:3]), [0, 1])
        self.assertEqual(list(table["message"].mask), [True, True, True, False])
        self.assertTrue(np.all(table["tract"].mask))
        self.assertEqual(list(table["value"][:3]), [3.0, 2.0, 1.0])
        self.assertTrue(np.isnan(table["value"][3]))

    def test_data_frame(self) -> None:
        frame = self.read("DataFrame")
        self.assertEqual(frame["detector"].isna().tolist(), [True, False, False, True])
        self.assertEqual(frame["obs_time"].tolist(), [MIDDLE] * 4)
        self.assertEqual(frame.set_index("detector").loc[1, "value"], 1.0)


class StoredInputsTestCase(RepositoryTestCase):
    """Tables are read however they are stored."""

    def counted(self, table: Any, storage_class: str) -> list[float]:
        # A dataset type has one storage class in a repository.
        place = self.enterContext(tempfile.TemporaryDirectory())
        repository = make_repository(place)
        self.addCleanup(repository.close)
        butler = makeTestCollection(repository)
        put(butler, "source", table, storage_class, visit=11)
        run_task(made(SourceMetricsTask, metrics=["n_sources", "n_stars"]), butler, visit=11)
        return [row["value"] for row in results(butler, "qa_source_metrics", visit=11)]

    def test_data_frame(self) -> None:
        """With its index, which is where many keep the id."""
        frame = sources(11, [20.0] * 3).to_pandas().set_index("sourceId")
        self.assertEqual(self.counted(frame, "DataFrame"), [5.0, 3.0])

    def test_arrow(self) -> None:
        table = sources(11, [20.0] * 3)
        columns = {name: np.asarray(table[name]) for name in table.colnames}
        self.assertEqual(self.counted(pa.table(columns), "ArrowTable"), [5.0, 3.0])

    def test_numpy(self) -> None:
        self.assertEqual(self.counted(sources(11, [20.0] * 3).as_array(), "ArrowNumpy"), [5.0, 3.0])

    def test_in_memory(self) -> None:
        """A repository for tests often has no files."""
        repository = make_repository(self.enterContext(tempfile.TemporaryDirectory()), in_memory=True)
        self.addCleanup(repository.close)
        butler = makeTestCollection(repository)
        put(butler, "source", sources(11, [20.0] * 3), visit=11)
        run_task(made(SourceMetricsTask, metrics=["n_sources", "n_stars"]), butler, visit=11)
        self.assertEqual([row["value"] for row in results(butler, "qa_source_metrics", visit=11)], [5.0, 3.0])

    def test_in_an_archive(self) -> None:
        """Many small datasets may lie in one file."""
        ref = put(self.butler, "source", sources(11, [20.0] * 3), visit=11)
        archive = self.butler.retrieve_artifacts_zip([ref], self.enterContext(tempfile.TemporaryDirectory()))
        self.butler.pruneDatasets([ref], purge=True, unstore=True, disassociate=True)
        self.butler.ingest_zip(archive, transfer="copy")
        run_task(made(SourceMetricsTask, metrics=["n_sources", "n_stars"]), self.butler, visit=11)
        self.assertEqual(
            [row["value"] for row in results(self.butler, "qa_source_metrics", visit=11)], [5.0, 3.0]
        )


class MatchedStarMetricsTestCase(RepositoryTestCase):
    """Stars over visits, joined by an id that no float holds."""

    N_STARS = 40
    VISITS = (11, 12, 13)

    def setUp(self) -> None:
        super().setUp()
        self.means = np.linspace(18.0, 20.0, self.N_STARS)
        self.truth = 1e3 * DEVIATION
        self.fill()

    def fill(self, noise: float = 0.0) -> None:
        random = np.random.default_rng(5)
        for visit, deviation in zip(self.VISITS, (DEVIATION, 0.0, -DEVIATION)):
            magnitudes = self.means + deviation + noise * random.normal(size=self.N_STARS)
            put(self.butler, "source", sources(visit, magnitudes.tolist()), visit=visit)
        put(self.butler, "isolated_star_presources", presources(self.VISITS, self.N_STARS), tract=0)
        put(self.butler, "isolated_star_presource_associations", stars(self.N_STARS), tract=0)

    def repeated(self, visits: tuple[int, ...] = VISITS, **settings: Any) -> list[dict[str, Any]]:
        task = made(MatchedStarMetricsTask, **{"metrics": ["PA1"], **settings})
        run_task(task, self.butler, visits, tract=0)
        return results(self.butler, "qa_matched_star_metrics", tract=0)

    def replace(self, name: str, table: Any, **data_id: Any) -> None:
        ref = self.butler.find_dataset(name, instrument=INSTRUMENT, skymap=SKYMAP, **data_id)
        self.butler.pruneDatasets([ref], purge=True, unstore=True, disassociate=True)
        put(self.butler, name, table, **data_id)

    def test_from_sources(self) -> None:
        with self.assertNoLogs("lsst.matchedStarMetrics", "WARNING"):
            (row,) = self.repeated()
        self.assertAlmostEqual(row["value"], self.truth, places=9)
        self.assertEqual(
            (row["n"], row["band"], row["status"], row["unit"]), (self.N_STARS, "r", "ok", "mmag")
        )
        self.assertEqual((row["instrument"], row["skymap"], row["tract"]), (INSTRUMENT, SKYMAP, 0))
        self.assertIsNone(row["visit"])
        self.assertIsNone(row["obs_time"])

    def test_order_of_visits(self) -> None:
        """Not even the last digits tell, nor what draws visits at random."""
        found = []
        for visits in ((11, 12, 13), (13, 11, 12)):
            self.butler = new_run()
            self.fill(noise=2.0 * DEVIATION)
            metrics = ["PA1", "PA2", "PF1", "PA1.validate_drp", "PF1.validate_drp"]
            found.append(self.repeated(visits, metrics=metrics))
        self.assertEqual({row["status"] for row in found[0]}, {"ok"})
        self.assertEqual(repr(found[0]), repr(found[1]))

    def test_from_their_own_table(self) -> None:
        whole = Table(sources(11, self.means.tolist())[:0], copy=True)
        for visit, deviation in zip(self.VISITS, (DEVIATION, 0.0, -DEVIATION)):
            for row in sources(visit, (self.means + deviation).tolist(), extra=0):
                whole.add_row(row)
        whole["isolated_star_id"] = np.tile(np.arange(self.N_STARS), 3)
        self.replace("isolated_star_presources", whole, tract=0)
        (row,) = self.repeated(measured_in="presources")
        self.assertAlmostEqual(row["value"], self.truth, places=9)
        self.assertEqual(row["n"], self.N_STARS)

    def test_a_variant_under_its_own_name(self) -> None:
        """Its rows carry that name, beside those of the metric."""
        rows = self.repeated(variants={"PA1_population": "PA1(ddof=0)", "PA1_deep": "PA1(snr_min=5000)"})
        self.assertEqual([row["metric"] for row in rows], ["PA1", "PA1_population", "PA1_deep"])
        self.assertAlmostEqual(rows[1]["value"], self.truth * math.sqrt(2.0 / 3.0), places=9)
        self.assertEqual((rows[2]["status"], rows[2]["n"]), ("empty", 0))

    def test_two_bands(self) -> None:
        for visit, name in ((21, "source"),):
            put(self.butler, name, sources(visit, self.means.tolist()), visit=visit)
        self.replace("isolated_star_presources", presources((*self.VISITS, 21), self.N_STARS), tract=0)
        rows = self.repeated((*self.VISITS, 21))
        self.assertEqual({row["band"]: row["status"] for row in rows}, {"r": "ok", "i": "empty"})

    def test_detections_without_sources(self) -> None:
        """A visit whose sources are gone is warned of."""
        with self.assertLogs("lsst.matchedStarMetrics", "WARNING") as logs:
            (row,) = self.repeated((11, 12))
        self.assertEqual(len(logs.output), 1)
        self.assertIn("40 of 120 detections of stars are in no source table", logs.output[0])
        self.assertEqual(row["status"], "empty")

    def test_ids_as_floats(self) -> None:
        table = presources(self.VISITS, self.N_STARS)
        table["sourceId"] = table["sourceId"].astype(float)
        self.replace("isolated_star_presources", table, tract=0)
        with self.assertRaisesRegex(InputError, "'sourceId' of .* holds float64; ids must be integers"):
            self.repeated()

    def test_ids_as_floats_in_a_visit(self) -> None:
        table = sources(12, self.means.tolist())
        table["sourceId"] = table["sourceId"].astype(float)
        self.replace("source", table, visit=12)
        with self.assertRaisesRegex(InputError, "'sourceId' of source_.*12.* holds float64"):
            self.repeated()

    def test_no_star(self) -> None:
        self.replace("isolated_star_presources", presources(self.VISITS, 0), tract=0)
        with self.assertRaisesRegex(NoWorkFound, "has no row"):
            self.repeated()

    def test_one_star(self) -> None:
        self.replace("isolated_star_presources", presources(self.VISITS, 1), tract=0)
        (row,) = self.repeated()
        self.assertAlmostEqual(row["value"], self.truth, places=9)
        self.assertEqual(row["n"], 1)

    def test_one_visit(self) -> None:
        self.replace("isolated_star_presources", presources((11,), self.N_STARS), tract=0)
        (row,) = self.repeated((11,))
        self.assertEqual((row["status"], row["n"]), ("empty", 0))


class ObjectMetricsTestCase(RepositoryTestCase):
    """Objects have columns for each band."""

    def measured_objects(self, table: Table, *metrics: str, **settings: Any) -> list[dict[str, Any]]:
        put(self.butler, "object", table, tract=0)
        run_task(made(ObjectMetricsTask, metrics=list(metrics), **settings), self.butler, tract=0)
        return results(self.butler, "qa_object_metrics", tract=0)

    def test_bands(self) -> None:
        table = objects({"g": [True, False, False, False], "y": [True, True, True, False]})
        rows = self.measured_objects(table, "coadd_flag_fraction.psfFlux_flag", "coadd_n_objects")
        flags = of(rows, "coadd_flag_fraction.psfFlux_flag")
        self.assertEqual({row["band"]: row["value"] for row in flags}, {"g": 25.0, "y": 75.0})
        (whole,) = of(rows, "coadd_n_objects")
        self.assertEqual((whole["band"], whole["value"]), (None, 4.0))
        self.assertEqual(
            {(row["skymap"], row["tract"], row["instrument"]) for row in rows}, {(SKYMAP, 0, None)}
        )

    def test_by_patch(self) -> None:
        rows = self.measured_objects(objects({"r": [True, False, False]}), "coadd_n_objects", by=["patch"])
        self.assertEqual({row["patch"]: row["value"] for row in rows}, {None: 3.0, 0: 2.0, 1: 1.0})

    def test_no_band(self) -> None:
        """A metric of each band that finds none is a row, not nothing."""
        bare = objects({"r": [True, False]})["objectId", "patch"]
        with self.assertLogs("lsst.objectMetrics", "WARNING"):
            rows = self.measured_objects(
                bare,
                "coadd_flag_fraction.psfFlux_flag",
                "coadd_n_objects",
                lacking_columns="undefined",
            )
        self.assertEqual([row["metric"] for row in rows if row["status"] == "ok"], ["coadd_n_objects"])
        (lost,) = of(rows, "coadd_flag_fraction.psfFlux_flag")
        self.assertEqual((lost["status"], lost["band"]), ("undefined", None))
        self.assertIn("needs 'psfFlux_flag'", lost["message"])

    def test_no_band_at_all(self) -> None:
        bare = objects({"r": [True, False]})["objectId", "patch"]
        with (
            self.assertLogs("lsst.objectMetrics", "WARNING"),
            self.assertRaises(AnnotatedPartialOutputsError),
        ):
            self.measured_objects(bare, "coadd_flag_fraction.psfFlux_flag")
        (lost,) = results(self.butler, "qa_object_metrics", tract=0)
        self.assertEqual(lost["status"], "failed")


class VisitMetricsTestCase(RepositoryTestCase):
    """Summaries: of one visit, and of many."""

    ZERO_POINTS = (31.0, 32.0, 34.0)

    def test_one_visit(self) -> None:
        put(self.butler, "visit_summary", summary([11], self.ZERO_POINTS), visit=11)
        task = made(VisitSummaryMetricsTask, metrics=["zero_point", "n_detectors"], by=["detector"])
        run_task(task, self.butler, visit=11)
        rows = results(self.butler, "qa_visit_summary_metrics", visit=11)
        points = {row["detector"]: row["value"] for row in of(rows, "zero_point")}
        self.assertEqual(points, {None: 32.0, 0: 31.0, 1: 32.0, 2: 34.0})
        self.assertEqual(next(row["value"] for row in of(rows, "n_detectors")), 3.0)
        self.assertEqual({(row["visit"], row["band"], row["obs_time"]) for row in rows}, {(11, "r", MIDDLE)})

    def test_many_visits(self) -> None:
        table = summary([11, 21], self.ZERO_POINTS)
        put(self.butler, "visit_detector_table", table)
        run_task(made(VisitTableMetricsTask, metrics=["zero_point"]), self.butler)
        rows = results(self.butler, "qa_visit_table_metrics")
        told = [(row["visit"], row["band"], row["physical_filter"], row["value"]) for row in rows]
        self.assertEqual(told, [(11, "r", "r_01", 32.0), (21, "i", "i_01", 32.0)])
        self.assertEqual([row["obs_time"] for row in rows], [None, None])

    def test_times_of_many_visits(self) -> None:
        """The table's middle of the exposure is TAI, the rows' is UTC."""
        table = summary([11, 12], [31.0, 32.0])
        table["expMidptMJD"] = np.repeat([60370.0 + 15.0 / 86400.0, np.nan], 2)
        put(self.butler, "visit_detector_table", table)
        run_task(made(VisitTableMetricsTask, metrics=["zero_point"]), self.butler)
        first, second = results(self.butler, "qa_visit_table_metrics")
        self.assertLess(abs(first["obs_time"] - MIDDLE), datetime.timedelta(milliseconds=1))
        self.assertIsNone(second["obs_time"])

    def test_no_visit(self) -> None:
        put(self.butler, "visit_detector_table", summary([11], [31.0])[:0])
        with self.assertRaisesRegex(NoWorkFound, "has no row"):
            run_task(made(VisitTableMetricsTask, metrics=["zero_point"]), self.butler)

    def test_units(self) -> None:
        table = summary([11], [31.0])
        table["seeing"] = np.array([1.0]) * u.arcmin
        put(self.butler, "visit_detector_table", table)
        run_task(made(VisitTableMetricsTask, metrics=["seeing"]), self.butler)
        (row,) = results(self.butler, "qa_visit_table_metrics")
        self.assertAlmostEqual(row["value"], 60.0)


if __name__ == "__main__":
    unittest.main()
