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

"""Metrics as a pipeline names them: from the catalogue, or declared there as
variants.
"""

from __future__ import annotations

__all__ = ["chosen_metrics", "parse_variant"]

import ast
from collections.abc import Iterable, Mapping
from typing import Any

from .catalogue import METRICS, find, of_table
from .errors import DefinitionError, UnknownNameError
from .metric import Metric

_FIELDS = {"doc": str, "inputs": dict, "unit": str}


def parse_variant(name: str, text: str) -> Metric:
    """Declare a variant from its text.

    Parameters
    ----------
    name : `str`
        Name of the variant.
    text : `str`
        The metric that it varies and the constants that differ, as in
        ``PA1(snr_min=100, min_visits=5)``.

    Returns
    -------
    metric : `Metric`
        The declaration.

    Raises
    ------
    DefinitionError
        Raised if the text is not of that form, or the name is taken.
    UnknownNameError
        Raised if there is no such metric.
    """
    if name in METRICS:
        raise DefinitionError(
            f"Variant {name!r} has the name of a metric of the catalogue; it needs one of its own."
        )
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if not isinstance(call, ast.Call) or call.args or not all(word.arg for word in call.keywords):
            raise ValueError("it is no call with named constants")
        changes: dict[str, Any] = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
        if len(changes) < len(call.keywords):
            raise ValueError("it names a constant twice")
        if strange := [
            key for key, kind in _FIELDS.items() if not isinstance(changes.get(key, kind()), kind)
        ]:
            raise ValueError(
                f"{', '.join(strange)} is not {', '.join(_FIELDS[key].__name__ for key in strange)}"
            )
        if "unit" in changes:
            from astropy import units  # only for a variant in another unit

            units.Unit(changes["unit"])
        base = find(ast.unparse(call.func))
    except (SyntaxError, ValueError) as error:
        raise DefinitionError(
            f"Variant {name!r} is declared as {text!r}, but should read like 'PA1(snr_min=100)': {error}."
        ) from None
    constants = {key: value for key, value in changes.items() if key not in _FIELDS}
    fields = {key: value for key, value in changes.items() if key in _FIELDS}
    fields.setdefault(
        "doc", f"{base.doc} With {', '.join(f'{key}={value}' for key, value in changes.items())}."
    )
    # Through ``constants`` a name that is no constant is a fault of the
    # declaration, never another field of it.
    return base.variant(name, constants={**base.constants, **constants}, **fields)


def chosen_metrics(table: str, names: Iterable[str], variants: Mapping[str, str]) -> list[Metric]:
    """Find the metrics that a task is to run.

    Parameters
    ----------
    table : `str`
        Kind of table that the task reads.
    names : `~collections.abc.Iterable` [`str`]
        Names, of the catalogue or of the variants.
    variants : `~collections.abc.Mapping` [`str`, `str`]
        Variants declared beside them, see `parse_variant`.

    Returns
    -------
    metrics : `list` [`Metric`]
        In the order of the names, then the variants not named.

    Raises
    ------
    DefinitionError
        Raised if a metric is of another kind of table.
    UnknownNameError
        Raised if there is no metric of a name; says which are near.
    """
    own = {name: parse_variant(name, text) for name, text in variants.items()}
    known = {**{metric.name: metric for metric in of_table(table)}, **own}
    found: dict[str, Metric] = {}
    for name in [*names, *own]:
        metric = known.get(name) or METRICS.get(name)
        if metric is None:
            raise UnknownNameError("metric", name, known)
        if metric.table != table:
            raise DefinitionError(f"Metric {name!r} is of table {metric.table!r}; this task reads {table!r}.")
        found[name] = metric
    return list(found.values())
