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

"""Metrics of the sources of a visit."""

from __future__ import annotations

__all__ = ["SourceMetricsConfig", "SourceMetricsConnections", "SourceMetricsTask"]

from typing import ClassVar

from lsst.pipe.base import PipelineTaskConnections
from lsst.pipe.base.connectionTypes import Input

from ..readers.connections import results_output
from ._base import MetricsConfig, MetricsTask


class SourceMetricsConnections(
    PipelineTaskConnections, dimensions=("instrument", "visit"), defaultTemplates={"source": "source"}
):
    """A visit's source table in, rows of results out."""

    table = Input(
        doc="Sources of a visit.",
        name="{source}",
        storageClass="ArrowTable",
        dimensions=("instrument", "visit"),
        deferLoad=True,
    )
    metrics = results_output("qa_source_metrics", "instrument", "visit")


class SourceMetricsConfig(MetricsConfig, pipelineConnections=SourceMetricsConnections):
    """Configuration of `SourceMetricsTask`."""

    table: ClassVar[str] = "source"


class SourceMetricsTask(MetricsTask):
    """Measure the sources of a visit: PSF residuals, sky, counts, flags."""

    ConfigClass = SourceMetricsConfig
    _DefaultName = "sourceMetrics"
