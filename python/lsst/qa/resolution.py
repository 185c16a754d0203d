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

"""Finding a column that a metric names in a table of whichever release."""

from __future__ import annotations

__all__ = ["Leaf", "Plan", "fitting_tables", "resolve"]

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from .columns import ANY_BAND, BAND_PREFIX, TABLES, Table
from .errors import InputError
from .pieces import Coded, coded


class Leaf(NamedTuple):
    """A column of the table at hand, as what it is read.

    Attributes
    ----------
    physical : `str`
        Its name there.
    kind : `str`
        What its values become, see `lsst.qa.columns.Column`.
    applied : `bool` or `None`
        For a quality column, the value of a good row.
    """

    physical: str
    kind: str
    applied: bool | None

    def cast(self, values: Any) -> Any:
        """Turn values as they were read into those of the kind.

        Parameters
        ----------
        values : `numpy.ndarray` or `Coded`
            The column as it was read.

        Returns
        -------
        values : `numpy.ndarray` or `Coded`
            As float64, int64, bool, or text as numbers.

        Raises
        ------
        InputError
            Raised if an integer is none, or is too large.
        """
        return _CASTS[self.kind](self, values)


class Plan(NamedTuple):
    """How a column is obtained from a table at hand.

    Attributes
    ----------
    reads : `frozenset` [`Leaf`]
        Columns of the table at hand that it takes.
    compute : `~collections.abc.Callable`
        Takes these by leaf, as their kind, and returns the column.
    """

    reads: frozenset[Leaf]
    compute: Callable[[Mapping[Leaf, Any]], Any]


def resolve(table: Table, available: Mapping[str, str], name: str, band: str | None = None) -> Plan | None:
    """Find how a column is obtained from a table at hand.

    Parameters
    ----------
    table : `Table`
        Kind of table.
    available : `~collections.abc.Mapping` [`str`, `str`]
        The columns at hand and their units, "" where not stated.
    name : `str`
        Column wanted, by its name in ``table``.
    band : `str`, optional
        Band whose columns are meant, in a table with band prefixes.

    Returns
    -------
    plan : `Plan` or `None`
        `None` where the table at hand cannot provide it.

    Raises
    ------
    InputError
        Raised if the column is there in a unit that does not convert.
    """
    found = table.column(name)
    if found is None:
        return None
    column, own_band = found
    band = band if own_band in (None, ANY_BAND) else own_band
    prefix = f"{band}_" if band else ""
    for candidate in column.aliases if column.name in column.aliases else (column.name, *column.aliases):
        physical = candidate.replace(BAND_PREFIX, prefix)
        if physical in available:
            leaf = Leaf(physical, column.kind, column.applied)
            factor = _factor(physical, available[physical] or column.stated or "", column.unit)
            return Plan(frozenset([leaf]), _Direct(leaf, factor))
    for way in column.derived:
        plans = [resolve(table, available, needed, band) for needed in way.inputs]
        if all(plans):
            inputs = tuple(plan for plan in plans if plan is not None)
            return Plan(frozenset().union(*(plan.reads for plan in inputs)), _Computed(way.function, inputs))
    return None


def fitting_tables(available: Mapping[str, str]) -> list[str]:
    """Name the kinds of table that columns at hand may belong to.

    Parameters
    ----------
    available : `~collections.abc.Mapping` [`str`, `str`]
        The columns at hand and their units.

    Returns
    -------
    names : `list` [`str`]
        Kinds whose signature is there, and nothing that they lack; not one
        that another fits as well and says more of.
    """

    def has(table: Table, name: str) -> bool:
        known = table if name in table.columns else TABLES["matched"]
        return name in available or resolve(known, available, name) is not None

    fitting = [
        table
        for table in TABLES.values()
        if all(has(table, name) for name in table.signature)
        and not any(has(table, name) for name in table.without)
    ]
    return [
        table.name
        for table in fitting
        if not any(set(table.signature) < set(other.signature) for other in fitting)
    ]


@dataclasses.dataclass(frozen=True)
class _Direct:
    leaf: Leaf
    factor: float

    def __call__(self, raw: Mapping[Leaf, Any]) -> Any:
        values = raw[self.leaf]
        return values if self.factor == 1.0 else values * self.factor


@dataclasses.dataclass(frozen=True)
class _Computed:
    function: Callable[..., np.ndarray]
    inputs: tuple[Plan, ...]

    def __call__(self, raw: Mapping[Leaf, Any]) -> np.ndarray:
        return self.function(*(plan.compute(raw) for plan in self.inputs))


@functools.cache
def _factor(name: str, unit: str, wanted: str) -> float:
    if not unit or unit == wanted:
        return 1.0
    if (unit, wanted) == ("deg", "rad"):
        return np.pi / 180.0
    from astropy import units  # only for a table in units of its own

    try:
        return float(units.Unit(unit).to(units.Unit(wanted)))
    except (ValueError, units.UnitConversionError):
        if not wanted or _same_written(unit, wanted):
            return 1.0
        raise InputError(f"Column {name!r} is in {unit!r}, which does not convert to {wanted!r}.") from None


def _same_written(unit: str, wanted: str) -> bool:
    """Tell whether two units mean the same, though they do not convert."""
    aliases = {
        "count": "ct",
        "counts": "ct",
        "electron": "adu",
        "mag(AB)": "mag",
        "nJy/count": "nJy/ct",
        "pixel^2": "pixel2",
    }
    return aliases.get(unit, unit) == wanted


def _as_real(leaf: Leaf, values: Any) -> np.ndarray:
    if _is_text(values):
        raise InputError(f"Column {leaf.physical!r} holds text; it must hold numbers.")
    return np.asarray(values, dtype=np.float64)


def _as_int(leaf: Leaf, values: Any) -> np.ndarray:
    if _is_text(values) or values.dtype.kind not in "iu":
        held = "text" if _is_text(values) else values.dtype
        raise InputError(
            f"Column {leaf.physical!r} holds {held}; it must hold integers without nulls"
            " (an id read as a float has lost digits)."
        )
    if values.dtype.kind == "u" and values.size and values.max() > np.iinfo(np.int64).max:
        raise InputError(f"Column {leaf.physical!r} holds ids beyond 2^63 - 1, which int64 cannot hold.")
    return values.astype(np.int64, copy=False)


def _as_flag(leaf: Leaf, values: Any) -> np.ndarray:
    if _is_text(values):
        raise InputError(f"Column {leaf.physical!r} holds text; it must hold flags.")
    if values.dtype.kind == "b":
        return values
    # A quality flag that is not known does not make a good row.
    unknown = np.array([value is None or value != value for value in values.tolist()], dtype=bool)
    filled = np.where(unknown, not leaf.applied, values) if unknown.any() else values
    return filled.astype(bool)


def _is_text(values: Any) -> bool:
    if isinstance(values, Coded) or values.dtype.kind in "US":
        return True
    return values.dtype.kind == "O" and any(isinstance(value, str | bytes) for value in values.tolist())


def _as_text(leaf: Leaf, values: Any) -> Coded:
    return values if isinstance(values, Coded) else coded(values)


_CASTS: dict[str, Callable[[Leaf, Any], Any]] = {
    "real": _as_real,
    "int": _as_int,
    "flag": _as_flag,
    "text": _as_text,
}
