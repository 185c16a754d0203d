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

"""Small repositories of results, and databases to load them into."""

from __future__ import annotations

__all__ = [
    "CREATED",
    "GATHERED",
    "LATER",
    "N_ROWS",
    "N_VISITS",
    "RUN",
    "OnPostgres",
    "OnSqlite",
    "SharedSurvey",
    "Survey",
    "batch",
    "contents",
    "row",
    "visit_rows",
]

import datetime
import json
import tempfile
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from support_postgres import needs_postgres, new_database

from lsst.daf.butler import Butler, CollectionType, DatasetRef, DatasetType
from lsst.qa.results import Whence, from_rows, gathered
from lsst.qa.store.batches import Batch, Origin, Provenance
from lsst.qa.store.database import connect, tables

CREATED = datetime.datetime(2026, 11, 22, 5, 30)

RUN, LATER, GATHERED = (f"u/me/qa/2026112{day}T050000Z" for day in (1, 2, 3))
"""Runs of `SharedSurvey`: results of visits, of a tract, and both gathered."""

N_VISITS, N_ROWS = 6, 6
"""Visits of `SharedSurvey`, and rows of each."""

_DIMENSIONS = {
    "qa_source_metrics": ("instrument", "visit"),
    "qa_object_metrics": ("skymap", "tract"),
    "qa_gathered_metrics": (),
}


class OnSqlite:
    """Gives each test an empty SQLite database."""

    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.url = f"sqlite:///{folder.name}/qa.sqlite3"
        self.engine = connect(self.url, create=True)
        self.addCleanup(self.engine.dispose)


@needs_postgres
class OnPostgres:
    """Gives each test an empty PostgreSQL database."""

    def setUp(self) -> None:
        super().setUp()
        self.url = new_database()
        self.engine = connect(self.url, create=True)
        self.addCleanup(self.engine.dispose)


def row(metric: str, value: float, **fields: Any) -> dict[str, Any]:
    """Return a row of results of a visit."""
    shared = {"error": 0.5, "n": 10, "unit": "mas", "status": "ok", "band": "r", "instrument": "Cam"}
    return {"metric": metric, "value": value, **shared, **fields}


def batch(
    run: str,
    *datasets: Iterable[Mapping[str, Any]],
    dataset_type: str = "qa_source_metrics",
    created: datetime.datetime = CREATED,
) -> Batch:
    """Return datasets with these rows, as the loader would read them."""
    made = Provenance("sourceMetrics", 1, "ab", created, {"lsst-qa": "0.1"})
    uuids = sorted(str(uuid.uuid4()) for _ in datasets)
    origins = [Origin(one, run, dataset_type, None, made) for one in uuids]
    counts = np.array([len(list(rows)) for rows in datasets], dtype=int)
    return Batch(origins, counts, from_rows(row for rows in datasets for row in rows))


class Survey:
    """A repository with an instrument, visits and a tract.

    Parameters
    ----------
    root : `str`
        Where to make it.
    test : `unittest.TestCase` or `type` of it
        The test, or the class of tests, at whose end it is closed.
    """

    def __init__(self, root: str, test: Any):
        self.root = root
        self.butler = Butler.from_config(Butler.makeRepo(root), writeable=True)
        (test.addClassCleanup if isinstance(test, type) else test.addCleanup)(self.butler.close)
        for name, dimensions in _DIMENSIONS.items():
            declared = DatasetType(name, dimensions, "ArrowTable", universe=self.butler.dimensions)
            self.butler.registry.registerDatasetType(declared)
        other = DatasetType("qa_notes_metrics", (), "StructuredDataDict", universe=self.butler.dimensions)
        self.butler.registry.registerDatasetType(other)
        camera = {
            "name": "Cam",
            "visit_max": 10**15,
            "exposure_max": 10**15,
            "detector_max": 10,
            "class_name": "",
        }
        sky = {"name": "sky", "hash": b"", "tract_max": 9, "patch_nx_max": 1, "patch_ny_max": 1}
        day = {"instrument": "Cam", "id": 20261121}
        filters = [{"instrument": "Cam", "name": f"{band}_01", "band": band} for band in "gr"]
        for element, records in (
            ("instrument", [camera]),
            ("day_obs", [day]),
            ("physical_filter", filters),
            ("skymap", [sky]),
            ("tract", [{"skymap": "sky", "id": tract} for tract in range(9)]),
        ):
            self.butler.registry.insertDimensionData(element, *records)

    def add_visits(self, visits: Iterable[int]) -> None:
        """Make visits, odd ones in r and even ones in g."""
        records = [
            {
                "instrument": "Cam",
                "id": visit,
                "name": str(visit),
                "physical_filter": f"{'gr'[visit % 2]}_01",
                "day_obs": 20261121,
            }
            for visit in visits
        ]
        self.butler.registry.insertDimensionData("visit", *records)

    def put(
        self, run: str, dataset_type: str, rows: Iterable[Mapping[str, Any]], **data_id: Any
    ) -> DatasetRef:
        """Store results."""
        made = {
            "task": {"qa_source_metrics": "sourceMetrics"}.get(dataset_type, "objectMetrics"),
            "packages": json.dumps({"lsst-qa": "0.1", "numpy": "2.0"}),
            "config": "ab" * 32,
            "created": f"{CREATED.isoformat()}+00:00",
        }
        self.butler.collections.register(run)
        return self.butler.put(from_rows(rows, made), dataset_type, run=run, **data_id)

    def put_visits(self, run: str, visits: Iterable[int], detectors: int = 2) -> list[DatasetRef]:
        """Store two metrics of visits and of their detectors."""
        return [
            self.put(run, "qa_source_metrics", visit_rows(v, detectors), instrument="Cam", visit=v)
            for v in visits
        ]

    def gather(self, run: str, refs: Iterable[DatasetRef]) -> DatasetRef:
        """Store a table that gathers datasets, in another order."""
        parts = ((Whence(str(ref.id), ref.run, ref.datasetType.name), self.butler.get(ref)) for ref in refs)
        whole = gathered(parts).sort_by([("metric", "descending"), ("detector", "descending")])
        self.butler.collections.register(run)
        return self.butler.put(whole, "qa_gathered_metrics", run=run)

    def chain(self, name: str, *runs: str) -> None:
        """Make a chain of runs."""
        self.butler.collections.register(name, CollectionType.CHAINED)
        self.butler.collections.redefine_chain(name, runs)

    def path(self, ref: DatasetRef) -> Path:
        """Return the file of a dataset."""
        return Path(self.butler.getURI(ref).ospath)


class SharedSurvey:
    """A repository that no test of the class changes."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.survey = Survey(f"{folder.name}/repo", cls)
        cls.repo = cls.survey.root
        cls.survey.add_visits(range(1, N_VISITS + 1))
        cls.refs = cls.survey.put_visits(RUN, range(1, N_VISITS + 1))
        tract = row("AM1", 7.0, skymap="sky", tract=3, instrument=None)
        cls.tract = cls.survey.put(LATER, "qa_object_metrics", [tract], skymap="sky", tract=3)
        cls.gathered = cls.survey.gather(GATHERED, [*cls.refs, cls.tract])
        cls.survey.chain("u/me/qa", LATER, RUN)
        cls.survey.chain("u/me/all", GATHERED, LATER, RUN)
        cls.survey.butler.collections.register("u/me/empty")


def visit_rows(visit: int, detectors: int) -> list[dict[str, Any]]:
    """Return the rows of a visit."""
    shared = {
        "band": "gr"[visit % 2],
        "physical_filter": f"{'gr'[visit % 2]}_01",
        "visit": visit,
        "day_obs": 20261121,
        "obs_time": datetime.datetime(2026, 11, 22, 1, visit % 60, 0, 250_000),
    }
    return [
        row(metric, visit + 0.125 * number, **shared, detector=detector)
        for number, metric in enumerate(("PA1", "AM1"))
        for detector in (None, *range(detectors))
    ]


def contents(engine: sa.Engine) -> list[tuple[Any, ...]]:
    """Return all measurements, their dataset and metric by name."""
    metric, dataset, rows = tables().metric, tables().dataset, tables().measurement
    values = [column for column in rows.c if column.name not in ("dataset_id", "metric_id")]
    joined = rows.join(dataset, rows.c.dataset_id == dataset.c.dataset_id)
    joined = joined.join(metric, rows.c.metric_id == metric.c.metric_id)
    chosen = sa.select(dataset.c.uuid, metric.c.name, *values).select_from(joined)
    with engine.connect() as connection:
        return sorted(map(tuple, connection.execute(chosen)), key=lambda found: found[:3])
