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

"""Metrics of what quanta took: time, memory, and failures."""

from __future__ import annotations

__all__ = ["ExecutionMetricsConfig", "ExecutionMetricsConnections", "ExecutionMetricsTask"]

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

import pyarrow as pa

from lsst.pex.config import DictField, Field, FieldValidationError
from lsst.pipe.base import PipelineTaskConnections
from lsst.pipe.base.connectionTypes import PrerequisiteInput

from ..columns import TABLES
from ..harvest.figures import Figures, figures
from ..metric import Metric
from ..readers.connections import results_output
from ..tables.readable import Readable, from_arrow
from ._base import MetricsConfig, MetricsTask
from ._metadata import read_all, refuse_graphs

_KINDS = {"metadata": "TaskMetadata", "log": "ButlerLogRecords"}


class ExecutionMetricsConnections(
    PipelineTaskConnections, dimensions=("instrument",)
):  # numpydoc ignore=PR01
    """Metadata and logs of the quanta of tasks in, rows of results out."""

    metrics = results_output("qa_execution_metrics", "instrument")

    def __init__(self, *, config: ExecutionMetricsConfig | None = None):
        super().__init__(config=config)
        for label, dimensions in config.tasks.items() if config is not None else ():
            for kind, storage_class in _KINDS.items():
                read = PrerequisiteInput(
                    doc=f"The {kind} of {label}.",
                    name=f"{label}_{kind}",
                    storageClass=storage_class,
                    dimensions=tuple(dimensions.split()),
                    multiple=True,
                    deferLoad=True,
                    minimum=0,
                )
                setattr(self, f"{label}_{kind}", read)


class ExecutionMetricsConfig(MetricsConfig, pipelineConnections=ExecutionMetricsConnections):
    """Configuration of `ExecutionMetricsTask`."""

    table: ClassVar[str] = "quantum"

    tasks = DictField[str, str](
        doc="Labels of the tasks, each with the dimensions that it is run by, as in"
        " {'calibrateImage': 'instrument visit detector'}.",
        default={},
    )
    each_task = Field[bool](
        doc="Whether each metric is also measured for each task alone, under its name with a dot and the"
        " label of the task.",
        default=True,
    )

    def validate(self) -> None:
        super().validate()
        if not self.tasks:
            raise FieldValidationError(type(self).tasks, self, "There is no task whose quanta to measure.")


class ExecutionMetricsTask(MetricsTask):
    """Measure what the quanta of tasks took.

    It runs as a step of its own over collections that are complete.
    """

    ConfigClass = ExecutionMetricsConfig
    _DefaultName = "executionMetrics"

    def open(self, butlerQC: Any, inputRefs: Any, stack: contextlib.ExitStack) -> Readable:
        """Read the metadata of all quanta.

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
            A row per quantum.
        """
        rows = []
        for label in cast(ExecutionMetricsConfig, self.config).tasks:
            found = {kind: butlerQC.get(getattr(inputRefs, f"{label}_{kind}", [])) for kind in _KINDS}
            refuse_graphs([*found["metadata"], *found["log"]])
            done = {(handle.ref.run, handle.dataId) for handle in found["metadata"]}
            for metadata in read_all(found["metadata"], self.log.warning):
                rows.append(quantum_row(label, figures(metadata, label)))
            # A quantum that failed leaves a log, and no metadata.
            for handle in found["log"]:
                if (handle.ref.run, handle.dataId) not in done:
                    rows.append(quantum_row(label, None))
        return from_arrow(quanta_table(rows), "the metadata of the tasks")

    def declared(self, source: Readable) -> list[Metric]:
        """Add the metrics of each task alone.

        Parameters
        ----------
        source : `Readable`
            The table.

        Returns
        -------
        metrics : `list` [`Metric`]
            Those of the configuration, then their variants task by task.
        """
        config = cast(ExecutionMetricsConfig, self.config)
        found = super().declared(source)
        labels = list(config.tasks) if config.each_task else []
        return found + [
            metric.variant(f".{label}", label=label, doc=f"{metric.doc.rstrip('.')}; of {label}.")
            for label in labels
            for metric in found
            if "." not in metric.name
        ]


def quantum_row(label: str, taken: Figures | None) -> dict[str, Any]:
    """Make the row of a quantum.

    Parameters
    ----------
    label : `str`
        Label of its task.
    taken : `Figures` or `None`
        What it took; `None` for one that failed.

    Returns
    -------
    row : `dict`
        Columns of the table of quanta that are known.
    """
    row = {"task": label, "failed": taken is None}
    fields = ("wall", "prep_cpu", "init_cpu", "run_cpu", "memory", "memory_before", "memory_budget")
    return row | ({} if taken is None else {name: getattr(taken, name) for name in fields})


def quanta_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Make the table of quanta.

    Parameters
    ----------
    rows : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        Rows of `quantum_row`.

    Returns
    -------
    table : `pyarrow.Table`
        Numbers that are not known are null.
    """
    held = list(rows)
    kinds = {"real": pa.float64(), "flag": pa.bool_(), "text": pa.string()}
    columns = {
        column.name: pa.array([row.get(column.name) for row in held], kinds[column.kind])
        for column in TABLES["quantum"].columns.values()
        if column.name != "instrument"  # the quantum's own data ID says it
    }
    return pa.table(columns)
