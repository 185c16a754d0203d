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

"""Looking metrics, runs and data IDs up by what a user types."""

from __future__ import annotations

__all__ = ["DataIdHit", "search_data_ids", "search_metrics", "search_runs"]

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from .database import tables
from .definitions import specifications
from .fulltext import Words, words_of
from .quanta import LARGEST
from .query import complete_runs
from .records import MetricInfo, Run

_PLACES = ("visit", "exposure", "tract", "day_obs")
"""Of what a number may be; each has an index."""

_PARTS = ("detector", "patch")
_NAMED = ("instrument", "skymap", "band", "physical_filter")
_PAIR = re.compile(r"\b(?P<name>[a-z_]+)\s*[=:]\s*['\"]?(?P<value>[^\s,'\"]+)", re.IGNORECASE)


class DataIdHit(NamedTuple):
    """A data ID that was found.

    Attributes
    ----------
    data_id : `dict` [`str`, `str` or `int`]
        Of a visit or an exposure with its instrument and day_obs, of a
        tract with its sky map, or of a day.
    n_quanta : `int`
        Number of quanta that worked on it.
    n_measurements : `int`
        Number of measurements of it as a whole.
    """

    data_id: Mapping[str, str | int]
    n_quanta: int
    n_measurements: int


def search_metrics(engine: sa.Engine, text: str, limit: int = 50) -> list[MetricInfo]:
    """Search the definitions of metrics.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    text : `str`
        What a user typed, see `lsst.qa.store.fulltext.words_of`; parts of
        words count here.
    limit : `int`, optional
        The most metrics to return.

    Returns
    -------
    metrics : `list` [`MetricInfo`]
        That of the name first, then those in whose names the words are,
        then those in whose definitions.

    Raises
    ------
    InputError
        Raised for too many words.
    """
    words, metric = words_of(text), tables().metric
    fields = ("name", "table_name", "unit", "description", "formula", "reference")
    everything = _text_of(*(metric.c[name] for name in fields))
    in_name = _holding(sa.func.lower(metric.c.name), words)
    order = (metric.c.name != text.replace("\0", "").strip(), sa.case((in_name, 0), else_=1), metric.c.name)
    chosen = sa.select(*(metric.c[name] for name in fields)).where(_holding(everything, words))
    with engine.connect() as connection:
        found = connection.execute(chosen.order_by(*order).limit(limit)).all()
    specs = specifications(engine)
    return [MetricInfo._make((*row, specs.get(row[0], ()))) for row in found]


def search_runs(engine: sa.Engine, text: str, limit: int = 50) -> list[Run]:
    """Search runs.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    text : `str`
        What a user typed; looked for in names, collections, repositories,
        users, and the identifier.
    limit : `int`, optional
        The most runs to return.

    Returns
    -------
    runs : `list` [`Run`]
        The newest first; without their packages.

    Raises
    ------
    InputError
        Raised for too many words.
    """
    run = tables().run
    everything = _text_of(run.c.name, run.c.collection, run.c.repo, run.c.loaded_by, run.c.uuid)
    newest = sa.func.coalesce(run.c.started, run.c.loaded_at).desc()
    chosen = sa.select(run).where(_holding(everything, words_of(text))).order_by(newest, run.c.run_id.desc())
    with engine.connect() as connection:
        return complete_runs(connection, connection.execute(chosen.limit(limit)).mappings().all())


def search_data_ids(engine: sa.Engine, text: str, limit: int = 50) -> list[DataIdHit]:
    """Search visits, exposures, tracts and days of observation.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    text : `str`
        What a user typed: numbers, which may be of any of these; or names
        with values, as in "visit=1176 detector=4" or "tract: 9813".
        Other words must be the instrument, sky map, band or filter.
    limit : `int`, optional
        The most data IDs to return.

    Returns
    -------
    hits : `list` [`DataIdHit`]
        By visit, exposure and tract, the greatest first; empty where no
        number is among the words.
    """
    text = text.replace("\0", " ")  # which PostgreSQL takes in no text
    pairs = {found["name"].lower(): found["value"] for found in _PAIR.finditer(text)}
    loose = [word for phrase in words_of(_PAIR.sub(" ", text)).wanted for word in phrase]
    numbers = [number for word in loose if (number := _number(word)) is not None]
    names = [word for word in loose if _number(word) is None]
    counts: dict[tuple[tuple[str, str | int], ...], list[int]] = {}
    with engine.connect() as connection:
        for which, table in enumerate((tables().quantum, tables().measurement)):
            kept = [table.c[name] for name in ("instrument", *_PLACES, "skymap")]
            for condition in _conditions(table, pairs, numbers, names):
                grouped = sa.select(*kept, sa.func.count()).where(condition).group_by(*kept)
                latest = grouped.order_by(*(table.c[name].desc() for name in _PLACES)).limit(limit)
                for row in connection.execute(latest):
                    held = counts.setdefault(_owner(dict(row._mapping)), [0, 0])
                    held[which] += row[-1]
    hits = [DataIdHit(dict(key), *numbers) for key, numbers in counts.items() if key]
    return sorted(hits, key=lambda hit: [-int(hit.data_id.get(name, -1)) for name in _PLACES])[:limit]


def _owner(row: Mapping[str, Any]) -> tuple[tuple[str, str | int], ...]:
    """Name what a row is of: a visit, an exposure, a tract or a day."""
    for place, fields in (
        ("visit", ("instrument", "day_obs", "visit")),
        ("exposure", ("instrument", "day_obs", "exposure")),
        ("tract", ("skymap", "tract")),
        ("day_obs", ("instrument", "day_obs")),
    ):
        if row[place] is not None:
            return tuple((name, row[name]) for name in fields if row[name] is not None)
    return ()


def _conditions(
    table: sa.Table, pairs: Mapping[str, str], numbers: list[int], names: list[str]
) -> Iterator[sa.ColumnElement[bool]]:
    """Say which rows are of a data ID; each condition has an index."""
    shared: list[sa.ColumnElement[bool]] = []
    if table.name == "measurement":
        shared.append(table.c.detector.is_(None))
    for name, value in pairs.items():
        if name in _NAMED:
            shared.append(sa.func.lower(table.c[name]) == value.lower())
        elif name in _PARTS and table.name == "quantum":
            shared.append(table.c[name] == _number(value))
    for word in names:
        shared.append(sa.or_(*(sa.func.lower(table.c[name]) == word for name in _NAMED)))
    asked = {name: number for name in _PLACES if (number := _number(pairs.get(name, ""))) is not None}
    if asked:
        yield sa.and_(*shared, *(table.c[name] == number for name, number in asked.items()))
    for name in _PLACES if numbers else ():
        yield sa.and_(*shared, table.c[name].in_(numbers))


def _number(word: str) -> int | None:
    return int(word) if word.isascii() and word.isdigit() and int(word) <= LARGEST else None


def _text_of(*columns: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    whole: sa.ColumnElement[str] = sa.func.coalesce(columns[0], "")
    for column in columns[1:]:
        whole = whole + " " + sa.func.coalesce(column, "")
    return sa.func.lower(whole)


def _holding(text: sa.ColumnElement[str], words: Words) -> sa.ColumnElement[bool]:
    """Say that a text holds words, or parts of words.

    The words of a phrase follow each other, with anything between them.
    """
    patterns = ["%".join(("", *(word.rstrip("*") for word in phrase), "")) for phrase in words.wanted]
    without = ["%".join(("", *(word.rstrip("*") for word in phrase), "")) for phrase in words.unwanted]
    return sa.and_(
        sa.true(), *(text.like(pattern) for pattern in patterns), *(text.not_like(p) for p in without)
    )
