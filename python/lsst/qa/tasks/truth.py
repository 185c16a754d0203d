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

"""Tasks that measure objects against what is truly there: a simulation's
catalogue, or injected sources.
"""

from __future__ import annotations

__all__ = [
    "TruthMatchMetricsConfig",
    "TruthMatchMetricsConnections",
    "TruthMatchMetricsTask",
    "TruthMetricsConfig",
    "TruthMetricsConnections",
    "TruthMetricsTask",
]

import contextlib
from typing import Any, ClassVar, cast

from lsst.pex.config import DictField, Field, RangeField
from lsst.pipe.base import PipelineTaskConnections
from lsst.pipe.base.connectionTypes import Input

from ..columns import TABLES
from ..readers.connections import results_output
from ..tables.readable import Readable
from ..tables.reading import bands_of
from ..tables.truth import TruthColumns, TruthPairs, renamed
from ._base import MetricsConfig, MetricsTask, opened

_TRACT = ("skymap", "tract")


class TruthMetricsConnections(
    PipelineTaskConnections,
    dimensions=_TRACT,
    defaultTemplates={"object": "object", "truthCatalogue": "sim_truth"},
):
    """A tract's objects and what is truly there in, rows of results out."""

    table = Input(
        doc="Objects of a tract.",
        name="{object}",
        storageClass="ArrowTable",
        dimensions=_TRACT,
        deferLoad=True,
    )
    truth = Input(
        doc="What is truly there: a row per source, with its position and its brightness in each band.",
        name="{truthCatalogue}",
        storageClass="ArrowAstropy",
        dimensions=_TRACT,
        deferLoad=True,
    )
    metrics = results_output("qa_truth_metrics", *_TRACT)


class TruthMetricsConfig(MetricsConfig, pipelineConnections=TruthMetricsConnections):
    """Configuration of `TruthMetricsTask`."""

    table: ClassVar[str] = "truth_match"

    radius = RangeField(
        dtype=float,
        doc="Largest distance of an object from its true source, in arcsec.",
        default=0.5,
        min=0.0,
        max=60.0,
    )
    ra = Field[str](
        doc="Column of the truth with the right ascension, degrees if it has no unit.", default="ra"
    )
    dec = Field[str](doc="Column of the truth with the declination.", default="dec")
    star = Field[str](
        doc="Column of the truth that is 1 for stars and 0 for galaxies, or the kind of injected sources."
        " Empty where classes are not told.",
        default="is_pointsource",
    )
    light = Field[str](
        doc="Column of the truth with the brightness; {band} stands for the band.", default="{band}_mag"
    )
    fluxes = Field[bool](doc="Whether that is the flux in nJy, not the magnitude.", default=False)
    primary = Field[str](
        doc="Flag of the truth's sources that count, as injected_isPrimary; empty where all do.", default=""
    )


class TruthMetricsTask(MetricsTask):
    """Match objects to what is truly there, one to one, and measure
    completeness, purity and residuals.
    """

    ConfigClass = TruthMetricsConfig
    _DefaultName = "truthMetrics"

    def open(self, butlerQC: Any, inputRefs: Any, stack: contextlib.ExitStack) -> Readable:
        """Open both tables and match them.

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
            Objects beside their true sources.
        """
        config = cast(TruthMetricsConfig, self.config)
        objects = stack.enter_context(opened(butlerQC.get(inputRefs.table)))
        truth = stack.enter_context(opened(butlerQC.get(inputRefs.truth)))
        light = {band: config.light.format(band=band) for band in bands_of(objects, TABLES["object"])}
        columns = TruthColumns(config.ra, config.dec, config.star, light, config.fluxes, config.primary)
        pairs = TruthPairs(objects, truth, columns, config.radius)
        self.log.info(
            "%d of %d objects have one of %d true sources within %g arcsec.",
            pairs.n_matched,
            objects.n_rows,
            truth.n_rows,
            config.radius,
        )
        return pairs


class TruthMatchMetricsConnections(
    PipelineTaskConnections,
    dimensions=_TRACT,
    defaultTemplates={"matches": "matched_injected_deep_coadd_predetection_catalog_tract_injected_object"},
):
    """A tract's matches in, rows of results out."""

    table = Input(
        doc="Objects beside what is truly there, matched already.",
        name="{matches}",
        storageClass="ArrowTable",
        dimensions=_TRACT,
        deferLoad=True,
    )
    metrics = results_output("qa_truth_match_metrics", *_TRACT)


class TruthMatchMetricsConfig(MetricsConfig, pipelineConnections=TruthMatchMetricsConnections):
    """Configuration of `TruthMatchMetricsTask`."""

    table: ClassVar[str] = "truth_match"

    aliases = DictField[str, str](
        doc="Columns of the matches that have a name of their own, and the name that metrics know;"
        " {band} stands for the band on both sides, as in {'refcat_flux_{band}': '{band}_ref_flux'}.",
        default={"refcat_flux_{band}": "{band}_ref_flux", "refcat_mag_{band}": "{band}_ref_mag"},
    )


class TruthMatchMetricsTask(MetricsTask):
    """Measure completeness, purity and residuals on matches that are there
    already.
    """

    ConfigClass = TruthMatchMetricsConfig
    _DefaultName = "truthMatchMetrics"

    def open(self, butlerQC: Any, inputRefs: Any, stack: contextlib.ExitStack) -> Readable:
        """Open the matches.

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
            The matches, with the columns' names that metrics know.
        """
        config = cast(TruthMatchMetricsConfig, self.config)
        matches = stack.enter_context(opened(butlerQC.get(inputRefs.table)))
        bands = bands_of(matches, TABLES["object"])
        return renamed(
            matches,
            {
                old.format(band=band): new.format(band=band)
                for old, new in config.aliases.items()
                for band in bands
            },
        )
