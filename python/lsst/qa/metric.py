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

"""What a metric is: a declared function, checked when it is declared.

Two shapes exist. A metric over columns is one function: its parameters are the
columns it needs, whole and of the selected rows, and it returns an `Estimate`.
A metric over groups (a star and its visits) has ``steps`` before that
function: the first takes `~lsst.qa.stats.Groups` and columns and may run on
any part of the groups; the following take what the one before them returned,
by name.
"""

from __future__ import annotations

__all__ = ["CONTEXT", "ByBand", "Estimate", "Metric", "Spec", "metric", "srd"]

import dataclasses
import functools
import inspect
import re
import types
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .columns import ANY_BAND, TABLES
from .errors import DefinitionError, closest
from .spec import Spec, srd

CONTEXT = ("band", "instrument")
"""Data parameters that are no columns: what is known of all the rows."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)?")


class Estimate(NamedTuple):
    """A measured value and how sure it is.

    Attributes
    ----------
    value, error : `float`
        The value and its 1-sigma error; NaN where undefined.
    n : `int`
        Size of the sample that the value rests on.
    bin_low, bin_high : `float` or `None`
        Limits of the bin, for a binned metric.
    band : `str` or `None`
        Band that it is of, for a metric across bands.
    """

    value: float
    error: float
    n: int
    bin_low: float | None = None
    bin_high: float | None = None
    band: str | None = None


class ByBand(NamedTuple):
    """A constant that differs in some bands.

    Attributes
    ----------
    default : `float`
        Value in all the other bands, and where the band is not known.
    values : `tuple` [`tuple` [`str`, `float`], ...]
        Bands, as in "uzy", and their value.
    """

    default: float
    values: tuple[tuple[str, float], ...]

    def in_band(self, band: str | None) -> float:
        """Return the value for a band.

        Parameters
        ----------
        band : `str` or `None`
            Name of the band.

        Returns
        -------
        value : `float`
            The constant.
        """
        return next((value for bands, value in self.values if band and band in bands), self.default)


_KINDS: dict[str, Any] = {
    "None": type(None),
    "bool": bool,
    "int": int,
    "float": int | float,
    "str": str,
    "ByBand": ByBand,
}


# Compared by what it is and not by what it says: what follows of a metric is
# looked up by it, thousands of times for every table.
@dataclasses.dataclass(frozen=True, eq=False)
class Metric:
    """A declared metric; wrong declarations are refused with all their faults.

    Attributes
    ----------
    name : `str`
        Name in the catalogue; a variant's has a suffix after a dot.
    function : `~collections.abc.Callable`
        Returns an `Estimate` or a list of them (a binned metric).
    table : `str`
        The kind of input table, see `lsst.qa.columns.TABLES`.
    unit : `str`
        Astropy string of the value's unit, "" if dimensionless.
    doc : `str`
        What is measured, in a sentence.
    formula : `str`
        The definition in one line of mathematics.
    reference : `str`
        Source of the definition.
    rows : `~collections.abc.Callable` or `None`
        Selection: takes columns, returns the mask of the rows to use.
    steps : `tuple` [`~collections.abc.Callable`, ...]
        What comes before the function in a metric over groups.
    shared : `~collections.abc.Callable` or `None`
        What several metrics over columns make of the same rows, which is
        done once: takes columns, and its result is the function's first
        parameter.
    specs : `tuple` [`Spec`, ...]
        Thresholds.
    constants : `dict`
        Constants of this variant that differ from the functions' own.
    inputs : `dict` [`str`, `str`]
        Column to use for a parameter, where it is not its namesake.
    bytes_per_row : `float`
        Memory that it may use per selected row beyond its columns; of a
        metric over groups, what its first step keeps per row.
    across : `tuple` [`str`, ...]
        Columns by whose values this metric over groups is not measured
        apart, though the others of its table are.
    in_detail : `bool`
        Whether it is measured in parts too, as in the detectors of a visit,
        where that is asked for.
    most_rows : `int` or `None`
        Of a larger table, about so many rows are measured, of groups that a
        hash of their key chooses; `None` for all.
    """

    name: str
    function: Callable[..., Any]
    table: str
    unit: str
    doc: str = ""
    formula: str = ""
    reference: str = ""
    rows: Callable[..., Any] | None = None
    steps: tuple[Callable[..., Any], ...] = ()
    shared: Callable[..., Any] | None = None
    specs: tuple[Spec, ...] = ()
    constants: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    inputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    bytes_per_row: float = 32
    in_detail: bool = True
    most_rows: int | None = None
    across: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if faults := self._faults():
            raise DefinitionError(f"Metric {self.name!r} is declared wrongly: {'; '.join(faults)}.")

    @property
    def grouped(self) -> bool:
        """Whether the metric works on groups of rows."""
        return bool(self.steps)

    @functools.cached_property
    def measured(self) -> tuple[str, ...]:
        """What a metric over columns takes, but for its selection."""
        if self.shared is None:
            return positional_of(self.function)
        return tuple(dict.fromkeys((*positional_of(self.shared), *positional_of(self.function)[1:])))

    @functools.cached_property
    def each_band(self) -> bool:
        """Whether it is measured in each band of a table that has columns for
        each.
        """
        found = map(TABLES[self.table].column, self.columns)
        return any(column is not None and column[1] == ANY_BAND for column in found)

    @functools.cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the table's columns that the metric needs, sorted."""
        table = TABLES[self.table]
        group = {table.group} if self.grouped else set()
        return tuple(sorted(group | self._column_parameters()))

    def arguments(self, function: Callable[..., Any], band: str | None) -> dict[str, Any]:
        """Return the constants that a function of this metric is called with.

        Parameters
        ----------
        function : `~collections.abc.Callable`
            The metric's function, selection or one of its steps.
        band : `str` or `None`
            Band, for constants that depend on it.

        Returns
        -------
        constants : `dict` [`str`, `typing.Any`]
            By parameter name.
        """
        merged = {**constants_of(function), **self.constants}
        return {
            name: value.in_band(band) if isinstance(value := merged[name], ByBand) else value
            for name in constants_of(function)
        }

    def variant(self, name: str, **changes: Any) -> Metric:
        """Declare another metric that differs from this one in what is named.

        Parameters
        ----------
        name : `str`
            Name of the new metric; ".x" appends to this one's name.
        **changes
            Fields of `Metric`, or constants of its functions. Thresholds
            are kept unless ``specs`` is given.

        Returns
        -------
        metric : `Metric`
            The new declaration.
        """
        fields = {field.name for field in dataclasses.fields(self)}
        named = {key: value for key, value in changes.items() if key in fields}
        constants = {key: value for key, value in changes.items() if key not in fields}
        named["inputs"] = {**self.inputs, **named.get("inputs", {})}
        # Another function or selection may lack a constant that this variant
        # changed.
        known = _constant_names(named.get(key, getattr(self, key)) for key in ("function", "rows", "shared"))
        known |= _constant_names(named.get("steps", self.steps))
        kept = {key: value for key, value in self.constants.items() if key in known}
        named["constants"] = {**kept, **named.get("constants", {}), **constants}
        full = self.name + name if name.startswith(".") else name
        return dataclasses.replace(self, name=full, **named)

    def _functions(self) -> list[Callable[..., Any]]:
        called = (self.rows, *self.steps, self.shared, self.function)
        return [step for step in called if step is not None]

    def _column_parameters(self) -> set[str]:
        """Return the columns that the selection and the first step take."""
        taken = positional_of(self.steps[0])[1:] if self.steps else self.measured
        if self.rows is not None:
            taken += positional_of(self.rows)
        return {self.inputs.get(name, name) for name in taken if name not in CONTEXT}

    def _faults(self) -> list[str]:
        found = []
        if not _NAME.fullmatch(self.name):
            found.append("the name must be letters, digits and _, with at most one '.suffix'")
        if not self.doc.strip():
            found.append("it has no docstring")
        found += [fault for spec in self.specs for fault in spec.faults()]
        known = _constant_names(self._functions())
        for name in sorted(set(self.constants) - known):
            found.append(f"there is no constant {name!r}.{closest(name, known)}".rstrip("?."))
        kinds = {name: kind for step in self._functions() for name, kind in _annotations(step).items()}
        for name in sorted(set(self.constants) & set(kinds)):
            if not _is_one_of(self.constants[name], kinds[name]):
                found.append(f"constant {name!r} is {self.constants[name]!r}, which is not {kinds[name]}")
        if self.table not in TABLES:
            return [*found, f"there is no table {self.table!r}{closest(self.table, TABLES)}"]
        table = TABLES[self.table]
        for name in sorted(self._column_parameters()):
            if table.column(name) is None:
                found.append(f"table {self.table!r} has no column {name!r}{closest(name, table.columns)}")
        if self.across and not (self.grouped and set(self.across) <= set(table.split)):
            found.append(f"across {self.across!r} is not of groups, and of {table.split!r}")
        if self.grouped and self.shared is not None:
            found.append("a metric over groups has steps, which are shared already")
        if self.grouped and not TABLES[self.table].group:
            found.append(f"table {self.table!r} has no groups for steps to work on")
        return found


def metric(name: str, **fields: Any) -> Callable[[Callable[..., Any]], Metric]:
    """Declare the decorated function to be a metric.

    Parameters
    ----------
    name : `str`
        Name in the catalogue.
    **fields
        Fields of `Metric`; ``doc`` and ``formula`` default to the first
        paragraph and the rest of the docstring.

    Returns
    -------
    decorator : `~collections.abc.Callable`
        Turns the function into a `Metric`.
    """

    def declare(function: Callable[..., Any]) -> Metric:
        summary, _, rest = inspect.cleandoc(function.__doc__ or "").partition("\n\n")
        texts = {"doc": " ".join(summary.split()), "formula": " ".join(rest.split())}
        return Metric(name=name, function=function, **{**texts, **fields})

    return declare


@functools.cache
def positional_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a function's data parameters.

    Parameters
    ----------
    function : `~collections.abc.Callable`
        A metric's function, selection or step.

    Returns
    -------
    names : `tuple` [`str`, ...]
        Parameters that are not keyword-only.
    """
    parameters = inspect.signature(function).parameters.values()
    return tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY)


@functools.cache
def constants_of(function: Callable[..., Any]) -> Mapping[str, Any]:
    """Return a function's constants: its keyword-only parameters.

    Parameters
    ----------
    function : `~collections.abc.Callable`
        A metric's function, selection or step.

    Returns
    -------
    constants : `~collections.abc.Mapping` [`str`, `typing.Any`]
        Name and default value.
    """
    parameters = inspect.signature(function).parameters.values()
    return types.MappingProxyType({p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY})


def _annotations(function: Callable[..., Any]) -> dict[str, str]:
    """Return what is written as the kinds of a function's constants."""
    parameters = inspect.signature(function).parameters.values()
    written = {p.name: p.annotation for p in parameters if p.kind is p.KEYWORD_ONLY}
    return {name: getattr(kind, "__name__", str(kind)) for name, kind in written.items()}


def _is_one_of(value: Any, wanted: str) -> bool:
    """Tell whether a constant is of one of some kinds, as "int | None"."""
    kinds = {name.strip() for name in wanted.split("|")}
    if not kinds <= set(_KINDS):
        return True  # not annotated, or with a kind of its own
    if isinstance(value, bool):
        return "bool" in kinds
    return isinstance(value, tuple(_KINDS[kind] for kind in kinds))


def _constant_names(functions: Any) -> set[str]:
    return {name for function in functions if function is not None for name in constants_of(function)}
