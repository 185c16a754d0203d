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

"""The catalogue: every metric of the package by its name."""

from __future__ import annotations

__all__ = ["METRICS", "described", "find", "of_table"]

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any

from .errors import DefinitionError, UnknownNameError
from .metric import ByBand, Metric, constants_of
from .metrics import (
    astrometry,
    astrometry_peers,
    band_to_band,
    band_to_band_peers,
    coadd,
    completeness,
    correlation,
    counts,
    deblend,
    depth,
    difference,
    ellipticity,
    execution,
    fakes,
    locus,
    masks,
    model_offsets,
    photometry,
    reference,
    reference_photometry,
    repeatability,
    rho,
    seasons,
    shape,
    shape_colour,
    sky,
    survey,
    task_metadata,
    truth_residuals,
    uniformity,
    validity,
    visit,
)

FAMILIES: tuple[ModuleType, ...] = (
    photometry,
    repeatability,
    model_offsets,
    seasons,
    astrometry,
    astrometry_peers,
    band_to_band,
    band_to_band_peers,
    reference,
    reference_photometry,
    uniformity,
    shape,
    ellipticity,
    shape_colour,
    correlation,
    rho,
    locus,
    depth,
    sky,
    counts,
    validity,
    visit,
    survey,
    coadd,
    deblend,
    masks,
    difference,
    fakes,
    completeness,
    truth_residuals,
    execution,
    task_metadata,
)


def _declared(module: ModuleType) -> Iterator[Metric]:
    """Yield the metrics among a module's names, alone or in tuples."""
    for value in vars(module).values():
        members = value if isinstance(value, tuple) else (value,)
        yield from (member for member in members if isinstance(member, Metric))


def _collected(modules: Iterable[ModuleType]) -> dict[str, Metric]:
    found: dict[str, Metric] = {}
    for module in modules:
        for declared in _declared(module):
            if found.setdefault(declared.name, declared) is not declared:
                raise DefinitionError(f"Metric {declared.name!r} is declared twice.")
    return found


METRICS: Mapping[str, Metric] = _collected(FAMILIES)
"""Metrics by name, in the order of the families."""


def find(name: str, known: Mapping[str, Metric] = METRICS) -> Metric:
    """Look a metric up.

    Parameters
    ----------
    name : `str`
        Name in the catalogue.
    known : `~collections.abc.Mapping` [`str`, `Metric`], optional
        Where to look.

    Returns
    -------
    metric : `Metric`
        Its declaration.

    Raises
    ------
    UnknownNameError
        Raised if there is none of that name; says which ones are near.
    """
    if name not in known:
        raise UnknownNameError("metric", name, known)
    return known[name]


def of_table(table: str) -> list[Metric]:
    """List the metrics of a kind of table.

    Parameters
    ----------
    table : `str`
        Kind of table.

    Returns
    -------
    metrics : `list` [`Metric`]
        In the order of the families.
    """
    return [declared for declared in METRICS.values() if declared.table == table]


def described(metric: Metric) -> dict[str, Any]:
    """Say all that is declared of a metric, in plain values.

    Parameters
    ----------
    metric : `Metric`
        The metric.

    Returns
    -------
    facts : `dict`
        Name, doc, formula, unit, table, columns, constants, specs,
        reference, bytes_per_row and where it is defined.
    """
    called = (metric.rows, *metric.steps, metric.shared, metric.function)
    functions = [function for function in called if function is not None]
    constants = {key: value for function in functions for key, value in {**constants_of(function)}.items()}
    return {
        "name": metric.name,
        "doc": metric.doc,
        "formula": metric.formula,
        "unit": metric.unit,
        "table": metric.table,
        "columns": list(metric.columns),
        "constants": {key: _plain(metric.constants.get(key, value)) for key, value in constants.items()},
        "specs": [dataclasses.asdict(spec) for spec in metric.specs],
        "reference": metric.reference,
        "bytes_per_row": metric.bytes_per_row,
        "defined_in": f"{metric.function.__module__}.{metric.function.__qualname__}",
    }


def _plain(value: Any) -> Any:
    """Turn a constant into what JSON can hold."""
    if isinstance(value, ByBand):
        return {"default": value.default, **dict(value.values)}
    return value if not isinstance(value, float) or math.isfinite(value) else str(value)
