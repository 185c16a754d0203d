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

"""Finding the tables of a data ID in a repository, and opening them."""

from __future__ import annotations

__all__ = ["StoredTable", "find_tables", "opened", "visits_of"]

import contextlib
import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from ..errors import CollectionError
from ..tables.files import open_table
from ..tables.readable import Readable
from .stored import REPOSITORY_LOCK, known_butler

if TYPE_CHECKING:
    from lsst.daf.butler import Butler, DatasetRef

_FREE = frozenset({"instrument", "skymap", "band", "physical_filter", "day_obs"})
"""Dimensions that a table may have and who asks need not name."""
_PLACES = frozenset({"visit", "exposure", "tract"})
_MOST = 200


class StoredTable(NamedTuple):
    """A table in a repository.

    Attributes
    ----------
    repo : `str`
        Root of the repository.
    uuid, dataset_type, run : `str`
        Which dataset it is.
    data_id : `tuple` [`tuple` [`str`, `str` or `int`], ...]
        What it is of, by dimension.
    """

    repo: str
    uuid: str
    dataset_type: str
    run: str
    data_id: tuple[tuple[str, Any], ...]


def find_tables(
    repo: str, names: Sequence[str], data_id: Mapping[str, Any], seen_by: str | None = None
) -> list[StoredTable]:
    """Find the tables of a data ID.

    Parameters
    ----------
    repo : `str`
        A repository that the database knows.
    names : `~collections.abc.Sequence` [`str`]
        Names of dataset types, or patterns of them, the best first.
    data_id : `~collections.abc.Mapping` [`str`, `typing.Any`]
        A visit or exposure with its instrument, or a tract with its skymap,
        and what narrows it; those that are `None` are left out.
    seen_by : `str`, optional
        The run whose inputs are asked for.

    Returns
    -------
    tables : `list` [`StoredTable`]
        In the order of the names; of one name first what that run found in
        the collections it read, then the latest run.

    Raises
    ------
    CollectionError
        Raised if the repository cannot be opened.
    """
    given = {name: value for name, value in data_id.items() if value is not None}
    with REPOSITORY_LOCK:
        butler = known_butler(repo)
        registered = list(butler.registry.queryDatasetTypes(list(names)))
        # Those that are asked for with the same dimensions at once.
        alike: dict[frozenset[str], list[str]] = {}
        for kind in registered:
            required = set(kind.dimensions.required)
            # A table of one detector is no table of its visit.
            if required & _PLACES and not required - _FREE - set(given):
                alike.setdefault(frozenset(kind.dimensions.names & set(given)), []).append(kind.name)
        order = _order(butler, seen_by)
        found: list[DatasetRef] = []
        for dimensions, kinds in alike.items():
            found += _datasets(butler, kinds, data_id={name: given[name] for name in dimensions})

    def rank(ref: DatasetRef) -> int:
        return next(k for k, name in enumerate(names) if fnmatch.fnmatchcase(ref.datasetType.name, name))

    found.sort(key=lambda ref: (ref.run, ref.id), reverse=True)
    found.sort(key=lambda ref: order.get(ref.run, len(order)))
    return [_stored(repo, ref) for ref in sorted(found, key=rank)]


def _order(butler: Butler, seen_by: str | None) -> dict[str, int]:
    """Tell in which order a run found its inputs: in that of the collection
    that was made for it, which begins with the run itself.
    """
    from lsst.daf.butler import MissingCollectionError

    try:
        parents = butler.collections.get_info(seen_by, include_parents=True).parents if seen_by else None
    except MissingCollectionError:
        return {}  # its results came from elsewhere
    chains = [tuple(butler.collections.query(name, flatten_chains=True)) for name in sorted(parents or ())]
    own = [chain for chain in chains if chain[0] == seen_by and len(chain) > 1]
    # Of several the first that was made for this run alone is the shortest.
    chosen = min(own, key=len, default=())
    return {run: place for place, run in enumerate(chosen)}


def _datasets(butler: Butler, names: Sequence[str], **selection: Any) -> list[DatasetRef]:
    from lsst.daf.butler import ButlerUserError

    try:
        return butler.query_all_datasets("*", name=list(names), find_first=False, limit=-_MOST, **selection)
    except (ButlerUserError, LookupError):
        return []  # of an instrument or skymap that this repository does not know


def _stored(repo: str, ref: DatasetRef) -> StoredTable:
    data_id = tuple(sorted(ref.dataId.required.items()))
    return StoredTable(repo, str(ref.id), ref.datasetType.name, ref.run, data_id)


def visits_of(
    repo: str, names: Sequence[str], instrument: str, visits: Sequence[int], seen_by: str | None = None
) -> list[StoredTable]:
    """Find the tables of visits.

    Parameters
    ----------
    repo : `str`
        A repository that the database knows.
    names : `~collections.abc.Sequence` [`str`]
        Names of dataset types, the best first.
    instrument : `str`
        The instrument.
    visits : `~collections.abc.Sequence` [`int`]
        The visits, no more than 200.
    seen_by : `str`, optional
        The run whose inputs are asked for.

    Returns
    -------
    tables : `list` [`StoredTable`]
        One of each visit that has one, all of one dataset type; that of the
        run's inputs, or else the latest run's.

    Raises
    ------
    CollectionError
        Raised if the repository cannot be opened.
    """
    among = ", ".join(str(int(visit)) for visit in visits)
    where = f"instrument = asked AND visit IN ({among})"
    for name in names:
        with REPOSITORY_LOCK:
            butler = known_butler(repo)
            kinds = butler.registry.queryDatasetTypes([name])
            if not any(set(kind.dimensions.required) == {"instrument", "visit"} for kind in kinds):
                continue
            refs = _datasets(butler, [name], where=where, bind={"asked": instrument})
            order = _order(butler, seen_by)
        best: dict[Any, DatasetRef] = {}
        refs.sort(key=lambda ref: (ref.run, ref.id))
        for ref in sorted(refs, key=lambda ref: -order.get(ref.run, len(order))):
            best[ref.dataId["visit"]] = ref
        if best:
            return [_stored(repo, best[visit]) for visit in sorted(best)]
    return []


@contextlib.contextmanager
def opened(table: StoredTable) -> Iterator[Readable]:
    """Open a table so that it can be read in pieces.

    Parameters
    ----------
    table : `StoredTable`
        The table.

    Yields
    ------
    source : `Readable`
        The table.

    Raises
    ------
    CollectionError
        Raised if it is not there any more.
    NotATableError
        Raised if its file is no table.
    """
    with REPOSITORY_LOCK:
        butler = known_butler(table.repo)
        ref = butler.get_dataset(UUID(table.uuid))
        try:
            uri = None if ref is None else butler.getURI(ref)
        except (FileNotFoundError, RuntimeError):
            uri = None
    if uri is None or uri.fragment:
        raise CollectionError(f"The file of {table.dataset_type} is not in its repository any more.")
    try:
        with uri.as_local() as local:
            yield open_table(local.ospath)
    except OSError as error:
        raise CollectionError(f"The file of {table.dataset_type} cannot be read any more.") from error
