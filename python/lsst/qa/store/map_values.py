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

"""Values of a metric by where they are: on the sky, and in the camera."""

from __future__ import annotations

__all__ = ["DetectorValue", "PlaceValue", "detector_values", "mapped_metrics", "place_values"]

from typing import Any, NamedTuple

import sqlalchemy as sa

from .database import tables


class PlaceValue(NamedTuple):
    """A value of a whole visit, tract or patch.

    Attributes
    ----------
    instrument, visit, skymap, tract, patch, band
        What it is of.
    value, error : `float` or `None`
        The value and its 1-sigma error.
    n : `int` or `None`
        Size of the sample.
    status, message : `str` or `None`
        Whether and why it is missing.
    """

    instrument: str | None
    visit: int | None
    skymap: str | None
    tract: int | None
    patch: int | None
    band: str | None
    value: float | None
    error: float | None
    n: int | None
    status: str
    message: str | None


class DetectorValue(NamedTuple):
    """A value of a detector in a visit."""

    instrument: str | None
    visit: int | None
    detector: int
    band: str | None
    value: float


def place_values(
    engine: sa.Engine, run_id: int, metric: str, band: str | None = None, limit: int = 5000
) -> list[PlaceValue]:
    """List the values of a metric in visits, tracts and patches.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    run_id : `int`
        Number of the run.
    metric : `str`
        Name of the metric.
    band : `str`, optional
        Only this band.
    limit : `int`, optional
        The most values to return.

    Returns
    -------
    values : `list` [`PlaceValue`]
        Without bins; the latest loaded first.
    """
    rows = tables().measurement.c
    chosen = _of(PlaceValue._fields, run_id, metric, band).where(
        rows.detector.is_(None), rows.bin_low.is_(None)
    )
    chosen = chosen.where(sa.or_(rows.visit.is_not(None), rows.tract.is_not(None)))
    with engine.connect() as connection:
        found = connection.execute(chosen.order_by(rows.dataset_id.desc(), rows.row_number).limit(limit))
        return [PlaceValue(*row) for row in found]


def detector_values(
    engine: sa.Engine, run_id: int, metric: str, band: str | None = None, visit: int | None = None
) -> list[DetectorValue]:
    """List the values of a metric in single detectors.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    run_id : `int`
        Number of the run.
    metric : `str`
        Name of the metric.
    band : `str`, optional
        Only this band.
    visit : `int`, optional
        Only this visit.

    Returns
    -------
    values : `list` [`DetectorValue`]
        Those that are known, without bins, by visit and detector.
    """
    rows = tables().measurement.c
    chosen = _of(DetectorValue._fields, run_id, metric, band).where(
        rows.detector.is_not(None), rows.bin_low.is_(None), rows.value.is_not(None)
    )
    if visit is not None:
        chosen = chosen.where(rows.visit == visit)
    with engine.connect() as connection:
        found = [DetectorValue(*row) for row in connection.execute(chosen)]
    return sorted(found, key=lambda one: (one.visit or 0, one.detector))


def mapped_metrics(engine: sa.Engine, run_id: int) -> list[tuple[str, str | None]]:
    """List the metrics and bands of which a run has values.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    run_id : `int`
        Number of the run.

    Returns
    -------
    metrics : `list` [`tuple` [`str`, `str` or `None`]]
        Name and band.
    """
    rows, dataset, metric = tables().measurement, tables().dataset, tables().metric
    chosen = (
        sa.select(metric.c.name, rows.c.band)
        .select_from(rows.join(dataset, rows.c.dataset_id == dataset.c.dataset_id))
        .join(metric, rows.c.metric_id == metric.c.metric_id)
        .where(dataset.c.run_id == run_id, rows.c.detector.is_(None), rows.c.bin_low.is_(None))
        .distinct()
    )
    with engine.connect() as connection:
        return [(name, band) for name, band in connection.execute(chosen)]


def _of(fields: tuple[str, ...], run_id: int, metric: str, band: str | None) -> sa.Select[Any]:
    rows, dataset, definition = tables().measurement, tables().dataset, tables().metric
    joined = rows.join(dataset, rows.c.dataset_id == dataset.c.dataset_id)
    chosen = (
        sa.select(*(rows.c[name] for name in fields))
        .select_from(joined.join(definition, rows.c.metric_id == definition.c.metric_id))
        .where(dataset.c.run_id == run_id, definition.c.name == metric)
    )
    return chosen if band is None else chosen.where(rows.c.band == band)
