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

"""What the tasks share: choosing metrics, reading a table, rows of results."""

from __future__ import annotations

__all__ = ["MetricsConfig", "MetricsTask"]

import contextlib
import functools
import hashlib
import json
import types
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Any, ClassVar, cast

from lsst.pex.config import ChoiceField, DictField, FieldValidationError, ListField, RangeField
from lsst.pipe.base import (
    AnnotatedPartialOutputsError,
    NoWorkFound,
    PipelineTask,
    PipelineTaskConfig,
    PipelineTaskConnections,
    Struct,
)

from ..columns import BAND_PREFIX, TABLES
from ..engine import MIB, Task, failed, needed, planned, run_metrics, tasks_of
from ..errors import MetricRunError, QaError
from ..metric import Metric
from ..results import DATA_ID, from_rows
from ..tables.files import open_table
from ..tables.measure import with_times
from ..tables.readable import Readable, from_arrow
from ..tables.reading import bands_of, prepare
from ..variants import chosen_metrics

_PACKAGES = ("lsst-qa", "lsst-pipe-base", "lsst-daf-butler", "numpy", "astropy", "pyarrow")


class MetricsConfig(PipelineTaskConfig, pipelineConnections=PipelineTaskConnections):
    """Configuration that all tasks share."""

    table: ClassVar[str]

    metrics = ListField[str](
        doc="Names of the metrics to run, of the catalogue or of `variants`.", default=[]
    )
    variants = DictField[str, str](
        doc="Variants under their own names, each as the metric it varies and the constants that differ,"
        " for instance {'PA1_deep': 'PA1(snr_min=100)'}; they run as well.",
        default={},
    )
    by = ListField[str](
        doc="Columns by whose values rows are measured apart as well, for instance ['detector'].", default=[]
    )
    assume_applied = ListField[str](
        doc="Quality columns whose cut is applied already, where the input does not have them.", default=[]
    )
    memory_budget = RangeField(
        dtype=int,
        doc="MiB that a quantum may take above what the interpreter and its imports do. Metrics that do not"
        " fit together are run one after the other; one that does not fit alone is refused before reading.",
        default=512,
        min=1,
    )
    lacking_columns = ChoiceField[str](
        doc="What becomes of a metric whose columns the input does not have.",
        allowed={
            "fail": "Its row says so, and the quantum ends with an error after its results are stored.",
            "undefined": "Its row says so; that is all.",
        },
        default="fail",
    )

    def validate(self) -> None:
        super().validate()
        found: list[Metric] = []
        for asked, chosen in ((type(self).variants, ()), (type(self).metrics, self.metrics)):
            try:
                found = chosen_metrics(self.table, chosen, self.variants)
            except QaError as error:
                raise FieldValidationError(asked, self, str(error)) from error
        if not found and not self.names_more():
            raise FieldValidationError(type(self).metrics, self, "There is no metric to run.")
        kind = TABLES[self.table]
        # Rows must be able to say what they were measured apart by.
        apart = [name for name in kind.columns if name in DATA_ID and name not in kind.split]
        quality = [column.name for column in kind.columns.values() if column.applied is not None]
        for field, names, allowed in (
            (type(self).by, self.by, apart),
            (type(self).assume_applied, self.assume_applied, [q.removeprefix(BAND_PREFIX) for q in quality]),
        ):
            if unknown := [name for name in names if name not in allowed]:
                told = f"Not for table {kind.name!r}: {', '.join(unknown)}. Those are {', '.join(allowed)}."
                raise FieldValidationError(field, self, told)

    def names_more(self) -> bool:
        """Tell whether other fields than these name metrics.

        Returns
        -------
        more : `bool`
            Whether there may be metrics that are not known before the input
            is read.
        """
        return False


class MetricsTask(PipelineTask):
    """Measure a table and store rows of results."""

    ConfigClass: ClassVar[type[MetricsConfig]]

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        with contextlib.ExitStack() as stack:
            source = self.open(butlerQC, inputRefs, stack)
            result = self.run(source, data_id_fields(butlerQC.quantum.dataId))
        butlerQC.put(result, outputRefs)
        if result.failures:
            try:
                raise MetricRunError("; ".join(result.failures))
            except MetricRunError as error:
                raise AnnotatedPartialOutputsError.annotate(error, self, log=self.log) from error

    def open(self, butlerQC: Any, inputRefs: Any, stack: contextlib.ExitStack) -> Readable:
        """Open the input table.

        Parameters
        ----------
        butlerQC : `lsst.pipe.base.QuantumContext`
            The quantum's butler.
        inputRefs : `lsst.pipe.base.InputQuantizedConnection`
            The inputs.
        stack : `contextlib.ExitStack`
            Closes what is opened.

        Returns
        -------
        source : `Readable`
            The table.
        """
        return stack.enter_context(opened(butlerQC.get(inputRefs.table)))

    def run(self, source: Readable, data_id: Mapping[str, Any]) -> Struct:
        """Measure a table.

        Parameters
        ----------
        source : `Readable`
            The table.
        data_id : `~collections.abc.Mapping`
            Fields that all rows share.

        Returns
        -------
        result : `lsst.pipe.base.Struct`
            ``metrics``: table of results (`pyarrow.Table`); ``failures``:
            a sentence for each metric that failed (`list` [`str`]).

        Raises
        ------
        lsst.pipe.base.NoWorkFound
            Raised if the table has no row.
        BudgetError
            Raised, before reading, if a metric needs more than the budget.
        """
        config = cast(MetricsConfig, self.config)
        if source.n_rows == 0:
            raise NoWorkFound(f"{source.name} has no row.")
        kind = TABLES[config.table]
        declared = self.declared(source)
        # Without columns of a band, the metrics of each band lack theirs.
        bands = bands_of(source, kind)
        tasks = tasks_of(declared, bands) if bands else [Task(metric, None) for metric in declared]
        prepared = prepare(source, tasks, detail=config.by, assume_applied=config.assume_applied)
        detail = [name for name in config.by if name in prepared.plans]
        memory = config.memory_budget * MIB
        batches = planned(prepared.able, prepared, memory)
        self.log.info(
            "%d metrics of %d rows need at most %d MiB of %d MiB, in %d readings.",
            len(prepared.able),
            source.n_rows,
            max((needed(batch) for batch in batches), default=0) // MIB,
            config.memory_budget,
            len(batches),
        )
        rows = run_metrics(
            prepared.able, prepared, detail=detail, data_id=data_id, memory=memory, batches=batches
        )
        if prepared.missing:
            self.log.warning(
                "%d metrics cannot run on %s. %s", len(prepared.missing), source.name, prepared.at_hand()
            )
        failures = [f"{row['metric']}: {row['message']}" for row in rows if row["status"] == "failed"]
        faults = []
        for task in tasks:
            if id(task) in prepared.missing:
                lost = failed(task, prepared.lacking(task), data_id)
                if config.lacking_columns == "fail" and not prepared.lacks_bands(task, bands):
                    faults.append(task)
                else:
                    lost["status"] = "undefined"
                rows.append(lost)
        if faults:
            failures.append(
                f"{prepared.lacked(faults)} Where a release has none of them, lacking_columns=undefined (in"
                " pipelines parameters:lackingColumns=undefined) lets that be."
            )
        for name, number in counted(rows).items():
            self.metadata[f"n_{name}"] = number
        # What its peak is measured against.
        self.metadata["memory_budget"] = memory
        return Struct(metrics=from_rows(with_times(rows), self.provenance()), failures=failures)

    def declared(self, source: Readable) -> list[Metric]:
        """Say which metrics to run.

        Parameters
        ----------
        source : `Readable`
            The table.

        Returns
        -------
        metrics : `list` [`Metric`]
            Those of the configuration.
        """
        config = cast(MetricsConfig, self.config)
        return chosen_metrics(config.table, config.metrics, config.variants)

    def provenance(self) -> dict[str, str]:
        """Say what makes the results: task, packages, configuration, time.

        Returns
        -------
        facts : `dict` [`str`, `str`]
            For the metadata of the results' schema.
        """
        from datetime import UTC, datetime

        config = json.dumps(self.config.toDict(), sort_keys=True, default=str)
        return {
            "task": self.getName(),
            "packages": json.dumps(dict(package_versions())),
            "config": hashlib.sha256(config.encode()).hexdigest(),
            "created": datetime.now(UTC).isoformat(timespec="microseconds"),
        }


@functools.cache
def package_versions() -> Mapping[str, str]:
    """Return the versions of the packages that results depend on.

    Returns
    -------
    versions : `~collections.abc.Mapping` [`str`, `str`]
        By distribution; "unknown" for one that states none.
    """
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "unknown"
    return types.MappingProxyType(versions)


def data_id_fields(data_id: Any) -> dict[str, Any]:
    """Take the fields of a row from a data ID.

    Parameters
    ----------
    data_id : `lsst.daf.butler.DataCoordinate`
        Data ID, with records where the observation's time is wanted.

    Returns
    -------
    fields : `dict`
        Dimensions, implied ones too, and ``obs_time`` (UTC).
    """
    known = {**data_id.mapping} if data_id.hasFull() else {**data_id.required}
    fields = {name: known[name] for name in ("band", *DATA_ID) if name in known}
    if data_id.hasRecords() and "visit" in data_id.dimensions.elements:
        span = data_id.records["visit"].timespan
        if span is not None and span.begin is not None and span.end is not None:
            middle = span.begin + 0.5 * (span.end - span.begin)
            fields["obs_time"] = middle.utc.to_datetime()
    return fields


@contextlib.contextmanager
def local_file(handle: Any) -> Iterator[str | None]:
    """Give a dataset's file: `Butler.get` could only read it whole.

    Parameters
    ----------
    handle : `lsst.daf.butler.DeferredDatasetHandle` or \
            `lsst.pipe.base.InMemoryDatasetHandle`
        The dataset.

    Yields
    ------
    path : `str` or `None`
        The file, here as long as the context lasts; `None` for a dataset
        that is in memory, or in an archive.
    """
    uri = handle.butler.getURI(handle.ref) if hasattr(handle, "butler") else None
    if uri is None or uri.scheme == "mem" or uri.fragment:
        yield None
        return
    with uri.as_local() as local:
        yield local.ospath


@contextlib.contextmanager
def opened(handle: Any) -> Iterator[Readable]:
    """Open a dataset so that it can be read in pieces.

    Parameters
    ----------
    handle : `lsst.daf.butler.DeferredDatasetHandle` or \
            `lsst.pipe.base.InMemoryDatasetHandle`
        The dataset.

    Yields
    ------
    source : `Readable`
        The table.
    """
    with local_file(handle) as path:
        yield from_arrow(handle.get(storageClass="ArrowTable")) if path is None else open_table(path)


def counted(rows: list[dict[str, Any]]) -> dict[str, int]:
    """Count rows by their status.

    Parameters
    ----------
    rows : `list` [`dict`]
        Rows of results.

    Returns
    -------
    counts : `dict` [`str`, `int`]
        Status and number, most first.
    """
    from collections import Counter

    return dict(Counter(row["status"] for row in rows).most_common())
