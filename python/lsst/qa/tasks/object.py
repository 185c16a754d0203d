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

"""Metrics of the objects of a tract."""

from __future__ import annotations

__all__ = ["ObjectMetricsConfig", "ObjectMetricsConnections", "ObjectMetricsTask"]

from typing import ClassVar, cast

from lsst.pex.config import Field
from lsst.pipe.base import PipelineTaskConnections
from lsst.pipe.base.connectionTypes import Input

from ..catalogue import METRICS
from ..metric import Metric
from ..readers.connections import results_output
from ..tables.readable import Readable
from ._base import MetricsConfig, MetricsTask


class ObjectMetricsConnections(
    PipelineTaskConnections, dimensions=("skymap", "tract"), defaultTemplates={"object": "object"}
):
    """A tract's object table in, rows of results out."""

    table = Input(
        doc="Objects of a tract, with columns for each band.",
        name="{object}",
        storageClass="ArrowTable",
        dimensions=("skymap", "tract"),
        deferLoad=True,
    )
    metrics = results_output("qa_object_metrics", "skymap", "tract")


class ObjectMetricsConfig(MetricsConfig, pipelineConnections=ObjectMetricsConnections):
    """Configuration of `ObjectMetricsTask`."""

    table: ClassVar[str] = "object"

    camera = Field[str](
        doc="Camera of the images, which no table of objects tells: metrics that have a variant of its name,"
        " as wPerp.HSC, are measured as that variant.",
        default="",
    )


class ObjectMetricsTask(MetricsTask):
    """Measure the objects of a tract: PSF residuals, sky, counts, flags."""

    ConfigClass = ObjectMetricsConfig
    _DefaultName = "objectMetrics"

    def declared(self, source: Readable) -> list[Metric]:
        """Say which metrics to run.

        Parameters
        ----------
        source : `Readable`
            The table.

        Returns
        -------
        metrics : `list` [`Metric`]
            Those of the configuration, or their variants for the camera.
        """
        camera = cast(ObjectMetricsConfig, self.config).camera
        own = [METRICS.get(f"{metric.name}.{camera}", metric) for metric in super().declared(source)]
        return list({metric.name: metric for metric in own}.values())
