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

"""Questions to the metrics database."""

from __future__ import annotations

__all__ = [
    "complete_runs",
    "definitions",
    "fetch_measurements",
    "get_metric",
    "get_run",
    "history",
    "latest_runs",
    "measurements",
    "metric_names",
    "observation_series",
    "package_changes",
    "run_summary",
    "select_measurements",
    "specifications",
]

import dataclasses
import math
from typing import Any

import sqlalchemy as sa

from ..errors import InputError
from .database import tables
from .definitions import get_metric, metric_names, specifications
from .records import Measurement, MetricInfo
from .runs import complete_runs, get_run, history, latest_runs, package_changes, run_summary, when


def definitions(engine: sa.Engine) -> list[MetricInfo]:
    """List the definitions of all metrics.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.

    Returns
    -------
    definitions : `list` [`MetricInfo`]
        With their thresholds, by name.
    """
    metric = tables().metric
    fields = ("name", "table_name", "unit", "description", "formula", "reference")
    with engine.connect() as connection:
        found = connection.execute(sa.select(*(metric.c[name] for name in fields))).all()
    specs = specifications(engine)
    return [MetricInfo._make((*row, specs.get(row[0], ()))) for row in sorted(found)]


def measurements(
    engine: sa.Engine,
    *,
    run_id: int | None = None,
    metric: str | None = None,
    band: str | None = None,
    detector_rows: bool = False,
    status: str | None = None,
    limit: int = 1000,
    after: str | None = None,
) -> list[Measurement]:
    """List measurements as they were loaded.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    run_id : `int`, optional
        Number of the run.
    metric : `str`, optional
        Name of the metric.
    band : `str`, optional
        Band.
    detector_rows : `bool`, optional
        Include the rows of single detectors.
    status : `str`, optional
        One of `lsst.qa.results.STATUSES`.
    limit : `int`, optional
        The most rows to return.
    after : `str`, optional
        ``cursor`` of the last row of the page before this one.

    Returns
    -------
    measurements : `list` [`Measurement`]
        In the order of datasets and of their rows.

    Raises
    ------
    InputError
        Raised if ``after`` is not the cursor of a row.
    """
    rows, dataset = tables().measurement, tables().dataset
    chosen = select_measurements(metric, band, run_id).order_by(rows.c.dataset_id, rows.c.row_number)
    if not detector_rows:
        chosen = chosen.where(rows.c.detector.is_(None))
    if status is not None:
        chosen = chosen.where(rows.c.status == status)
    if status == "failed":
        chosen = chosen.where(dataset.c.n_failed > 0)
    if after is not None:
        chosen = chosen.where(sa.tuple_(rows.c.dataset_id, rows.c.row_number) > sa.tuple_(*_place(after)))
    return fetch_measurements(engine, chosen.limit(limit))


def observation_series(
    engine: sa.Engine,
    metric: str,
    band: str | None = None,
    run_id: int | None = None,
    limit: int = 10_000,
) -> list[Measurement]:
    """List the measurements of a metric by the time of observation.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    metric : `str`
        Name of the metric.
    band : `str`, optional
        Band; without it all.
    run_id : `int`, optional
        Number of the run; without it all.
    limit : `int`, optional
        The most rows to return: the latest ones.

    Returns
    -------
    measurements : `list` [`Measurement`]
        Rows of whole visits that have a time, the earliest first.
    """
    rows = tables().measurement
    chosen = (
        select_measurements(metric, band, run_id)
        .where(rows.c.detector.is_(None), rows.c.bin_low.is_(None), rows.c.bin_high.is_(None))
        .where(rows.c.obs_time.is_not(None))
        .order_by(rows.c.obs_time.desc(), rows.c.dataset_id.desc(), rows.c.row_number.desc())
        .limit(limit)
    )
    return fetch_measurements(engine, chosen)[::-1]


def _joined() -> sa.Join:
    metric, dataset, rows = tables().metric, tables().dataset, tables().measurement
    with_dataset = rows.join(dataset, rows.c.dataset_id == dataset.c.dataset_id)
    return with_dataset.join(metric, rows.c.metric_id == metric.c.metric_id)


def select_measurements(
    metric: str | None = None, band: str | None = None, run_id: int | None = None
) -> sa.Select[Any]:
    """Select the fields of `Measurement`, first its place.

    Parameters
    ----------
    metric, band : `str` or `None`
        Name of the metric, and band; `None` for all.
    run_id : `int` or `None`
        Number of the run; `None` for all.

    Returns
    -------
    select : `sqlalchemy.Select`
        To be narrowed further, and run by `fetch_measurements`.
    """
    run, definition, dataset, rows = tables().run, tables().metric, tables().dataset, tables().measurement
    elsewhere = {
        "metric": definition.c.name,
        "dataset_id": dataset.c.uuid,
        "run": run.c.name,
        "task": dataset.c.task,
        "dataset_type": dataset.c.dataset_type,
        "run_time": when(),
    }
    names = [field.name for field in dataclasses.fields(Measurement)][1:]
    fields = [elsewhere[name] if name in elsewhere else rows.c[name] for name in names]
    chosen = sa.select(rows.c.dataset_id, rows.c.row_number, *fields).select_from(_joined().join(run))
    if metric is not None:
        chosen = chosen.where(definition.c.name == metric)
    if band is not None:
        chosen = chosen.where(rows.c.band == band)
    if run_id is not None:
        chosen = chosen.where(dataset.c.run_id == run_id)
    return chosen


def fetch_measurements(engine: sa.Engine, chosen: sa.Select[Any]) -> list[Measurement]:
    """Run what `select_measurements` began.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    chosen : `sqlalchemy.Select`
        The selection.

    Returns
    -------
    measurements : `list` [`Measurement`]
        The rows.
    """
    with engine.connect() as connection:
        return [_measurement(*row) for row in connection.execute(chosen)]


def _measurement(dataset: int, row: int, metric: str, band: str | None, *rest: Any) -> Measurement:
    value, error = (math.nan if number is None else number for number in rest[:2])
    return Measurement(f"{dataset}-{row}", metric, band, value, error, *rest[2:])


def _place(cursor: str) -> tuple[int, int]:
    dataset, _, row = cursor.partition("-")
    if not all(part.isascii() and part.isdecimal() and int(part) < 2**63 for part in (dataset, row)):
        raise InputError(
            f"{cursor!r} is not the cursor of a measurement: expected two numbers, as in '12-34'."
        )
    return int(dataset), int(row)
