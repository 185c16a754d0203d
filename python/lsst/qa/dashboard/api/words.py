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
"""What the fields and parameters of the API are, which have the same name and
meaning wherever they stand.
"""

from __future__ import annotations

__all__ = ["described"]

from collections.abc import Iterator
from typing import Any

_WORDS = {
    "annotation_id": "number of the note",
    "author": "who wrote it",
    "band": "band; null where it is of no band",
    "before": "the run that is compared with",
    "after": "the run that is compared",
    "bin_low": "lower limit of the bin; null if the metric has no bins",
    "bin_high": "upper limit of the bin",
    "collection": "the collection that was named when it was loaded",
    "created": "when it was made",
    "cursor": "`next` of the page before this one",
    "data_id": "what it is of",
    "dataset_id": "identifier of the dataset that it is in, in the Butler",
    "dataset_type": "type of the dataset",
    "day_obs": "day of observation, as in 20261122",
    "definition": "name of the declared job",
    "description": "what it measures",
    "detector": "number of the detector; null for the whole visit or tract",
    "detectors": "whether to list those of single detectors, too",
    "end": "end of the pixel",
    "error": "1-sigma error of the value, in its unit; null where it is undefined",
    "exception": "the exception, with its traceback",
    "exit_code": "exit code of the job",
    "exposure": "number of the exposure",
    "finished": "when it ended",
    "format": "format of the answer",
    "formula": "how it is worked out",
    "instrument": "name of the instrument",
    "instruments": "names of the instruments",
    "items": "the rows",
    "kind": "kind of what was found",
    "level": "level of the threshold: minimum, design or stretch",
    "limit": "the most rows to return",
    "loaded_at": "when it was loaded first",
    "log_pieces": "how many pieces its log has",
    "logger": "who logged it",
    "max": "the largest value",
    "mean": "the mean of the values",
    "message": "what there is to say of it",
    "metric": "name of the metric, with its variant",
    "min": "the smallest value",
    "n": "size of the sample that the value rests on",
    "n_datasets": "how many datasets",
    "n_failed": "how many of its rows failed",
    "n_measurements": "how many measurements",
    "n_rows": "how many rows",
    "name": "its name",
    "obs_time": "middle of the observation",
    "offset": "how many rows to leave out",
    "only_after": "how many data IDs only the second run measured",
    "only_before": "how many data IDs only the first run measured",
    "op": "how the value compares with the threshold where it passes",
    "over": "along which axis",
    "parameters": "values of the parameters of the declared job",
    "patch": "number of the patch",
    "physical_filter": "name of the filter",
    "piece": "number of the piece of the log",
    "quanta_done": "quanta that succeeded so far",
    "quanta_failed": "quanta that failed so far",
    "quanta_total": "quanta of the graph",
    "quantum_id": "number of the quantum in this database",
    "record_id": "number of the record in this database",
    "reference": "where the definition is from",
    "repo": "root of its repository",
    "run": "name or identifier of a run",
    "run_time": "when the run began",
    "significance": "difference over its error",
    "since": "not before this time",
    "skymap": "name of the sky map",
    "source": "where it is from",
    "specs": "its thresholds",
    "start": "beginning of the pixel",
    "started": "when it began",
    "state": "the verdict; none where there is no threshold",
    "status": "ok, empty, undefined or failed",
    "step": "step of the job",
    "storage_class": "how the Butler reads it",
    "submitted": "when it was asked for",
    "submitted_by": "who asked for it",
    "table": "kind of table that it is of",
    "task": "label of the task",
    "text": "the words",
    "threshold": "the threshold that it is judged by",
    "time": "when it was logged",
    "tract": "number of the tract",
    "unit": "unit of the value; empty if it has none",
    "until": "before this time",
    "uuid": "identifier, the same in every database",
    "value": "the value, in its unit; null where it is undefined",
    "version": "its version",
    "visit": "number of the visit",
    "worst": "the value that is farthest beyond the threshold",
    "written": "when it was written",
    # Where the same word means something else.
    "Change.after": "value of the second run",
    "Change.before": "value of the first run",
    "Fault.error": "what went wrong",
    "Job.state": "how far it is",
    "LogRecord.level": "severity: 10 debug, 20 info, 30 warning, 40 error",
    "LogRecord.status": "how the quantum ended",
    "jobs.name": "name or identifier of a job",
    "jobs.state": "state of the job",
    "metrics.name": "name of a metric; all without it",
    "runs.name": "name or identifier of a run; all without it",
}


def described(document: dict[str, Any]) -> dict[str, Any]:
    """Say of what has no description what it is.

    Parameters
    ----------
    document : `dict`
        OpenAPI document; changed in place.

    Returns
    -------
    document : `dict`
        The same.

    Raises
    ------
    KeyError
        Raised for a field that has no words here.
    """
    for owner, name, held in _fields(document):
        if not held.get("description"):
            held["description"] = _WORDS.get(f"{owner}.{name}") or _WORDS[name]
    return document


def _fields(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for methods in document["paths"].values():
        for operation in methods.values():
            for one in operation.get("parameters", ()):
                yield operation["tags"][0], one["name"], one
    for schema, held in document["components"]["schemas"].items():
        for name, field in held.get("properties", {}).items():
            yield schema, name, field
