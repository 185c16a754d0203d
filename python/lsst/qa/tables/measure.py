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

"""Measuring a table, a file or one in memory, without a Butler."""

from __future__ import annotations

__all__ = ["measure", "measure_readable"]

import math
import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..catalogue import METRICS, find, of_table
from ..columns import OBS_MJD
from ..engine import run_metrics, tasks_of
from ..errors import InputError, MissingColumnError
from ..metric import Metric
from ..resolution import resolve
from ..results import DATA_ID, Rows
from .files import open_table
from .nearest import with_nearest
from .readable import Readable, from_arrow, from_astropy, from_columns, from_pandas
from .reading import bands_of, prepare, table_kind

_UTC_BEGAN, _TIME_ENDS = 36934.0, 2973483.0
"""MJD of 1960, before which there is no UTC, and of the year 10000."""


def measure(
    table: Any,
    metrics: Iterable[str | Metric] | str | None = None,
    *,
    kind: str | None = None,
    by: Sequence[str] = (),
    assume_applied: Collection[str] = (),
    **data_id: Any,
) -> Rows:
    """Measure a table.

    Parameters
    ----------
    table : `str`, `~pathlib.Path`, `pyarrow.Table`, `astropy.table.Table`, \
            `pandas.DataFrame`, `numpy.ndarray` or `~collections.abc.Mapping`
        Name of a file (Parquet, FITS, ECSV), or a table in memory.
    metrics : `~collections.abc.Iterable` [`str` or `Metric`], optional
        What to measure, by name; all that the columns allow if not given.
    kind : `str`, optional
        Kind of table, see `lsst.qa.columns.TABLES`; told by the columns if
        not given.
    by : `~collections.abc.Sequence` [`str`], optional
        Columns by whose values to measure apart as well, as "detector".
    assume_applied : `~collections.abc.Collection` [`str`], optional
        Quality columns whose cut is applied already where they are absent.
    **data_id
        Fields that all rows share: band, instrument, tract and the like.

    Returns
    -------
    rows : `Rows`
        Rows of results.

    Raises
    ------
    InputError
        Raised if the table is empty, is of an unknown kind, or lacks the
        columns of a metric that was named.
    UnknownNameError
        Raised if a metric does not exist.
    """
    return measure_readable(
        _readable(table), metrics, kind=kind, by=by, assume_applied=assume_applied, data_id=data_id
    )


def measure_readable(
    source: Readable,
    metrics: Iterable[str | Metric] | str | None,
    *,
    kind: str | None = None,
    by: Sequence[str] = (),
    assume_applied: Collection[str] = (),
    data_id: Mapping[str, Any],
) -> Rows:
    """Measure a table that was opened; see `measure`.

    Parameters
    ----------
    source : `Readable`
        The table.
    metrics : `~collections.abc.Iterable` [`str` or `Metric`], optional
        What to measure.
    kind : `str`, optional
        Kind of table.
    by : `~collections.abc.Sequence` [`str`], optional
        Columns by whose values to measure apart as well.
    assume_applied : `~collections.abc.Collection` [`str`], optional
        Quality columns whose cut is applied already.
    data_id : `~collections.abc.Mapping`
        Fields that all rows share.

    Returns
    -------
    rows : `Rows`
        Rows of results.
    """
    if strange := sorted(set(data_id) - {*DATA_ID, "band"}):
        raise InputError(
            f"{', '.join(strange)}: no field of a data ID; those are band, {', '.join(DATA_ID)}."
        )
    named = None if metrics is None else _declared(metrics)
    found = table_kind(source, kind or _kind_of(named))
    source = with_nearest(source, found)
    if named is not None and (other := [metric.name for metric in named if metric.table != found.name]):
        raise InputError(f"{', '.join(other)}: not of table {found.name!r}, which {source.name} is read as.")
    if source.n_rows == 0:
        raise InputError(f"{source.name} is empty: it has {len(source.units)} columns and no row.")
    asked = tasks_of(of_table(found.name) if named is None else named, bands_of(source, found))
    if not asked:
        raise InputError(f"There is nothing to measure: {source.name} has no column of a band.")
    prepared = prepare(source, asked, detail=by, assume_applied=assume_applied)
    if strange := [name for name in by if name not in DATA_ID or name not in prepared.plans]:
        known = ", ".join(name for name in DATA_ID if resolve(found, source.units, name))
        raise InputError(
            f"{', '.join(map(repr, strange))}: nothing that {source.name} can be measured apart by,"
            f" which is {known or 'nothing'}."
        )
    lacking = [task for task in asked if id(task) in prepared.missing]
    if lacking and (named is not None or not prepared.able):
        faults = "; ".join(prepared.lacking(task) for task in lacking)
        missing = {name for task in lacking for name in prepared.missing[id(task)]}
        raise MissingColumnError(f"{faults}. {prepared.at_hand()}", tuple(sorted(missing)))
    return Rows(with_times(run_metrics(prepared.able, prepared, detail=by, data_id=data_id)))


def with_times(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give rows their observation time where the table states it.

    Parameters
    ----------
    rows : `list` [`dict`]
        Rows, some with an MJD (TAI) in `OBS_MJD`.

    Returns
    -------
    rows : `list` [`dict`]
        Rows with ``obs_time`` (UTC) in its place, null for NaN and for a
        number that is no time.
    """
    days = sorted({day for row in rows if _UTC_BEGAN <= (day := row.get(OBS_MJD) or math.nan) < _TIME_ENDS})
    times: dict[float, Any] = {}
    if days:
        # Leap seconds; only for tables that state a time.
        from astropy.time import Time
        from erfa import ErfaWarning

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ErfaWarning)  # those to come are not known
            times = dict(zip(days, Time(days, format="mjd", scale="tai").utc.to_datetime()))
    return [{**row, "obs_time": times.get(row.get(OBS_MJD, -1.0), row.get("obs_time"))} for row in rows]


def _readable(table: Any) -> Readable:
    if isinstance(table, str | Path):
        return open_table(table)
    kind = type(table).__module__.partition(".")[0]
    if kind == "pyarrow":
        return from_arrow(table)
    if kind == "astropy":
        return from_astropy(table)
    if kind == "pandas":
        return from_pandas(table)
    if kind == "numpy" and table.dtype.names:
        return from_columns({name: table[name] for name in table.dtype.names})
    if isinstance(table, Mapping):
        return from_columns(table)
    raise InputError(
        f"A {type(table).__qualname__} is no table: give a file's name, an Arrow, Astropy, pandas or"
        " structured NumPy table, or arrays by name."
    )


def _declared(metrics: Iterable[str | Metric] | str) -> list[Metric]:
    asked = [metrics] if isinstance(metrics, str) else list(metrics)
    return [find(metric, METRICS) if isinstance(metric, str) else metric for metric in asked]


def _kind_of(metrics: list[Metric] | None) -> str | None:
    """Return the kind of table that metrics are of, if that is one."""
    kinds = {metric.table for metric in metrics or ()}
    return kinds.pop() if len(kinds) == 1 else None
