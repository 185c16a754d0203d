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

"""Finding datasets of results in a Butler repository."""

from __future__ import annotations

__all__ = [
    "GATHERED_TYPE",
    "RESULT_TYPES",
    "Repository",
    "existing_collections",
    "find_results",
    "open_repository",
    "uris",
]

import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lsst.daf.butler import (
    Butler,
    ButlerUserError,
    DatasetRef,
    DatasetType,
    MissingCollectionError,
    MissingDatasetTypeError,
)
from lsst.resources import ResourcePath

from ..errors import CollectionError, InputError, closest
from ..readers import READERS

RESULT_TYPES = ("*_metrics", "metricvalue_*", "*verify_job*")
"""Names of the dataset types of results: of this package and of
analysis_tools, single measurements of lsst.verify, and its Jobs."""

GATHERED_TYPE = "qa_gathered_metrics"
"""Name of the dataset type of gathered results."""

_OWN_CLASS, _OWN_PREFIX = "ArrowTable", "qa_"
_JOB_CLASS = "StructuredDataDict"


class Repository(NamedTuple):
    """A repository that can be read.

    Attributes
    ----------
    butler : `lsst.daf.butler.Butler`
        The open repository.
    root : `str`
        Where it is.
    """

    butler: Butler
    root: str


def open_repository(repo: str) -> Repository:
    """Open a repository to read it.

    Parameters
    ----------
    repo : `str`
        Path, URI or alias of a Butler repository.

    Returns
    -------
    repository : `Repository`
        The open repository.

    Raises
    ------
    CollectionError
        Raised if there is no repository.
    """
    try:
        uri = Butler.get_repo_uri(repo, return_label=True)
        butler = Butler.from_config(repo, writeable=False)
    except (OSError, RuntimeError, ValueError) as error:
        raise CollectionError(
            f"{repo!r} is not a Butler repository: {' '.join(str(error).split())}"
        ) from error
    # Whoever reads it from the database works in another folder.
    return Repository(butler, os.path.abspath(uri.ospath) if uri.isLocal else uri.geturl())


def find_results(butler: Butler, collections: Sequence[str], where: str = "") -> list[DatasetRef]:
    """Find the datasets of results in collections.

    Parameters
    ----------
    butler : `lsst.daf.butler.Butler`
        A repository.
    collections : `~collections.abc.Sequence` [`str`]
        Names or patterns of collections; of a chain all runs count.
    where : `str`, optional
        Expression that the data IDs must fulfil. Gathered tables, which
        have no data ID, are found only without one.

    Returns
    -------
    refs : `list` [`lsst.daf.butler.DatasetRef`]
        Sorted by identifier.

    Raises
    ------
    CollectionError
        Raised if a collection does not exist or holds no results.
    InputError
        Raised if the expression is wrong.
    """
    named = existing_collections(butler, collections)
    try:
        kinds = list(RESULT_TYPES)
        refs = butler.query_all_datasets(named, name=kinds, find_first=False, where=where, limit=None)
    except MissingDatasetTypeError:
        refs = []
    except ButlerUserError as error:
        raise InputError(f"The expression {where!r} does not select datasets: {error}") from error
    found = {ref for ref in refs if _holds_results(ref.datasetType)}
    if where:
        found = {ref for ref in found if ref.dataId.dimensions}
    if not found:
        raise CollectionError(
            f"There are no results in {', '.join(collections)}{' where ' if where else ''}{where}: "
            f"looked for dataset types {_some(RESULT_TYPES)} of storage class {_some(READERS)}; "
            f"{_registered(butler)}."
        )
    return sorted(found, key=lambda ref: ref.id)


def _holds_results(dataset_type: DatasetType) -> bool:
    name, kind = dataset_type.name, dataset_type.storageClass_name
    if kind == _JOB_CLASS:
        return "verify_job" in name
    return kind in READERS and (kind != _OWN_CLASS or name.startswith(_OWN_PREFIX))


def uris(butler: Butler, refs: Iterable[DatasetRef]) -> dict[DatasetRef, ResourcePath]:
    """Say where the files of datasets are.

    Parameters
    ----------
    butler : `lsst.daf.butler.Butler`
        A repository.
    refs : `~collections.abc.Iterable` [`lsst.daf.butler.DatasetRef`]
        Datasets.

    Returns
    -------
    uris : `dict` [`lsst.daf.butler.DatasetRef`, `lsst.resources.ResourcePath`]
        Files by dataset, in the same order; of those that are still stored.
    """
    found = butler.get_many_uris(refs, allow_missing=True)
    places = ((ref, found[ref].primaryURI) for ref in refs if ref in found)
    return {ref: uri for ref, uri in places if uri is not None}


def existing_collections(butler: Butler, collections: Sequence[str]) -> list[str]:
    """Say which collections names and patterns stand for.

    Parameters
    ----------
    butler : `lsst.daf.butler.Butler`
        A repository.
    collections : `~collections.abc.Sequence` [`str`]
        Names or patterns of collections.

    Returns
    -------
    names : `list` [`str`]
        Those that exist, each once.

    Raises
    ------
    CollectionError
        Raised if a name or pattern stands for none.
    """
    found = []
    for collection in collections:
        try:
            named = list(butler.collections.query(collection))
        except MissingCollectionError:
            named = []
        if not named:
            known = butler.collections.query("*")
            raise CollectionError(
                f"There is no collection {collection!r} in the repository."
                + (closest(collection, known) or f" It has {_some(known)}.")
            )
        found += named
    return list(dict.fromkeys(found))


def _registered(butler: Butler) -> str:
    names = [found.name for kind in RESULT_TYPES for found in butler.registry.queryDatasetTypes(kind)]
    return f"the repository knows {_some(names)}" if names else "the repository knows none of that name"


def _some(names: Iterable[str], most: int = 10) -> str:
    listed = sorted(names)
    rest = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + rest if listed else "none"
