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

"""Datasets of results on their way into the database.

Where they come from, and their rows laid out as the database wants them.
"""

from __future__ import annotations

__all__ = [
    "BATCH_DATASETS",
    "BATCH_ROWS",
    "Batch",
    "Origin",
    "Provenance",
    "conform",
    "database_rows",
    "in_order",
    "provenance",
]

import datetime
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import NotATableError
from ..results import METADATA_PREFIX, SCHEMA, run_time

BATCH_ROWS = 200_000
"""Rows after which a batch is full."""

BATCH_DATASETS = 1000
"""Datasets after which a batch is full."""

_ORDER = (
    "metric",
    "band",
    "instrument",
    "visit",
    "exposure",
    "detector",
    "tract",
    "patch",
    "bin_low",
    "bin_high",
)


class Provenance(NamedTuple):
    """What a table of results says about its making; `None` if it does not.

    Attributes
    ----------
    task : `str` or `None`
        Label of the task.
    schema_version : `int` or `None`
        Version of the schema of results.
    config_hash : `str` or `None`
        SHA-256 of the configuration.
    created : `datetime.datetime` or `None`
        When it was made; UTC, without a zone.
    packages : `~collections.abc.Mapping` [`str`, `str`]
        Versions of the software.
    """

    task: str | None = None
    schema_version: int | None = None
    config_hash: str | None = None
    created: datetime.datetime | None = None
    packages: Mapping[str, str] = {}


class Origin(NamedTuple):
    """A dataset of results.

    Attributes
    ----------
    uuid : `str`
        Its identifier in the Butler.
    run : `str`
        Its RUN collection.
    dataset_type : `str`
        Name of its dataset type.
    run_time : `datetime.datetime` or `None`
        Start of the run, as far as it is known; UTC, without a zone.
    provenance : `Provenance`
        What the dataset says about its making.
    """

    uuid: str
    run: str
    dataset_type: str
    run_time: datetime.datetime | None
    provenance: Provenance


class Batch(NamedTuple):
    """Datasets that are written in one transaction.

    Attributes
    ----------
    origins : `list` [`Origin`]
        The datasets, sorted by identifier.
    counts : `numpy.ndarray` of `int`, (n,)
        How many rows each has.
    rows : `pyarrow.Table`
        Their rows, one dataset after the other, with at least the columns
        of `lsst.qa.results.SCHEMA`; see `in_order`.
    """

    origins: list[Origin]
    counts: np.ndarray
    rows: pa.Table


def provenance(metadata: Mapping[bytes, bytes] | None) -> Provenance:
    """Read what a table says about its making.

    Parameters
    ----------
    metadata : `~collections.abc.Mapping` [`bytes`, `bytes`] or `None`
        Metadata of its schema.

    Returns
    -------
    provenance : `Provenance`
        What it says; what cannot be understood is left out.
    """
    prefix = METADATA_PREFIX.encode()
    said = {
        key.removeprefix(prefix).decode(): value.decode(errors="replace")
        for key, value in (metadata or {}).items()
        if key.startswith(prefix)
    }
    version = said.get("schema_version", "")
    return Provenance(
        said.get("task"),
        int(version) if version.isdecimal() else None,
        said.get("config"),
        _time(said.get("created", "")),
        _packages(said.get("packages", "")),
    )


def conform(table: pa.Table) -> pa.Table:
    """Give a table of results the schema of this version.

    Parameters
    ----------
    table : `pyarrow.Table`
        Results, perhaps of another version of the schema.

    Returns
    -------
    rows : `pyarrow.Table`
        Exactly the columns of `lsst.qa.results.SCHEMA`, without metadata;
        those that the table lacks are null.

    Raises
    ------
    NotATableError
        Raised if the table has no metrics and values, or columns of
        another type.
    """
    if lacking := sorted({"metric", "value", "status"} - set(table.column_names)):
        raise NotATableError(
            f"a table of results has a column {' and '.join(lacking)}; "
            f"found {', '.join(table.column_names) or 'none'}"
        )
    schema = SCHEMA.remove_metadata()
    if table.schema.equals(schema):
        return table.replace_schema_metadata(None)
    empty = {name: pa.nulls(table.num_rows, schema.field(name).type) for name in schema.names}
    columns = [table[name] if name in table.column_names else empty[name] for name in schema.names]
    try:
        return pa.table([pc.cast(c, f.type) for c, f in zip(columns, schema)], schema=schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise NotATableError(f"a column is not of its type: {error}") from error


def in_order(rows: pa.Table, owners: np.ndarray) -> pa.Table:
    """Sort rows by dataset, metric, band, data ID and bin.

    Parameters
    ----------
    rows : `pyarrow.Table`
        Rows with columns of `lsst.qa.results.SCHEMA`.
    owners : `numpy.ndarray` of `int`, (n,)
        Number of the dataset of each row, from 0.

    Returns
    -------
    rows : `pyarrow.Table`
        The same rows. Whether they come from the dataset or from a table
        that gathered it in another order, their order is the same.
    """
    key, span = owners.astype(np.int64), int(owners.max(initial=0)) + 1
    for name in (name for name in _ORDER if name in rows.column_names):
        column = rows[name]
        if column.null_count < len(column):
            codes, values = _codes(column)
            if span * (values + 1) >= 2**63:
                key = np.unique(key, return_inverse=True)[1]
                span = len(key)
            key, span = key * (values + 1) + codes, span * (values + 1)
    if np.all(key[1:] >= key[:-1]):
        return rows
    return rows.take(np.argsort(key, kind="stable"))


def _codes(column: pa.ChunkedArray) -> tuple[np.ndarray, int]:
    """Replace values by their place in order, from 1, and null by 0.

    Also return how many values there are.
    """
    coded = pc.dictionary_encode(column).combine_chunks()
    ranks = np.empty(len(coded.dictionary) + 1, dtype=np.int64)
    ranks[pc.sort_indices(coded.dictionary).to_numpy()] = np.arange(1, len(ranks))
    ranks[-1] = 0
    return ranks[pc.fill_null(coded.indices, len(ranks) - 1).to_numpy()], len(ranks) - 1


def database_rows(
    rows: pa.Table, dataset_ids: np.ndarray, row_numbers: np.ndarray, metric_ids: Mapping[str, int]
) -> pa.Table:
    """Lay rows of results out as the table of measurements.

    Parameters
    ----------
    rows : `pyarrow.Table`
        Rows with `lsst.qa.results.SCHEMA`.
    dataset_ids, row_numbers : `numpy.ndarray` of `int`, (n,)
        Key of each row.
    metric_ids : `~collections.abc.Mapping` [`str`, `int`]
        Numbers of the metrics by name.

    Returns
    -------
    table : `pyarrow.Table`
        Columns of the table of measurements. Numbers that are not finite
        are null; a row whose value is not, although its status is "ok",
        becomes "undefined" and says so.
    """
    names = pc.dictionary_encode(rows["metric"]).combine_chunks()
    numbers = pa.array([metric_ids[name] for name in names.dictionary.to_pylist()], pa.int32())
    columns: dict[str, Any] = {
        "dataset_id": pa.array(dataset_ids, pa.int32()),
        "row_number": pa.array(row_numbers, pa.int32()),
        "metric_id": numbers.take(names.indices),
        **{name: rows[name] for name in SCHEMA.names if name != "metric"},
    }
    for name in ("value", "error", "bin_low", "bin_high"):
        columns[name] = pc.if_else(pc.is_finite(rows[name]), rows[name], pa.scalar(None, pa.float64()))
    # PostgreSQL keeps no text with this character, SQLite cuts it there.
    columns["message"] = pc.replace_substring(rows["message"], "\0", "")
    columns["status"] = pc.fill_null(rows["status"], "ok")
    wrong = pc.and_(pc.is_null(columns["value"]), pc.equal(columns["status"], "ok"))
    if pc.any(wrong).as_py():
        columns["status"] = pc.if_else(wrong, "undefined", columns["status"])
        silent = pc.and_(wrong, pc.is_null(columns["message"]))
        said = pc.binary_join_element_wise(
            "the value is ", pc.fill_null(pc.cast(rows["value"], pa.string()), "null"), ""
        )
        columns["message"] = pc.if_else(silent, said, columns["message"])
    return pa.table(columns)


def _time(text: str) -> datetime.datetime | None:
    try:
        return run_time("", text)
    except (ValueError, OverflowError):
        return None


def _packages(text: str) -> dict[str, str]:
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return {str(name): str(version) for name, version in said.items()} if isinstance(said, dict) else {}
