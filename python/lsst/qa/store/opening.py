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

"""From what a user names to where measurements come from."""

from __future__ import annotations

__all__ = ["open_source", "parse_time"]

import datetime
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from ..results import run_time
from .file_source import FileSource, holds_measurements
from .repository_source import RepositorySource
from .source import Source


def parse_time(text: str | None) -> datetime.datetime | None:
    """Understand a time that a user gives.

    Parameters
    ----------
    text : `str` or `None`
        An ISO time; UTC if it names no zone.

    Returns
    -------
    time : `datetime.datetime` or `None`
        UTC, without a zone.

    Raises
    ------
    InputError
        Raised if that is no time.
    """
    try:
        return run_time("", text)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{text!r} is no time: expected one such as 2026-11-22T05:00:00.") from error


def open_source(
    repo: str, collections: Sequence[str], where: str = "", made: datetime.datetime | None = None
) -> Source:
    """Find the measurements that a user names.

    Parameters
    ----------
    repo : `str`
        Path, URI or alias of a Butler repository; or a Job file of
        lsst.verify, a folder of such, or a package of metrics.
    collections : `~collections.abc.Sequence` [`str`]
        Names or patterns of collections of the repository.
    where : `str`, optional
        Expression that the data IDs must fulfil.
    made : `datetime.datetime`, optional
        When a Job was made that does not say so; UTC, without a zone.

    Returns
    -------
    source : `Source`
        What was found.

    Raises
    ------
    CollectionError
        Raised if there is nothing.
    InputError
        Raised if the expression is wrong, if no collection is named of a
        repository, or if one is of files.
    """
    path = Path(repo)
    if holds_measurements(path):
        if collections or where:
            raise InputError(f"{repo} is no repository: it has no collections and no data IDs to select.")
        return FileSource(path, made)
    if made is not None:
        raise InputError("A time is for Jobs in files; a repository knows when its datasets were made.")
    if not collections:
        raise InputError(f"Name the collections of {repo!r}.")
    return RepositorySource(repo, collections, where)
