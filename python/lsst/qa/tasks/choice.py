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

"""Metrics of which images became part of coadds."""

from __future__ import annotations

__all__ = ["CoaddChoiceMetricsConfig", "CoaddChoiceMetricsConnections", "CoaddChoiceMetricsTask"]

import contextlib
import dataclasses
import functools
from collections.abc import Iterator
from typing import Any, ClassVar, cast

from lsst.pipe.base import NoWorkFound, PipelineTaskConnections
from lsst.pipe.base.connectionTypes import Input, PrerequisiteInput

from ..readers.connections import results_output
from ..tables.choices import Patch, choice_table, images_of
from ..tables.readable import Readable
from ._base import MetricsConfig, MetricsTask, opened
from .visit import stored_summaries


class CoaddChoiceMetricsConnections(  # numpydoc ignore=PR01
    PipelineTaskConnections,
    dimensions=("instrument", "skymap", "tract"),
    defaultTemplates={
        "visitSummary": "visit_summary",
        "coaddInputs": "deep_coadd_input_summary_tract",
        "coaddNImage": "deep_coadd_n_image",
    },
):
    """The visits over a tract and the images in its coadds in, rows of
    results out.
    """

    summaries = Input(
        doc="Summaries of the visits that overlap the tract, one row per detector.",
        name="{visitSummary}",
        storageClass="ArrowAstropy",
        dimensions=("instrument", "visit"),
        multiple=True,
        deferLoad=True,
    )
    inputs_of_coadds = Input(
        doc="The images that went into each patch's coadd in a band.",
        name="{coaddInputs}",
        storageClass="ArrowTable",
        dimensions=("skymap", "tract", "band"),
        multiple=True,
        deferLoad=True,
        deferGraphConstraint=True,
    )
    coadds = PrerequisiteInput(
        doc="What each patch has in each band that it has a coadd in; not read, it tells where patches are.",
        name="{coaddNImage}",
        storageClass="ImageU",
        dimensions=("skymap", "tract", "patch", "band"),
        multiple=True,
        deferLoad=True,
        minimum=0,
    )
    metrics = results_output("qa_coadd_choice_metrics", "instrument", "skymap", "tract")

    def __init__(self, *, config: CoaddChoiceMetricsConfig | None = None):
        super().__init__(config=config)
        if config is not None:
            self.summaries = dataclasses.replace(self.summaries, storageClass=config.stored_as)


class CoaddChoiceMetricsConfig(MetricsConfig, pipelineConnections=CoaddChoiceMetricsConnections):
    """Configuration of `CoaddChoiceMetricsTask`."""

    table: ClassVar[str] = "coadd_choice"

    stored_as = stored_summaries()


class CoaddChoiceMetricsTask(MetricsTask):
    """Measure how many of the images over a tract became part of coadds."""

    ConfigClass = CoaddChoiceMetricsConfig
    _DefaultName = "coaddChoiceMetrics"

    def open(self, butlerQC: Any, inputRefs: Any, stack: contextlib.ExitStack) -> Readable:
        """Find the images that overlap patches, and those in their coadds.

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
            A row for each image and patch that it overlaps.

        Raises
        ------
        lsst.pipe.base.NoWorkFound
            Raised if no patch has a coadd.
        """
        places = [ref.dataId for ref in inputRefs.coadds]
        if not places:
            name = cast(Any, self.config).connections.coaddNImage
            raise NoWorkFound(f"There is no {name} of this tract, which tells where patches with coadds are.")
        patches = [Patch(place["patch"], place["band"], place.region) for place in places]

        def images() -> Iterator[Any]:
            for handle in sorted(butlerQC.get(inputRefs.summaries), key=lambda handle: handle.ref):
                with opened(handle) as table:
                    yield from images_of(table, handle.dataId["visit"], handle.dataId["band"])

        inputs = [functools.partial(opened, one) for one in butlerQC.get(inputRefs.inputs_of_coadds)]
        return choice_table(images(), patches, inputs, f"the images over tract {places[0]['tract']}")
