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

"""Full text of log records and of quanta: the same words on SQLite, by FTS5,
and on PostgreSQL, by text search vectors.
"""

from __future__ import annotations

__all__ = [
    "IN_BULK",
    "MOST_WORDS",
    "SEVERE",
    "TEXTS",
    "Searched",
    "Words",
    "index_texts",
    "searched",
    "texts_indexed",
    "words_of",
]

import contextlib
import re
from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from ..errors import InputError

TEXTS = {
    "log_record": ("logger", "message", "exception"),
    "quantum": ("task", "data_id", "exception_type", "exception_message"),
}
"""Columns of each table that are searched, all together."""

SEVERE = 30
"""Log records of this level and above have an index of their own."""

IN_BULK = ("log_record",)
"""Tables whose rows SQLite does not index one by one, which takes five times
as long: who inserts into them uses `texts_indexed`."""

MOST_WORDS = 32
"""The most words and phrases of a search."""

_TERM = re.compile(r'(?P<sign>-?)(?:"(?P<phrase>[^"]*)"?(?P<star>\*?)|(?P<word>[^\s"]+))')
_BETWEEN = re.compile(r"[\W_]+")

# PostgreSQL's parser takes names of files and of hosts for one word, SQLite's
# does not: all of ASCII but letters and digits stands between words.
_PUNCTUATION = "".join(chr(code) for code in range(1, 128) if not chr(code).isalnum())


class Words(NamedTuple):
    """What a user looks for.

    Attributes
    ----------
    wanted : `tuple` [`tuple` [`str`, ...], ...]
        Phrases, of one word or more, that must all be there; a word that
        ends in "*" stands for all that begin so.
    unwanted : `tuple` [`tuple` [`str`, ...], ...]
        Phrases that must not be there.
    """

    wanted: tuple[tuple[str, ...], ...] = ()
    unwanted: tuple[tuple[str, ...], ...] = ()


class Searched(NamedTuple):
    """A table whose texts are searched, for a select.

    Attributes
    ----------
    table : `sqlalchemy.FromClause`
        What to select from; the table itself is in it.
    key : `sqlalchemy.ColumnElement`
        The table's key, by which the database orders without sorting.
    conditions : `tuple` [`sqlalchemy.ColumnElement`, ...]
        What the rows must fulfil.
    """

    table: sa.FromClause
    key: sa.ColumnElement[int]
    conditions: tuple[sa.ColumnElement[bool], ...]


def words_of(text: str) -> Words:
    """Read what a user typed.

    Parameters
    ----------
    text : `str`
        Words, "phrases in quotes", and either with a minus before it. A
        star at the end stands for the rest of a word. Whatever else is
        typed separates words: no text is wrong.

    Returns
    -------
    words : `Words`
        What to look for; empty for a text without letters and digits.

    Raises
    ------
    InputError
        Raised if there are more than `MOST_WORDS`.
    """
    wanted: list[tuple[str, ...]] = []
    unwanted: list[tuple[str, ...]] = []
    for found in _TERM.finditer(text):
        typed = found["word"] if found["phrase"] is None else found["phrase"] + found["star"]
        parts = [part for part in _BETWEEN.sub(" ", typed).lower().split(" ") if part]
        if parts:
            star = "*" if typed.endswith("*") else ""
            (unwanted if found["sign"] else wanted).append((*parts[:-1], parts[-1] + star))
    if (number := len(wanted) + len(unwanted)) > MOST_WORDS:
        raise InputError(f"A search takes at most {MOST_WORDS} words and phrases, found {number}.")
    return Words(tuple(wanted), tuple(unwanted))


def searched(dialect: str, table: sa.Table, words: Words) -> Searched:
    """Search the texts of a table.

    Parameters
    ----------
    dialect : `str`
        "sqlite" or "postgresql".
    table : `sqlalchemy.Table`
        One of `TEXTS`.
    words : `Words`
        What to look for; all rows hold no words.

    Returns
    -------
    searched : `Searched`
        What to select from, under which conditions.
    """
    (key,) = table.primary_key.columns
    if dialect == "postgresql":
        vector: sa.ColumnElement[str] = sa.literal_column(f"{table.name}.words")
        holding = [vector.bool_op("@@")(_tsquery(phrase)) for phrase in words.wanted]
        lacking = [sa.not_(vector.bool_op("@@")(_tsquery(phrase))) for phrase in words.unwanted]
        return Searched(table, key, (*holding, *lacking))
    index = sa.table(f"{table.name}_text", sa.column("rowid"), sa.column(f"{table.name}_text"))
    match = index.c[f"{table.name}_text"].bool_op("MATCH")
    if words.wanted:
        held = " AND ".join(map(_fts5, words.wanted))
        lacked = "".join(f" NOT {_fts5(phrase)}" for phrase in words.unwanted)
        # From the index to the table, in the order of the index's rows.
        return Searched(index.join(table, key == index.c.rowid), index.c.rowid, (match(f"({held}){lacked}"),))
    if words.unwanted:
        bad = sa.select(index.c.rowid).where(match(" OR ".join(map(_fts5, words.unwanted))))
        return Searched(table, key, (key.not_in(bad),))
    return Searched(table, key, ())


def index_texts(table: sa.Table) -> None:
    """Let a table have an index of its texts from its creation on.

    Parameters
    ----------
    table : `sqlalchemy.Table`
        One of `TEXTS`.
    """
    for dialect, statements in (("sqlite", _sqlite_statements), ("postgresql", _postgresql_statements)):
        for statement in statements(table):
            made = sa.DDL(statement.replace("%", "%%")).execute_if(dialect=dialect)
            sa.event.listen(table, "after_create", made)


@contextlib.contextmanager
def texts_indexed(connection: sa.Connection, table: sa.Table) -> Iterator[None]:
    """Index the texts of rows that are inserted meanwhile, all at once.

    Parameters
    ----------
    connection : `sqlalchemy.Connection`
        Connection in a transaction of `lsst.qa.store.database.writing`.
    table : `sqlalchemy.Table`
        One of `IN_BULK`.

    Yields
    ------
    nothing : `None`
        When it is time to insert.
    """
    if connection.dialect.name == "postgresql":
        yield
        return
    index, (key,), names = f"{table.name}_text", table.primary_key.columns, ", ".join(TEXTS[table.name])
    before = connection.execute(sa.select(sa.func.coalesce(sa.func.max(key), 0))).scalar_one()
    yield
    added = f"SELECT {key.name}, {names} FROM {table.name} WHERE {key.name} > ?"
    connection.exec_driver_sql(f"INSERT INTO {index}(rowid, {names}) {added}", (before,))


def _fts5(phrase: tuple[str, ...]) -> str:
    """Write a phrase as FTS5 has it; words are letters and digits only."""
    star = " *" if phrase[-1].endswith("*") else ""
    return " + ".join(f'"{word.rstrip("*")}"' for word in phrase) + star


def _tsquery(phrase: tuple[str, ...]) -> sa.ColumnElement[str]:
    """Write a phrase as PostgreSQL has it."""
    simple: sa.ColumnElement[str] = sa.literal_column("'simple'")
    *first, last = phrase
    if not last.endswith("*"):
        return sa.func.phraseto_tsquery(simple, " ".join(phrase))
    begun = sa.func.to_tsquery(simple, f"{last.rstrip('*')}:*")
    return (
        sa.func.tsquery_phrase(sa.func.phraseto_tsquery(simple, " ".join(first)), begun) if first else begun
    )


def _sqlite_statements(table: sa.Table) -> list[str]:
    index, (key,), columns = f"{table.name}_text", table.primary_key.columns, TEXTS[table.name]
    names = ", ".join(columns)
    new, old = (", ".join(f"{row}.{name}" for name in (key.name, *columns)) for row in ("new", "old"))
    add = f"INSERT INTO {index}(rowid, {names}) VALUES ({new});"
    # The index keeps no text: it must be told what a row said.
    drop = f"INSERT INTO {index}({index}, rowid, {names}) VALUES ('delete', {old});"
    changed = " OR ".join(f"new.{name} IS NOT old.{name}" for name in columns)
    added = f"CREATE TRIGGER {index}_added AFTER INSERT ON {table.name} BEGIN {add} END"
    return [
        f"CREATE VIRTUAL TABLE {index} USING fts5({names}, content='{table.name}', "
        f"content_rowid='{key.name}', tokenize='unicode61 remove_diacritics 0')",
        *(() if table.name in IN_BULK else (added,)),
        f"CREATE TRIGGER {index}_dropped AFTER DELETE ON {table.name} BEGIN {drop} END",
        f"CREATE TRIGGER {index}_changed AFTER UPDATE ON {table.name} WHEN {changed} BEGIN {drop} {add} END",
    ]


def _postgresql_statements(table: sa.Table) -> list[str]:
    name = f"{table.schema}.{table.name}"
    text = " || ' ' || ".join(f"coalesce({column}, '')" for column in TEXTS[table.name])
    marks, blanks = _PUNCTUATION.replace("'", "''"), " " * len(_PUNCTUATION)
    words = f"to_tsvector('simple'::regconfig, translate({text}, E'{_escaped(marks)}', '{blanks}'))"
    return [
        f"ALTER TABLE {name} ADD COLUMN words tsvector GENERATED ALWAYS AS ({words}) STORED",
        f"CREATE INDEX {table.name}_text ON {name} USING gin (words)",
    ]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\")
