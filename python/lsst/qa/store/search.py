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

"""Searching the logs of quanta and their exceptions, with counts."""

from __future__ import annotations

__all__ = [
    "FACETS",
    "Facets",
    "LogHit",
    "log_facets",
    "quantum_facets",
    "search_logs",
    "search_quanta",
]

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from ..errors import InputError
from .database import tables
from .execution import LogRecord, Quantum
from .fulltext import SEVERE, Searched, searched, words_of
from .quanta import chosen_quanta, select_quanta, select_records

FACETS = {
    "logs": ("level", "task", "instrument", "day_obs", "tract"),
    "quanta": ("exception_type", "status", "task", "instrument", "day_obs", "tract"),
}
"""By what the hits are counted."""

_FILTERS = (
    "run_id",
    "task",
    "status",
    "exception_type",
    "instrument",
    "day_obs",
    "visit",
    "exposure",
    "detector",
    "tract",
    "patch",
)


class LogHit(NamedTuple):
    """A record that was found.

    Attributes
    ----------
    record : `LogRecord`
        The record; its number is the cursor.
    quantum : `Quantum`
        The quantum that logged it.
    """

    record: LogRecord
    quantum: Quantum


class Facets(NamedTuple):
    """How many hits there are, by what they are of.

    Attributes
    ----------
    counts : `dict` [`str`, `list` [`tuple` [`str` or `int` or `None`, `int`]]]
        By facet: its values with the number of hits, most first. What is
        chosen of a facet does not narrow its own counts.
    total : `int`
        Number of hits that were counted.
    complete : `bool`
        Whether there are no more than those. Only the latest are counted of
        many.
    """

    counts: Mapping[str, Sequence[tuple[str | int | None, int]]]
    total: int
    complete: bool


def search_logs(
    engine: sa.Engine,
    text: str = "",
    *,
    level: int = 0,
    limit: int = 50,
    after: int | None = None,
    **chosen: Any,
) -> list[LogHit]:
    """Search log records.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    text : `str`, optional
        What a user typed, see `lsst.qa.store.fulltext.words_of`; looked for
        in logger, message and traceback.
    level : `int`, optional
        The lowest level.
    limit : `int`, optional
        The most hits to return.
    after : `int`, optional
        ``record_id`` of the last hit of the page before this one.
    **chosen
        What the quantum must be: run_id, task, status, exception_type,
        instrument, day_obs, visit, exposure, detector, tract, patch.

    Returns
    -------
    hits : `list` [`LogHit`]
        The latest harvested first.

    Raises
    ------
    InputError
        Raised if quanta cannot be chosen so, or for too many words.
    """
    place = _searched_logs(engine, text, level, chosen)
    quantum, record = select_quanta(), select_records()
    fields = [*record.selected_columns, *quantum.selected_columns]
    query = _narrowed(sa.select(*fields), place, chosen).order_by(place.key.desc()).limit(limit)
    if after is not None:
        query = query.where(place.key < after)
    width = len(record.selected_columns)
    with engine.connect() as connection:
        return [LogHit(LogRecord(*row[:width]), Quantum(*row[width:])) for row in connection.execute(query)]


def log_facets(
    engine: sa.Engine, text: str = "", *, level: int = 0, most: int = 20_000, **chosen: Any
) -> Facets:
    """Count what `search_logs` finds.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    text : `str`, optional
        What a user typed.
    level : `int`, optional
        The lowest level.
    most : `int`, optional
        The most hits to count.
    **chosen
        As for `search_logs`.

    Returns
    -------
    facets : `Facets`
        By level, task, instrument, day_obs and tract.
    """
    record, quantum = tables().log_record.c, tables().quantum.c
    columns = {name: record.level if name == "level" else quantum[name] for name in FACETS["logs"]}

    def rows(without: str) -> sa.Select[Any]:
        kept = {name: value for name, value in chosen.items() if name != without}
        place = _searched_logs(engine, text, 0 if without == "level" else level, kept)
        return _narrowed(sa.select(*columns.values()), place, kept).order_by(place.key.desc()).limit(most)

    applied = [name for name in columns if name in chosen or (name == "level" and level)]
    return _facets(engine, list(columns), rows, applied, most)


def search_quanta(
    engine: sa.Engine,
    text: str = "",
    *,
    raised: bool = False,
    limit: int = 50,
    after: int | None = None,
    **chosen: Any,
) -> list[Quantum]:
    """Search quanta and their exceptions.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    text : `str`, optional
        What a user typed; looked for in task, data ID and exception.
    raised : `bool`, optional
        Only those with an exception.
    limit : `int`, optional
        The most quanta to return.
    after : `int`, optional
        ``quantum_id`` of the last one of the page before this one.
    **chosen
        As for `search_logs`.

    Returns
    -------
    quanta : `list` [`Quantum`]
        The latest harvested first.

    Raises
    ------
    InputError
        Raised if quanta cannot be chosen so, or for too many words.
    """
    place = _searched_quanta(engine, text, raised)
    fields = select_quanta().selected_columns
    query = _narrowed(sa.select(*fields), place, chosen).order_by(place.key.desc()).limit(limit)
    if after is not None:
        query = query.where(place.key < after)
    with engine.connect() as connection:
        return [Quantum(*row) for row in connection.execute(query)]


def quantum_facets(
    engine: sa.Engine, text: str = "", *, raised: bool = False, most: int = 20_000, **chosen: Any
) -> Facets:
    """Count what `search_quanta` finds.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    text : `str`, optional
        What a user typed.
    raised : `bool`, optional
        Only those with an exception.
    most : `int`, optional
        The most quanta to count.
    **chosen
        As for `search_logs`.

    Returns
    -------
    facets : `Facets`
        By exception_type, status, task, instrument, day_obs and tract.
    """
    columns = {name: tables().quantum.c[name] for name in FACETS["quanta"]}

    def rows(without: str) -> sa.Select[Any]:
        kept = {name: value for name, value in chosen.items() if name != without}
        place = _searched_quanta(engine, text, raised)
        return _narrowed(sa.select(*columns.values()), place, kept).order_by(place.key.desc()).limit(most)

    return _facets(engine, list(columns), rows, [name for name in columns if name in chosen], most)


def _searched_logs(engine: sa.Engine, text: str, level: int, chosen: Mapping[str, Any]) -> Searched:
    record, quantum = tables().log_record, tables().quantum
    place = searched(engine.dialect.name, record, words_of(text))
    levels = [record.c.level >= level] if level else []
    if level >= SEVERE:
        # Only with this very condition an index of such records is used.
        levels.append(record.c.level >= sa.literal_column(str(SEVERE)))
    joined = place.table.join(quantum, quantum.c.quantum_id == record.c.quantum_id)
    return Searched(joined, place.key, (*place.conditions, *levels))


def _searched_quanta(engine: sa.Engine, text: str, raised: bool) -> Searched:
    quantum = tables().quantum
    place = searched(engine.dialect.name, quantum, words_of(text))
    with_exception = [quantum.c.exception_type.is_not(None)] if raised else []
    return Searched(place.table, place.key, (*place.conditions, *with_exception))


def _narrowed(query: sa.Select[Any], place: Searched, chosen: Mapping[str, Any]) -> sa.Select[Any]:
    """Select from what is searched, of the quanta that are chosen."""
    if strange := sorted(set(chosen) - set(_FILTERS)):
        raise InputError(f"Quanta are not chosen by {', '.join(strange)}, but by {', '.join(_FILTERS)}.")
    quantum, run = tables().quantum, tables().run
    wanted = chosen_quanta(chosen)
    whole = place.table.join(run, run.c.run_id == quantum.c.run_id)
    return query.select_from(whole).where(*place.conditions, *wanted)


def _facets(
    engine: sa.Engine,
    names: Sequence[str],
    rows: Callable[[str], sa.Select[Any]],
    applied: Sequence[str],
    most: int,
) -> Facets:
    """Count hits by facets; one that is applied is counted without itself."""
    with engine.connect() as connection:

        def counted(without: str) -> list[tuple[Any, ...]]:
            found = rows(without).subquery()
            grouped = sa.select(*found.c, sa.func.count()).group_by(*found.c)
            return [tuple(row) for row in connection.execute(grouped)]

        narrowed = counted("")
        counts = {}
        for place, name in enumerate(names):
            tally: Counter[Any] = Counter()
            for row in counted(name) if name in applied else narrowed:
                tally[row[place]] += row[-1]
            counts[name] = tally.most_common()
    total = sum(row[-1] for row in narrowed)
    return Facets(counts, total, total < most)
