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
"""The tables that a file in the language of Felis describes.

Felis itself takes longer to import than all else that a page needs: it checks
the file in the tests, and that these are the tables it would make.
"""

from __future__ import annotations

__all__ = ["described"]

from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml

_TYPES: dict[str, Callable[..., sa.types.TypeEngine[Any]]] = {
    "double": sa.Double,
    "int": sa.INTEGER,
    "long": sa.BIGINT,
    "string": sa.VARCHAR,
    "text": sa.TEXT,
    "timestamp": sa.TIMESTAMP,
}


def described(path: Path) -> sa.MetaData:
    """Return the tables of a schema.

    Parameters
    ----------
    path : `~pathlib.Path`
        Felis schema, of columns, primary keys, foreign keys, unique
        constraints and indexes.

    Returns
    -------
    metadata : `sqlalchemy.MetaData`
        Its tables, in the schema that it names.

    Raises
    ------
    KeyError
        Raised for a type or a constraint of another kind.
    """
    with path.open(encoding="utf-8") as stream:
        schema = yaml.load(stream, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    metadata = sa.MetaData(schema=schema["name"])
    for table in schema["tables"]:
        keys = table["primaryKey"]
        sa.Table(
            table["name"],
            metadata,
            *map(_column, table["columns"]),
            sa.PrimaryKeyConstraint(*_names([keys] if isinstance(keys, str) else keys)),
            *(_constraint(schema["name"], one) for one in table.get("constraints", ())),
            *(sa.Index(one["name"], *_names(one["columns"])) for one in table.get("indexes", ())),
            comment=table["description"],
        )
    return metadata


def _column(column: dict[str, Any]) -> sa.Column[Any]:
    kind = _TYPES[column["datatype"]]
    return sa.Column(
        column["name"],
        kind(column["length"]) if "length" in column else kind(),
        comment=column["description"],
        nullable=column.get("nullable", True),
        autoincrement=column.get("autoincrement", "auto"),
    )


def _constraint(schema: str, one: dict[str, Any]) -> sa.Constraint:
    columns, about = _names(one["columns"]), {"name": one["name"], "comment": one["description"]}
    if one["@type"] == "Unique":
        return sa.UniqueConstraint(*columns, **about)
    if one["@type"] == "ForeignKey":
        others = [f"{schema}.{identifier[1:]}" for identifier in one["referencedColumns"]]
        return sa.ForeignKeyConstraint(columns, others, ondelete=one["on_delete"], **about)
    raise KeyError(one["@type"])


def _names(identifiers: list[str]) -> list[str]:
    """Return the names of columns, as in "#table.column"."""
    return [identifier.partition(".")[2] for identifier in identifiers]
