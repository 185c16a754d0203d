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

"""A measurement on the wire: its key, topic, time and fields."""

from __future__ import annotations

__all__ = [
    "DEFAULT_NAMING",
    "Naming",
    "Record",
    "record_key",
    "records_of",
    "time_offset",
    "topic_name",
]

import datetime
import functools
import json
import math
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ..readers.bundle import PACKAGE
from ..results import DATA_ID
from ..store.batches import Origin

_SAID = json.JSONEncoder(separators=(",", ":")).encode
_EPOCH = datetime.datetime(1970, 1, 1)
_ILLEGAL = re.compile(r"[^A-Za-z0-9._-]")
_ESCAPED = re.compile(r"_(?=u[0-9a-f]{4,6}_)")
_BIN_MICROSECONDS = 1_000_000
_DAYS, _VISITS = 100, 10_000

KEY_COLUMNS = ("metric", "band", *DATA_ID, "bin_low", "bin_high")
"""Columns that tell a row of a dataset from the others."""


class Naming(NamedTuple):
    """How a site names its topics and data.

    Attributes
    ----------
    namespace : `str`
        First part of all topics.
    prefix : `str`
        What stands between the namespace and the metric.
    dataset_tag, tags : `str`
        Fields of all records.
    """

    namespace: str = "lsst.dm"
    prefix: str = "qa."
    dataset_tag: str = ""
    tags: str = ""


DEFAULT_NAMING = Naming()


class Record(NamedTuple):
    """A measurement that is ready to be sent.

    Attributes
    ----------
    topic : `str`
        Where it belongs.
    number : `int`
        Its place in its dataset, from 0.
    value : `dict`
        `FIELDS` by name.
    origin : `lsst.qa.store.batches.Origin`
        Its dataset.
    rows : `pyarrow.Table`
        All rows of that dataset, for targets that take datasets.
    """

    topic: str
    number: int
    value: dict[str, Any]
    origin: Origin
    rows: pa.Table

    @property
    def key(self) -> str:
        """Identifier of the measurement."""
        return str(self.value["record_id"])


def topic_name(metric: str, naming: Naming) -> str:
    """Name the topic of a metric.

    Parameters
    ----------
    metric : `str`
        Name of the metric, of any characters.
    naming : `Naming`
        The site's names.

    Returns
    -------
    topic : `str`
        A name of its own for every metric; characters that Kafka does not
        allow in it are written as ``_u00b5_``.
    """
    literal = _ESCAPED.sub("_u005f_", metric)
    legal = _ILLEGAL.sub(lambda found: f"_u{ord(found.group()):04x}_", literal)
    return f"{naming.namespace}.{naming.prefix}{legal}"


def record_key(dataset: str, row: Mapping[str, Any]) -> str:
    """Return the identifier of a measurement.

    Parameters
    ----------
    dataset : `str`
        UUID of its dataset.
    row : `~collections.abc.Mapping`
        Its row.

    Returns
    -------
    key : `str`
        UUID made of the dataset's and the columns that tell the row from
        the others; the same wherever and whenever it is made.
    """
    values = [row.get(name) for name in KEY_COLUMNS]
    plain = [_finite(value) if isinstance(value, float) else value for value in values]
    return str(uuid.uuid5(_dataset(dataset), _SAID(plain)))


def time_offset(day_obs: int | None, sequence: int | None) -> int:
    """Return what is added to the run time, so that no visit of a run
    overwrites another.

    Parameters
    ----------
    day_obs : `int` or `None`
        Day of observation as YYYYMMDD.
    sequence : `int` or `None`
        Number of the visit in that day; `None` for data of no visit.

    Returns
    -------
    offset : `int`
        Microseconds, less than a second.
    """
    if sequence is None:
        return 0
    return (_ordinal(day_obs) % _DAYS) * _VISITS + sequence % _VISITS


def records_of(
    origin: Origin,
    rows: pa.Table,
    naming: Naming,
    sequence: Callable[[str | None, int], int | None] = lambda instrument, visit: None,
) -> list[Record]:
    """Turn the rows of a dataset into records.

    Parameters
    ----------
    origin : `lsst.qa.store.batches.Origin`
        The dataset.
    rows : `pyarrow.Table`
        All its rows, with `lsst.qa.results.SCHEMA`, in their order.
    naming : `Naming`
        The site's names.
    sequence : `~collections.abc.Callable`, optional
        Tells the number in its day of an instrument's visit; where it does
        not know, the last digits of the visit stand for it.

    Returns
    -------
    records : `list` [`Record`]
        One per row. Numbers that are not finite are null, and the status of
        a row without a value is not "ok".
    """
    shared = _shared(origin, naming)
    bins = _bin_numbers(rows)
    place = rows.schema.get_field_index("obs_time")
    plain = rows.set_column(place, "obs_time", pc.cast(rows["obs_time"], pa.int64()))
    names = pc.unique(rows["metric"]).to_pylist()
    topics = {name: topic_name(_subject(name, origin), naming) for name in names}
    found = []
    for number, row in enumerate(plain.to_pylist()):
        visit = row["visit"] if row["visit"] is not None else row["exposure"]
        known = None if visit is None else sequence(row["instrument"], visit)
        value = {**shared, **_measured(row)}
        value["record_id"] = record_key(origin.uuid, row)
        if shared["run_timestamp"] is not None:
            value["timestamp"] = (
                shared["run_timestamp"]
                + time_offset(row["day_obs"], visit if known is None else known)
                + bins[number] * _BIN_MICROSECONDS
            )
        found.append(Record(topics[row["metric"]], number, value, origin, rows))
    return found


def _subject(metric: str, origin: Origin) -> str:
    """Name what a topic is about: two tasks that use one tool of
    analysis_tools have points with the same tags and time.
    """
    package, point, rest = metric.partition(".")
    task = origin.provenance.task
    return f"{package}.{task}.{rest}" if package == PACKAGE and point and task else metric


def _shared(origin: Origin, naming: Naming) -> dict[str, Any]:
    """Return the fields that all records of a dataset share."""
    packages = origin.provenance.packages
    package = "lsst-qa" if "lsst-qa" in packages else next(iter(sorted(packages)), "")
    started = None if origin.run_time is None else _microseconds(origin.run_time)
    return {
        "id": origin.uuid,
        "run": origin.run,
        "dataset_type": origin.dataset_type,
        "task": origin.provenance.task or "",
        "timestamp": started,
        "run_timestamp": started,
        "reference_package": package,
        "reference_package_version": packages.get(package, ""),
        "reference_package_timestamp": "",
        "dataset_tag": naming.dataset_tag,
        "tags": naming.tags,
        "group": "",
    }


def _measured(row: Mapping[str, Any]) -> dict[str, Any]:
    value, status, message = row["value"], row["status"] or "ok", row["message"] or ""
    if _finite(value) is None and status == "ok":
        status, message = "undefined", message or f"the value is {'null' if value is None else value}"
    return {
        "obs_timestamp": row["obs_time"],
        "metric": row["metric"],
        "value": _finite(value),
        "error": _finite(row["error"]),
        "n": row["n"],
        "unit": row["unit"] or "",
        "status": status,
        "message": message,
        "bin_low": _finite(row["bin_low"]),
        "bin_high": _finite(row["bin_high"]),
        "band": row["band"] or "",
        **{name: "" if row[name] is None else str(row[name]) for name in DATA_ID},
    }


def _bin_numbers(rows: pa.Table) -> Sequence[int]:
    """Return the place of each row's bin among those of its metric."""
    if rows["bin_low"].null_count == len(rows):
        return [0] * len(rows)
    limits = list(zip(*(rows[name].to_pylist() for name in ("metric", "bin_low", "bin_high"))))
    places: dict[str, dict[Any, int]] = {}
    binned = {limit for limit in limits if limit[1] is not None}
    for metric, low, high in sorted(binned, key=lambda x: (x[0], x[1], math.inf if x[2] is None else x[2])):
        mine = places.setdefault(metric, {})
        mine[low, high] = len(mine)
    return [places.get(metric, {}).get((low, high), 0) for metric, low, high in limits]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _microseconds(time: datetime.datetime) -> int:
    return (time - _EPOCH) // datetime.timedelta(microseconds=1)


@functools.lru_cache(16)
def _dataset(name: str) -> uuid.UUID:
    return uuid.UUID(name)


@functools.lru_cache(1024)
def _ordinal(day_obs: int | None) -> int:
    try:
        return datetime.datetime.strptime(str(day_obs), "%Y%m%d").toordinal()
    except ValueError:
        return 0
