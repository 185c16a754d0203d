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

"""Columns of Arrow as columns of Astropy."""

from __future__ import annotations

__all__ = ["as_arrow", "as_astropy"]

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from astropy.table import Table

_MEASURED = (
    "value",
    "error",
    "bin_low",
    "bin_high",
    "worst",
    "threshold",
    "before",
    "after",
    "difference",
)
"""Columns that are in the unit of a column ``unit``."""


def as_arrow(content: bytes) -> Any:
    """Read a table as the API sends it.

    Parameters
    ----------
    content : `bytes`
        A stream of Arrow.

    Returns
    -------
    table : `pyarrow.Table`
        The table.
    """
    import pyarrow as pa

    return pa.ipc.open_stream(io.BytesIO(content)).read_all()


def as_astropy(parts: Sequence[Any]) -> Table:
    """Return tables of Arrow as one of Astropy.

    Parameters
    ----------
    parts : `~collections.abc.Sequence` [`pyarrow.Table`]
        Tables of the same columns.

    Returns
    -------
    table : `astropy.table.Table`
        Null is masked; values have the unit that a column ``unit`` tells,
        where it is the same for all rows.
    """
    import numpy as np
    import pyarrow as pa
    from astropy.table import MaskedColumn, Table

    whole = pa.concat_tables(parts)
    table = Table()
    for name, column in zip(whole.column_names, whole.columns):
        mask = column.is_null().to_numpy(zero_copy_only=False)
        table[name] = MaskedColumn(_filled(column), mask=mask) if mask.any() else _filled(column)
    if "unit" in table.colnames and len(units := set(np.ma.compressed(np.ma.asarray(table["unit"])))) == 1:
        _give_units(table, str(units.pop()))
    return table


def _filled(column: Any) -> Any:
    """Return the values of a column, with something where there is none."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us")).to_numpy()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return np.array(pc.fill_null(column, "").to_pylist(), dtype=str)
    if (
        pa.types.is_integer(column.type)
        or pa.types.is_floating(column.type)
        or pa.types.is_boolean(column.type)
    ):
        nothing = False if pa.types.is_boolean(column.type) else 0
        return pc.fill_null(column, nothing).to_numpy()
    return np.array([*column.to_pylist(), None], dtype=object)[:-1]


def _give_units(table: Table, unit: str) -> None:
    from astropy import units

    try:
        known = units.Unit(unit)
    except ValueError:
        return  # a word that only its metric understands
    for name in (
        "value",
        "error",
        "bin_low",
        "bin_high",
        "worst",
        "threshold",
        "before",
        "after",
        "difference",
    ):
        if name in table.colnames:
            table[name].unit = known
