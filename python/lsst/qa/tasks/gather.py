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

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import pyarrow as pa

from lsst.daf.butler import DatasetRef
from lsst.pex.config import RangeField
from lsst.pipe.base import NoWorkFound, PipelineTask, PipelineTaskConfig, Struct
from lsst.pipe.base.connectionTypes import Output

from ..engine import MIB
from ..errors import BudgetError
from ..readers.connections import ResultsConnections
from ..results import Whence, gathered
from ._many import input_tables

_ORIGIN = 112
"""Bytes of the names of where a row came from."""

_READING_ORDER = ("metric", "band", "instrument", "visit", "skymap", "tract", "detector", "patch")


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

    memory_budget = RangeField(
        dtype=int,
        doc="MiB that the table and its making may take above what the interpreter and its imports do: some"
        " 600 for a million rows, 3,200 for ten million. Results that are too many are refused; 'lsst-qa"
        " gather' writes any number.",
        default=4096,
        min=1,
    )


class GatherMetricsTask(PipelineTask):
    """Make one table of the results of collections, in the order in which it
    is read: metric by metric.

    It runs as a step of its own over collections that are complete.
    """

    ConfigClass = GatherMetricsConfig
    _DefaultName = "gatherMetrics"

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        refs, tables = input_tables(butlerQC, (found for _, found in inputRefs))
        butlerQC.put(self.run(refs, tables), outputRefs)

    def run(self, refs: Sequence[DatasetRef], tables: Iterable[pa.Table]) -> Struct:
        """Gather results.

        Parameters
        ----------
        refs : `~collections.abc.Sequence` [`lsst.daf.butler.DatasetRef`]
            Datasets of results.
        tables : `~collections.abc.Iterable` [`pyarrow.Table`]
            What they hold.

        Returns
        -------
        result : `lsst.pipe.base.Struct`
            ``table``: rows with `lsst.qa.results.GATHERED_SCHEMA`.

        Raises
        ------
        BudgetError
            Raised if the results are too many for the memory.
        lsst.pipe.base.NoWorkFound
            Raised if there are no results.
        """
        if not refs:
            raise NoWorkFound("The input collections hold no results; run a pipeline of metrics first.")
        whences = (Whence(str(ref.id), ref.run, ref.datasetType.name) for ref in refs)
        kept = self._within_budget(tables, len(refs))
        whole = gathered(zip(whences, kept, strict=True), _READING_ORDER)
        self.metadata["n_datasets"] = len(refs)
        self.metadata["n_rows"] = whole.num_rows
        self.metadata["memory_budget"] = cast(GatherMetricsConfig, self.config).memory_budget * MIB
        return Struct(table=whole)

    def _within_budget(self, tables: Iterable[pa.Table], number: int) -> Iterator[pa.Table]:
        """Stop reading when what is held already will take too much."""
        config = cast(GatherMetricsConfig, self.config)
        held = 0
        for place, table in enumerate(tables, start=1):
            held += table.nbytes + _ORIGIN * len(table)
            needed = _needed(held)
            if needed > config.memory_budget * MIB:
                enough = math.ceil(_needed(held * number / place) / MIB)
                raise BudgetError(
                    f"The results of {place} of {number} datasets need {needed / MIB:.0f} MiB to be gathered"
                    f" in one table, memory_budget allows {config.memory_budget}; about {enough} would do"
                    " for all. 'lsst-qa gather REPO COLLECTION --to DIR' writes any number in little memory,"
                    " and 'lsst-qa load' needs no gathered table."
                )
            yield table


def _needed(held: float) -> float:
    """Return the memory that rows of so many bytes need to be gathered, as
    measured for 10^5 to 10^7: a tenth more than they take, and what reading
    holds at a time.
    """
    return 1.1 * held + min(3.0 * held, 320.0 * MIB)
