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

__all__ = ["FORMATS", "export"]

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from ..errors import InputError
from ..results import GATHERED_SCHEMA, METADATA_PREFIX
from .formats import bundle_of, job_of, owner
from .shelf import Found, Shelf, open_shelf

FORMATS = ("verify-json", "bundle", "csv", "parquet")

_BATCH = 200


def export(
    repo: str,
    collections: Sequence[str],
    format: str,
    folder: Path,
    *,
    where: str = "",
    dry_run: bool = False,
) -> list[Path]:
    """Write measurements to files.

    Parameters
    ----------
    repo, collections
        What to write, see `lsst.qa.store.opening.open_source`.
    format : `str`
        One of `FORMATS`. CSV and Parquet become one file; the others a file
        per dataset, and Jobs one per data ID and band in it.
    folder : `pathlib.Path`
        Where to; made if missing.
    where
        See there.
    dry_run : `bool`, optional
        Read all, write nothing.

    Returns
    -------
    files : `list` [`pathlib.Path`]
        What was written, or with ``dry_run`` would have been.

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
        if not dry_run:
            folder.mkdir(parents=True, exist_ok=True)
        if format in ("csv", "parquet"):
            path = folder / f"metrics.{format}"
            if dry_run:
                _read_all(shelf)
            else:
                _tabular(shelf, path)
            return [path]
        files = []
        for found in _found(shelf):
            for name, content in _jobs(found) if format == "verify-json" else _bundles(found):
                files.append(folder / name)
                if not dry_run:
                    files[-1].write_text(json.dumps(content, indent=1), encoding="utf-8")
        return files


def _found(shelf: Shelf) -> Iterator[Found]:
    names = [planned.dataset for planned in shelf.planned]
    for start in range(0, len(names), _BATCH):
        for found in shelf.read(names[start : start + _BATCH]):
            if isinstance(found.rows, str):
                raise InputError(
                    f"{found.origin.dataset_type} {found.origin.uuid} cannot be read: {found.rows}"
                )
            yield found


def _read_all(shelf: Shelf) -> None:
    for _ in _found(shelf):
        pass


def _tabular(shelf: Shelf, path: Path) -> None:
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


def _jobs(found: Found) -> Iterator[tuple[str, dict[str, Any]]]:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    assert isinstance(found.rows, pa.Table)
    for row in found.rows.to_pylist():
        if row["bin_low"] is None:
            groups.setdefault(owner(row), []).append(row)
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
