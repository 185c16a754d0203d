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

"""A small repository for the tests: a camera, visits, tracts, and the tables
that a test wants.
"""

from __future__ import annotations

__all__ = [
    "INSTRUMENT",
    "MIDDLE",
    "SHARED",
    "SKYMAP",
    "VISITS",
    "make_repository",
    "objects",
    "presources",
    "put",
    "results",
    "run_task",
    "shared_repository",
    "sources",
    "stars",
    "summary",
]

import atexit
import datetime
import functools
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from astropy import units as u
from astropy.table import Table
from astropy.time import Time

from lsst.daf.butler import Butler, Config, DatasetRef, DatasetType, Timespan
from lsst.daf.butler.tests import makeTestRepo
from lsst.pipe.base import PipelineTask
from lsst.pipe.base.testUtils import makeQuantum, runTestQuantum
from lsst.sphgeom import ConvexPolygon, LonLat, UnitVector3d

SHARED = Path(__file__).resolve().parents[2] / "shared"
"""Real data and their tools, beside a checkout where they are at hand."""

INSTRUMENT, SKYMAP = "Cam", "map"

VISITS = {11: "r", 12: "r", 13: "r", 21: "i", 99: "r"}
"""Visits and their bands; all but 99 overlap tract 0, none does tract 1."""

MIDDLE = datetime.datetime(2024, 2, 29, 23, 59, 38)
"""Middle of the first visit (UTC); on the scale of its record, TAI, it is 37 s
later and in the next month."""

FIRST_ID = 1 << 62
"""Ids of sources begin here, where a float holds every 1024th only."""

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
    "qa_visit_summary_metrics": ("instrument", "visit"),
    "qa_visit_table_metrics": ("instrument",),
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


@functools.cache
def shared_repository() -> Butler:
    """Make a repository for all tests of a process, which each use a run of
    their own.

    Returns
    -------
    butler : `lsst.daf.butler.Butler`
        A butler without a run.
    """
    folder = tempfile.mkdtemp(prefix="qa-butler-")
    butler = make_repository(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(butler.close)
    return butler


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


def run_task(task: PipelineTask, butler: Butler, visits: Sequence[int] = (), **data_id: Any) -> None:
    """Run a task on the datasets of the butler's run.

    Parameters
    ----------
    task : `lsst.pipe.base.PipelineTask`
        The task, with one output dataset.
    butler : `lsst.daf.butler.Butler`
        Reads and writes in its run.
    visits : `~collections.abc.Sequence` [`int`], optional
        Visits of an input that has several datasets, in order.
    **data_id
        Data ID of the quantum, without the instrument and the skymap.
    """
    connections = task.config.ConnectionsClass(config=task.config)

    def expanded(name: str, given: dict[str, Any]) -> Any:
        return butler.registry.expandDataId(_own(name, given))

    ids: dict[str, Any] = {}
    for name in (*connections.inputs, *connections.outputs):
        connection = getattr(connections, name)
        if connection.multiple:
            ids[name] = [expanded(connection.name, {"visit": visit}) for visit in visits]
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


def sources(visit: int, magnitudes: Sequence[float] = (), *, extra: int = 2) -> Table:
    """Make the source table of a visit.

    Parameters
    ----------
    visit : `int`
        One of `VISITS`.
    magnitudes : `~collections.abc.Sequence` [`float`], optional
        Magnitude of each star in this visit.
    extra : `int`, optional
        Number of sources beside them: not primary, and of no flux.

    Returns
    -------
    table : `astropy.table.Table`
        Ids of one visit are neighbours; even ones are of detector 0, odd
        ones of detector 1.
    """
    n = len(magnitudes) + extra
    primary = np.arange(n) < len(magnitudes)
    flux = np.full(n, np.nan)
    flux[primary] = 10.0 ** (-0.4 * (np.array(magnitudes) - 31.4))
    return Table(
        {
            "sourceId": FIRST_ID + 1000 * visit + np.arange(n),
            "visit": np.full(n, visit),
            "detector": (np.arange(n) % 2).astype(np.int16),
            "band": np.full(n, VISITS[visit]),
            "physical_filter": np.full(n, f"{VISITS[visit]}_01"),
            "ra": 10.5 * u.deg + 0.001 * np.arange(n) * u.deg,
            "dec": np.full(n, 0.5) * u.deg,
            "psfFlux": flux * u.nJy,
            "psfFluxErr": flux / 1000.0 * u.nJy,
            "extendedness": np.zeros(n),
            "detect_isPrimary": primary,
        }
    )


def presources(visits: Sequence[int], n_stars: int) -> Table:
    """Make the table of stars' detections, which holds keys only.

    Parameters
    ----------
    visits : `~collections.abc.Sequence` [`int`]
        Visits that saw every star.
    n_stars : `int`
        Number of stars, the first ones of `sources`.

    Returns
    -------
    table : `astropy.table.Table`
        Keys, the last visit's first.
    """
    star, visit = np.meshgrid(np.arange(n_stars), np.array(visits)[::-1])
    return Table(
        {
            "sourceId": (FIRST_ID + 1000 * visit + star).ravel(),
            "obj_index": star.ravel().astype(np.int32),
            "visit": visit.ravel(),
            "band": np.array([VISITS[v] for v in visit.ravel().tolist()]),
        }
    )


def stars(n_stars: int) -> Table:
    """Make the table of stars.

    Parameters
    ----------
    n_stars : `int`
        Number of stars.

    Returns
    -------
    table : `astropy.table.Table`
        Their ids.
    """
    return Table({"isolated_star_id": FIRST_ID + 7 * np.arange(n_stars)})


def summary(visits: Sequence[int], zero_points: Sequence[float]) -> Table:
    """Make the summary of visits.

    Parameters
    ----------
    visits : `~collections.abc.Sequence` [`int`]
        Visits.
    zero_points : `~collections.abc.Sequence` [`float`]
        Zero point of each detector, the same in all visits.

    Returns
    -------
    table : `astropy.table.Table`
        A row per visit and detector.
    """
    visit, detector = (
        part.ravel() for part in np.meshgrid(visits, np.arange(len(zero_points)), indexing="ij")
    )
    bands = [VISITS[v] for v in visit.tolist()]
    return Table(
        {
            "visit": visit,
            "detector": detector,
            "band": bands,
            "physical_filter": [f"{band}_01" for band in bands],
            "zeroPoint": np.array(zero_points)[detector] * u.mag,
            "skyNoise": np.full(len(visit), 20.0),
        }
    )


def objects(flags: dict[str, Sequence[bool]]) -> Table:
    """Make the object table of a tract.

    Parameters
    ----------
    flags : `dict` [`str`, `~collections.abc.Sequence` [`bool`]]
        For each band, which objects have a bad flux.

    Returns
    -------
    table : `astropy.table.Table`
        A row per object, in two patches.
    """
    n = len(next(iter(flags.values())))
    own = {f"{band}_psfFlux_flag": np.array(values) for band, values in flags.items()}
    return Table({"objectId": FIRST_ID + np.arange(n), "patch": np.arange(n) % 2, **own})
