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

"""What the queries of the metrics database return."""

from __future__ import annotations

__all__ = ["Measurement", "MetricInfo", "PackageChange", "Point", "Run", "Summary", "overall_status"]

import dataclasses
import datetime
from collections.abc import Mapping
from typing import NamedTuple

from ..metric import Spec


def overall_status(n_ok: int, n_failed: int, n_undefined: int) -> str:
    """Return the status of rows in one.

    Parameters
    ----------
    n_ok, n_failed, n_undefined : `int`
        Number of rows by status.

    Returns
    -------
    status : `str`
        "ok" if any row has a value, else the worst.
    """
    return "ok" if n_ok else "failed" if n_failed else "undefined" if n_undefined else "empty"


@dataclasses.dataclass(frozen=True)
class Run:
    """A processing run.

    Attributes
    ----------
    run_id : `int`
        Number of the run in this database.
    name : `str`
        Name of the RUN collection.
    uuid : `str`
        Identifier that is the same in every database.
    collection : `str` or `None`
        The collection that was named when it was first loaded.
    repo : `str` or `None`
        Root of the repository it was loaded from.
    instruments : `tuple` [`str`, ...]
        Instruments of its measurements, sorted.
    started, finished : `datetime.datetime` or `None`
        UTC, without a zone.
    loaded_at : `datetime.datetime`
        When it was first loaded; UTC, without a zone.
    n_datasets, n_measurements, n_failed : `int`
        Number of datasets, of measurements, and of measurements with
        status "failed".
    packages : `dict` [`str`, `str` or `None`]
        Versions of the software; empty in a list of runs.
    """

    run_id: int
    name: str
    uuid: str
    collection: str | None
    repo: str | None
    instruments: tuple[str, ...]
    started: datetime.datetime | None
    finished: datetime.datetime | None
    loaded_at: datetime.datetime
    n_datasets: int
    n_measurements: int
    n_failed: int
    packages: Mapping[str, str | None] = dataclasses.field(default_factory=dict)


class PackageChange(NamedTuple):
    """A package that is of another version than in the run before.

    Attributes
    ----------
    package : `str`
        Its name.
    before, after : `str` or `None`
        The versions; `None` where a run does not have it.
    """

    package: str
    before: str | None
    after: str | None


@dataclasses.dataclass(frozen=True)
class Summary:
    """A metric in a band over the visits and tracts of a run.

    Attributes
    ----------
    metric : `str`
        Name of the metric.
    band : `str` or `None`
        Band.
    unit : `str` or `None`
        Unit of value, error and worst.
    value, error : `float`
        Median of the rows' values and its 1-sigma error from their scatter;
        the row's own value and error where it is the only one. NaN where
        there is none.
    n_rows : `int`
        Number of rows: visits or tracts.
    n : `int`
        Sum of the rows' sample sizes.
    worst : `float`
        The value farthest on the bad side, which the thresholds of the
        metric tell; where they do not, the value farthest from the median.
    n_ok, n_empty, n_undefined, n_failed : `int`
        Number of rows by status.
    message : `str` or `None`
        What the first row without a value says, the failed ones first.
    """

    metric: str
    band: str | None
    unit: str | None
    value: float
    error: float
    n_rows: int
    n: int
    worst: float
    n_ok: int
    n_empty: int
    n_undefined: int
    n_failed: int
    message: str | None

    @property
    def status(self) -> str:
        """The status of the rows: "ok" if any has a value, else the worst."""
        return overall_status(self.n_ok, self.n_failed, self.n_undefined)


@dataclasses.dataclass(frozen=True)
class Measurement:
    """A row of results with the dataset and run it is from.

    Attributes
    ----------
    cursor : `str`
        Place of the row, to continue a list after it.
    metric, band, value, error, n, unit, status, message
        See `lsst.qa.results.SCHEMA`; value and error are NaN where they are
        undefined.
    bin_low, bin_high
        Limits of the bin, or `None`.
    instrument, physical_filter, day_obs, visit, exposure, detector
        What was measured, or `None`.
    skymap, tract, patch
        What was measured, or `None`.
    obs_time : `datetime.datetime` or `None`
        Middle of the observation; UTC, without a zone.
    dataset_id : `str`
        UUID of the dataset.
    run, task, dataset_type : `str` or `None`
        Where the dataset came from.
    run_time : `datetime.datetime` or `None`
        Start of the run; UTC, without a zone.
    """

    cursor: str
    metric: str
    band: str | None
    value: float
    error: float
    n: int | None
    unit: str | None
    status: str | None
    message: str | None
    bin_low: float | None
    bin_high: float | None
    instrument: str | None
    physical_filter: str | None
    day_obs: int | None
    visit: int | None
    exposure: int | None
    detector: int | None
    skymap: str | None
    tract: int | None
    patch: int | None
    obs_time: datetime.datetime | None
    dataset_id: str
    run: str
    task: str | None
    dataset_type: str
    run_time: datetime.datetime | None


class MetricInfo(NamedTuple):
    """A definition; see `lsst.qa.metric.Metric` for the fields."""

    name: str
    table: str | None
    unit: str | None
    description: str | None
    formula: str | None
    reference: str | None
    specs: tuple[Spec, ...]


class Point(NamedTuple):
    """A metric in one run and band; see `Summary` for the fields."""

    run_id: int
    run: str
    run_time: datetime.datetime
    band: str | None
    value: float
    error: float
    n: int
    n_rows: int
    status: str
