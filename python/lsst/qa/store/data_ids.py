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

"""What was measured of one data ID."""

from __future__ import annotations

__all__ = ["DETAIL", "PLACES", "data_id_measurements", "detectors_of"]

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from ..errors import InputError
from .database import tables
from .query import fetch_measurements, select_measurements
from .records import Measurement

PLACES = ("visit", "exposure", "tract")
"""One of these is always part of a data ID that is asked for: each has an
index.
"""

_LARGEST = 2**63 - 1
DETAIL = ("instrument", "skymap", "patch", "physical_filter", "band")


def data_id_measurements(
    engine: sa.Engine, data_id: Mapping[str, Any], run_id: int | None = None, limit: int = 2000
) -> list[Measurement]:
    """List the measurements of a data ID.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    data_id : `~collections.abc.Mapping` [`str`, `typing.Any`]
        A visit, exposure or tract, and what narrows it: instrument,
        detector, skymap, patch, physical_filter, band.
    run_id : `int`, optional
        Only of this run.
    limit : `int`, optional
        The most rows to return.

    Returns
    -------
    measurements : `list` [`Measurement`]
        Of the whole where no detector is asked for, else of that detector;
        the latest loaded first.

    Raises
    ------
    InputError
        Raised if none of `PLACES` is given, or something else.
    """
    rows = tables().measurement
    chosen = select_measurements(run_id=run_id).where(*_conditions(data_id))
    detector = data_id.get("detector")
    chosen = chosen.where(rows.c.detector.is_(None) if detector is None else rows.c.detector == detector)
    order = rows.c.dataset_id.desc(), rows.c.row_number
    return fetch_measurements(engine, chosen.order_by(*order).limit(limit))


def detectors_of(
    engine: sa.Engine, data_id: Mapping[str, Any], metric: str, run_id: int
) -> list[Measurement]:
    """List the measurements of a metric in each detector of a visit.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    data_id : `~collections.abc.Mapping` [`str`, `typing.Any`]
        The visit or exposure.
    metric : `str`
        Name of the metric.
    run_id : `int`
        Number of the run.

    Returns
    -------
    measurements : `list` [`Measurement`]
        By detector.
    """
    rows = tables().measurement
    chosen = select_measurements(metric, None, run_id).where(*_conditions(data_id))
    return fetch_measurements(engine, chosen.where(rows.c.detector.is_not(None)).order_by(rows.c.detector))


def _conditions(data_id: Mapping[str, Any]) -> list[sa.ColumnElement[bool]]:
    given = {name: value for name, value in data_id.items() if value is not None}
    if strange := sorted(set(given) - {*PLACES, *DETAIL, "detector"}):
        raise InputError(f"Not of a data ID that can be shown: {', '.join(strange)}.")
    if not set(given) & set(PLACES):
        raise InputError("Name a visit, an exposure or a tract, as in 'visit=1228'.")
    if large := [name for name, value in given.items() if isinstance(value, int) and abs(value) > _LARGEST]:
        raise InputError(f"No number of a data ID is as large as that of {', '.join(large)}.")
    rows = tables().measurement
    return [rows.c[name] == value for name, value in given.items() if name != "detector"]
