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

"""Metrics of stars that were matched over visits."""

from __future__ import annotations

__all__ = ["MatchedStarMetricsConfig", "MatchedStarMetricsConnections", "MatchedStarMetricsTask"]

import contextlib
import functools
import logging
from typing import Any, ClassVar, cast

from lsst.pex.config import ChoiceField
from lsst.pipe.base import PipelineTaskConnections
from lsst.pipe.base.connectionTypes import Input

from ..readers.connections import results_output
from ..tables.joined import JoinedStars
from ..tables.readable import Readable
from ._base import MetricsConfig, MetricsTask, opened

_LOG = logging.getLogger(__name__)

# Stars are not in every processing: where their data sets are not even
# registered, a pipeline of other metrics still has a graph.


class MatchedStarMetricsConnections(  # numpydoc ignore=PR01
    PipelineTaskConnections,
    dimensions=("instrument", "skymap", "tract"),
    defaultTemplates={
        "presources": "isolated_star_presources",
        "associations": "isolated_star_presource_associations",
        "source": "source",
    },
):
    """A tract's stars and its visits' sources in, rows of results out."""

    table = Input(
        doc="Detections of isolated stars, with the star that each belongs to.",
        name="{presources}",
        storageClass="ArrowTable",
        dimensions=("instrument", "skymap", "tract"),
        deferLoad=True,
        deferGraphConstraint=True,
    )
    stars = Input(
        doc="The isolated stars, whose place in the table detections refer to.",
        name="{associations}",
        storageClass="ArrowTable",
        dimensions=("instrument", "skymap", "tract"),
        deferLoad=True,
        deferGraphConstraint=True,
    )
    sources = Input(
        doc="Sources of the visits that overlap the tract.",
        name="{source}",
        storageClass="ArrowTable",
        dimensions=("instrument", "visit"),
        multiple=True,
        deferLoad=True,
    )
    metrics = results_output("qa_matched_star_metrics", "instrument", "skymap", "tract")

    def __init__(self, *, config: MatchedStarMetricsConfig | None = None):
        super().__init__(config=config)
        if config is not None and config.measured_in == "presources":
            del self.sources
            del self.stars

    def adjustQuantum(
        self, inputs: dict[str, Any], outputs: dict[str, Any], label: str, data_id: Any
    ) -> tuple[Any, Any]:
        """Say why a tract is left out though it has detections of stars.

        Parameters
        ----------
        inputs, outputs : `dict`
            Connections and datasets by connection.
        label : `str`
            The task's label.
        data_id : `lsst.daf.butler.DataCoordinate`
            The tract.

        Returns
        -------
        adjusted_inputs, adjusted_outputs : `~collections.abc.Mapping`
            Nothing is changed.
        """
        table, stars = inputs["table"], inputs.get("stars")
        if stars is not None and table[1] and not stars[1]:
            _LOG.warning(
                "%s leaves %s out: it has %s, but no %s, which says what star each detection is of. If the"
                " detections say that themselves and hold fluxes, set measured_in=presources"
                " (in pipelines parameters:measuredIn=presources).",
                label,
                data_id,
                table[0].name,
                stars[0].name,
            )
        return super().adjustQuantum(inputs, outputs, label, data_id)


class MatchedStarMetricsConfig(MetricsConfig, pipelineConnections=MatchedStarMetricsConnections):
    """Configuration of `MatchedStarMetricsTask`."""

    table: ClassVar[str] = "matched"

    measured_in = ChoiceField[str](
        doc="Which table holds the fluxes and shapes of the detections.",
        allowed={
            "source": "The visits' source tables, joined by the integer sourceId.",
            "presources": "The table of isolated stars' detections itself.",
        },
        default="source",
    )


class MatchedStarMetricsTask(MetricsTask):
    """Measure how well stars repeat over visits: PA, PF, AM, AD and AF."""

    ConfigClass = MatchedStarMetricsConfig
    _DefaultName = "matchedStarMetrics"

    def open(self, butlerQC: Any, inputRefs: Any, stack: contextlib.ExitStack) -> Readable:
        """Open the stars' detections, joined with their measurements.

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
        detections = stack.enter_context(opened(butlerQC.get(inputRefs.table)))
        config = cast(MatchedStarMetricsConfig, self.config)
        if config.measured_in == "presources":
            return detections
        stars = stack.enter_context(opened(butlerQC.get(inputRefs.stars)))
        sources = [functools.partial(opened, handle) for handle in butlerQC.get(inputRefs.sources)]
        return JoinedStars(detections, stars, sources, self.log)
