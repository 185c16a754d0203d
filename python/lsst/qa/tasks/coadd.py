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

"""Metrics of coadds: of the deblender, of their depth, of their inputs."""

from __future__ import annotations

__all__ = [
    "CoaddDepthMetricsConfig",
    "CoaddDepthMetricsConnections",
    "CoaddDepthMetricsTask",
    "CoaddInputMetricsConfig",
    "CoaddInputMetricsConnections",
    "CoaddInputMetricsTask",
    "ObjectParentMetricsConfig",
    "ObjectParentMetricsConnections",
    "ObjectParentMetricsTask",
]

import contextlib
from typing import Any, ClassVar, cast

from lsst.pex.config import ChoiceField
from lsst.pipe.base import PipelineTaskConnections
from lsst.pipe.base.connectionTypes import Input

from ..readers.connections import results_output
from ..tables.images import depth_tally
from ..tables.readable import Readable
from ._base import MetricsConfig, MetricsTask, opened
from ._stacked import StackedMetricsTask, TalliedMetricsTask

# None of these inputs is in every processing: a tract that lacks one is left
# out, and its other metrics are not.


class ObjectParentMetricsConnections(
    PipelineTaskConnections,
    dimensions=("skymap", "tract"),
    defaultTemplates={"objectParent": "object_parent"},
):
    """What was deblended in a tract in, rows of results out."""

    table = Input(
        doc="What was detected on a tract's coadds, before it was deblended.",
        name="{objectParent}",
        storageClass="ArrowTable",
        dimensions=("skymap", "tract"),
        deferLoad=True,
        deferGraphConstraint=True,
    )
    metrics = results_output("qa_object_parent_metrics", "skymap", "tract")


class ObjectParentMetricsConfig(MetricsConfig, pipelineConnections=ObjectParentMetricsConnections):
    """Configuration of `ObjectParentMetricsTask`."""

    table: ClassVar[str] = "object_parent"


class ObjectParentMetricsTask(MetricsTask):
    """Measure the deblender of a tract: failures, blends left alone, peaks
    lost.
    """

    ConfigClass = ObjectParentMetricsConfig
    _DefaultName = "objectParentMetrics"


class CoaddDepthMetricsConnections(  # numpydoc ignore=PR01
    PipelineTaskConnections,
    dimensions=("skymap", "tract"),
    defaultTemplates={"coaddDepth": "deep_coadd_depth_table", "coaddNImage": "deep_coadd_n_image"},
):
    """How deep the patches of a tract are in, rows of results out."""

    table = Input(
        doc="How many images went into the pixels of each patch in each band.",
        name="{coaddDepth}",
        storageClass="ArrowTable",
        dimensions=("skymap", "tract"),
        deferLoad=True,
        deferGraphConstraint=True,
    )
    images = Input(
        doc="How many images went into each pixel of a patch.",
        name="{coaddNImage}",
        storageClass="ImageU",
        dimensions=("skymap", "tract", "patch", "band"),
        multiple=True,
        deferLoad=True,
        deferGraphConstraint=True,
    )
    metrics = results_output("qa_coadd_depth_metrics", "skymap", "tract")

    def __init__(self, *, config: CoaddDepthMetricsConfig | None = None):
        super().__init__(config=config)
        if config is not None:
            delattr(self, "images" if config.measured_in == "table" else "table")


class CoaddDepthMetricsConfig(MetricsConfig, pipelineConnections=CoaddDepthMetricsConnections):
    """Configuration of `CoaddDepthMetricsTask`."""

    table: ClassVar[str] = "coadd_depth"

    measured_in = ChoiceField[str](
        doc="What holds the numbers of images.",
        allowed={
            "table": "A table of patches and bands.",
            "n_image": "The images of these numbers, of each patch and band.",
        },
        default="table",
    )


class CoaddDepthMetricsTask(TalliedMetricsTask):
    """Measure how deep the coadds of a tract are, and how evenly."""

    ConfigClass = CoaddDepthMetricsConfig
    _DefaultName = "coaddDepthMetrics"
    tally = depth_tally

    def open(self, butlerQC: Any, inputRefs: Any, stack: contextlib.ExitStack) -> Readable:
        """Open the table, or count the pixels of the images.

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
            A row for each patch and band.
        """
        if cast(CoaddDepthMetricsConfig, self.config).measured_in == "table":
            return stack.enter_context(opened(butlerQC.get(inputRefs.table)))
        return self.tallied(butlerQC.get(inputRefs.images))


class CoaddInputMetricsConnections(
    PipelineTaskConnections,
    dimensions=("skymap", "tract"),
    defaultTemplates={"coaddInputs": "deep_coadd_input_summary_tract"},
):
    """The images that went into a tract's coadds in, rows of results out."""

    tables = Input(
        doc="The images that went into each patch's coadd in a band.",
        name="{coaddInputs}",
        storageClass="ArrowTable",
        dimensions=("skymap", "tract", "band"),
        multiple=True,
        deferLoad=True,
        deferGraphConstraint=True,
    )
    metrics = results_output("qa_coadd_input_metrics", "skymap", "tract")


class CoaddInputMetricsConfig(MetricsConfig, pipelineConnections=CoaddInputMetricsConnections):
    """Configuration of `CoaddInputMetricsTask`."""

    table: ClassVar[str] = "coadd_input"


class CoaddInputMetricsTask(StackedMetricsTask):
    """Measure which images went into the coadds of a tract."""

    ConfigClass = CoaddInputMetricsConfig
    _DefaultName = "coaddInputMetrics"
