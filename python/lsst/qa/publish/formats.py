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

"""Measurements in the formats of other packages: Jobs of lsst.verify, and
bundles of analysis_tools.
"""

from __future__ import annotations

__all__ = ["bundle_of", "job_of", "owner"]

import json
import math
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..catalogue import METRICS
from ..errors import InputError
from ..readers.bundle import PACKAGE
from ..results import DATA_ID
from .record import record_key

_VERIFY_PACKAGE = "lsst_qa"  # of metrics without one, in a Job


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
    owners = {owner(row) for row in held}
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


def owner(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Tell what a row measured.

    Parameters
    ----------
    row : `~collections.abc.Mapping`
        A row of results.

    Returns
    -------
    owner : `tuple`
        Its band and data ID, which all rows of a Job share.
    """
    return tuple(row.get(name) for name in ("band", *DATA_ID))


def _verify_name(metric: str) -> str:
    """Name a metric as package and metric; what is a variant here joins the
    name there.
    """
    package, point, name = metric.partition(".")
    if metric in METRICS or not point:
        package, name = _VERIFY_PACKAGE, metric
    return f"{package}.{re.sub(r'[^A-Za-z0-9_]', '_', name)}"


def _measurement(row: Mapping[str, Any]) -> dict[str, Any]:
    value = row["value"]
    return {
        "metric": _verify_name(row["metric"]),
        "identifier": uuid.uuid5(
            uuid.NAMESPACE_OID, json.dumps([row["metric"], *owner(row), repr(value)])
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
