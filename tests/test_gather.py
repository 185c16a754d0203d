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

"""The gathering of results: all of them, and where each came from."""

from __future__ import annotations

import datetime
import math
import re
import tempfile
import unittest
from typing import Any

import pyarrow as pa
from support_butler import INSTRUMENT, SKYMAP, make_repository, put, shared_repository
from support_tables import VISITS

from lsst.daf.butler import Butler, DatasetRef, DatasetType
from lsst.daf.butler.tests import makeTestCollection
from lsst.pipe.base import NoWorkFound, Pipeline
from lsst.pipe.base.simple_pipeline_executor import SimplePipelineExecutor
from lsst.qa.errors import BudgetError
from lsst.qa.results import GATHERED_SCHEMA, from_rows
from lsst.qa.tasks import GatherMetricsTask
from lsst.qa.tasks._many import read_tables

Row = dict[str, Any]

STAMPED = "u/me/20240302T010203Z"
LATER = datetime.datetime(2024, 3, 5, 6, 7, 8)


def row(metric: str, value: float = 1.0, **fields: Any) -> Row:
    """Make a row of results."""
    return {"metric": metric, "value": value, "n": 3, "unit": "mmag", "status": "ok", **fields}


class GatherTestCase(unittest.TestCase):
    """Results are put into a repository, and gathered by the pipeline.

    Each test has runs of its own.
    """

    def setUp(self) -> None:
        self.repository, self.place = shared_repository()

    def run_of(self, name: str) -> Butler:
        return Butler.from_config(butler=self.repository, run=self.own(name))

    def own(self, name: str) -> str:
        return f"{self.id()}/{name}"

    def store(
        self, run: str, name: str, task: str, *rows: Row, created: str | None = None, **data_id: Any
    ) -> DatasetRef:
        metadata = {"task": task} | ({"created": created} if created else {})
        return put(self.run_of(run), name, from_rows(rows, metadata), "ArrowTable", **data_id)

    def gather(self, *collections: str) -> pa.Table | None:
        """Run the pipeline; return its table if there is one."""
        inputs = [self.own(name) for name in collections]
        butler = SimplePipelineExecutor.prep_butler(self.place, inputs, self.own("gathered"))
        self.addCleanup(butler.close)
        pipeline = Pipeline.from_uri("$QA_DIR/pipelines/gather.yaml")
        executor = SimplePipelineExecutor.from_pipeline(pipeline, butler=butler)
        (self.quantum,) = executor.run(register_dataset_types=True)
        self.butler = butler
        return butler.get("qa_gathered_metrics") if butler.exists("qa_gathered_metrics") else None

    def test_every_kind_of_result(self) -> None:
        """Each with its dataset, run, task and times."""
        stored = {
            "PA1": self.store(STAMPED, "qa_matched_star_metrics", "matchedStarMetrics", row("PA1"), tract=0),
            "AM1": self.store(STAMPED, "qa_object_metrics", "mine", row("AM1"), tract=1),
            "seeing": self.store("plain", "qa_visit_summary_metrics", "summaries", row("seeing"), visit=12),
            "m5": self.store(STAMPED, "qa_visit_table_metrics", "visitTableMetrics", row("m5")),
            "n_sources": self.store(
                "plain",
                "qa_source_metrics",
                "sourceMetrics",
                row("n_sources"),
                visit=11,
                created="2024-03-05T07:07:08+01:00",
            ),
        }
        table = self.gather(STAMPED, "plain")
        assert table is not None
        self.assertTrue(table.schema.equals(GATHERED_SCHEMA, check_metadata=False), table.schema)
        rows = {found["metric"]: found for found in table.to_pylist()}
        self.assertEqual(len(table), 5)
        for metric, ref in stored.items():
            self.assertEqual(rows[metric]["dataset_id"], str(ref.id))
            self.assertEqual(
                (rows[metric]["run"], rows[metric]["dataset_type"]), (ref.run, ref.datasetType.name)
            )
        self.assertEqual(
            {metric: found["task"] for metric, found in rows.items()},
            {
                "PA1": "matchedStarMetrics",
                "AM1": "mine",
                "seeing": "summaries",
                "m5": "visitTableMetrics",
                "n_sources": "sourceMetrics",
            },
        )
        stamp = datetime.datetime(2024, 3, 2, 1, 2, 3)
        self.assertEqual(
            {metric: found["run_time"] for metric, found in rows.items()},
            {"PA1": stamp, "AM1": stamp, "m5": stamp, "n_sources": LATER, "seeing": None},
        )

    def test_visits_that_overlap_no_tract(self) -> None:
        """A join with the tracts would lose visit 99."""
        self.store("plain", "qa_object_metrics", "objectMetrics", row("coadd_n_objects"), tract=0)
        for visit in VISITS:
            self.store(
                "plain", "qa_source_metrics", "sourceMetrics", row("n_sources", visit=visit), visit=visit
            )
        table = self.gather("plain")
        assert table is not None
        found = [r["visit"] for r in table.to_pylist() if r["metric"] == "n_sources"]
        self.assertEqual(found, sorted(VISITS))

    def test_order(self) -> None:
        """Metric by metric, as they are read; a row's bins stay in order."""
        bins = [row("PA2", bin_low=low, band="i", tract=0, instrument=INSTRUMENT) for low in (3.0, 1.0, 2.0)]
        bands = [row("PA1", band=band) for band in ("r", "i", None)]
        self.store("plain", "qa_matched_star_metrics", "matchedStarMetrics", *bins, *bands, tract=0)
        for visit in (21, 12, 11):
            rows = (row("n_sources", visit=visit, detector=detector) for detector in (1, 0, None))
            self.store(
                "plain", "qa_source_metrics", "sourceMetrics", *rows, row("AA", visit=visit), visit=visit
            )
        table = self.gather("plain")
        assert table is not None
        rows = table.to_pylist()
        self.assertEqual(
            [r["metric"] for r in rows], ["AA"] * 3 + ["PA1"] * 3 + ["PA2"] * 3 + ["n_sources"] * 9
        )
        self.assertEqual([r["band"] for r in rows[3:6]], ["i", "r", None])
        self.assertEqual([r["bin_low"] for r in rows[6:9]], [3.0, 1.0, 2.0])
        told = [(r["visit"], r["detector"]) for r in rows[9:]]
        self.assertEqual(told, [(visit, d) for visit in (11, 12, 21) for d in (0, 1, None)])

    def test_values_of_no_value(self) -> None:
        rows = (row("n_sources", math.nan, status="empty", message="none"), row("n_stars", math.inf))
        self.store("plain", "qa_source_metrics", "sourceMetrics", *rows, visit=11)
        table = self.gather("plain")
        assert table is not None
        self.assertEqual(str(table["value"].to_pylist()), "[nan, inf]")
        self.assertEqual(table["status"].to_pylist(), ["empty", "ok"])
        self.assertEqual(table["message"].to_pylist(), ["none", None])

    def test_the_first_collection_wins(self) -> None:
        for run, value in (("older", 1.0), ("newer", 2.0)):
            self.store(run, "qa_source_metrics", "sourceMetrics", row("n_sources", value), visit=11)
        self.store("older", "qa_source_metrics", "sourceMetrics", row("n_sources", 3.0), visit=12)
        table = self.gather("newer", "older")
        assert table is not None
        self.assertEqual(table["value"].to_pylist(), [2.0, 3.0])
        self.assertEqual(table["run"].to_pylist(), [self.own("newer"), self.own("older")])

    def test_what_it_counts(self) -> None:
        rows = (row("n_sources"), row("n_stars"))
        for visit in (11, 12):
            self.store("plain", "qa_source_metrics", "sourceMetrics", *rows, visit=visit)
        self.gather("plain")
        metadata = self.butler.get("gatherMetrics_metadata")["gatherMetrics"]
        self.assertEqual((metadata["n_datasets"], metadata["n_rows"]), (2, 4))

    def test_memory_budget(self) -> None:
        """What is too much for one table in memory is refused, with what would
        do.
        """
        tables = [from_rows([row("n_sources", value=float(visit)) for visit in range(20_000)])] * 2
        refs = [
            self.store("plain", "qa_source_metrics", "mine", row("n_sources"), visit=visit)
            for visit in (11, 12)
        ]
        config = GatherMetricsTask.ConfigClass(memory_budget=24)
        with self.assertRaisesRegex(
            BudgetError, r"2 of 2 datasets need \d+ MiB.* allows 24; about (\d+)"
        ) as caught:
            GatherMetricsTask(config=config).run(refs, iter(tables))
        config.memory_budget = int(re.search(r"about (\d+)", str(caught.exception))[1])
        task = GatherMetricsTask(config=config)
        self.assertEqual(len(task.run(refs, iter(tables)).table), 40_000)
        self.assertEqual(task.metadata["memory_budget"], config.memory_budget << 20)

    def test_who_can_read_it(self) -> None:
        self.store("plain", "qa_source_metrics", "sourceMetrics", row("n_sources", visit=11), visit=11)
        self.gather("plain")
        table = self.butler.get("qa_gathered_metrics", storageClass="ArrowAstropy")
        self.assertEqual(
            (table["metric"][0], table["visit"][0], table["run"][0]), ("n_sources", 11, self.own("plain"))
        )
        self.assertTrue(table["run_time"].mask[0])
        frame = self.butler.get("qa_gathered_metrics", storageClass="DataFrame")
        self.assertEqual(frame["task"].tolist(), ["sourceMetrics"])
        self.assertTrue(frame["run_time"].isna().all())

    def test_a_collection_without_results(self) -> None:
        """There is no work, and no table."""
        self.store("plain", "qa_source_metrics", "sourceMetrics", row("n_sources"), visit=11)
        self.run_of("empty")
        self.assertIsNone(self.gather("empty"))

    def test_a_repository_without_results(self) -> None:
        """Not even their dataset types are known."""
        self.place = self.enterContext(tempfile.TemporaryDirectory())
        self.repository = make_repository(self.place)
        self.addCleanup(self.repository.close)
        self.run_of("empty")
        self.assertIsNone(self.gather("empty"))

    def test_another_package_s_metrics(self) -> None:
        """Repositories hold a dataset type qa_metrics, of other dimensions."""
        dimensions = ("instrument", "skymap", "tract", "band")
        kind = DatasetType(
            "qa_metrics", dimensions, "StructuredDataDict", universe=self.repository.dimensions
        )
        self.repository.registry.registerDatasetType(kind)
        self.store("plain", "qa_source_metrics", "sourceMetrics", row("n_sources"), visit=11)
        other = {"instrument": INSTRUMENT, "skymap": SKYMAP, "tract": 0, "band": "r"}
        self.run_of("plain").put({"AM1": 3.0}, kind, other)
        table = self.gather("plain")
        assert table is not None
        self.assertEqual(table["metric"].to_pylist(), ["n_sources"])


class TaskTestCase(unittest.TestCase):
    """The task itself."""

    def test_nothing(self) -> None:
        with self.assertRaisesRegex(NoWorkFound, "hold no results"):
            GatherMetricsTask().run([], [])

    def test_results_in_memory(self) -> None:
        repository = make_repository(self.enterContext(tempfile.TemporaryDirectory()), in_memory=True)
        self.addCleanup(repository.close)
        butler = makeTestCollection(repository)
        table = from_rows([row("n_sources")], {"task": "sourceMetrics"})
        ref = put(butler, "qa_source_metrics", table, "ArrowTable", visit=11)
        found = GatherMetricsTask().run([ref], read_tables(butler, [ref])).table
        self.assertEqual(found["dataset_id"].to_pylist(), [str(ref.id)])
        self.assertEqual(found["task"].to_pylist(), ["sourceMetrics"])


if __name__ == "__main__":
    unittest.main()
