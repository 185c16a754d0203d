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

"""Parameters of jobs: what whoever starts one may choose."""

from __future__ import annotations

__all__ = ["Declared", "Parameter", "settled"]

import fnmatch
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from ..errors import InputError, closest

_COLLECTION = re.compile(r"\w[\w./+:@-]{0,254}", re.ASCII)
# It would end a text in a data query.
_QUOTE = re.compile(r"['\"\\]")

_MOST_NUMBERS = 1000
_MOST_TEXT = 1000


class Declared(BaseModel):
    """Base of what a declaration consists of."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Parameter(Declared):
    """A parameter of a job."""

    type: Literal["integer", "integers", "string", "collection", "repository"]
    """integer; integers, separated by commas; a string that choices or a
    pattern allow; the name of a collection; a repository that choices or the
    operator allow."""

    description: str = ""
    """What it means."""

    default: int | list[int] | str | None = None
    """Its value if none is given; null if it may be left without. A
    parameter without default has to be given."""

    choices: list[int | str] | None = None
    """All the values that it may have."""

    minimum: int | None = None
    """The least value of an integer."""

    maximum: int | None = None
    """The greatest value of an integer."""

    pattern: str | None = None
    """Regular expression that a whole string must match."""

    @property
    def required(self) -> bool:
        """Whether a value has to be given."""
        return "default" not in self.model_fields_set

    @property
    def optional(self) -> bool:
        """Whether it may be left without a value."""
        return not self.required and self.default is None

    def described(self) -> str:
        """Say which values it may have.

        Returns
        -------
        text : `str`
            For people.
        """
        if self.choices is not None:
            allowed = " or ".join(map(str, self.choices))
        else:
            allowed = self.type if self.pattern is None else f"text like {self.pattern}"
        allowed += "" if self.minimum is None else f" from {self.minimum}"
        allowed += "" if self.maximum is None else f" to {self.maximum}"
        if self.required:
            return f"{allowed}; required"
        return f"{allowed}; {'may be left out' if self.default is None else f'default {self.default}'}"

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        numbers = self.type in ("integer", "integers")
        if self.choices == []:
            raise ValueError("choices is empty: list what is allowed")
        if wrong := [one for one in self.choices or () if isinstance(one, int) != numbers]:
            raise ValueError(f"choices of type {self.type} cannot be {', '.join(map(repr, wrong))}")
        if not numbers and (self.minimum is not None or self.maximum is not None):
            raise ValueError(f"minimum and maximum are for integers, not for type {self.type}")
        if self.pattern is not None and self.type != "string":
            raise ValueError(f"pattern is for type string, not for type {self.type}")
        if self.type == "string" and self.choices is None and self.pattern is None:
            raise ValueError("a string needs choices or a pattern, which say what is allowed")
        try:
            re.compile(self.pattern or "")
        except re.error as error:
            raise ValueError(f"pattern {self.pattern!r} is no regular expression: {error}") from error
        if self.default is not None:
            # The operator who wrote it allows it.
            try:
                self.settle(self.default, ["*"])
            except ValueError as error:
                raise ValueError(f"default: {error}") from error
        return self

    def settle(self, given: Any, repositories: Sequence[str]) -> int | list[int] | str:
        """Check a value, and return it as its type.

        Parameters
        ----------
        given : `object`
            A value, or the text of one.
        repositories : `~collections.abc.Sequence` [`str`]
            Patterns of the repositories that the operator allows.

        Returns
        -------
        value : `int`, `list` [`int`] or `str`
            The value; of a repository that is no label, the whole path.

        Raises
        ------
        ValueError
            Raised if it is not allowed; says what would be.
        """
        value: int | list[int] | str
        if self.type == "integer":
            value = _integer(given)
        elif self.type == "integers":
            value = _integers(given)
        else:
            value = _text(given)
        for one in value if isinstance(value, list) else [value]:
            self._allow(one, repositories)
        return _place(str(value)) if self.type == "repository" else value

    def _allow(self, value: int | str, repositories: Sequence[str]) -> None:
        if self.choices is not None:
            if value not in self.choices:
                raise ValueError(f"expected {' or '.join(map(str, self.choices))}, found {_shown(value)}")
        elif isinstance(value, int):
            low, high = self.minimum, self.maximum
            if (low is not None and value < low) or (high is not None and value > high):
                bounds = [f"at least {low}"] * (low is not None) + [f"at most {high}"] * (high is not None)
                raise ValueError(f"expected {' and '.join(bounds)}, found {value}")
        elif self.type == "string" and (_QUOTE.search(value) or not re.fullmatch(self.pattern or "", value)):
            raise ValueError(f"expected what matches {self.pattern}, without quotes, found {_shown(value)}")
        elif self.type == "collection" and not _COLLECTION.fullmatch(value):
            raise ValueError(f"expected the name of a collection, found {_shown(value)}")
        elif self.type == "repository" and not _is_allowed(value, repositories):
            allowed = ", ".join(repositories) or "none"
            raise ValueError(
                f"{_shown(value)} is not a repository that jobs may use: expected a label of the repository "
                f"index, or what QA_JOBS_REPOSITORIES allows ({allowed})"
            )


def settled(
    parameters: Mapping[str, Parameter], given: Mapping[str, Any], repositories: Sequence[str]
) -> dict[str, Any]:
    """Check the values that were given for the parameters of a job.

    Parameters
    ----------
    parameters : `~collections.abc.Mapping` [`str`, `Parameter`]
        The parameters.
    given : `~collections.abc.Mapping` [`str`, `object`]
        Values or their texts, by name.
    repositories : `~collections.abc.Sequence` [`str`]
        Patterns of the repositories that the operator allows.

    Returns
    -------
    values : `dict` [`str`, `object`]
        The values of all parameters; `None` for one that has none.

    Raises
    ------
    InputError
        Raised if any is unknown, missing or not allowed; lists all faults.
    """
    faults = [
        f"{name}: there is no such parameter.{closest(name, parameters) or _names(parameters)}"
        for name in sorted(given.keys() - parameters.keys())
    ]
    values: dict[str, Any] = {}
    for name, parameter in parameters.items():
        if given.get(name) is None:
            if parameter.required:
                faults.append(f"{name}: it is missing; expected {parameter.type}")
            values[name] = parameter.default
            continue
        try:
            values[name] = parameter.settle(given[name], repositories)
        except ValueError as error:
            faults.append(f"{name}: {error}")
    if faults:
        raise InputError("; ".join(faults))
    return values


def _integer(given: Any) -> int:
    text = str(given).strip()
    if isinstance(given, bool | float) or not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise ValueError(f"expected an integer, found {_shown(given)}")
    return int(text)


def _integers(given: Any) -> list[int]:
    parts = given if isinstance(given, list | tuple) else str(given).split(",")
    if not 1 <= len(parts) <= _MOST_NUMBERS:
        raise ValueError(f"expected 1 to {_MOST_NUMBERS} integers, found {len(parts)}")
    return [_integer(part) for part in parts]


def _text(given: Any) -> str:
    if not isinstance(given, str) or not given.isprintable() or not 1 <= len(given) <= _MOST_TEXT:
        raise ValueError(f"expected a line of text, found {_shown(given)}")
    return given


def _is_allowed(repo: str, patterns: Iterable[str]) -> bool:
    place = _place(repo)
    if place.startswith("-") or ".." in place.split("/"):
        return False
    return place in _labels() or any(fnmatch.fnmatchcase(place, one) for one in patterns)


def _place(repo: str) -> str:
    """Return where a repository is, or its label; links and dots must not
    lead out of what is allowed.
    """
    from lsst.resources import ResourcePath

    if repo in _labels():
        return repo
    uri = ResourcePath(repo)
    return os.path.realpath(uri.ospath) if uri.isLocal else uri.geturl()


def _labels() -> set[str]:
    """List the labels of the repository index."""
    from lsst.daf.butler import Butler

    return Butler.get_known_repos()


def _names(parameters: Mapping[str, Parameter]) -> str:
    return f" There is {', '.join(parameters)}." if parameters else " The job has no parameters."


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
