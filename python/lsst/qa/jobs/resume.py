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

"""What a run of pipetask that was cut off has left in the repository."""

from __future__ import annotations

__all__ = ["was_begun"]

import contextlib

# CollectionType is public, which type checkers are not told.
from lsst.daf.butler import Butler, CollectionType, MissingCollectionError  # type: ignore[attr-defined]

from ..errors import CollectionError
from ..store.repository import open_repository


def was_begun(repo: str, run: str, chain: str, inputs: str) -> bool:
    """Tell whether pipetask got as far as making its collections.

    If it was cut off after the first of the two, the second is made.

    Parameters
    ----------
    repo : `str`
        Path, URI or label of a repository.
    run : `str`
        The RUN collection.
    chain : `str`
        The chained collection of it and the inputs.
    inputs : `str`
        Input collections, separated by commas.

    Returns
    -------
    begun : `bool`
        Whether pipetask can go on with the run.
    """
    try:
        butler, _ = open_repository(repo)
    except CollectionError:
        return False
    with contextlib.closing(butler):
        if not _has(butler, run):
            return False
        whole = _has(butler, chain) and run in butler.collections.get_info(chain).children
    if not whole:
        with contextlib.closing(Butler.from_config(repo, writeable=True)) as writeable:
            writeable.collections.register(chain, CollectionType.CHAINED)
            writeable.collections.redefine_chain(chain, [run, *inputs.split(",")])
    return True


def _has(butler: Butler, collection: str) -> bool:
    try:
        butler.collections.get_info(collection)
    except MissingCollectionError:
        return False
    return True
