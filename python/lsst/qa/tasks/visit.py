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

"""Metrics of the summaries of visits: one visit's, or a table of many."""

from __future__ import annotations

__all__ = [
    "VisitSummaryMetricsConfig",
    "VisitSummaryMetricsConnections",
    "VisitSummaryMetricsTask",
    "VisitTableMetricsConfig",
    "VisitTableMetricsConnections",
    "VisitTableMetricsTask",
    "stored_summaries",
]

import dataclasses
from typing import ClassVar

from lsst.pex.config import ChoiceField
from lsst.pipe.base import PipelineTaskConnections
from lsst.pipe.base.connectionTypes import Input

from ..readers.connections import results_output
from ._base import MetricsConfig, MetricsTask


def stored_summaries() -> ChoiceField[str]:
    """Declare how summaries of visits are stored.

    Returns
    -------
    field : `lsst.pex.config.ChoiceField`
        The field of a configuration.
    """
    return ChoiceField[str](
        doc="Storage class of the summaries; the file tells the rest.",
        allowed={
            "ArrowAstropy": "A table in Parquet, or what converts to one.",
            "ExposureCatalog": "An afw catalogue; afw need not be there.",
        },
        default="ArrowAstropy",
    )


class VisitSummaryMetricsConnections(  # numpydoc ignore=PR01
    PipelineTaskConnections,
    dimensions=("instrument", "visit"),
    defaultTemplates={"visitSummary": "visit_summary"},
):
    """A visit's summary in, rows of results out."""

    # An afw catalogue in production, a Parquet table elsewhere: its file is
    # read, whichever it is, but a graph asks for the class that is registered.
    table = Input(
        doc="Summary of a visit, one row per detector.",
        name="{visitSummary}",
        storageClass="ArrowAstropy",
        dimensions=("instrument", "visit"),
        deferLoad=True,
    )
    metrics = results_output("qa_visit_summary_metrics", "instrument", "visit")

    def __init__(self, *, config: VisitSummaryMetricsConfig | None = None):
        super().__init__(config=config)
        if config is not None:
            self.table = dataclasses.replace(self.table, storageClass=config.stored_as)


class VisitSummaryMetricsConfig(MetricsConfig, pipelineConnections=VisitSummaryMetricsConnections):
    """Configuration of `VisitSummaryMetricsTask`."""

    table: ClassVar[str] = "visit_summary"

    stored_as = stored_summaries()


class VisitSummaryMetricsTask(MetricsTask):
    """Measure a visit's summary: seeing, PSF, sky, zero point, depth."""

    ConfigClass = VisitSummaryMetricsConfig
    _DefaultName = "visitSummaryMetrics"


class VisitTableMetricsConnections(
    PipelineTaskConnections,
    dimensions=("instrument",),
    defaultTemplates={"visitDetectorTable": "visit_detector_table"},
):
    """The summary of all visits of an instrument in, rows of results out."""

    table = Input(
        doc="Summary of many visits, one row per visit and detector.",
        name="{visitDetectorTable}",
        storageClass="ArrowTable",
        dimensions=("instrument",),
        deferLoad=True,
    )
    metrics = results_output("qa_visit_table_metrics", "instrument")


class VisitTableMetricsConfig(MetricsConfig, pipelineConnections=VisitTableMetricsConnections):
    """Configuration of `VisitTableMetricsTask`."""

    table: ClassVar[str] = "visit_summary"


class VisitTableMetricsTask(MetricsTask):
    """Measure the summaries of many visits in one quantum: one warm process
    instead of one a visit.
    """

    ConfigClass = VisitTableMetricsConfig
    _DefaultName = "visitTableMetrics"
