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

"""Reading Jobs of lsst.verify, without that package."""

from __future__ import annotations

__all__ = ["job_time", "read_job", "rows_of_job"]

import datetime
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from lsst.resources import ResourcePath

from ..errors import NotATableError
from ..results import run_time
from ._rows import BANDS, Context, data_id_columns, made_of, parse_json, parse_yaml, row, writable

_VERSIONS = ("eups_version", "version", "git_sha")
_TIMES = (("env", "date"), ("date",), ("run_timestamp",))


def read_job(uri: ResourcePath, context: Context) -> pa.Table:
    """Read a Job.

    Parameters
    ----------
    uri : `lsst.resources.ResourcePath`
        Its file of JSON, or of YAML as a repository may hold it.
    context : `Context`
        What is known of it.

    Returns
    -------
    rows : `pyarrow.Table`
        A row of results per measurement; instrument, band and versions of
        packages from the Job's metadata.

    Raises
    ------
    NotATableError
        Raised if the file is no Job.
    """
    found = parse_yaml(uri.read()) if uri.getExtension() == ".yaml" else parse_json(uri.read())
    return rows_of_job(_object(found), context)


def rows_of_job(job: Mapping[str, Any], context: Context) -> pa.Table:
    """Turn a Job into rows.

    Parameters
    ----------
    job : `~collections.abc.Mapping`
        The parsed Job.
    context : `Context`
        What is known of it.

    Returns
    -------
    rows : `pyarrow.Table`
        As of `read_job`.

    Raises
    ------
    NotATableError
        Raised if it is no Job.
    """
    measurements = job.get("measurements")
    if not isinstance(measurements, list) or not all(isinstance(m, dict) for m in measurements):
        raise NotATableError("it is no Job: there is no list of measurements in it")
    meta = _object(job.get("meta"))
    filters = _filters(job.get("blobs"))
    shared = {**context.data_id, **data_id_columns(meta)}
    rows = []
    for found in measurements:
        name = found.get("metric")
        if not isinstance(name, str) or not name:
            raise NotATableError("a measurement of the Job has no metric")
        refs = found.get("blob_refs")
        refs = refs if isinstance(refs, list) else []
        blobs = (filters.get(ref) for ref in refs if isinstance(ref, str))
        seen = meta.get("filter_name") or next(filter(None, blobs), None)
        rows.append(row(name, found.get("value"), found.get("unit"), {**shared, **_filter(seen)}))
    time = job_time(job)
    created = None if time is None else f"{time.isoformat()}+00:00"
    return made_of(rows, task="verify_job", created=created, packages=json.dumps(_packages(meta)))


def job_time(job: Mapping[str, Any]) -> datetime.datetime | None:
    """Tell when a Job was made.

    Parameters
    ----------
    job : `~collections.abc.Mapping`
        The parsed Job.

    Returns
    -------
    time : `datetime.datetime` or `None`
        UTC, without a zone; `None` if its metadata does not say.
    """
    for path in _TIMES:
        found: Any = _object(job.get("meta"))
        for name in path:
            found = _object(found).get(name)
        if isinstance(found, str):
            try:
                return run_time("", found)
            except (ValueError, OverflowError):
                continue
    return None


def _object(found: Any) -> dict[Any, Any]:
    return found if isinstance(found, dict) else {}


def _filter(name: Any) -> dict[str, str]:
    if not isinstance(name, str) or not name:
        return {}
    return {"band": name} if name in BANDS else {"physical_filter": writable(name)}


def _filters(blobs: Any) -> dict[str, Any]:
    """Return the filter that a blob names, by the blob's identifier."""
    found = {}
    for blob in blobs if isinstance(blobs, list) else []:
        data = _object(_object(blob).get("data"))
        name = _object(data.get("filterName")).get("value")
        if name and isinstance(blob.get("identifier"), str):
            found[blob["identifier"]] = name
    return found


def _packages(meta: Mapping[str, Any]) -> dict[str, str]:
    versions = {}
    for name, found in _object(meta.get("packages")).items():
        if not isinstance(name, str):
            continue  # in YAML any key may be a number
        facts = {"version": found} if isinstance(found, str) else _object(found)
        said = next((facts[key] for key in _VERSIONS if isinstance(facts.get(key), str)), None)
        if said is not None:
            versions[writable(name)] = writable(said)
    return versions
