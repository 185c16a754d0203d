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

"""Reading what a plot needs of a table, in little memory whatever its size."""

from __future__ import annotations

__all__ = ["MOST_ROWS", "Chosen", "Fit", "fitting", "read_columns"]

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..columns import TABLES
from ..errors import MissingColumnError
from ..pieces import Piece, joined
from ..resolution import Plan, resolve
from ..stats.pairs import hash_order
from ..tables.readable import Readable
from ..tables.reading import Prepared, bands_of
from .declared import Plot, Way

MOST_ROWS = 300_000
"""The most rows that are held; of more a sample is drawn."""

_NUMBER = "number of the row"
_ALL = 2**64 - 1


@dataclasses.dataclass(frozen=True)
class Fit:
    """A way of drawing a plot that a table allows.

    Attributes
    ----------
    plot : `Plot`
        The plot.
    way : `Way`
        The way.
    plans : `dict` [`str`, `Plan`]
        How each column is obtained.
    assumed : `dict` [`str`, `bool`]
        Flags that the table does not have, as good rows have them.
    band : `str` or `None`
        Band whose columns are taken.
    """

    plot: Plot
    way: Way
    plans: dict[str, Plan]
    assumed: dict[str, bool]
    band: str | None = None


class Chosen(NamedTuple):
    """Rows to draw.

    Attributes
    ----------
    columns : `dict` [`str`, `typing.Any`]
        Their columns, by the names that metrics use.
    n : `int`
        Number of rows.
    share : `float`
        Share of all selected rows that they are.
    """

    columns: dict[str, Any]
    n: int
    share: float


def fitting(plot: Plot, source: Readable, table: str) -> tuple[Fit, ...]:
    """Tell how a plot can be drawn of a table.

    Parameters
    ----------
    plot : `Plot`
        The plot.
    source : `Readable`
        The table.
    table : `str`
        Its kind.

    Returns
    -------
    fits : `tuple` [`Fit`, ...]
        The best way, for each band that it can be drawn of; none where the
        table lacks columns.
    """
    kind = TABLES[table]
    for way in plot.ways:
        if way.table != table:
            continue
        needed = {**plot.columns(way), **dict.fromkeys(plot.selecting(way), True)}
        apart = kind.by_band and any(name not in kind.columns for name in needed)
        # A column of one band is named with it, and is not drawn for each.
        bands: tuple[str | None, ...] = (None,)
        if apart and any(f"{{band}}_{name}" in kind.columns for name in needed):
            bands = bands_of(source, kind)
        fits = tuple(fit for band in bands if (fit := _fit(plot, way, source, band, needed)) is not None)
        if fits:
            return fits
    return ()


def _fit(plot: Plot, way: Way, source: Readable, band: str | None, needed: Mapping[str, bool]) -> Fit | None:
    kind = TABLES[way.table]
    plans, assumed = {}, {}
    for name, must in needed.items():
        found = kind.column(name)
        plan = resolve(kind, source.units, name, band)
        if plan is not None:
            plans[name] = plan
        elif found is not None and found[0].kind == "flag":
            assumed[name] = bool(found[0].applied)
        elif must:
            return None
    return Fit(plot, way, plans, assumed, band)


def read_columns(fit: Fit, source: Readable, where: Mapping[str, int], most: int = MOST_ROWS) -> Chosen:
    """Read the rows that a plot draws.

    Parameters
    ----------
    fit : `Fit`
        How it can be drawn.
    source : `Readable`
        The table.
    where : `~collections.abc.Mapping` [`str`, `int`]
        Values that columns must have, as a detector's number.
    most : `int`, optional
        The most rows to hold.

    Returns
    -------
    chosen : `Chosen`
        All selected rows, or a sample of them, the same one each time; of
        stars that were matched all rows of a star or none.

    Raises
    ------
    MissingColumnError
        Raised if the table has no such column.
    """
    kind = TABLES[fit.way.table]
    own = {name: plan for name in where if (plan := resolve(kind, source.units, name)) is not None}
    if lost := tuple(name for name in where if name not in own):
        raise MissingColumnError(f"{source.name} lacks {', '.join(lost)}, which rows are chosen by.", lost)
    whole = kind.group or _NUMBER
    names = {*fit.plans, *fit.assumed, *own, whole}
    plans = {**fit.plans, **own}
    if whole != _NUMBER and whole not in plans and (plan := resolve(kind, source.units, whole)):
        plans[whole] = plan
    prepared = Prepared(source, [], {}, plans, fit.assumed, frozenset({_NUMBER}), kind)
    limit, parts, held = _ALL, [], 0
    for piece in prepared.pieces(sorted(names)):
        part = _sampled(piece.take(np.flatnonzero(_mask(fit, piece, where, own))), whole, limit)
        parts.append(part.copy(slice(0, part.n_rows)))
        held += part.n_rows
        while held > most and limit > 0:
            limit //= 2
            part = _sampled(joined(parts), whole, limit)
            parts = [part.copy(slice(0, part.n_rows))]
            held = part.n_rows
    wanted = [name for name in fit.plot.columns(fit.way) if name in names]
    if not parts:
        return Chosen({name: np.zeros(0) for name in wanted}, 0, 1.0)
    rows = joined(parts)
    return Chosen({name: rows[name] for name in wanted}, rows.n_rows, (limit + 1) / (_ALL + 1))


def _mask(fit: Fit, piece: Piece, where: Mapping[str, int], own: Mapping[str, Plan]) -> np.ndarray:
    kept = np.ones(piece.n_rows, dtype=bool)
    for name in own:
        kept &= piece[name] == where[name]
    if fit.way.rows is not None:
        with np.errstate(invalid="ignore"):
            kept &= fit.way.rows(*(piece[name] for name in fit.plot.selecting(fit.way)))
    return kept


def _sampled(piece: Piece, whole: str, limit: int) -> Piece:
    if limit == _ALL:
        return piece
    return piece.take(np.flatnonzero(hash_order(piece[whole]) <= np.uint64(limit)))
