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

"""Metrics of difference images: of a tract, of a visit, and of fakes."""

from __future__ import annotations

__all__ = [
    "DiaFakeMetricsConfig",
    "DiaFakeMetricsConnections",
    "DiaFakeMetricsTask",
    "DiaSourceMetricsConfig",
    "DiaSourceMetricsConnections",
    "DiaSourceMetricsTask",
    "DiaVisitMetricsConfig",
    "DiaVisitMetricsConnections",
    "DiaVisitMetricsTask",
]

from typing import ClassVar

from lsst.pipe.base import PipelineTaskConnections
from lsst.pipe.base.connectionTypes import Input

from ..readers.connections import results_output
from ._base import MetricsConfig, MetricsTask
from ._stacked import StackedMetricsTask


class DiaSourceMetricsConnections(
    PipelineTaskConnections, dimensions=("skymap", "tract"), defaultTemplates={"diaSource": "dia_source"}
):
    """A tract's sources of difference images in, rows of results out."""

    # Not every processing makes difference images: a tract without them is
    # left out, and its other metrics are not.
    table = Input(
        doc="Sources of the difference images of a tract.",
        name="{diaSource}",
        storageClass="ArrowTable",
        dimensions=("skymap", "tract"),
        deferLoad=True,
        deferGraphConstraint=True,
    )
    metrics = results_output("qa_dia_source_metrics", "skymap", "tract")


class DiaSourceMetricsConfig(MetricsConfig, pipelineConnections=DiaSourceMetricsConnections):
    """Configuration of `DiaSourceMetricsTask`."""

    table: ClassVar[str] = "dia_source"


class DiaSourceMetricsTask(MetricsTask):
    """Measure a tract's sources of difference images: counts, flags,
    reliability, association.
    """

    ConfigClass = DiaSourceMetricsConfig
    _DefaultName = "diaSourceMetrics"


class DiaVisitMetricsConnections(
    PipelineTaskConnections,
    dimensions=("instrument", "visit"),
    defaultTemplates={"diaSource": "dia_source_detector"},
):
    """The sources of a visit's difference images in, rows of results out."""

    tables = Input(
        doc="Sources of the difference image of a detector in a visit.",
        name="{diaSource}",
        storageClass="ArrowTable",
        dimensions=("instrument", "visit", "detector"),
        multiple=True,
        deferLoad=True,
    )
    metrics = results_output("qa_dia_visit_metrics", "instrument", "visit")


class DiaVisitMetricsConfig(MetricsConfig, pipelineConnections=DiaVisitMetricsConnections):
    """Configuration of `DiaVisitMetricsTask`."""

    table: ClassVar[str] = "dia_source"


class DiaVisitMetricsTask(StackedMetricsTask):
    """Measure the sources of a visit's difference images, as they are before
    tracts are made of them.
    """

    ConfigClass = DiaVisitMetricsConfig
    _DefaultName = "diaVisitMetrics"


class DiaFakeMetricsConnections(
    PipelineTaskConnections,
    dimensions=("instrument", "visit"),
    defaultTemplates={"diaFakes": "injected_goodSeeingDiff_matchAssocDiaSrc"},
):
    """The fakes of a visit with what was found of them in, rows of results
    out.
    """

    tables = Input(
        doc="Sources injected into an image, each with its source in the difference image.",
        name="{diaFakes}",
        storageClass="ArrowTable",
        dimensions=("instrument", "visit", "detector"),
        multiple=True,
        deferLoad=True,
    )
    metrics = results_output("qa_dia_fake_metrics", "instrument", "visit")


class DiaFakeMetricsConfig(MetricsConfig, pipelineConnections=DiaFakeMetricsConnections):
    """Configuration of `DiaFakeMetricsTask`."""

    table: ClassVar[str] = "dia_fake"


class DiaFakeMetricsTask(StackedMetricsTask):
    """Measure how many fakes of a visit are found in its difference images."""

    ConfigClass = DiaFakeMetricsConfig
    _DefaultName = "diaFakeMetrics"
