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
"""The documentation of the API, arranged to be read."""

from __future__ import annotations

__all__ = ["operations", "schemas"]

import json
from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]


def operations(document: Document) -> list[dict[str, Any]]:
    """List what can be asked for.

    Parameters
    ----------
    document : `~collections.abc.Mapping`
        OpenAPI document.

    Returns
    -------
    operations : `list` [`dict`]
        In the order of the document, each with its ``method``, ``path`` and
        ``about``; ``resource``; ``parameters`` with the ``place`` they stand
        at, those of the body among them; the ``answer``, its ``status``, and
        the media types there are as ``formats``.
    """
    return [
        _operation(document, method.upper(), path, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    ]


def schemas(document: Document) -> list[dict[str, Any]]:
    """List what answers are made of.

    Parameters
    ----------
    document : `~collections.abc.Mapping`
        OpenAPI document.

    Returns
    -------
    schemas : `list` [`dict`]
        By ``name``, each with what it is ``about`` and its ``fields``; pages
        of lists are left out, which are all alike.
    """
    held = document["components"]["schemas"]
    return [
        {"name": name, "about": schema.get("description", ""), "fields": _fields(schema, "")}
        for name, schema in sorted(held.items())
        if not name.startswith("Page_")
    ]


def _operation(document: Document, method: str, path: str, described: Document) -> dict[str, Any]:
    status, answer = next((code, one) for code, one in described["responses"].items() if code < "300")
    content = answer.get("content", {})
    whole = content.get("application/json", {}).get("schema", {})
    body = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    given = [
        _field(one["name"], {**one["schema"], "description": one["description"]}, one["in"], one["required"])
        for one in described.get("parameters", ())
    ]
    return {
        "method": method,
        "path": path,
        "resource": described["tags"][0],
        "about": described["description"],
        "parameters": [*given, *(_fields(_followed(document, body), "body") if body else ())],
        "status": int(status),
        "answer": _kind(_followed(document, whole)["properties"]["items"] if _is_page(whole) else whole),
        "formats": sorted(content),
    }


def _is_page(schema: Document) -> bool:
    return schema.get("$ref", "").startswith("#/components/schemas/Page_")


def _followed(document: Document, schema: Document) -> Document:
    if "$ref" not in schema:
        return schema
    found: Document = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _fields(schema: Document, place: str) -> list[dict[str, Any]]:
    needed = schema.get("required", ())
    return [_field(name, held, place, name in needed) for name, held in schema.get("properties", {}).items()]


def _field(name: str, schema: Document, place: str, required: bool) -> dict[str, Any]:
    kind, default = _kind(schema), schema.get("default")
    return {
        "name": name,
        "place": place,
        # What is left out of an address is null.
        "kind": kind.removesuffix(" or null") if place == "query" else kind,
        "required": required,
        "default": "" if default is None else default if isinstance(default, str) else json.dumps(default),
        "about": schema.get("description", ""),
    }


def _kind(schema: Document) -> str:
    """Name the type of a value."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(map(_kind, schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return " | ".join(str(value) for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "")
