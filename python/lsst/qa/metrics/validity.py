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

"""Validity: how many values of a column are numbers, and sensible ones, what
range they have, and how many sources there are of each class.
"""

from __future__ import annotations

__all__ = ["CLASSES", "RANGES", "VALIDITY"]

import numpy as np

from ..columns import TABLES
from ..metric import Estimate, Metric
from ..stats import count, fraction, quantile
from .counts import primary

FLUXES = {
    "source": ("psfFlux", "psfFluxErr", "gaussianFlux", "ap09Flux"),
    "object": ("psfFlux", "psfFluxErr", "cModelFlux", "cModelFluxErr", "ap09Flux"),
}
OTHERS = ("extendedness", "ixx", "iyy", "ixy", "ixxPSF", "iyyPSF", "ixyPSF")
POSITION = ("ra", "dec")
REFERENCE = "analysis_tools c74f828, NanFractionMetric, ValidFracColumnMetric"


def nan_fraction(column: np.ndarray) -> Estimate:
    return Estimate(*fraction(np.isnan(column)))


def finite_fraction(column: np.ndarray) -> Estimate:
    return Estimate(*fraction(np.isfinite(column)))


def valid_fraction(column: np.ndarray, *, low: float = 0.1, high: float = 1e9) -> Estimate:
    return Estimate(*fraction((column >= low) & (column < high)))


_KINDS = (
    (nan_fraction, "is not a number", "100 mean(isnan({0}))"),
    (finite_fraction, "is finite", "100 mean(isfinite({0}))"),
    (valid_fraction, "is of a sensible size", "100 mean(0.1 <= {0} < 1e9)"),
)


def _validity(table: str, place: int, column: str) -> Metric:
    """Declare a percentage of the values of a column."""
    function, words, formula = _KINDS[place]
    rows = "source" if table == "source" else "object"
    return Metric(
        name=f"{'coadd_' if table == 'object' else ''}{function.__name__}.{column}",
        function=function,
        table=table,
        unit="%",
        doc=f"Percentage of primary {rows}s whose {column} {words}.",
        formula=formula.format(column),
        reference=REFERENCE,
        rows=primary,
        inputs={"column": column},
    )


VALIDITY = tuple(
    _validity(table, place, column)
    for table, fluxes in FLUXES.items()
    for place, columns in enumerate(
        ((*fluxes, *OTHERS, *POSITION), (*fluxes, *OTHERS, *POSITION), fluxes[:1] + fluxes[-1:])
    )
    for column in columns
)


def percentile(column: np.ndarray, *, percent: float = 1.0) -> Estimate:
    return Estimate(*quantile(column, percent / 100.0))


def _range(table: str, end: str, percent: float, column: str) -> Metric:
    """Declare an end of the range of the values of a column."""
    before, rows = ("", "sources") if table == "source" else ("coadd_", "objects")
    found = TABLES[table].column(column)
    return Metric(
        name=f"{before}range_{end}.{column}",
        function=percentile,
        table=table,
        unit=found[0].unit if found is not None else "",
        doc=f"{end.capitalize()} end of the range of {column} of primary {rows}: its percentile {percent:g}.",
        formula=f"quantile({column}, {percent / 100.0:g}), finite values",
        reference="extremes are set by single rows; percentiles have an error",
        rows=primary,
        constants={"percent": percent},
        inputs={"column": column},
    )


RANGES = tuple(
    _range(table, end, percent, column)
    for table, fluxes in FLUXES.items()
    for column in (*(flux for flux in fluxes if not flux.endswith("Err")), *OTHERS[1:])
    for end, percent in (("low", 1.0), ("high", 99.0))
)


def n_galaxies(extendedness: np.ndarray) -> Estimate:
    return Estimate(*count(extendedness[np.isfinite(extendedness)] >= 0.5))


def n_unclassified(extendedness: np.ndarray) -> Estimate:
    return Estimate(*count(~np.isfinite(extendedness)))


def n_sky(flag: np.ndarray) -> Estimate:
    return Estimate(*count(flag))


def _classes(table: str) -> tuple[Metric, ...]:
    """Declare the counts of each class."""
    rows, before = ("sources", "") if table == "source" else ("objects", "coadd_")
    found = []
    for function, words, formula in (
        (n_galaxies, f"primary {rows} that are extended", "N(detect_isPrimary and extendedness >= 0.5)"),
        (n_unclassified, f"primary {rows} of no known class", "N(detect_isPrimary and no extendedness)"),
        (n_sky, f"sky {rows}, measured where there is nothing", f"N(sky_{rows[:-1]})"),
    ):
        found.append(
            Metric(
                name=f"{before}{function.__name__}",
                function=function,
                table=table,
                unit="",
                doc=f"Number of {words}.",
                formula=f"{formula}, Poisson error",
                reference="SRD unresolved sources, LPM-17",
                rows=None if function is n_sky else primary,
                inputs={"flag": f"sky_{rows[:-1]}"} if function is n_sky else {},
            )
        )
    return tuple(found)


CLASSES = (*_classes("source"), *_classes("object"))
