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

"""Publishing as the last step of a pipeline."""

from __future__ import annotations

__all__ = ["PublishMetricsConfig", "PublishMetricsConnections", "PublishMetricsTask"]

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import pyarrow.parquet as pq

from lsst.daf.butler import MissingDatasetTypeError
from lsst.pex.config import Field, ListField
from lsst.pipe.base import NoWorkFound, PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct
from lsst.pipe.base.connectionTypes import Output, PrerequisiteInput

from ..errors import QaError
from ..store.database import connect
from .ledger import Ledger, Planned
from .publishing import naming_of
from .settings import Settings
from .shelf import Found, Shelf, found_of
from .targets.opening import open_target
from .uploader import upload


def _all_there(dataset_type: Any, registry: Any, data_id: Any, collections: Any) -> Iterable[Any]:
    """Find every dataset of a type, whatever its data ID."""
    try:
        return sorted(registry.queryDatasets(dataset_type.name, collections=collections, findFirst=True))
    except MissingDatasetTypeError:
        return []


def _results(name: str, *dimensions: str) -> PrerequisiteInput:
    return PrerequisiteInput(
        doc=f"Rows of results that are stored by {' and '.join(dimensions)}.",
        name=name,
        storageClass="ArrowTable",
        dimensions=dimensions,
        multiple=True,
        deferLoad=True,
        minimum=0,
        lookupFunction=_all_there,
    )


class PublishMetricsConnections(PipelineTaskConnections, dimensions=()):
    """All results of the input collections in, a report out."""

    matched = _results("qa_matched_star_metrics", "instrument", "skymap", "tract")
    objects = _results("qa_object_metrics", "skymap", "tract")
    sources = _results("qa_source_metrics", "instrument", "visit")
    summaries = _results("qa_visit_summary_metrics", "instrument", "visit")
    visits = _results("qa_visit_table_metrics", "instrument")
    report = Output(
        doc="What became of the results at each target.",
        name="qa_publication",
        storageClass="StructuredDataDict",
        dimensions=(),
    )


class PublishMetricsConfig(PipelineTaskConfig, pipelineConnections=PublishMetricsConnections):
    """Configuration of `PublishMetricsTask`."""

    targets = ListField[str](
        doc="URLs of targets, or their names in the settings; nothing secret belongs here.", default=[]
    )
    db = Field[str](doc="Metrics database that holds the ledger.", default="sqlite:///qa-metrics.sqlite3")
    settings = Field[str](doc="File of names, tokens and the like.", default=None, optional=True)

    def validate(self) -> None:
        super().validate()
        if not self.targets:
            raise ValueError("Name at least one target to publish to in 'targets'.")


class PublishMetricsTask(PipelineTask):
    """Send the results of collections to targets, those that they do not have
    yet. A target that is down fails nothing: the report and the log say so,
    and ``lsst-qa publish`` sends the rest later.
    """

    ConfigClass = PublishMetricsConfig
    _DefaultName = "publishMetrics"

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        handles = [handle for _, refs in sorted(inputRefs) for handle in butlerQC.get(refs)]
        butlerQC.put(self.run(handles), outputRefs)

    def run(self, handles: Iterable[Any]) -> Struct:
        """Publish results.

        Parameters
        ----------
        handles : `~collections.abc.Iterable` \
                [`lsst.daf.butler.DeferredDatasetHandle`]
            Datasets of results.

        Returns
        -------
        result : `lsst.pipe.base.Struct`
            ``report``: by target, the number of datasets by state, and why
            it was given up where it was (`dict`).

        Raises
        ------
        lsst.pipe.base.NoWorkFound
            Raised if there are no results.
        """
        shelf = _HandleShelf(handles)
        if not shelf.planned:
            raise NoWorkFound("The input collections hold no results; run a pipeline of metrics first.")
        config = cast(PublishMetricsConfig, self.config)
        report = {url: self._published(shelf, url, config) for url in config.targets}
        self.metadata["n_datasets"] = len(shelf.planned)
        return Struct(report=report)

    def _published(self, shelf: Shelf, url: str, config: PublishMetricsConfig) -> dict[str, Any]:
        settings = Settings.load(config.settings)
        try:
            with contextlib.ExitStack() as stack:
                engine = connect(config.db, create=True)
                stack.callback(engine.dispose)
                target = stack.enter_context(open_target(url, settings))
                ledger = Ledger(engine, settings.lease)
                outcome = upload(shelf, ledger, target, naming_of(settings, url), settings.policy())
        except QaError as error:
            self.log.warning("Nothing was published to %s: %s", url, error)
            return {"counts": {}, "down": str(error)}
        if outcome.down is not None:
            self.log.warning("Not all was published to %s: %s", url, outcome.down)
        if outcome.counts["dead"]:
            self.log.warning("%d datasets are dead letters at %s.", outcome.counts["dead"], url)
        return {"counts": outcome.counts, "down": outcome.down}


class _HandleShelf(Shelf):
    """Datasets that a quantum was given."""

    def __init__(self, handles: Iterable[Any]):
        self._handles: Mapping[str, Any] = {str(h.ref.id): h for h in handles}
        self.planned = [
            Planned(name, handle.ref.run, handle.ref.datasetType.name)
            for name, handle in sorted(self._handles.items())
        ]

    def read(self, datasets: Sequence[str]) -> Iterator[Found]:
        for name in datasets:
            handle = self._handles[name]
            yield found_of(name, handle.ref.run, handle.ref.datasetType.name, _table(handle))


def _table(handle: Any) -> Any:
    """Read a small table, from its file where it has one."""
    with contextlib.suppress(AttributeError), handle.butler.getURI(handle.ref).as_local() as local:
        return pq.read_table(local.ospath)
    return handle.get()
