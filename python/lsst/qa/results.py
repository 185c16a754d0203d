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

"""The row of results: one measurement, with the same field names from the task
to the page.
"""

from __future__ import annotations

__all__ = [
    "DATA_ID",
    "GATHERED_SCHEMA",
    "METADATA_PREFIX",
    "SCHEMA",
    "SCHEMA_VERSION",
    "STATUSES",
    "Rows",
    "Whence",
    "from_rows",
    "gathered",
    "run_time",
    "to_records",
]

import contextlib
import functools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .dimensions import DATA_ID

SCHEMA_VERSION = 1

METADATA_PREFIX = "qa."

STATUSES = ("ok", "empty", "undefined", "failed")
"""ok: a finite value. empty: no row to measure. undefined: rows, but no value
(too few, or not finite). failed: the metric could not run; see the message."""

_TIME_IN_NAME = re.compile(r"\d{8}T\d{6}Z$")

_TEXT, _REAL, _INT = pa.string(), pa.float64(), pa.int64()

_NAMES = ("instrument", "physical_filter", "skymap")

_SMALL_TABLES = 500
"""Tables that are put together before more are read."""

# Plain strings, not dictionaries: a dictionary column with nulls cannot be
# read back as an Astropy table.
SCHEMA = pa.schema(
    [
        pa.field("metric", _TEXT, nullable=False),
        ("band", _TEXT),
        ("value", _REAL),
        ("error", _REAL),
        ("n", _INT),
        ("unit", _TEXT),
        ("status", _TEXT),
        ("message", _TEXT),
        ("bin_low", _REAL),
        ("bin_high", _REAL),
        *((name, _TEXT if name in _NAMES else _INT) for name in DATA_ID),
        ("obs_time", pa.timestamp("us")),
    ]
)
"""One measurement a row; times are UTC."""

GATHERED_SCHEMA = pa.schema(
    [
        *SCHEMA,
        ("dataset_id", _TEXT),
        ("run", _TEXT),
        ("task", _TEXT),
        ("dataset_type", _TEXT),
        ("run_time", pa.timestamp("us")),
    ]
)
"""A measurement together with the dataset, run and task it came from."""


class Rows(Sequence[Mapping[str, Any]]):
    """Rows of results, to be used one by one or as a table.

    Parameters
    ----------
    rows : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        Rows by field name; absent fields are null.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]]):
        self._table = from_rows(rows)
        self._rows: list[dict[str, Any]] = self._table.to_pylist()

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...

    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        lines = (
            f"{row['metric']} {row['band'] or ''}: {row['value']:.6g} +- {row['error']:.2g}"
            f" {row['unit']} (n={row['n']})"
            for row in self._rows
        )
        return "\n".join(lines)

    def to_arrow(self) -> pa.Table:
        """Return the rows as an Arrow table.

        Returns
        -------
        table : `pyarrow.Table`
            Table with `SCHEMA`.
        """
        return self._table

    def to_pandas(self) -> Any:
        """Return the rows as a data frame.

        Returns
        -------
        frame : `pandas.DataFrame`
            One measurement a row; needs pandas.
        """
        from pandas import Int64Dtype

        # Of pandas' own choice ids with nulls would be floats.
        return self._table.to_pandas(types_mapper={_INT: Int64Dtype()}.get)

    def to_astropy(self) -> Any:
        """Return the rows as an Astropy table.

        Returns
        -------
        table : `astropy.table.Table`
            One measurement a row; null fields are masked.
        """
        from lsst.daf.butler.formatters.parquet import arrow_to_astropy

        return arrow_to_astropy(self._table)


def from_rows(rows: Iterable[Mapping[str, Any]], metadata: Mapping[str, str] | None = None) -> pa.Table:
    """Make a table of results.

    Parameters
    ----------
    rows : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        Rows by field name; absent fields are null.
    metadata : `~collections.abc.Mapping` [`str`, `str`], optional
        Provenance to keep in the schema, without the prefix.

    Returns
    -------
    table : `pyarrow.Table`
        Table with `SCHEMA`, in the order of the rows.
    """
    held = list(rows)
    columns = [pa.array([row.get(field.name) for row in held], field.type) for field in SCHEMA]
    named = {f"{METADATA_PREFIX}{key}": value for key, value in (metadata or {}).items()}
    named[f"{METADATA_PREFIX}schema_version"] = str(SCHEMA_VERSION)
    return pa.Table.from_arrays(columns, schema=SCHEMA.with_metadata(named))


class Whence(NamedTuple):
    """The dataset that rows of results came from.

    Attributes
    ----------
    dataset_id, run, dataset_type : `str`
        Its UUID, its RUN collection and its type.
    """

    dataset_id: str
    run: str
    dataset_type: str


def gathered(tables: Iterable[tuple[Whence, pa.Table]], order: Sequence[str] = ()) -> pa.Table:
    """Put rows of results together, with the dataset, run and task that they
    came from.

    Parameters
    ----------
    tables : `~collections.abc.Iterable` [`tuple` [`Whence`, `pyarrow.Table`]]
        Rows with `SCHEMA`, and metadata of a task.
    order : `~collections.abc.Sequence` [`str`], optional
        Columns to sort by, nulls last; by default rows stay as they came.

    Returns
    -------
    table : `pyarrow.Table`
        Rows with `GATHERED_SCHEMA`.
    """
    parts: list[pa.Table] = []
    whole: list[pa.Table] = []
    counts: list[int] = []
    origins: dict[str, list[Any]] = {name: [] for name in GATHERED_SCHEMA.names if name not in SCHEMA.names}
    for whence, table in tables:
        said = table.schema.metadata or {}
        task, created = (said.get(f"{METADATA_PREFIX}{key}".encode()) for key in ("task", "created"))
        origin = {
            **whence._asdict(),
            "task": None if task is None else task.decode(),
            "run_time": run_time(whence.run, None if created is None else created.decode()),
        }
        for name, values in origins.items():
            values.append(origin[name])
        # To cast what is so already costs as much as to read it.
        alike = table.schema.equals(SCHEMA)
        parts.append(table.replace_schema_metadata() if alike else table.select(SCHEMA.names).cast(SCHEMA))
        counts.append(len(table))
        if len(parts) == _SMALL_TABLES:
            # A small table takes more memory than what it holds.
            whole.append(pa.concat_tables(parts).combine_chunks())
            parts.clear()
    # Of many small tables each call would cost more than what it does.
    part_of = pa.array(np.repeat(np.arange(len(counts)), counts))
    rest = pa.concat_tables([*whole, *parts]) if counts else SCHEMA.empty_table()
    whole.clear()
    parts.clear()
    # Sorted in one piece, which is several times as fast.
    keys = rest.select(list(order)).combine_chunks()
    places = pc.sort_indices(keys, [(name, "ascending") for name in order]) if order else None
    columns = []
    for field in GATHERED_SCHEMA:
        if field.name in origins:
            of_part = pa.array(origins[field.name], field.type)
            columns.append(of_part.take(part_of if places is None else part_of.take(places)))
            continue
        column = rest[field.name]
        columns.append(column if places is None else column.combine_chunks().take(places))
        rest = rest.drop_columns(field.name)  # so that not all are there twice
    return pa.Table.from_arrays(columns, schema=GATHERED_SCHEMA)


def run_time(run: str, created: str | None) -> datetime | None:
    """Tell when a run was made.

    Parameters
    ----------
    run : `str`
        Name of a RUN collection, which mostly ends in its time.
    created : `str` or `None`
        ISO time that a dataset of the run was made at.

    Returns
    -------
    time : `datetime.datetime` or `None`
        UTC, without a time zone; the time in the name, else ``created``.
    """
    if (named := _time_in_name(run)) is not None or created is None:
        return named
    time = datetime.fromisoformat(created)
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time


@functools.lru_cache(maxsize=256)  # of the runs of many datasets
def _time_in_name(run: str) -> datetime | None:
    if found := _TIME_IN_NAME.search(run):
        with contextlib.suppress(ValueError):  # digits that are no time
            return datetime.strptime(found.group(), "%Y%m%dT%H%M%SZ")
    return None


def to_records(table: pa.Table) -> list[dict[str, Any]]:
    """Turn a table of results into plain objects for JSON.

    Parameters
    ----------
    table : `pyarrow.Table`
        Rows of results.

    Returns
    -------
    records : `list` [`dict`]
        An object per row; NaN and infinities are `None`, times ISO strings.
    """
    return [{key: _plain(value) for key, value in row.items()} for row in table.to_pylist()]


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value
