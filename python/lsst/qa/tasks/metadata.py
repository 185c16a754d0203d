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

"""Metrics of the numbers in a task's metadata."""

from __future__ import annotations

__all__ = ["TaskMetadataMetricsConfig", "TaskMetadataMetricsConnections", "TaskMetadataMetricsTask"]

import contextlib
import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

import pyarrow as pa

from lsst.pex.config import DictField, FieldValidationError, ListField
from lsst.pipe.base import PipelineTaskConnections
from lsst.pipe.base.connectionTypes import Input

from ..columns import TABLES
from ..errors import DefinitionError, QaError
from ..harvest.figures import Metadata, numbers
from ..metric import Metric
from ..pieces import Coded
from ..readers.connections import results_output
from ..tables.readable import Readable, from_arrow
from ..variants import parse_variant
from ._base import MetricsConfig, MetricsTask
from ._metadata import read_all, refuse_graphs

_STAR = "*"


class TaskMetadataMetricsConnections(  # numpydoc ignore=PR01
    PipelineTaskConnections,
    dimensions=("instrument", "visit"),
    defaultTemplates={"label": "calibrateImage"},
):
    """The metadata of a task's quanta in, rows of results out."""

    table = Input(
        doc="Metadata of the task.",
        name="{label}_metadata",
        storageClass="TaskMetadata",
        dimensions=("instrument", "visit", "detector"),
        multiple=True,
        deferLoad=True,
    )
    metrics = results_output("qa_{label}_metadata_metrics", "instrument", "visit")

    def __init__(self, *, config: TaskMetadataMetricsConfig | None = None):
        super().__init__(config=config)
        if config is not None:
            self.dimensions = set(config.measured_by)
            self.table = dataclasses.replace(self.table, dimensions=tuple(config.run_by))
            self.metrics = dataclasses.replace(self.metrics, dimensions=tuple(config.measured_by))


class TaskMetadataMetricsConfig(MetricsConfig, pipelineConnections=TaskMetadataMetricsConnections):
    """Configuration of `TaskMetadataMetricsTask`."""

    table: ClassVar[str] = "task_metadata"

    run_by = ListField[str](
        doc="Dimensions that the task is run by.", default=["instrument", "visit", "detector"]
    )
    measured_by = ListField[str](
        doc="Dimensions of the results, some of those of the task: there are values of the whole, and with"
        " `by` of its parts.",
        default=["instrument", "visit"],
    )
    patterns = DictField[str, str](
        doc="Metrics for all entries of a form, as in {'isr_*_level': \"task_number_median("
        "key='isr.OVERSCAN * MEDIAN', unit='adu')\"}: what the star of the key stands for is put in place of "
        "that of the name.",
        default={},
    )

    def names_more(self) -> bool:
        return bool(self.patterns)

    def validate(self) -> None:
        super().validate()
        for name, text in self.patterns.items():
            try:
                pattern_of(name, text)
            except QaError as error:
                raise FieldValidationError(type(self).patterns, self, str(error)) from error
        if extra := set(self.measured_by) - set(self.run_by):
            told = f"The task is not run by {', '.join(sorted(extra))}: its results cannot be."
            raise FieldValidationError(type(self).measured_by, self, told)


class TaskMetadataMetricsTask(MetricsTask):
    """Measure the numbers that a task left in its metadata: a row per
    detector, and statistics of the visit.
    """

    ConfigClass = TaskMetadataMetricsConfig
    _DefaultName = "taskMetadataMetrics"

    def open(self, butlerQC: Any, inputRefs: Any, stack: contextlib.ExitStack) -> Readable:
        """Read the metadata.

        Parameters
        ----------
        butlerQC : `lsst.pipe.base.QuantumContext`
            The quantum's butler.
        inputRefs : `lsst.pipe.base.InputQuantizedConnection`
            The inputs.
        stack : `contextlib.ExitStack`
            Not needed: all is read here.

        Returns
        -------
        source : `Readable`
            A row per number.
        """
        handles = butlerQC.get(inputRefs.table)
        refuse_graphs(handles)
        label = inputRefs.table[0].datasetType.name.removesuffix("_metadata")
        read = zip((dict(handle.dataId.mapping) for handle in handles), read_all(handles, self.log.warning))
        return from_arrow(numbers_table(label, read), f"the metadata of {label}")

    def declared(self, source: Readable) -> list[Metric]:
        """Add the metrics that patterns stand for.

        Parameters
        ----------
        source : `Readable`
            The table.

        Returns
        -------
        metrics : `list` [`Metric`]
            Those of the configuration, and those of its patterns in the
            order of their entries. Where some are of this task by its
            label, those of other tasks are left out.
        """
        config = cast(TaskMetadataMetricsConfig, self.config)
        label = cast(Any, config).connections.label
        asked = super().declared(source)
        of_label = {metric.name: metric.constants.get("label", "") for metric in asked}
        if label in of_label.values():
            asked = [metric for metric in asked if of_label[metric.name] in ("", label)]
        elif all(of_label.values()) and asked:
            self.log.warning(
                "No metric asked for is of %s, but of %s; its own numbers are variants or patterns.",
                label,
                ", ".join(sorted(set(map(str, of_label.values())))),
            )
        found = {metric.name: metric for metric in asked}
        entries = {entry for piece in source.pieces(["entry"]) for entry in texts_of(piece["entry"])}
        for name, text in config.patterns.items():
            for metric in matching(name, text, entries):
                found.setdefault(metric.name, metric)
        return list(found.values())


def texts_of(column: Any) -> Iterable[str]:
    """List the texts of a column.

    Parameters
    ----------
    column : `Coded` or `numpy.ndarray`
        The column.

    Returns
    -------
    texts : `~collections.abc.Iterable` [`str`]
        Each at least once.
    """
    return column.values if isinstance(column, Coded) else map(str, column)


def pattern_of(name: str, text: str) -> tuple[Metric, re.Pattern[str]]:
    """Read the declaration of a pattern.

    Parameters
    ----------
    name : `str`
        Name of the metrics, with a star.
    text : `str`
        What they are variants of, with a key that has a star.

    Returns
    -------
    metric : `Metric`
        The metric, as if the star stood for "x".
    entries : `re.Pattern`
        What their entries look like.

    Raises
    ------
    DefinitionError
        Raised if it is none.
    UnknownNameError
        Raised if there is no such metric.
    """
    if name.count(_STAR) != 1:
        raise DefinitionError(
            f"The name {name!r} of a pattern of metrics needs one star, as in 'isr_*_level'."
        )
    metric = parse_variant(name.replace(_STAR, "x"), text)
    key = str(metric.constants.get("key", ""))
    if metric.table != TaskMetadataMetricsConfig.table or key.count(_STAR) != 1:
        raise DefinitionError(
            f"The pattern {name!r} is {text!r}; it should be a variant of a metric of table "
            f"{TaskMetadataMetricsConfig.table!r} whose key has one star."
        )
    return metric, re.compile("(.+)".join(map(re.escape, key.split(_STAR))))


def matching(name: str, text: str, entries: Iterable[str]) -> list[Metric]:
    """Declare the metrics that a pattern stands for.

    Parameters
    ----------
    name, text : `str`
        As for `pattern_of`.
    entries : `~collections.abc.Iterable` [`str`]
        Entries that there are.

    Returns
    -------
    metrics : `list` [`Metric`]
        One per entry that looks like it.
    """
    metric, form = pattern_of(name, text)
    found = []
    for entry in sorted(set(entries)):
        if hit := form.fullmatch(entry):
            part = re.sub(r"[^A-Za-z0-9_]+", "_", hit[1]).strip("_")
            doc = f"Number {entry} in the metadata of a task."
            found.append(metric.variant(name.replace(_STAR, part), key=entry, doc=doc))
    return found


def numbers_table(label: str, read: Iterable[tuple[Mapping[str, Any], Metadata]]) -> pa.Table:
    """List the numbers of metadata, a row each.

    Parameters
    ----------
    label : `str`
        Label of the task.
    read : `~collections.abc.Iterable` [`tuple`]
        Data ID and metadata of each quantum.

    Returns
    -------
    table : `pyarrow.Table`
        Columns task, entry and number, and those of the data ID.
    """
    rows = [
        {"task": label, "entry": entry, "number": number, **data_id}
        for data_id, metadata in read
        for entry, number in numbers(metadata)
    ]
    kinds = {"real": pa.float64(), "int": pa.int64(), "text": pa.string()}
    columns = {
        column.name: pa.array([row.get(column.name) for row in rows], kinds[column.kind])
        for column in TABLES["task_metadata"].columns.values()
    }
    return pa.table(
        {name: values for name, values in columns.items() if values.null_count < len(rows) or not rows}
    )
