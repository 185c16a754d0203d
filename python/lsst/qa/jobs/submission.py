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

"""Finding declared jobs, and asking for them to be run."""

from __future__ import annotations

__all__ = ["find_definition", "find_definitions", "repositories", "submit"]

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DefinitionError, UnknownNameError
from .definition import JobDefinition, read_definition
from .parameters import settled

if TYPE_CHECKING:
    import sqlalchemy as sa

    from ..store.jobs import Job

SHIPPED = Path(__file__).parents[1] / "resources/config/jobs"
"""The declarations that come with the package."""

_FOLDERS, _REPOSITORIES = "QA_JOBS_PATH", "QA_JOBS_REPOSITORIES"


def find_definitions(folders: Iterable[str | os.PathLike[str]] = ()) -> dict[str, JobDefinition]:
    """Read the declared jobs: those of the package and those of the operator.

    Parameters
    ----------
    folders : `~collections.abc.Iterable` [`str` or `os.PathLike`], optional
        Folders of YAML files, besides those that the environment variable
        ``QA_JOBS_PATH`` lists, separated as in ``PATH``.

    Returns
    -------
    definitions : `dict` [`str`, `JobDefinition`]
        By name, sorted.

    Raises
    ------
    DefinitionError
        Raised if a folder cannot be read, if two files declare one name, or
        if a declaration is wrong; lists the faults of all files.
    """
    listed = filter(None, os.environ.get(_FOLDERS, "").split(os.pathsep))
    found: dict[str, JobDefinition] = {}
    faults = []
    for folder in dict.fromkeys(Path(one).resolve() for one in (SHIPPED, *listed, *folders)):
        if not folder.is_dir():
            faults.append(f"{folder}: there is no such folder of declared jobs")
            continue
        for file in sorted(folder.glob("*.yaml")):
            try:
                definition = read_definition(file)
            except DefinitionError as error:
                faults.append(str(error))
                continue
            if other := found.get(definition.name):
                faults.append(f"{file}: {other.folder} declares a job of this name: rename the file")
            found[definition.name] = definition
    if faults:
        raise DefinitionError("\n".join(faults))
    return dict(sorted(found.items()))


def find_definition(name: str, folders: Iterable[str | os.PathLike[str]] = ()) -> JobDefinition:
    """Look a declared job up.

    Parameters
    ----------
    name : `str`
        Its name.
    folders : `~collections.abc.Iterable` [`str` or `os.PathLike`], optional
        As for `find_definitions`.

    Returns
    -------
    definition : `JobDefinition`
        The declaration.

    Raises
    ------
    UnknownNameError
        Raised if there is none of that name.
    DefinitionError
        Raised if any declaration is wrong.
    """
    known = find_definitions(folders)
    if name not in known:
        raise UnknownNameError("declared job", name, known)
    return known[name]


def repositories() -> tuple[str, ...]:
    """List the repositories that the operator allows jobs to use.

    Returns
    -------
    patterns : `tuple` [`str`, ...]
        Patterns of roots, from the environment variable
        ``QA_JOBS_REPOSITORIES``, which separates them by commas; ``*`` in
        them stands for anything. Labels of the repository index are allowed
        besides.
    """
    listed = os.environ.get(_REPOSITORIES, "").split(",")
    return tuple(one.strip() for one in listed if one.strip())


def submit(
    engine: sa.Engine,
    definition: JobDefinition,
    parameters: Mapping[str, Any],
    user: str | None,
    *,
    allowed: Sequence[str] | None = None,
) -> Job:
    """Ask for a declared job to be run by a worker.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    definition : `JobDefinition`
        The declaration.
    parameters : `~collections.abc.Mapping` [`str`, `object`]
        Values of its parameters, or the texts of them.
    user : `str` or `None`
        Who asks.
    allowed : `~collections.abc.Sequence` [`str`], optional
        Patterns of repositories that may be named; `repositories` by
        default. The worker has a list of its own.

    Returns
    -------
    job : `lsst.qa.store.jobs.Job`
        The job, queued.

    Raises
    ------
    InputError
        Raised if a value is unknown, missing or not allowed; lists all
        faults.
    """
    from ..store.jobs import add_job

    values = settled(definition.parameters, parameters, repositories() if allowed is None else allowed)
    given = {name: values[name] for name in parameters if values[name] is not None}
    return add_job(engine, definition.name, given, user, definition.attempts)
