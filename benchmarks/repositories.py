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

"""The Butler repositories, made once and kept."""

from __future__ import annotations

__all__ = ["GATHERED", "RUN", "fresh", "register", "release", "results", "survey"]

import json
import shutil
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lsst.daf.butler import Butler, DataCoordinate, DatasetRef, DatasetType, FileDataset
from lsst.qa.catalogue import METRICS
from lsst.qa.metric import Metric
from lsst.qa.results import GATHERED_SCHEMA, SCHEMA, from_rows
from lsst.qa.simulate import Survey, write_repository

RUN, GATHERED = "benchmark/20260101T000000Z", "benchmark/gathered"
"""Run of the small datasets of results, and of the table that gathers them."""

ROWS = 100
"""Rows of a small dataset."""

_DETECTORS = 9
_RELEASED = 50  # metrics
_AT_ONCE = 1000


def survey(folder: Path, visits: int) -> Path:
    """Make a repository with visits of some 5,000 sources each."""
    place = folder / f"survey-{visits}"
    write_repository(place, Survey(stars=5000, galaxies=5000, visits=visits, bands="r"))
    return place


def results(folder: Path, number: int) -> Path:
    """Make a repository with small datasets of results, one a visit, and a
    table that holds all of their rows.
    """
    place = folder / f"results-{number}"
    if place.exists():
        return place
    making = folder / f"making-results-{number}"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    butler = Butler.from_config(Butler.makeRepo(str(making)), writeable=True, run=RUN)
    visits = np.arange(1, number + 1)
    register(butler, visits.tolist())
    rows = _rows()
    uuids: list[str] = []
    for first in range(0, number, _AT_ONCE):
        uuids += _ingest(butler, making, rows, visits[first : first + _AT_ONCE].tolist())
    butler.collections.register(GATHERED)
    butler.put(_gathered(rows, visits, uuids), "qa_gathered_metrics", run=GATHERED)
    butler.close()
    making.rename(place)
    return place


def register(butler: Butler, visits: list[int]) -> None:
    """Register an instrument with visits, and dataset types of results."""
    camera = {"name": "Cam", "visit_max": 10**9, "exposure_max": 10**9, "detector_max": 10, "class_name": ""}
    shared = {"instrument": "Cam", "physical_filter": "r_01", "day_obs": 20260101}
    records: dict[str, list[dict[str, Any]]] = {
        "instrument": [camera],
        "day_obs": [{"instrument": "Cam", "id": 20260101}],
        "physical_filter": [{"instrument": "Cam", "name": "r_01", "band": "r"}],
        "visit": [{**shared, "id": visit, "name": str(visit)} for visit in visits],
    }
    with butler.transaction():
        for element, values in records.items():
            butler.registry.insertDimensionData(element, *values)
    for name, dimensions in (("qa_source_metrics", ("instrument", "visit")), ("qa_gathered_metrics", ())):
        butler.registry.registerDatasetType(
            DatasetType(name, dimensions, "ArrowTable", universe=butler.dimensions)
        )


def _rows() -> list[dict[str, Any]]:
    """Make the rows of a visit: some metrics, of it and of its detectors."""
    metrics = [metric for metric in METRICS.values() if metric.table == "source"]
    places = [(metric, detector) for metric in metrics for detector in (None, *range(_DETECTORS))]
    return [
        {
            "metric": metric.name,
            "band": "r",
            "value": 1.0 + 0.001 * number,
            "error": 0.1,
            "n": 1000 + number,
            "unit": metric.unit,
            "status": "ok",
            "instrument": "Cam",
            "physical_filter": "r_01",
            "day_obs": 20260101,
            "detector": detector,
        }
        for number, (metric, detector) in enumerate(places[:ROWS])
    ]


def _ingest(butler: Butler, folder: Path, rows: list[dict[str, Any]], visits: list[int]) -> list[str]:
    made = {
        "task": "sourceMetrics",
        "packages": json.dumps({"lsst-qa": "0.1"}),
        "config": "ab" * 32,
        "created": "2026-01-01T00:00:00+00:00",
    }
    kind = butler.get_dataset_type("qa_source_metrics")
    base = from_rows(rows, made)
    place = SCHEMA.get_field_index("visit")
    files, uuids = [], []
    for visit in visits:
        path = folder / f"visit-{visit}.parq"
        pq.write_table(base.set_column(place, SCHEMA.field(place), pa.array([visit] * len(rows))), path)
        data_id = butler.registry.expandDataId(instrument="Cam", visit=visit)
        ref = DatasetRef(kind, data_id, run=RUN)
        files.append(FileDataset(path=str(path), refs=[ref]))
        uuids.append(str(ref.id))
    butler.ingest(*files, transfer="move")
    return uuids


def _gathered(rows: list[dict[str, Any]], visits: np.ndarray, uuids: list[str]) -> pa.Table:
    """Make the table that the gathering would."""
    base = pa.concat_tables([from_rows(rows)] * len(visits)).combine_chunks()
    origin = {
        "dataset_id": pa.array(uuids).take(pa.array(np.repeat(np.arange(len(visits)), len(rows)))),
        "run": pa.repeat(RUN, len(base)),
        "task": pa.repeat("sourceMetrics", len(base)),
        "dataset_type": pa.repeat("qa_source_metrics", len(base)),
        "run_time": pa.nulls(len(base), pa.timestamp("us")),
        "visit": pa.array(np.repeat(visits, len(rows))),
    }
    columns = [origin[f.name] if f.name in origin else base[f.name] for f in GATHERED_SCHEMA]
    whole = pa.Table.from_arrays(columns, schema=GATHERED_SCHEMA)
    return whole.sort_by([("metric", "ascending"), ("visit", "ascending"), ("detector", "ascending")])


def release(folder: Path, rows: int) -> Path:
    """Make a repository with one table that gathered a release: visits of
    fifty metrics, as `results` has them, but no datasets beside it.

    The rows come metric by metric, so that those of a dataset are all over
    the table. It is written metric by metric as well, in little memory.
    """
    place = folder / f"release-{rows}"
    if place.exists():
        return place
    making = folder / f"making-release-{rows}"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    butler = Butler.from_config(Butler.makeRepo(str(making)), writeable=True, run=GATHERED)
    register(butler, [])
    metrics = [metric for metric in METRICS.values() if metric.table == "source"][:_RELEASED]
    visits = np.arange(rows // (_RELEASED * (_DETECTORS + 1)))
    uuids = pa.array([str(uuid.UUID(int=int(visit) + (1 << 100), version=4)) for visit in visits])
    path = making / "released.parq"
    with pq.ParquetWriter(path, GATHERED_SCHEMA) as writer:
        for metric in metrics:
            writer.write_table(_released(metric, visits, uuids))
    ref = DatasetRef(
        butler.get_dataset_type("qa_gathered_metrics"),
        DataCoordinate.make_empty(butler.dimensions),
        run=GATHERED,
    )
    butler.ingest(FileDataset(path=str(path), refs=[ref]), transfer="move")
    butler.close()
    making.rename(place)
    return place


def _released(metric: Metric, visits: np.ndarray, uuids: pa.Array) -> pa.Table:
    """Make the rows of a metric in all visits and their detectors."""
    owner = pa.array(np.repeat(np.arange(len(visits)), _DETECTORS + 1))
    noise = np.random.default_rng(len(metric.name)).normal(1.0, 0.1, len(owner))
    place = pa.array([None, *range(_DETECTORS)], pa.int64()).take(
        pa.array(np.tile(np.arange(_DETECTORS + 1), len(visits)))
    )
    night = pa.array(20260101 + np.arange(len(visits)) // 1000 % 28)
    time = pa.array(np.arange(len(visits)) * 40_000_000 + 1_767_225_600_000_000, pa.timestamp("us"))
    columns = {
        "value": noise,
        "error": 0.1 * noise,
        "n": pa.array(np.abs(1000 * noise).astype(int)),
        "detector": place,
        "visit": pa.array(visits).take(owner),
        "day_obs": night.take(owner),
        "obs_time": time.take(owner),
        "dataset_id": uuids.take(owner),
        "run_time": pa.nulls(len(owner), pa.timestamp("us")),
    }
    same = {
        "metric": metric.name,
        "unit": metric.unit,
        "band": "r",
        "status": "ok",
        "instrument": "Cam",
        "physical_filter": "r_01",
        "run": RUN,
        "task": "sourceMetrics",
        "dataset_type": "qa_source_metrics",
    }
    arrays = []
    for field in GATHERED_SCHEMA:
        if field.name in same:
            arrays.append(pa.repeat(pa.scalar(same[field.name], field.type), len(owner)))
        else:
            arrays.append(
                pa.array(columns[field.name]) if field.name in columns else pa.nulls(len(owner), field.type)
            )
    return pa.Table.from_arrays(arrays, schema=GATHERED_SCHEMA)


def fresh(name: str) -> str:
    """Name a run that does not exist."""
    return f"{name}/{uuid.uuid4().hex}"
