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

"""Tasks that measure sources and objects against reference catalogues."""

from __future__ import annotations

__all__ = [
    "ObjectReferenceMetricsConfig",
    "ObjectReferenceMetricsConnections",
    "ObjectReferenceMetricsTask",
    "ReferenceMetricsConfig",
    "ReferenceMetricsTask",
    "SourceReferenceMetricsConfig",
    "SourceReferenceMetricsConnections",
    "SourceReferenceMetricsTask",
]

import contextlib
import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, ClassVar, cast

from lsst.pex.config import ChoiceField, Field, RangeField
from lsst.pipe.base import NoWorkFound, PipelineTaskConnections
from lsst.pipe.base.connectionTypes import Input, PrerequisiteInput

from ..columns import TABLES
from ..readers.connections import results_output
from ..tables.nearest import with_nearest
from ..tables.readable import Readable
from ..tables.reading import bands_of
from ..tables.reference import ReferencePairs
from ..tables.shards import Catalogue
from ._base import MetricsConfig, MetricsTask, opened

_HTM7 = ("htm7",)
_REFCATS = {"refcat": "the_monster_20250219", "photometricRefcat": "the_monster_20250219"}


def _shards(what: str) -> PrerequisiteInput:
    return PrerequisiteInput(
        doc=f"Shards of the reference catalogue whose {what} are compared.",
        name="{photometricRefcat}" if what == "fluxes" else "{refcat}",
        storageClass="ArrowAstropy",
        dimensions=_HTM7,
        multiple=True,
        deferLoad=True,
        minimum=0,
    )


class ReferenceConnections(  # numpydoc ignore=PR01
    PipelineTaskConnections, dimensions=(), defaultTemplates=_REFCATS
):
    """Shards of reference catalogues, as they are stored."""

    shards = _shards("positions")
    photometric = _shards("fluxes")

    def __init__(self, *, config: ReferenceMetricsConfig | None = None):
        super().__init__(config=config)
        if config is None:
            return
        for name, wanted in (
            ("shards", not config.matched),
            ("photometric", not config.matched and config.separate_photometry),
        ):
            if wanted:
                changes = {"storageClass": config.stored_as, "dimensions": frozenset([config.sharded_by])}
                setattr(self, name, dataclasses.replace(getattr(self, name), **changes))
            else:
                delattr(self, name)


class SourceReferenceMetricsConnections(
    ReferenceConnections,
    dimensions=("instrument", "visit"),
    defaultTemplates={"source": "source", **_REFCATS},
):
    """A visit's source table and a reference catalogue in, rows of results
    out.
    """

    table = Input(
        doc="Sources of a visit, or those that are matched already.",
        name="{source}",
        storageClass="ArrowAstropy",
        dimensions=("instrument", "visit"),
        deferLoad=True,
    )
    metrics = results_output("qa_source_reference_metrics", "instrument", "visit")


class ObjectReferenceMetricsConnections(
    ReferenceConnections,
    dimensions=("skymap", "tract"),
    defaultTemplates={"object": "object", **_REFCATS},
):
    """A tract's object table and a reference catalogue in, rows of results
    out.
    """

    table = Input(
        doc="Objects of a tract, or those that are matched already.",
        name="{object}",
        storageClass="ArrowAstropy",
        dimensions=("skymap", "tract"),
        deferLoad=True,
    )
    metrics = results_output("qa_object_reference_metrics", "skymap", "tract")


class ReferenceMetricsConfig(MetricsConfig, pipelineConnections=PipelineTaskConnections):
    """Configuration that both tasks share."""

    radius = RangeField(
        dtype=float,
        doc="Largest distance of a detection from its reference star, in arcsec.",
        default=1.0,
        min=0.0,
        max=60.0,
    )
    flux = Field[str](
        doc="Column of the reference catalogue's fluxes; {band} stands for the band. Empty where magnitudes"
        " are not compared.",
        default="monster_ComCam_{band}_flux",
    )
    separate_photometry = Field[bool](
        doc="Whether fluxes are those of another reference catalogue than positions.", default=False
    )
    matched = Field[bool](
        doc="Whether the table holds pairs already, with columns that end in _target and _ref.",
        default=False,
    )
    sharded_by = Field[str](
        doc="Pixels of the sky that the catalogues are divided by, as htm7 or healpix5.", default="htm7"
    )
    stored_as = ChoiceField[str](
        doc="Storage class of the shards; the file tells the rest.",
        allowed={
            "ArrowAstropy": "A table in Parquet, or what converts to one.",
            "SimpleCatalog": "An afw catalogue; afw need not be there.",
        },
        default="ArrowAstropy",
    )


class SourceReferenceMetricsConfig(
    ReferenceMetricsConfig, pipelineConnections=SourceReferenceMetricsConnections
):
    """Configuration of `SourceReferenceMetricsTask`."""

    table: ClassVar[str] = "source_reference"


class ObjectReferenceMetricsConfig(
    ReferenceMetricsConfig, pipelineConnections=ObjectReferenceMetricsConnections
):
    """Configuration of `ObjectReferenceMetricsTask`."""

    table: ClassVar[str] = "object_reference"


class ReferenceMetricsTask(MetricsTask):
    """Match a table to a reference catalogue, and measure the pairs."""

    ConfigClass = ReferenceMetricsConfig
    detections: ClassVar[str]

    def open(self, butlerQC: Any, inputRefs: Any, stack: contextlib.ExitStack) -> Readable:
        """Open the table, and match it shard by shard.

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
            The pairs.

        Raises
        ------
        lsst.pipe.base.NoWorkFound
            Raised if no shard overlaps.
        """
        table = stack.enter_context(opened(butlerQC.get(inputRefs.table)))
        config = cast(ReferenceMetricsConfig, self.config)
        if config.matched:
            return with_nearest(table, TABLES[config.table])
        data_id = butlerQC.quantum.dataId
        bands = bands_of(table, TABLES[self.detections]) if self.detections == "object" else ("",)
        own = data_id["band"] if "band" in data_id else ""
        light = {band: config.flux.format(band=band or own) for band in bands} if config.flux else {}
        separate = config.separate_photometry
        names = cast(Any, config).connections
        used = [(names.refcat, inputRefs.shards, True, {} if separate else light)]
        if separate:
            used.append((names.photometricRefcat, inputRefs.photometric, False, light))
        catalogues = [
            self.catalogue(butlerQC.get(refs), places, fluxes) for _, refs, places, fluxes in used if refs
        ]
        if lacking := [name for name, refs, *_ in used if not refs]:
            told = (
                f"The input collections have no shard of the reference catalogue {' or '.join(lacking)},"
                f" stored by {config.sharded_by}, that overlaps; another one's name and pixels are parameters"
                " of the pipeline (refcat, photometricRefcat, refcatShardedBy)."
            )
            if not catalogues:
                raise NoWorkFound(told)
            self.log.warning("%s What is compared with it is empty.", told)
        return ReferencePairs(table, self.detections, catalogues, config.radius, middle_of(data_id), self.log)

    def catalogue(self, handles: Sequence[Any], places: bool, fluxes: dict[str, str]) -> Catalogue:
        """Say what shards are used for.

        Parameters
        ----------
        handles : `~collections.abc.Sequence`
            The shards.
        places : `bool`
            Whether their positions are compared.
        fluxes : `dict` [`str`, `str`]
            Columns of fluxes by band.

        Returns
        -------
        catalogue : `Catalogue`
            To be read shard by shard.
        """
        return Catalogue([functools.partial(opened, handle) for handle in handles], places, fluxes)


class SourceReferenceMetricsTask(ReferenceMetricsTask):
    """Measure a visit's sources against a reference catalogue: AA1 and its
    parts, photometric offsets.
    """

    ConfigClass = SourceReferenceMetricsConfig
    _DefaultName = "sourceReferenceMetrics"
    detections: ClassVar[str] = "source"


class ObjectReferenceMetricsTask(ReferenceMetricsTask):
    """Measure a tract's objects against a reference catalogue: AA1, PA3 to
    PA6, PF2.
    """

    ConfigClass = ObjectReferenceMetricsConfig
    _DefaultName = "objectReferenceMetrics"
    detections: ClassVar[str] = "object"


def middle_of(data_id: Any) -> float:
    """Return the middle of a visit.

    Parameters
    ----------
    data_id : `lsst.daf.butler.DataCoordinate`
        Data ID, with records.

    Returns
    -------
    mjd : `float`
        MJD (TAI); NaN for what has no time.
    """
    if not data_id.hasRecords() or "visit" not in data_id.dimensions.elements:
        return float("nan")
    span = data_id.records["visit"].timespan
    if span is None or span.begin is None or span.end is None:
        return float("nan")
    return float((span.begin + 0.5 * (span.end - span.begin)).tai.mjd)
