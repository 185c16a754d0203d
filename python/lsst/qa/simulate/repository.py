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

"""A survey written into a Butler repository of its own."""

from __future__ import annotations

__all__ = ["CHAIN", "RUN", "Written", "planned", "write_repository"]

import dataclasses
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SimulationError
from .cadence import visit_ids
from .survey import INSTRUMENT, Survey

if TYPE_CHECKING:
    from lsst.daf.butler import Butler

    from .files import File

RUN = "simulation"

CHAIN = f"{INSTRUMENT}/defaults"

_FORMAT = 3
"""Raised when the same parameters begin to mean another survey."""

_AT_ONCE = 100

Progress = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True)
class Written:
    """What a repository holds.

    Attributes
    ----------
    repo : `str`
        The repository.
    status : `str`
        "created", "unchanged" (it held this survey already) or "planned".
    collection : `str`
        Collection to read from.
    visits, datasets : `int`
        Number of visits and of datasets.
    sources : `int` or `None`
        Number of rows in the tables of sources; not known beforehand.
    survey : `Survey`
        The survey.
    """

    repo: str
    status: str
    collection: str
    visits: int
    datasets: int
    sources: int | None
    survey: Survey

    def sentence(self) -> str:
        """Tell it in words.

        Returns
        -------
        sentence : `str`
            For people.
        """
        size = f"{self.visits} visits, {self.datasets} datasets"
        if self.sources is not None:
            size += f", {self.sources} sources"
        said = {
            "created": f"{self.repo} was made: {size}",
            "unchanged": f"{self.repo} holds this survey already and was left as it is: {size}",
            "planned": f"{self.repo} would be made: {size}",
        }
        return f"{said[self.status]}, in collection {self.collection}."


def write_repository(
    repo: str | os.PathLike[str], survey: Survey, progress: Progress | None = None
) -> Written:
    """Write a survey into a new Butler repository.

    Parameters
    ----------
    repo : `str` or `os.PathLike`
        Directory: absent, empty, or holding this same survey, which is
        then left as it is.
    survey : `Survey`
        The survey.
    progress : `~collections.abc.Callable`, optional
        Called with the steps done and the steps in all.

    Returns
    -------
    written : `Written`
        What it holds now.

    Raises
    ------
    lsst.qa.errors.SimulationError
        Raised if the place holds anything else.

    Notes
    -----
    The repository is made beside its place and moved there when it is whole.
    """
    place = Path(repo).absolute()
    if found := _found(place, survey):
        return found
    place.parent.mkdir(parents=True, exist_ok=True)
    # The Butler takes a directory whose name has a dot for a file.
    making = Path(tempfile.mkdtemp(prefix="simulation-", dir=place.parent))
    try:
        making.chmod(0o755)
        contents = _make(making, survey, progress)
        making.rename(place)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    return _written(place, "created", survey, contents["sources"])


def planned(repo: str | os.PathLike[str], survey: Survey) -> Written:
    """Tell what `write_repository` would do.

    Parameters
    ----------
    repo : `str` or `os.PathLike`
        As there.
    survey : `Survey`
        The survey.

    Returns
    -------
    written : `Written`
        With the status "planned", or "unchanged".

    Raises
    ------
    lsst.qa.errors.SimulationError
        Raised if the place holds anything else.
    """
    place = Path(repo).absolute()
    return _found(place, survey) or _written(place, "planned", survey, None)


def _written(place: Path, status: str, survey: Survey, sources: int | None) -> Written:
    from .files import count_files

    return Written(str(place), status, CHAIN, len(visit_ids(survey)), count_files(survey), sources, survey)


def _make(place: Path, survey: Survey, progress: Progress | None) -> dict[str, Any]:
    """Make a repository in an empty directory; return what it tells."""
    from lsst.daf.butler import Butler

    from .files import count_files, survey_files

    total, sources = count_files(survey), 0
    contents = {"format": _FORMAT, "survey": survey.parameters()}
    butler = Butler.from_config(Butler.makeRepo(str(place)), writeable=True, run=RUN)
    staging = place / "staging"
    staging.mkdir()
    try:
        _register(butler, survey)
        waiting: list[File] = []
        for done, file in enumerate(survey_files(survey, staging, contents), start=1):
            sources += file.rows if file.dataset_type == "source" else 0
            waiting.append(file)
            if len(waiting) == _AT_ONCE or done == total:
                _ingest(butler, waiting)
                waiting = []
            if progress is not None:
                progress(done, total)
    finally:
        butler.close()
    staging.rmdir()
    return {**contents, "sources": sources}


def _register(butler: Butler, survey: Survey) -> None:
    """Insert dimension records, and register collections and dataset types."""
    # CollectionType is public, which type checkers are not told.
    from lsst.daf.butler import CollectionType, DatasetType  # type: ignore[attr-defined]

    from .files import DATASETS
    from .records import dimension_records

    butler.collections.register(CHAIN, CollectionType.CHAINED)
    butler.collections.redefine_chain(CHAIN, RUN)
    for name, (dimensions, storage_class) in DATASETS.items():
        butler.registry.registerDatasetType(
            DatasetType(name, dimensions, storage_class, universe=butler.dimensions)
        )
    with butler.transaction():
        for element, records in dimension_records(survey).items():
            butler.registry.insertDimensionData(element, *records)


def _ingest(butler: Butler, files: list[File]) -> None:
    """Move files into the repository."""
    from lsst.daf.butler import DatasetRef, FileDataset

    datasets = [
        FileDataset(
            path=str(file.path),
            refs=[
                DatasetRef(
                    butler.get_dataset_type(file.dataset_type),
                    butler.registry.expandDataId(file.data_id),
                    run=RUN,
                )
            ],
        )
        for file in files
    ]
    butler.ingest(*datasets, transfer="move")


def _found(place: Path, survey: Survey) -> Written | None:
    """Tell what is in a place, `None` if nothing is."""
    if place.exists() and not place.is_dir():
        raise SimulationError(f"{place} is a file; a simulated repository needs a directory of its own.")
    if not place.is_dir() or not any(place.iterdir()):
        return None
    contents = _contents(place)
    if contents is None:
        raise SimulationError(
            f"{place} is not empty and holds no simulated survey; give an absent or empty directory."
        )
    if contents["format"] != _FORMAT or contents["survey"] != survey.parameters():
        held = {**contents["survey"], "format": contents["format"]}
        asked = {**survey.parameters(), "format": _FORMAT}
        differing = sorted(name for name in held.keys() | asked.keys() if held.get(name) != asked.get(name))
        told = ", ".join(
            f"{name} {held.get(name)!r} there, {asked.get(name)!r} asked for" for name in differing
        )
        raise SimulationError(
            f"{place} holds another simulated survey ({told}); remove it or give another place."
        )
    return _written(place, "unchanged", survey, contents["sources"])


def _contents(place: Path) -> dict[str, Any] | None:
    """Return what a simulated repository tells, `None` if it is none."""
    if not (place / "butler.yaml").is_file():
        return None
    from lsst.daf.butler import Butler, ButlerUserError

    butler = Butler.from_config(str(place / "butler.yaml"), writeable=False)
    try:
        schema = butler.get("qa_truth.schema", instrument=INSTRUMENT, collections=RUN)
    except (ButlerUserError, LookupError):
        return None
    finally:
        butler.close()
    kept = (schema.metadata or {}).get(b"qa.simulation")
    return None if kept is None else json.loads(kept)
