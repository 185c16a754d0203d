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

"""Making rows of results of what other packages wrote."""

from __future__ import annotations

__all__ = [
    "BANDS",
    "Context",
    "data_id_columns",
    "made_of",
    "number",
    "parse_json",
    "parse_yaml",
    "row",
    "writable",
]

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pyarrow as pa
import yaml

from ..errors import NotATableError
from ..results import DATA_ID, SCHEMA, from_rows

BANDS = frozenset("ugrizy")

_LONGEST_NAME = 500  # what an index can hold, and nobody types
_TEXTS = {name for name in DATA_ID if SCHEMA.field(name).type == pa.string()}


class Context(NamedTuple):
    """What is known of a dataset before it is read.

    Attributes
    ----------
    dataset_type : `str`
        Name of its dataset type.
    data_id : `~collections.abc.Mapping`
        Columns of a row that its data ID fills.
    """

    dataset_type: str
    data_id: Mapping[str, Any]


def parse_json(data: bytes) -> dict[str, Any]:
    """Parse a JSON object.

    Parameters
    ----------
    data : `bytes`
        The text; NaN and infinities are understood.

    Returns
    -------
    found : `dict`
        The object.

    Raises
    ------
    NotATableError
        Raised if it is none.
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NotATableError(f"it is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise NotATableError(f"it holds no JSON object but a {type(found).__name__}")
    return found


def parse_yaml(data: bytes, loader: type[yaml.SafeLoader] = yaml.SafeLoader) -> Any:
    """Parse YAML; nothing in it is executed.

    Parameters
    ----------
    data : `bytes`
        The text.
    loader : `type`, optional
        A safe loader.

    Returns
    -------
    found : `object`
        What it says.

    Raises
    ------
    NotATableError
        Raised if it is no YAML, or if a tag in it is not known.
    """
    try:
        return yaml.load(data, loader)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, AttributeError, LookupError) as error:
        raise NotATableError(f"it is not YAML: {' '.join(str(error).split())}") from error


def row(metric: str, value: Any, unit: Any, data_id: Mapping[str, Any]) -> dict[str, Any]:
    """Make a row of a measurement.

    Parameters
    ----------
    metric : `str`
        Name of the metric.
    value : `object`
        What stands for the value.
    unit : `object`
        What stands for the unit.
    data_id : `~collections.abc.Mapping`
        Columns that the data ID fills.

    Returns
    -------
    row : `dict`
        With status "ok" where there is a finite value, "undefined" where
        there is none, and "failed" where it is no number.
    """
    status, message = "ok", None
    found = number(value)
    if found is None:
        status, message = "failed", f"the value is no number but a {type(value).__name__}"
    elif not math.isfinite(found):
        status, message = "undefined", f"the value is {'null' if value is None else found}"
    unit = writable(unit) if isinstance(unit, str) else ""
    held = {"metric": metric, "value": found, "unit": unit, "status": status, "message": message}
    return {**held, **data_id}


def number(value: Any) -> float | None:
    """Turn what stands for a number into one.

    Parameters
    ----------
    value : `object`
        As parsed.

    Returns
    -------
    number : `float` or `None`
        NaN for null; `None` if it is no number.
    """
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def writable(text: str) -> str:
    """Make a text that every database and file can hold.

    Parameters
    ----------
    text : `str`
        Any text.

    Returns
    -------
    text : `str`
        Without characters that UTF-8 has no code for, and without the null
        character, which no text of PostgreSQL may have.
    """
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def data_id_columns(found: Mapping[str, Any]) -> dict[str, Any]:
    """Pick what fits the columns of a row.

    Parameters
    ----------
    found : `~collections.abc.Mapping`
        Facts by name.

    Returns
    -------
    columns : `dict`
        Columns of the data ID, of their types.
    """
    columns: dict[str, Any] = {}
    for name in DATA_ID:
        value = found.get(name)
        if name in _TEXTS and isinstance(value, str) and value:
            columns[name] = writable(value)
        elif name not in _TEXTS and isinstance(value, int) and abs(value) < 2**63:
            columns[name] = int(value)
    return columns


def made_of(rows: Iterable[Mapping[str, Any]], **facts: str | None) -> pa.Table:
    """Make a table of rows.

    Parameters
    ----------
    rows : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        The rows.
    **facts : `str` or `None`
        What the schema's metadata is to say.

    Returns
    -------
    table : `pyarrow.Table`
        Rows of results.

    Raises
    ------
    NotATableError
        Raised if the name of a metric cannot be written, or is no name.
    """
    held = list(rows)
    for name in (one["metric"] for one in held):
        if writable(name) != name or len(name) > _LONGEST_NAME:
            raise NotATableError(f"{name[:40]!a} is not the name of a metric")
    return from_rows(held, {name: fact for name, fact in facts.items() if fact is not None})
