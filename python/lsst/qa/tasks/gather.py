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

"""Gathering the results of collections into one table."""

from __future__ import annotations

__all__ = ["GatherMetricsConfig", "GatherMetricsConnections", "GatherMetricsTask"]

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lsst.pipe.base import NoWorkFound, PipelineTask, PipelineTaskConfig, Struct
from lsst.pipe.base.connectionTypes import Output

from ..readers.connections import ResultsConnections
from ..results import GATHERED_SCHEMA, gathered
from ._base import local_file

_READING_ORDER = [
    (name, "ascending")
    for name in ("metric", "band", "instrument", "visit", "skymap", "tract", "detector", "patch")
]


class GatherMetricsConnections(ResultsConnections, dimensions=()):
    """All results of the input collections in, one table out."""

    table = Output(
        doc="The rows of all results, each with the dataset, run and task it came from.",
        name="qa_gathered_metrics",
        storageClass="ArrowTable",
        dimensions=(),
    )


class GatherMetricsConfig(PipelineTaskConfig, pipelineConnections=GatherMetricsConnections):
    """Configuration of `GatherMetricsTask`."""


class GatherMetricsTask(PipelineTask):
    """Make one table of the results of collections, in the order in which it
    is read: metric by metric.

    It runs as a step of its own over collections that are complete.
    """

    ConfigClass = GatherMetricsConfig
    _DefaultName = "gatherMetrics"

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        handles = (handle for _, refs in inputRefs for handle in butlerQC.get(refs))
        butlerQC.put(self.run(sorted(handles, key=lambda handle: handle.ref)), outputRefs)

    def run(self, handles: Iterable[Any]) -> Struct:
        """Gather results.

        Parameters
        ----------
        handles : `~collections.abc.Iterable` \
                [`lsst.daf.butler.DeferredDatasetHandle`]
            Datasets of results.

        Returns
        -------
        result : `lsst.pipe.base.Struct`
            ``table``: rows with `lsst.qa.results.GATHERED_SCHEMA`.

        Raises
        ------
        lsst.pipe.base.NoWorkFound
            Raised if there are no results.
        """
        tables = [
            gathered(
                _read(handle),
                dataset_id=str(handle.ref.id),
                run=handle.ref.run,
                dataset_type=handle.ref.datasetType.name,
            )
            for handle in handles
        ]
        if not tables:
            raise NoWorkFound("The input collections hold no results; run a pipeline of metrics first.")
        whole = pa.concat_tables(tables).sort_by(_READING_ORDER)
        self.metadata["n_datasets"] = len(tables)
        self.metadata["n_rows"] = whole.num_rows
        return Struct(table=whole.cast(GATHERED_SCHEMA))


def _read(handle: Any) -> pa.Table:
    """Read a small table, from its file where it has one: `Butler.get` costs
    ten times as much.
    """
    with local_file(handle) as path:
        # A thread for so small a file costs more than it saves.
        return handle.get() if path is None else pq.ParquetFile(path).read(use_threads=False)
