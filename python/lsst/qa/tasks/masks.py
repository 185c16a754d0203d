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

"""Metrics of the masks of images: of coadds, and of visits."""

from __future__ import annotations

__all__ = [
    "CoaddMaskMetricsConfig",
    "CoaddMaskMetricsConnections",
    "CoaddMaskMetricsTask",
    "VisitMaskMetricsConfig",
    "VisitMaskMetricsConnections",
    "VisitMaskMetricsTask",
]

import dataclasses
from typing import Any, ClassVar

from lsst.pex.config import Field
from lsst.pipe.base import PipelineTaskConnections
from lsst.pipe.base.connectionTypes import Input

from ..readers.connections import results_output
from ..tables.images import mask_tally
from ._base import MetricsConfig
from ._stacked import TalliedMetricsTask


class _MaskConnections(PipelineTaskConnections, dimensions=()):  # numpydoc ignore=PR01
    """What the connections of masks share: how the images are stored."""

    def __init__(self, *, config: Any = None):
        super().__init__(config=config)
        if config is not None:
            images = self.images  # type: ignore[has-type]
            self.images = dataclasses.replace(images, storageClass=config.stored_as)


class _MaskConfig(MetricsConfig, pipelineConnections=_MaskConnections):
    """What the configurations of masks share."""

    table: ClassVar[str] = "image_mask"

    stored_as = Field[str](
        doc="Storage class of the images, as it is registered; their FITS files are read without it.",
        default="ExposureF",
    )


class CoaddMaskMetricsConnections(
    _MaskConnections, dimensions=("skymap", "tract"), defaultTemplates={"coadd": "deep_coadd"}
):
    """A tract's coadds in, rows of results out."""

    images = Input(
        doc="Coadd of a patch in a band, with its mask.",
        name="{coadd}",
        storageClass="ExposureF",
        dimensions=("skymap", "tract", "patch", "band"),
        multiple=True,
        deferLoad=True,
    )
    metrics = results_output("qa_coadd_mask_metrics", "skymap", "tract")


class CoaddMaskMetricsConfig(_MaskConfig, pipelineConnections=CoaddMaskMetricsConnections):
    """Configuration of `CoaddMaskMetricsTask`."""


class CoaddMaskMetricsTask(TalliedMetricsTask):
    """Measure which part of a tract's coadds has each mask plane."""

    ConfigClass = CoaddMaskMetricsConfig
    _DefaultName = "coaddMaskMetrics"
    tally = mask_tally


class VisitMaskMetricsConnections(
    _MaskConnections, dimensions=("instrument", "visit"), defaultTemplates={"visitImage": "visit_image"}
):
    """A visit's images in, rows of results out."""

    images = Input(
        doc="Image of a detector in a visit, with its mask.",
        name="{visitImage}",
        storageClass="ExposureF",
        dimensions=("instrument", "visit", "detector"),
        multiple=True,
        deferLoad=True,
    )
    metrics = results_output("qa_visit_mask_metrics", "instrument", "visit")


class VisitMaskMetricsConfig(_MaskConfig, pipelineConnections=VisitMaskMetricsConnections):
    """Configuration of `VisitMaskMetricsTask`."""


class VisitMaskMetricsTask(TalliedMetricsTask):
    """Measure which part of a visit's images has each mask plane."""

    ConfigClass = VisitMaskMetricsConfig
    _DefaultName = "visitMaskMetrics"
    tally = mask_tally
