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

"""Finding a metric's columns in a table, and reading them in pieces."""

from __future__ import annotations

__all__ = ["Prepared", "bands_of", "prepare", "table_kind"]

import dataclasses
import operator
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ..catalogue import of_table
from ..columns import BAND_PREFIX, BANDS, TABLES, Table
from ..columns.strangers import stranger_among
from ..engine import Task, columns_of, tasks_of
from ..errors import AmbiguousTableError, InputError, UnknownNameError
from ..pieces import Piece
from ..resolution import Plan, fitting_tables, resolve
from .readable import Readable

_NAMED = 60
"""The most names that a message lists."""


@dataclasses.dataclass(frozen=True)
class Prepared:
    """How metrics are to be read from a table.

    Attributes
    ----------
    source : `Readable`
        The table.
    able : `list` [`Task`]
        What can run.
    missing : `dict` [`Task`, `tuple` [`str`, ...]]
        What cannot, and the columns that it lacks.
    plans : `dict` [`str`, `Plan`]
        How each column is obtained.
    assumed : `dict` [`str`, `bool`]
        Quality columns that are absent because the cut is applied already.
    numbered : `frozenset` [`str`]
        Columns that only number the rows, and are absent.
    kind : `Table`
        Kind of table.
    """

    source: Readable
    able: list[Task]
    missing: dict[int, tuple[str, ...]]
    plans: dict[str, Plan]
    assumed: dict[str, bool]
    numbered: frozenset[str]
    kind: Table

    @property
    def n_rows(self) -> int:
        """Number of rows of the table."""
        return self.source.n_rows

    def pieces(self, names: Sequence[str]) -> Iterator[Piece]:
        """Read columns, some rows at a time.

        Parameters
        ----------
        names : `~collections.abc.Sequence` [`str`]
            Columns as metrics name them; those of a table's `split` that it
            does not have are left out.

        Yields
        ------
        piece : `Piece`
            The next rows.
        """
        plans = {name: self.plans[name] for name in names if name in self.plans}
        names = [name for name in names if name in plans or name in self.assumed or name in self.numbered]
        leaves = frozenset().union(*(plan.reads for plan in plans.values()))
        compute: dict[str, Any] = {name: plan.compute for name, plan in plans.items()}
        done = 0
        # Half the bytes, where the numbers fit.
        number = np.int32 if self.n_rows < 1 << 31 else np.int64
        for read in self.source.pieces(sorted({leaf.physical for leaf in leaves})):
            rows = len(next(iter(read.values()), ()))
            raw: dict[Any, Any] = {leaf: leaf.cast(read[leaf.physical]) for leaf in leaves}
            for name in set(names) - set(plans):
                # A cut that is applied already, or the number of a row.
                raw[name] = (
                    np.full(rows, self.assumed[name])
                    if name in self.assumed
                    else np.arange(done, done + rows, dtype=number)
                )
                compute[name] = operator.itemgetter(name)
            done += rows
            yield Piece(raw, compute, rows)

    def lacking(self, task: Task) -> str:
        """Say why a metric cannot run on the table.

        Parameters
        ----------
        task : `Task`
            One of those that cannot.

        Returns
        -------
        message : `str`
            What is missing.
        """
        names = ", ".join(map(repr, self.missing[id(task)]))
        return f"metric {task.metric.name!r} needs {names}, which {self.source.name} does not have"

    def lacked(self, tasks: Sequence[Task]) -> str:
        """Say in one sentence why metrics cannot run on the table.

        Parameters
        ----------
        tasks : `~collections.abc.Sequence` [`Task`]
            Some of those that cannot.

        Returns
        -------
        message : `str`
            Which they are, and the columns that are missing.
        """
        metrics = ", ".join(dict.fromkeys(task.metric.name for task in tasks))
        columns = sorted({name for task in tasks for name in self.missing[id(task)]})
        return f"{self.source.name} does not have {', '.join(columns)}, needed by {metrics}."

    def lacks_bands(self, task: Task, bands: Collection[str]) -> bool:
        """Tell whether a metric lacks nothing but columns of bands that the
        table has none of.

        Parameters
        ----------
        task : `Task`
            One of those that cannot run.
        bands : `~collections.abc.Collection` [`str`]
            Bands of the table.

        Returns
        -------
        absent : `bool`
            Whether it would run on a table that has its bands; `False` where
            the table has no band at all.
        """
        absent = tuple(f"{band}_" for band in BANDS if band not in bands) if bands else ()
        return self.kind.by_band and all(name.startswith(absent) for name in self.missing[id(task)])

    def at_hand(self) -> str:
        """Say what the table has.

        Returns
        -------
        message : `str`
            What is there, and which metrics of the catalogue can run.
        """
        every = tasks_of(of_table(self.kind.name), bands_of(self.source, self.kind))
        assumed = {name if name in self.kind.columns else name[2:] for name in self.assumed}
        prepared = prepare(self.source, every, assume_applied=assumed)
        can = ", ".join(sorted({able.metric.name for able in prepared.able})) or "none"
        return f"Columns there: {_some(self.source.units)}. Metrics that can run: {can}."


def table_kind(source: Readable, name: str | None = None) -> Table:
    """Tell what kind of table it is.

    Parameters
    ----------
    source : `Readable`
        The table.
    name : `str`, optional
        Kind, where the user states it.

    Returns
    -------
    kind : `Table`
        Kind of table.

    Raises
    ------
    UnknownNameError
        Raised if there is no kind of that name.
    AmbiguousTableError
        Raised if it is not stated, and none fits or several do.
    """
    if name is not None:
        if name not in TABLES:
            raise UnknownNameError("table", name, TABLES)
        return TABLES[name]
    if (stranger := stranger_among(source.units)) is not None:
        raise AmbiguousTableError(
            f"{source.name} looks like {stranger.what}, which nothing is measured in alone:"
            f" {stranger.instead}. If it is something else, name its kind."
        )
    # A key is a number: a survey's name in a column "object" makes no table of
    # stars.
    fitting = fitting_tables({name: unit for name, unit in source.units.items() if name not in source.texts})
    if len(fitting) == 1:
        return TABLES[fitting[0]]
    kinds = "; ".join(f"{kind.name} needs {', '.join(kind.signature)}" for kind in TABLES.values())
    what = f"may be any of {', '.join(fitting)}" if fitting else "is of no kind known here"
    raise AmbiguousTableError(
        f"{source.name} {what}: name its kind. {kinds}. Columns there: {_some(source.units)}."
    )


def _some(names: Iterable[str]) -> str:
    """Write names out, but not the hundreds that some catalogues have."""
    listed = sorted(names)
    more = len(listed) - _NAMED
    return ", ".join(listed[:_NAMED]) + (f" and {more} more" if more > 0 else "") if listed else "none"


def bands_of(source: Readable, kind: Table) -> tuple[str, ...]:
    """List the bands that a table has columns for.

    Parameters
    ----------
    source : `Readable`
        The table.
    kind : `Table`
        Its kind.

    Returns
    -------
    bands : `tuple` [`str`, ...]
        Bands, none for a table without columns for each.
    """
    if not kind.by_band:
        return ()
    own = [name for name in kind.columns if name.startswith(BAND_PREFIX)]

    def there(name: str, band: str) -> bool:
        plan = resolve(kind, source.units, name, band)
        # What all bands share, as an object's place, makes no band be there.
        return plan is not None and any(leaf.physical.startswith(f"{band}_") for leaf in plan.reads)

    return tuple(band for band in BANDS if any(there(name, band) for name in own))


def prepare(
    source: Readable,
    tasks: Sequence[Task],
    *,
    detail: Sequence[str] = (),
    assume_applied: Collection[str] = (),
) -> Prepared:
    """Find the columns of metrics in a table.

    Parameters
    ----------
    source : `Readable`
        The table.
    tasks : `~collections.abc.Sequence` [`Task`]
        Metrics of one kind of table.
    detail : `~collections.abc.Sequence` [`str`], optional
        Columns by which rows are measured apart once more.
    assume_applied : `~collections.abc.Collection` [`str`], optional
        Quality columns whose cut is applied already where they are absent.

    Returns
    -------
    prepared : `Prepared`
        What can run and what cannot, and how to read.

    Raises
    ------
    InputError
        Raised if a cut that is to be assumed is not a quality column's.
    """
    kind = TABLES[tasks[0].metric.table]
    assumable = _assumable(kind, assume_applied)
    plans: dict[str, Plan] = {}
    assumed: dict[str, bool] = {}
    lost: set[str] = set()
    optional = {"sourceId"} if kind.group else set()
    for name in sorted({column for task in tasks for column in columns_of(task)}):
        band = name[0] if kind.by_band and name not in kind.columns else None
        bare = name[2:] if band else name
        if plan := resolve(kind, source.units, bare, band):
            plans[name] = plan
        elif bare in assumable:
            assumed[name] = assumable[bare]
        elif name not in optional:
            lost.add(name)
    for name in (*kind.split, kind.time, *detail):
        if name not in plans and (plan := resolve(kind, source.units, name)):
            plans[name] = plan
    able = [task for task in tasks if not lost.intersection(columns_of(task))]
    missing = {
        id(task): tuple(name for name in columns_of(task) if name in lost)
        for task in tasks
        if task not in able
    }
    needed = {column for task in able for column in columns_of(task)} | {*kind.split, kind.time, *detail}
    plans = {name: plan for name, plan in plans.items() if name in needed}
    return Prepared(source, able, missing, plans, assumed, frozenset(optional - set(plans)), kind)


def _assumable(kind: Table, names: Collection[str]) -> dict[str, bool]:
    """Return the values that good rows have in quality columns."""
    quality: dict[str, Any] = {
        column.name.replace(BAND_PREFIX, ""): column.applied
        for column in kind.columns.values()
        if column.applied is not None
    }
    if unknown := sorted(set(names) - set(quality)):
        raise InputError(
            f"{', '.join(unknown)}: no quality columns of table {kind.name!r};"
            f" those are {', '.join(sorted(quality))}."
        )
    return {name: quality[name] for name in names}
