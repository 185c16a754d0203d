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

"""The rows behind a number: those that a metric takes, or one of a table."""

from __future__ import annotations

__all__ = ["Listing", "list_rows"]

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..columns import BAND_PREFIX, TABLES, Table
from ..engine.task import Task, columns_of, mask_of
from ..errors import MissingColumnError
from ..metric import Metric
from ..pieces import Coded, Piece
from ..resolution import Plan, resolve
from ..tables.readable import Readable
from ..tables.reading import Prepared, bands_of
from .declared import KEYS

_USUAL = ("ra", "dec", "band", "psf_mag", "psf_snr", "extendedness", "detector", "visit", "patch")
_UNITS = {"rad": "deg"}


class Listing(NamedTuple):
    """Rows of a table.

    Attributes
    ----------
    columns : `dict` [`str`, `str`]
        Names of the columns and their units; angles are in degrees.
    rows : `list` [`list`]
        Values, in the order of the columns; `None` for what is not finite,
        text for integers that tell rows apart.
    more : `bool`
        Whether there are more rows.
    assumed : `list` [`str`]
        Flags of the selection that the table does not have.
    """

    columns: dict[str, str]
    rows: list[list[Any]]
    more: bool
    assumed: list[str]


def list_rows(
    source: Readable,
    table: str,
    metric: Metric | None = None,
    band: str | None = None,
    where: Mapping[str, int] | None = None,
    key: int | None = None,
    offset: int = 0,
    limit: int = 100,
) -> Listing:
    """List rows of a table, and read no more of it than that needs.

    Parameters
    ----------
    source : `Readable`
        The table.
    table : `str`
        Its kind.
    metric : `Metric`, optional
        Only rows that its selection takes, with the columns that it uses.
    band : `str`, optional
        Band, where columns or rows are of one.
    where : `~collections.abc.Mapping` [`str`, `int`], optional
        Values that columns must have, as a detector's number.
    key : `int`, optional
        Only the rows of this source, object or star, with all that is known.
    offset : `int`, optional
        How many rows to leave out at first.
    limit : `int`, optional
        The most rows to return.

    Returns
    -------
    listing : `Listing`
        The rows, in the table's order.

    Raises
    ------
    MissingColumnError
        Raised if the table has not what the metric uses, or what rows are
        chosen by.
    """
    kind = TABLES[table]
    own = KEYS.get(table, "")
    task = None if metric is None else Task(metric, band if metric.each_band else None)
    wanted = _wanted(source, kind, own, task, band, key is not None)
    narrowed = {**(where or {}), **({own: key} if key is not None else {})}
    by_row = band if band and not kind.by_band else None
    plans, assumed = _plans(source, kind, {*wanted, *narrowed, *(["band"] if by_row else [])})
    # What rows are chosen by has to be there, too.
    needed = (*(columns_of(task) if task is not None else ()), *narrowed)
    if lost := tuple(name for name in needed if name not in plans and name not in assumed):
        raise MissingColumnError(f"{source.name} lacks {', '.join(lost)}, which rows are chosen by.", lost)
    mask = None if task is None else mask_of(task)
    prepared = Prepared(source, [], {}, plans, assumed, frozenset(), kind)
    found: list[Piece] = []
    ahead, missing = offset, limit + 1
    for piece in prepared.pieces(sorted({*plans, *assumed})):
        places = np.flatnonzero(_kept(piece, mask, narrowed, by_row, set(plans)))
        chosen = places[ahead : ahead + missing]
        ahead = max(ahead - len(places), 0)
        found.append(piece.take(chosen))
        missing -= len(chosen)
        if missing <= 0:
            break
    columns = {name: _unit(kind, name) for name in wanted if name in plans}
    rows = [row for piece in found for row in _rows(piece, list(columns), kind)]
    return Listing(columns, rows[:limit], len(rows) > limit, sorted(assumed))


def _wanted(
    source: Readable, kind: Table, own: str, task: Task | None, band: str | None, everything: bool
) -> list[str]:
    """Name the columns to show."""
    prefixes = [f"{one}_" for one in bands_of(source, kind) if band in (None, one)] if kind.by_band else []

    def spelt(name: str) -> list[str]:
        if name in kind.columns:
            return [name]
        return [prefix + name for prefix in prefixes] if BAND_PREFIX + name in kind.columns else []

    names = [own, *(full for name in _USUAL for full in spelt(name))]
    names += columns_of(task) if task is not None else ()
    if everything:
        names += (full for name in kind.columns for full in spelt(name.removeprefix(BAND_PREFIX)))
    return [name for name in dict.fromkeys(names) if name]


def _plans(source: Readable, kind: Table, names: set[str]) -> tuple[dict[str, Plan], dict[str, bool]]:
    plans, assumed = {}, {}
    for name in names:
        found = kind.column(name)
        band = name[0] if kind.by_band and name not in kind.columns else None
        plan = resolve(kind, source.units, name[2:] if band else name, band)
        if plan is not None:
            plans[name] = plan
        elif found is not None and found[0].kind == "flag":
            assumed[name] = bool(found[0].applied)
    return plans, assumed


def _kept(
    piece: Piece,
    mask: Callable[[Any], np.ndarray] | None,
    narrowed: Mapping[str, int],
    band: str | None,
    there: set[str],
) -> np.ndarray:
    kept = np.ones(piece.n_rows, dtype=bool)
    for name, value in narrowed.items():
        kept &= piece[name] == value
    if band and "band" in there:
        column = piece["band"]
        kept &= np.array([one == band for one in column.values], dtype=bool)[column.codes]
    if mask is not None:
        with np.errstate(invalid="ignore"):
            kept &= mask(piece)
    return kept


def _unit(kind: Table, name: str) -> str:
    found = kind.column(name)
    unit = found[0].unit if found is not None else ""
    return _UNITS.get(unit, unit)


def _rows(piece: Piece, names: list[str], kind: Table) -> list[list[Any]]:
    shown = []
    for name in names:
        values, found = piece[name], kind.column(name)
        if isinstance(values, Coded):
            shown.append([values.values[code] for code in values.codes])
        elif found is not None and found[0].unit == "rad":
            shown.append(_plain(np.degrees(values)))
        elif values.dtype.kind in "iu":
            # Text: a browser's numbers have no room for 64 bits.
            shown.append([str(value) for value in values.tolist()])
        else:
            shown.append(_plain(values))
    return [list(row) for row in zip(*shown)] if shown else []


def _plain(values: np.ndarray) -> list[Any]:
    if values.dtype.kind != "f":
        plain: list[Any] = values.tolist()
        return plain
    return [value if np.isfinite(value) else None for value in values.tolist()]
