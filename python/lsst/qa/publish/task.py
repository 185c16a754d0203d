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

from lsst.pex.config import Field, ListField
from lsst.pipe.base import NoWorkFound, PipelineTask, PipelineTaskConfig, Struct
from lsst.pipe.base.connectionTypes import Output

from ..errors import QaError
from ..readers.connections import STORAGE_CLASS, ResultsConnections
from ..store.database import connect
from ..store.reading import Stored, read_dataset
from .entries import Planned
from .ledger import Ledger
from .publishing import naming_of
from .settings import Settings
from .shelf import Found, Shelf, found_of
from .targets.opening import open_target
from .uploader import upload


class PublishMetricsConnections(ResultsConnections, dimensions=()):
    """All results of the input collections in, a report out."""

    report = Output(
        doc="What became of the results at each target.",
        name="qa_publication",
        storageClass="StructuredDataDict",
        dimensions=(),
    )


class PublishMetricsConfig(PipelineTaskConfig, pipelineConnections=PublishMetricsConnections):
    """Configuration of `PublishMetricsTask`."""

    targets = ListField[str](
        doc="URLs of targets, or their names in the settings; nothing secret belongs here.",
        default=["sqlite:///qa-metrics.sqlite3"],
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
        for handle in (self._handles[name] for name in datasets):
            ref = handle.ref
            uri = handle.butler.getURI(ref)
            stored = Stored(str(ref.id), ref.run, ref.datasetType.name, STORAGE_CLASS, uri)
            yield found_of(*read_dataset(stored))
