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

"""What a standard plot is: a function of columns, and where it finds them."""

from __future__ import annotations

__all__ = ["KEYS", "Plot", "Way"]

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from ..columns import TABLES
from ..errors import DefinitionError
from .drawing import Drawing

KEYS = {
    "source": "sourceId",
    "object": "objectId",
    "matched": "star",
    "visit_summary": "detector",
    "truth_match": "objectId",
}
"""Column that tells rows apart, by kind of table."""


@dataclasses.dataclass(frozen=True)
class Way:
    """A kind of table that a plot can be drawn of.

    Attributes
    ----------
    table : `str`
        Kind of table, of `lsst.qa.columns.TABLES`.
    rows : `~collections.abc.Callable` or `None`
        Returns which rows are drawn; its parameters are columns.
    inputs : `~collections.abc.Mapping` [`str`, `str`]
        Column of each parameter whose name is another.
    constants : `~collections.abc.Mapping` [`str`, `typing.Any`]
        Keyword-only parameters of the function.
    """

    table: str
    rows: Callable[..., Any] | None = None
    inputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    constants: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def column(self, parameter: str) -> str:
        """Name the column of a parameter.

        Parameters
        ----------
        parameter : `str`
            A parameter; ``key`` stands for what tells rows apart.

        Returns
        -------
        name : `str`
            The column.
        """
        return self.inputs.get(parameter, KEYS[self.table] if parameter == "key" else parameter)


@dataclasses.dataclass(frozen=True)
class Plot:
    """A standard plot.

    Attributes
    ----------
    name : `str`
        Its name in addresses.
    title : `str`
        Its name on pages.
    doc : `str`
        What it shows, and how a good one looks.
    function : `~collections.abc.Callable`
        Returns a `Drawing` of columns. A parameter with a default is a
        column that it can do without; one that is keyword-only is a
        constant.
    ways : `tuple` [`Way`, ...]
        Tables that it can be drawn of, the best first.
    """

    name: str
    title: str
    doc: str
    function: Callable[..., Drawing]
    ways: tuple[Way, ...]

    def __post_init__(self) -> None:
        constants = {name for name, one in self._parameters() if one.kind is one.KEYWORD_ONLY}
        faults = [
            f"{self.name}: {what}"
            for way in self.ways
            for what in (
                *(f"no kind of table {way.table!r}" for _ in range(way.table not in TABLES)),
                *(f"no constant {name!r}" for name in way.constants if name not in constants),
                *(
                    f"table {way.table!r} has no column {name!r}"
                    for name in (*self.columns(way), *self.selecting(way))
                    if way.table in TABLES and TABLES[way.table].column(name) is None
                ),
            )
        ]
        if faults:
            raise DefinitionError("; ".join(faults))

    def columns(self, way: Way) -> dict[str, bool]:
        """List the columns that the function takes.

        Parameters
        ----------
        way : `Way`
            Where it finds them.

        Returns
        -------
        columns : `dict` [`str`, `bool`]
            Whether it needs them, by name.
        """
        return {
            way.column(name): one.default is one.empty
            for name, one in self._parameters()
            if one.kind is not one.KEYWORD_ONLY
        }

    def selecting(self, way: Way) -> tuple[str, ...]:
        """List the columns that rows are selected by.

        Parameters
        ----------
        way : `Way`
            Where it finds them.

        Returns
        -------
        columns : `tuple` [`str`, ...]
            Their names.
        """
        return tuple(way.column(name) for name in parameters(way.rows))

    def draw(self, way: Way, columns: Mapping[str, Any]) -> Drawing:
        """Call the function.

        Parameters
        ----------
        way : `Way`
            Where it finds its columns.
        columns : `~collections.abc.Mapping` [`str`, `typing.Any`]
            These, by name.

        Returns
        -------
        drawing : `Drawing`
            What it returns.
        """
        given = {
            name: columns[way.column(name)]
            for name, one in self._parameters()
            if one.kind is not one.KEYWORD_ONLY and way.column(name) in columns
        }
        return self.function(**given, **way.constants)

    def _parameters(self) -> list[tuple[str, inspect.Parameter]]:
        return list(inspect.signature(self.function).parameters.items())


def parameters(function: Callable[..., Any] | None) -> list[str]:
    """List the columns that a function takes.

    Parameters
    ----------
    function : `~collections.abc.Callable` or `None`
        The function.

    Returns
    -------
    names : `list` [`str`]
        Parameters that are not keyword-only.
    """
    if function is None:
        return []
    found = inspect.signature(function).parameters
    return [name for name, one in found.items() if one.kind is not one.KEYWORD_ONLY]
