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

"""What the tasks read and write, however it is stored."""

from __future__ import annotations

import datetime
import hashlib
import json
import tempfile
import unittest
from typing import Any

import numpy as np
import pyarrow as pa
from astropy.table import Table
from support_butler import INSTRUMENT, MIDDLE, made, make_repository, new_run, put, results, run_task
from support_tables import sources

from lsst.daf.butler.tests import makeTestCollection
from lsst.qa.results import SCHEMA, SCHEMA_VERSION
from lsst.qa.tasks import SourceMetricsTask


class StoredResultsTestCase(unittest.TestCase):
    """What a dataset of results says of itself, and who can read it."""

    def setUp(self) -> None:
        self.butler = new_run()
        put(self.butler, "source", sources(11, [20.0]), visit=11)
        task = made(SourceMetricsTask, metrics=["n_sources", "sky_flux_median"], by=["detector"])
        task.config.lacking_columns = "undefined"
        with self.assertLogs("lsst.sourceMetrics", "WARNING"):
            run_task(task, self.butler, visit=11)

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


class StoredInputsTestCase(unittest.TestCase):
    """Tables are read however they are stored."""

    def setUp(self) -> None:
        self.butler = new_run()

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


if __name__ == "__main__":
    unittest.main()
