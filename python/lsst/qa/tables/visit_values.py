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

"""Values of visits, taken from rows of results, as a table to measure."""

from __future__ import annotations

__all__ = ["visit_values"]

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from ..columns import TABLES

_VALUES = tuple(column.name for column in TABLES["visit_values"].columns.values() if column.kind == "real")
_KEY = ("instrument", "visit", "band", "physical_filter")


def visit_values(tables: Iterable[pa.Table]) -> pa.Table:
    """Put results of visits side by side, a row per visit and band.

    Parameters
    ----------
    tables : `~collections.abc.Iterable` [`pyarrow.Table`]
        Rows of results. Those of detectors, of bins, without a value or of
        other metrics are left out; of two for one visit the first is kept.

    Returns
    -------
    values : `pyarrow.Table`
        Columns visit, band, physical_filter and one per metric, NaN where
        a visit has no value.
    """
    found: dict[tuple[object, ...], dict[str, float]] = {}
    for table in tables:
        for row in _of_visits(table).to_pylist():
            values = found.setdefault(tuple(row[name] for name in _KEY), {})
            values.setdefault(row["metric"], row["value"])
    keys = sorted(found, key=str)
    columns = {
        name: pa.array([key[place] for key in keys], pa.int64() if name == "visit" else pa.string())
        for place, name in enumerate(_KEY)
        if name != "instrument"
    }
    measured = {name: pa.array([found[key].get(name, float("nan")) for key in keys]) for name in _VALUES}
    return pa.table({**columns, **{name: values.cast(pa.float64()) for name, values in measured.items()}})


def _of_visits(table: pa.Table) -> pa.Table:
    field = pc.field
    wanted = (
        field("visit").is_valid()
        & field("detector").is_null()
        & field("bin_low").is_null()
        & (field("status") == "ok")
        & field("metric").isin(_VALUES)
    )
    return table.filter(wanted).select([*_KEY, "metric", "value"])
