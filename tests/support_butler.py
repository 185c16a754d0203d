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

"""A small repository for the tests, and tasks that run on what it holds."""

from __future__ import annotations

__all__ = [
    "INSTRUMENT",
    "MIDDLE",
    "SHARED",
    "SKYMAP",
    "AfwFormatter",
    "made",
    "make_repository",
    "new_run",
    "of",
    "put",
    "results",
    "run_task",
    "shared_repository",
]

import atexit
import datetime
import functools
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from astropy import units as u
from astropy.time import Time
from support_tables import VISITS

from lsst.daf.butler import Butler, Config, DatasetRef, DatasetType, FormatterV2, Timespan
from lsst.daf.butler.tests import makeTestCollection, makeTestRepo
from lsst.pipe.base import PipelineTask
from lsst.pipe.base.testUtils import makeQuantum, runTestQuantum
from lsst.qa.tasks._base import MetricsTask
from lsst.sphgeom import ConvexPolygon, LonLat, UnitVector3d

SHARED = Path(__file__).resolve().parents[2] / "shared"
"""Real data and their tools, beside a checkout where they are at hand."""

INSTRUMENT, SKYMAP = "Cam", "map"

MIDDLE = datetime.datetime(2024, 2, 29, 23, 59, 38)
"""Middle of the first visit (UTC); on the scale of its record, TAI, it is 37 s
later and in the next month."""

_DIMENSIONS = {
    "isolated_star_presources": ("instrument", "skymap", "tract"),
    "isolated_star_presource_associations": ("instrument", "skymap", "tract"),
    "object": ("skymap", "tract"),
    "source": ("instrument", "visit"),
    "visit_detector_table": ("instrument",),
    "visit_summary": ("instrument", "visit"),
    "qa_matched_star_metrics": ("instrument", "skymap", "tract"),
    "qa_object_metrics": ("skymap", "tract"),
    "qa_source_metrics": ("instrument", "visit"),
    "qa_source_reference_metrics": ("instrument", "visit"),
    "qa_object_reference_metrics": ("skymap", "tract"),
    "qa_visit_summary_metrics": ("instrument", "visit"),
    "qa_visit_table_metrics": ("instrument",),
    "object_parent": ("skymap", "tract"),
    "deep_coadd_depth_table": ("skymap", "tract"),
    "deep_coadd_n_image": ("skymap", "tract", "patch", "band"),
    "deep_coadd_input_summary_tract": ("skymap", "tract", "band"),
    "deep_coadd": ("skymap", "tract", "patch", "band"),
    "visit_image": ("instrument", "visit", "detector"),
    "dia_source": ("skymap", "tract"),
    "dia_source_detector": ("instrument", "visit", "detector"),
    "injected_goodSeeingDiff_matchAssocDiaSrc": ("instrument", "visit", "detector"),
    "qa_object_parent_metrics": ("skymap", "tract"),
    "qa_coadd_depth_metrics": ("skymap", "tract"),
    "qa_coadd_input_metrics": ("skymap", "tract"),
    "qa_coadd_choice_metrics": ("instrument", "skymap", "tract"),
    "qa_coadd_mask_metrics": ("skymap", "tract"),
    "qa_visit_mask_metrics": ("instrument", "visit"),
    "qa_dia_source_metrics": ("skymap", "tract"),
    "qa_dia_visit_metrics": ("instrument", "visit"),
    "qa_dia_fake_metrics": ("instrument", "visit"),
    "sim_truth": ("skymap", "tract"),
    "matched_injected_deep_coadd_predetection_catalog_tract_injected_object": ("skymap", "tract"),
    "qa_truth_metrics": ("skymap", "tract"),
    "qa_truth_match_metrics": ("skymap", "tract"),
}


def make_repository(place: str, *, in_memory: bool = False) -> Butler:
    """Make a repository with dimension records and no dataset.

    Parameters
    ----------
    place : `str`
        An empty directory.
    in_memory : `bool`, optional
        Whether datasets are objects, without files.

    Returns
    -------
    butler : `lsst.daf.butler.Butler`
        A butler without a run.
    """
    kind = "inMemoryDatastore.InMemoryDatastore" if in_memory else "fileDatastore.FileDatastore"
    config = Config()
    config["datastore", "cls"] = f"lsst.daf.butler.datastores.{kind}"
    butler = makeTestRepo(place, config=config)
    for element, records in _records().items():
        butler.registry.insertDimensionData(element, *records)
    return butler


class AfwFormatter(FormatterV2):
    """Stands for those of afw's catalogues and images, which are not read
    through them.
    """

    default_extension = ".fits"
    supported_extensions = frozenset({".fits"})
    can_read_from_uri = True

    def read_from_uri(self, uri: Any, component: str | None = None, expected_size: int = -1) -> Any:
        raise ImportError("There is no afw here.")


@functools.cache
def shared_repository() -> tuple[Butler, str]:
    """Make a repository for all tests of a process, which each use a run of
    their own.

    Returns
    -------
    butler : `lsst.daf.butler.Butler`
        A butler without a run.
    place : `str`
        Directory of the repository.
    """
    place = tempfile.mkdtemp(prefix="qa-butler-")
    butler = make_repository(place)
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    atexit.register(butler.close)
    return butler, place


def new_run() -> Butler:
    """Begin an empty run in the repository of all tests.

    Returns
    -------
    butler : `lsst.daf.butler.Butler`
        Reads and writes in the run.
    """
    return makeTestCollection(shared_repository()[0])


def _records() -> dict[str, list[dict[str, Any]]]:
    camera = {"instrument": INSTRUMENT}
    largest = {"visit_max": 1 << 40, "exposure_max": 1 << 40, "detector_max": 10}
    begin = Time("2024-03-01T00:00:00", scale="tai")
    visits = [
        {
            **camera,
            "id": visit,
            "name": str(visit),
            "day_obs": 20240229,
            "physical_filter": f"{band}_01",
            "timespan": Timespan(begin + number * u.min, begin + number * u.min + 30 * u.s),
            "region": _box(40.0 if visit == 99 else 10.0),
        }
        for number, (visit, band) in enumerate(VISITS.items())
    ]
    return {
        "instrument": [{"name": INSTRUMENT, "class_name": "", **largest}],
        "physical_filter": [{**camera, "name": f"{band}_01", "band": band} for band in "ri"],
        "day_obs": [{**camera, "id": 20240229}],
        "skymap": [{"name": SKYMAP, "hash": b"0", "tract_max": 2}],
        "tract": [{"skymap": SKYMAP, "id": t, "region": _box(10.0 + 5.0 * t)} for t in range(2)],
        "patch": [
            {"skymap": SKYMAP, "tract": 0, "id": p, "cell_x": p, "cell_y": 0, "region": _box(10.0)}
            for p in range(3)
        ],
        "detector": [{**camera, "id": d, "full_name": str(d)} for d in range(3)],
        "visit": visits,
    }


def _box(ra: float) -> ConvexPolygon:
    corners = ((ra, 0.0), (ra + 1.0, 0.0), (ra + 1.0, 1.0), (ra, 1.0))
    return ConvexPolygon([UnitVector3d(LonLat.fromDegrees(*corner)) for corner in corners])


def _own(name: str, data_id: dict[str, Any]) -> dict[str, Any]:
    """Take what a dataset type's data ID needs."""
    known = {"instrument": INSTRUMENT, "skymap": SKYMAP, **data_id}
    return {dimension: known[dimension] for dimension in _DIMENSIONS[name]}


def put(
    butler: Butler, name: str, table: Any, storage_class: str = "ArrowAstropy", **data_id: Any
) -> DatasetRef:
    """Store a table; its dataset type is registered with it.

    Parameters
    ----------
    butler : `lsst.daf.butler.Butler`
        Writes to its run.
    name : `str`
        Dataset type.
    table : `typing.Any`
        What to store.
    storage_class : `str`, optional
        Storage class of the dataset type.
    **data_id
        Data ID, without the instrument and the skymap.

    Returns
    -------
    ref : `lsst.daf.butler.DatasetRef`
        The dataset.
    """
    butler.registry.registerDatasetType(
        DatasetType(name, _DIMENSIONS[name], storage_class, universe=butler.dimensions)
    )
    return butler.put(table, name, _own(name, data_id))


def made(kind: type[MetricsTask], **settings: Any) -> MetricsTask:
    """Make a task.

    Parameters
    ----------
    kind : `type`
        Class of the task.
    **settings
        Its configuration.

    Returns
    -------
    task : `MetricsTask`
        The task.
    """
    config = kind.ConfigClass()
    config.update(**settings)
    config.validate()
    return kind(config=config)


def run_task(
    task: PipelineTask,
    butler: Butler,
    visits: Sequence[int] = (),
    *,
    each: Sequence[dict[str, Any]] = (),
    **data_id: Any,
) -> None:
    """Run a task on the datasets of the butler's run.

    Parameters
    ----------
    task : `lsst.pipe.base.PipelineTask`
        The task, with one output dataset.
    butler : `lsst.daf.butler.Butler`
        Reads and writes in its run.
    visits : `~collections.abc.Sequence` [`int`], optional
        Visits of an input that has several datasets, in order.
    each : `~collections.abc.Sequence` [`dict`], optional
        What its datasets are of beside the data ID, if not visits.
    **data_id
        Data ID of the quantum, without the instrument and the skymap.
    """
    config: Any = task.config
    connections = config.ConnectionsClass(config=config)

    def expanded(name: str, given: dict[str, Any]) -> Any:
        return butler.registry.expandDataId(_own(name, given))

    ids: dict[str, Any] = {}
    for name in (*connections.inputs, *connections.outputs):
        connection = getattr(connections, name)
        if connection.multiple:
            several = [{"visit": visit} for visit in visits] or [{**data_id, **own} for own in each]
            ids[name] = [expanded(connection.name, own) for own in several]
        else:
            ids[name] = expanded(connection.name, data_id)
    for name in connections.outputs:
        kind = getattr(connections, name)
        butler.registry.registerDatasetType(
            DatasetType(kind.name, kind.dimensions, kind.storageClass, universe=butler.dimensions)
        )
    (output,) = connections.outputs
    runTestQuantum(task, butler, makeQuantum(task, butler, ids[output], ids), mockRun=False)


def results(butler: Butler, name: str, **data_id: Any) -> list[dict[str, Any]]:
    """Read rows of results.

    Parameters
    ----------
    butler : `lsst.daf.butler.Butler`
        Reads.
    name : `str`
        Dataset type.
    **data_id
        Data ID, without the instrument and the skymap.

    Returns
    -------
    rows : `list` [`dict`]
        The rows.
    """
    table: pa.Table = butler.get(name, _own(name, data_id))
    return table.to_pylist()


def of(rows: list[dict[str, Any]], metric: str) -> list[dict[str, Any]]:
    """Choose the rows of a metric.

    Parameters
    ----------
    rows : `list` [`dict`]
        Rows of results.
    metric : `str`
        Name of the metric.

    Returns
    -------
    chosen : `list` [`dict`]
        Its rows.
    """
    return [row for row in rows if row["metric"] == metric]
