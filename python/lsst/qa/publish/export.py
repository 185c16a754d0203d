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

"""Writing results for others: Jobs of lsst.verify, bundles of analysis_tools,
CSV and Parquet.
"""

from __future__ import annotations

__all__ = ["FORMATS", "bundle_of", "export", "job_of"]

import json
import math
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from ..catalogue import METRICS
from ..errors import InputError
from ..results import DATA_ID, GATHERED_SCHEMA, METADATA_PREFIX
from .readers.bundle import PACKAGE
from .record import record_key
from .shelf import Found, Shelf, open_shelf

FORMATS = ("verify-json", "bundle", "csv", "parquet")

VERIFY_PACKAGE = "lsst_qa"
"""Package that metrics without one get in a Job."""

_BATCH = 200


def export(
    repo: str, collections: Sequence[str], format: str, folder: Path, *, where: str = ""
) -> list[Path]:
    """Write the results of collections to files.

    Parameters
    ----------
    repo : `str`
        Path, URI or alias of a Butler repository.
    collections : `~collections.abc.Sequence` [`str`]
        Names or patterns of collections.
    format : `str`
        One of `FORMATS`. CSV and Parquet become one file; the others a file
        per dataset, and Jobs one per data ID and band in it.
    folder : `pathlib.Path`
        Where to; made if missing.
    where : `str`, optional
        Butler expression that the data IDs must fulfil.

    Returns
    -------
    files : `list` [`pathlib.Path`]
        What was written.

    Raises
    ------
    CollectionError
        Raised if there are no results.
    InputError
        Raised if there is no such format, or if a dataset cannot be read.
    """
    if format not in FORMATS:
        raise InputError(f"There is no format {format!r}: expected one of {', '.join(FORMATS)}.")
    with open_shelf(repo, collections, where) as shelf:
        folder.mkdir(parents=True, exist_ok=True)
        if format in ("csv", "parquet"):
            return [_tabular(shelf, folder / f"metrics.{format}")]
        files = []
        for found in _found(shelf):
            made = _jobs(found) if format == "verify-json" else _bundles(found)
            for name, content in made:
                path = folder / name
                path.write_text(json.dumps(content, indent=1), encoding="utf-8")
                files.append(path)
        return files


def job_of(rows: Iterable[Mapping[str, Any]], meta: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Make the JSON of a Job of lsst.verify.

    Parameters
    ----------
    rows : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        Rows of results of one data ID and band: a Job has a metric once.
    meta : `~collections.abc.Mapping`, optional
        What its metadata is to say besides.

    Returns
    -------
    job : `dict`
        Measurements, definitions, thresholds and metadata. A value that is
        not finite is NaN, as it is in Jobs.

    Raises
    ------
    InputError
        Raised if there is no row, or if the rows are of more than one data
        ID and band.
    """
    held = list(rows)
    owners = {_owner(row) for row in held}
    if len(owners) != 1:
        raise InputError(f"A Job is of one data ID and band; found {len(owners)}.")
    known = {name: value for name, value in zip(("band", *DATA_ID), next(iter(owners))) if value is not None}
    if "band" in known:
        known["filter_name"] = known["band"]
    names = sorted({row["metric"] for row in held})
    return {
        "measurements": [_measurement(row) for row in held],
        "blobs": [],
        "metrics": [_metric(name, held) for name in names],
        "specs": [spec for name in names for spec in _specs(name)],
        "meta": {**known, **(meta or {})},
    }


def bundle_of(rows: Iterable[Mapping[str, Any]], dataset: str) -> dict[str, Any]:
    """Make the JSON of a bundle of analysis_tools.

    Parameters
    ----------
    rows : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        Rows of results.
    dataset : `str`
        UUID of their dataset.

    Returns
    -------
    bundle : `dict`
        A list of measurements per metric; bands are prefixes of names
        again. A value that is not finite is null.
    """
    bundle: dict[str, Any] = {}
    for row in rows:
        parts = row["metric"].split(".")
        key, name = (
            (parts[1], ".".join(parts[2:]))
            if parts[0] == PACKAGE and len(parts) > 2
            else (row["metric"],) * 2
        )
        value = row["value"]
        bundle.setdefault(key, []).append(
            {
                "metric": f"{row['band']}_{name}" if row["band"] else name,
                "identifier": uuid.UUID(record_key(dataset, row)).hex,
                "value": value if value is not None and math.isfinite(value) else None,
                "unit": row["unit"] or "",
                "blob_refs": [],
            }
        )
    return {
        **bundle,
        "__reference_package": "lsst_distrib",
        "__timestamp_version": "run_timestamp",
        "__dataset_identifier": None,
        "__metricNamePrefix": "",
    }


def _found(shelf: Shelf) -> Iterator[Found]:
    names = [planned.dataset for planned in shelf.planned]
    for start in range(0, len(names), _BATCH):
        for found in shelf.read(names[start : start + _BATCH]):
            if isinstance(found.rows, str):
                raise InputError(
                    f"{found.origin.dataset_type} {found.origin.uuid} cannot be read: {found.rows}"
                )
            yield found


def _tabular(shelf: Shelf, path: Path) -> Path:
    """Write all rows with their origins, dataset by dataset."""
    writer: Any = None
    try:
        for found in _found(shelf):
            origin = found.origin
            same = {
                "dataset_id": origin.uuid,
                "run": origin.run,
                "task": origin.provenance.task,
                "dataset_type": origin.dataset_type,
                "run_time": origin.run_time,
            }
            rows = found.rows
            assert isinstance(rows, pa.Table)
            for name, value in same.items():
                column = pa.array([value] * len(rows), GATHERED_SCHEMA.field(name).type)
                rows = rows.append_column(name, column)
            if writer is None:
                metadata = {f"{METADATA_PREFIX}schema_version": "1"}
                schema = GATHERED_SCHEMA.with_metadata(metadata)
                writer = (
                    pq.ParquetWriter(path, schema, compression="zstd")
                    if path.suffix == ".parquet"
                    else pa.csv.CSVWriter(path, GATHERED_SCHEMA)
                )
            writer.write_table(rows.cast(GATHERED_SCHEMA))
    finally:
        if writer is not None:
            writer.close()
    return path


def _jobs(found: Found) -> Iterator[tuple[str, dict[str, Any]]]:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    assert isinstance(found.rows, pa.Table)
    for row in found.rows.to_pylist():
        if row["bin_low"] is None:
            groups.setdefault(_owner(row), []).append(row)
    origin = found.origin
    packages = {name: {"name": name, "version": v} for name, v in origin.provenance.packages.items()}
    for number, rows in enumerate(groups.values()):
        meta: dict[str, Any] = {
            "run": origin.run,
            "dataset_id": origin.uuid,
            "dataset_type": origin.dataset_type,
            "packages": packages,
        }
        if isinstance(origin.run_time, datetime):
            meta["date"] = f"{origin.run_time.isoformat()}+00:00"
        yield f"{_name(found)}-{number}.verify.json", job_of(rows, meta)


def _bundles(found: Found) -> Iterator[tuple[str, dict[str, Any]]]:
    assert isinstance(found.rows, pa.Table)
    yield f"{_name(found)}.json", bundle_of(found.rows.to_pylist(), found.origin.uuid)


def _name(found: Found) -> str:
    return f"{found.origin.dataset_type}-{found.origin.uuid}"


def _owner(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in ("band", *DATA_ID))


def _verify_name(metric: str) -> str:
    """Name a metric as package and metric; what is a variant here joins the
    name there.
    """
    package, point, name = metric.partition(".")
    if metric in METRICS or not point:
        package, name = VERIFY_PACKAGE, metric
    return f"{package}.{re.sub(r'[^A-Za-z0-9_]', '_', name)}"


def _measurement(row: Mapping[str, Any]) -> dict[str, Any]:
    value = row["value"]
    return {
        "metric": _verify_name(row["metric"]),
        "identifier": uuid.uuid5(
            uuid.NAMESPACE_OID, json.dumps([row["metric"], *_owner(row), repr(value)])
        ).hex,
        "value": math.nan if value is None else value,
        "unit": row["unit"] or "",
        "blob_refs": [],
        "notes": {} if row["status"] == "ok" else {_verify_name(row["metric"]) + ".status": row["status"]},
    }


def _metric(name: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    declared = METRICS.get(name)
    unit = next(row["unit"] for row in rows if row["metric"] == name) or ""
    return {
        "name": _verify_name(name),
        "description": declared.doc if declared else name,
        "unit": declared.unit if declared else unit,
        "tags": [],
        "reference": {"doc": declared.reference if declared else "", "url": "", "page": None},
    }


def _specs(name: str) -> Iterator[dict[str, Any]]:
    declared = METRICS.get(name)
    for spec in declared.specs if declared else ():
        level = "_".join(filter(None, [spec.level, spec.bands]))
        yield {
            "name": f"{_verify_name(name)}.{level}",
            "type": "threshold",
            "threshold": {
                "value": float(spec.value),
                "unit": declared.unit if declared else "",
                "operator": spec.op,
            },
            "metadata_query": {},
            "tags": [spec.level],
        }
