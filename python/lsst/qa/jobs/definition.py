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

"""Declarations of jobs: what a YAML file may say, and what is wrong with it
if it says something else.
"""

from __future__ import annotations

__all__ = ["BUILT_IN", "JobDefinition", "Then", "read_definition"]

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from ..errors import DefinitionError, closest
from .parameters import Declared, Parameter
from .templates import fields_of

BUILT_IN = {
    "job": "the readable name of the job",
    "work": "a folder of the job's own, on the worker's computer",
    "here": "the folder of the declaration",
}
"""What a text may name between braces besides the job's parameters."""

_NAME = r"[a-z][a-z0-9_-]{0,39}"


class Then(Declared):
    """What follows the pipeline; in this order, each if it is asked for."""

    gather: bool = False
    """Whether to make one table of the results."""

    harvest: bool = False
    """Whether to read execution figures and logs into the database."""

    load: bool = False
    """Whether to load the results into the database of the jobs."""

    publish: list[str] = []
    """Targets to publish the results to: URLs, or names in the settings."""

    check: Literal["minimum", "design", "stretch"] | None = None
    """Thresholds to judge the results by."""

    @model_validator(mode="after")
    def _judges_what_is_loaded(self) -> Self:
        if self.check and not self.load:
            raise ValueError(
                f"check is {self.check!r}, but only what is loaded can be judged: add load: true"
            )
        return self


class JobDefinition(Declared):
    """A declared job."""

    name: Annotated[str, Field(pattern=f"^{_NAME}$")]
    """Name of the file, without its ending."""

    title: Annotated[str, Field(min_length=1, max_length=100)]
    """A few words."""

    description: str = ""
    """A few sentences."""

    parameters: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Parameter] = {}
    """What whoever starts the job may choose."""

    simulate: dict[Literal["stars", "galaxies", "visits", "bands", "tracts", "seed"], int | str] | None = None
    """Options of a survey to simulate first, into ``repo``."""

    repo: Annotated[str, Field(min_length=1)]
    """Path, URI or label of a Butler repository."""

    pipeline: Annotated[str, Field(min_length=1)]
    """File of the pipeline, and ``#`` and labels for a part of it."""

    input: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]
    """Input collections."""

    output: str = "qa/{job}"
    """Chained collection of inputs and results, new for each job."""

    where: list[str] = []
    """Parts of the data query, all of which must hold; one that names a
    parameter without a value is left out."""

    config: dict[Annotated[str, Field(pattern=r"^[^:=\s]+:[^:=\s]+$")], bool | int | float | str] = {}
    """Values of configuration fields, by ``label:field``."""

    processes: int | str = 1
    """Number of processes of the pipeline; or a parameter that tells it."""

    timeout: Annotated[int, Field(ge=1)] | None = None
    """Seconds that a quantum may take, if there are several processes."""

    attempts: Annotated[int, Field(ge=1, le=100)] = 3
    """How many workers may take up the job, one after the other, if they
    disappear."""

    then: Then = Then()
    """What follows."""

    folder: Path
    """Where the declaration is."""

    @model_validator(mode="after")
    def _names_what_exists(self) -> Self:
        if wrong := _wrong_fields(self):
            raise ValueError("\n".join(wrong))
        return self

    def texts(self) -> dict[str, str]:
        """List the texts that may name parameters.

        Returns
        -------
        texts : `dict` [`str`, `str`]
            By key; those of ``where`` apart.
        """
        texts = {} if isinstance(self.processes, int) else {"processes": self.processes}
        texts |= {"repo": self.repo, "pipeline": self.pipeline, "output": self.output}
        texts.update({f"input.{number}": text for number, text in enumerate(self.input)})
        for key, values in (("simulate", self.simulate or {}), ("config", self.config)):
            texts.update({f"{key}.{name}": value for name, value in values.items() if isinstance(value, str)})
        return texts


def _wrong_fields(job: JobDefinition) -> list[str]:
    """Say which texts name something that is none, or lack something."""
    wrong, used = [], set()
    known = {*job.parameters, *BUILT_IN}
    clauses = {f"where.{number}": text for number, text in enumerate(job.where)}
    for key, text in (job.texts() | clauses).items():
        try:
            named = fields_of(text)
        except ValueError as error:
            wrong.append(f"{key}: {error}, found {text!r}")
            continue
        used |= named
        for name in sorted(named - known):
            wrong.append(f"{key}: there is no {{{name}}}.{closest(name, known) or _listed(known)}")
        for name in sorted(named & job.parameters.keys() if key not in clauses else ()):
            if job.parameters[name].optional:
                wrong.append(
                    f"{key}: {{{name}}} may be without a value, which only where allows: give it a default"
                )
    for name in sorted(job.parameters.keys() & BUILT_IN.keys()):
        wrong.append(f"parameters.{name}: {{{name}}} is {BUILT_IN[name]}: choose another name")
    for name in sorted(job.parameters.keys() - used - BUILT_IN.keys()):
        wrong.append(f"parameters.{name}: nothing uses it: write {{{name}}} where it belongs, or remove it")
    counted = [
        p for name, p in job.parameters.items() if job.processes == f"{{{name}}}" and p.type == "integer"
    ]
    least = counted[0].minimum if counted else job.processes
    if not isinstance(least, int) or least < 1:
        wrong.append(
            "processes: expected a number from 1, or an integer parameter whose minimum is 1, "
            f"found {job.processes!r}"
        )
    if "{job}" not in job.output:
        wrong.append(f"output: each job needs one of its own: expected {{job}} in it, found {job.output!r}")
    return wrong


def _listed(names: set[str]) -> str:
    return f" There is {', '.join(f'{{{name}}}' for name in sorted(names))}."


def read_definition(file: Path) -> JobDefinition:
    """Read the declaration of a job.

    Parameters
    ----------
    file : `pathlib.Path`
        YAML file; its name is the name of the job.

    Returns
    -------
    definition : `JobDefinition`
        The declaration.

    Raises
    ------
    DefinitionError
        Raised if it cannot be read or is wrong; lists all faults, each with
        its key, what was found and what would be right.
    """
    try:
        found: Any = yaml.load(file.read_text(encoding="utf-8"), _Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DefinitionError(f"{file}: it cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict):
        raise DefinitionError(f"{file}: expected keys and values, found {_short(found)}")
    reserved = sorted(found.keys() & {"name", "folder"})
    if reserved:
        raise DefinitionError(f"{file}: {reserved[0]}: the file itself tells it: remove the key")
    try:
        return JobDefinition.model_validate({**found, "name": file.stem, "folder": file.parent.resolve()})
    except ValidationError as error:
        faults = (line for one in error.errors() for line in _fault(dict(one)).splitlines())
        raise DefinitionError("\n".join(f"{file}: {fault}" for fault in faults)) from None


class _Loader(yaml.SafeLoader):
    """Refuses a key that is there twice, of which YAML keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key!r} is there twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


def _fault(error: dict[str, Any]) -> str:
    """Write a fault as key, what is wrong, and what was found."""
    place = ".".join(str(part) for part in error["loc"] if part != "[key]")
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        known = _known_keys(error["loc"][:-1])
        hint = closest(str(error["loc"][-1]), known) or f" There is {', '.join(known)}."
        return f"{place}: there is no such key.{hint}"
    if error["type"] == "missing":
        return f"{place}: it is missing"
    if error["type"] == "value_error":
        return f"{place}: {message}" if place else message
    return f"{place}: {message[:1].lower()}{message[1:]}, found {_short(error['input'])}"


def _known_keys(place: tuple[Any, ...]) -> list[str]:
    if not place:
        return sorted(JobDefinition.model_fields.keys() - {"name", "folder"})
    return sorted((Then if place[0] == "then" else Parameter).model_fields)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
