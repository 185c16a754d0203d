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

"""Rows that the API answers with, as its documentation describes them.

A number that is undefined is null, and the status of a measurement says why;
all times are UTC.
"""

from __future__ import annotations

__all__ = [
    "Change",
    "DataId",
    "Dataset",
    "Fault",
    "Hit",
    "Job",
    "JobRequest",
    "LogLines",
    "LogRecord",
    "Measurement",
    "Metric",
    "Note",
    "NoteRequest",
    "Package",
    "Page",
    "Pixel",
    "Pointer",
    "Run",
    "Threshold",
    "Verdict",
]

import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from ...store.annotations import LONGEST

Item = TypeVar("Item")
Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
Long = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]


class FaultText(BaseModel):
    """What went wrong."""

    code: str = Field(description="stable name of the kind of error")
    message: str = Field(description="what was wrong, and what would be right")


class Fault(BaseModel):
    """The shape of every error."""

    error: FaultText


class Page(BaseModel, Generic[Item]):
    """Some rows of a list."""

    items: list[Item]
    next: str | None = Field(description="cursor of the next page, null where this is the last")


class DataId(BaseModel):
    """What was measured; null where a dimension does not apply."""

    instrument: str | None = None
    physical_filter: str | None = None
    day_obs: Long | None = Field(None, description="day of observation as YYYYMMDD")
    visit: Long | None = None
    exposure: Long | None = None
    detector: Long | None = Field(None, description="null for a value of the whole")
    skymap: str | None = None
    tract: Long | None = None
    patch: Long | None = None


class Run(BaseModel):
    """A processing run."""

    name: str = Field(description="name of its RUN collection")
    uuid: str
    collection: str | None
    repo: str | None
    instruments: list[str]
    started: datetime.datetime | None
    finished: datetime.datetime | None
    loaded_at: datetime.datetime
    n_datasets: int
    n_measurements: int
    n_failed: int = Field(description="measurements that could not be made")


class Package(BaseModel):
    """A package that a run was made with."""

    name: str
    version: str | None


class Threshold(BaseModel):
    """A threshold of a metric."""

    level: str
    op: str
    value: float
    bands: str = Field(description="bands that it holds in, empty for all")
    source: str


class Metric(BaseModel):
    """The definition of a metric."""

    name: str
    table: str | None
    unit: str | None
    description: str | None
    formula: str | None
    reference: str | None
    specs: list[Threshold]


class Measurement(DataId):
    """A measured value, as it was loaded."""

    metric: str
    band: str | None
    value: float | None
    error: float | None = Field(description="1 sigma")
    n: int | None
    unit: str | None
    status: str | None
    message: str | None
    bin_low: float | None
    bin_high: float | None
    obs_time: datetime.datetime | None
    run: str
    run_time: datetime.datetime | None
    task: str | None
    dataset_type: str
    dataset_id: str


class Pixel(BaseModel):
    """The values of a metric in one stretch of time."""

    band: str | None
    start: datetime.datetime
    end: datetime.datetime
    n: int = Field(description="values in it")
    min: float | None
    max: float | None
    mean: float | None


class Verdict(BaseModel):
    """A metric in a band of a run, judged."""

    metric: str
    band: str | None
    value: float | None
    error: float | None
    unit: str | None
    n: int
    n_rows: int
    worst: float | None
    status: str
    message: str | None
    state: Literal["pass", "fail", "unknown", "none"]
    level: str | None = Field(description="the best level that is met")
    threshold: float | None
    op: str | None


class Change(BaseModel):
    """A metric in a band, in two runs."""

    metric: str
    band: str | None
    unit: str | None
    before: float | None
    after: float | None
    difference: float | None = Field(description="median over pairs, after less before")
    error: float | None = Field(description="1 sigma")
    significance: float | None
    pairs: int = Field(description="data IDs that both runs have")
    only_before: int
    only_after: int
    direction: str = Field(description="worse, better, changed, same or unknown")


class Hit(BaseModel):
    """Something that was found."""

    kind: Literal["metric", "run", "data_id", "quantum"]
    name: str
    text: str | None
    url: str = Field(description="path of its page")


class LogRecord(DataId):
    """A record of a log, and the quantum that logged it."""

    record_id: int
    time: datetime.datetime | None
    level: int
    logger: str
    message: str
    exception: str | None
    quantum_id: int
    run: str
    task: str
    status: str


class Note(BaseModel):
    """A note of somebody."""

    annotation_id: int
    author: str
    created: datetime.datetime
    text: str
    run: str | None
    metric: str | None
    band: str | None
    obs_time: datetime.datetime | None
    instrument: str | None
    day_obs: int | None
    visit: int | None
    exposure: int | None
    detector: int | None
    skymap: str | None
    tract: int | None
    patch: int | None


class NoteRequest(BaseModel):
    """A note to be written down."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: Text = Field(min_length=1, max_length=LONGEST)
    run: Text | None = None
    metric: Text | None = None
    band: Text | None = None
    obs_time: datetime.datetime | None = Field(None, strict=False, description="UTC, if it has no zone")
    instrument: Text | None = None
    day_obs: Long | None = None
    visit: Long | None = None
    exposure: Long | None = None
    detector: Long | None = None
    skymap: Text | None = None
    tract: Long | None = None
    patch: Long | None = None


class Job(BaseModel):
    """A job."""

    uuid: str
    name: str
    definition: str
    state: str
    submitted_by: str | None
    submitted: datetime.datetime
    started: datetime.datetime | None
    finished: datetime.datetime | None
    step: str | None
    quanta_total: int | None
    quanta_done: int | None
    quanta_failed: int | None
    exit_code: int | None
    message: str | None
    output: str | None = Field(description="RUN collection of its results")
    log_pieces: int


class JobRequest(BaseModel):
    """A declared job to be run."""

    model_config = ConfigDict(extra="forbid", strict=True)

    definition: Text = Field(description="name of a declared job", max_length=200)
    parameters: dict[str, Any] = Field(default_factory=dict, max_length=100)


class LogLines(BaseModel):
    """Some lines of the log of a job."""

    piece: int
    step: str
    written: datetime.datetime
    text: str


class Dataset(BaseModel):
    """A table that the database knows."""

    uuid: str
    run: str
    dataset_type: str
    task: str | None
    instrument: str | None
    created: datetime.datetime | None
    n_rows: int
    n_failed: int


class Pointer(BaseModel):
    """Where a table is, and what it has."""

    uuid: str
    run: str
    dataset_type: str
    storage_class: str
    data_id: dict[str, str | int]
    uri: str = Field(description="its file")
    n_rows: int
    columns: dict[str, str] = Field(description="types by name")
