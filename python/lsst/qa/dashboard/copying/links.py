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
"""Which file of a copy holds which page, and pages with links to files."""

from __future__ import annotations

__all__ = ["Plan", "asset_file", "is_asset", "linked", "relinked"]

import hashlib
import html
import json
import os
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from ..charts.frame import safe_json
from .rows import FORMATS

_LONGEST = 60
_ATTRIBUTE = re.compile(r'\b(href|src)="([^"]*)"')
_CHART = re.compile(r'(<script type="application/json"[^>]*>)(.*?)(</script>)', re.DOTALL)
_STATIC = "/static/"

# Parameters that a page of the copy does not depend on, by its folder.
_IGNORED = {"metrics": {"band", "dataset", "instrument"}, "maps": {"band"}}
_USUAL = "sky"  # kind of map that is shown without being asked for
_ROWS = "/api/v1/measurements"


class Plan:
    """Decides which pages are copied, and where to.

    Parameters
    ----------
    runs : `~collections.abc.Collection` [`str`]
        Names of the runs whose pages are copied.
    metrics : `~collections.abc.Collection` [`str`]
        Names of the metrics that they measured.
    mapped : `~collections.abc.Collection` [`str`]
        Names of the metrics of which there are maps.
    """

    def __init__(self, runs: Collection[str], metrics: Collection[str], mapped: Collection[str]):
        self._runs, self._metrics, self._mapped = set(runs), set(metrics), set(mapped)
        self._files: dict[str, str] = {}
        self._taken: set[str] = set()

    def page(self, address: str) -> str | None:
        """Return the page that an address of the server leads to.

        Parameters
        ----------
        address : `str`
            Path and query.

        Returns
        -------
        page : `str` or `None`
            The address without what makes no difference in a copy; nothing
            if the page is not copied.
        """
        parts = urlsplit(address)
        if parts.scheme or parts.netloc or not parts.path.startswith("/"):
            return None
        kind, _, name = parts.path[1:].partition("/")
        query = {key: value for key, value in parse_qsl(parts.query) if key not in _IGNORED.get(kind, ())}
        if query.get("kind") == _USUAL:
            del query["kind"]
        if not self._wanted(kind, unquote(name), query):
            return None
        return parts.path + (f"?{urlencode(sorted(query.items()))}" if query else "")

    def file(self, page: str) -> str:
        """Return the file that holds a page.

        Parameters
        ----------
        page : `str`
            From `page`.

        Returns
        -------
        file : `str`
            Path in the copy, of letters that every file system has.
        """
        if page not in self._files:
            self._files[page] = self._named(page)
            self._taken.add(self._files[page].lower())
        return self._files[page]

    def rows(self, address: str) -> tuple[str, str] | None:
        """Return the run whose rows an address of the server leads to.

        Parameters
        ----------
        address : `str`
            Path and query.

        Returns
        -------
        wanted : `tuple` [`str`, `str`] or `None`
            Name of the run, and the format; nothing if they are not copied.
        """
        parts = urlsplit(address)
        query = dict(parse_qsl(parts.query))
        run, form = query.get("run"), query.get("format")
        wanted = (
            parts.path == _ROWS
            and run in self._runs
            and set(query) == {"run", "format", "limit", "detectors"}
        )
        return (run, form) if wanted and run and form in FORMATS else None

    def rows_file(self, run: str, form: str) -> str:
        """Return the file that holds the rows of a run.

        Parameters
        ----------
        run : `str`
            Name of the run.
        form : `str`
            Format.

        Returns
        -------
        file : `str`
            Path in the copy.
        """
        simple = re.sub(r"[^A-Za-z0-9_.-]+", "-", run).strip("-.")[:_LONGEST]
        return f"rows/{simple}-{hashlib.blake2b(run.encode(), digest_size=5).hexdigest()}.{form}"

    def _named(self, page: str) -> str:
        parts = urlsplit(page)
        folder, _, name = parts.path[1:].partition("/")
        text = unquote(name) + (f"-{parts.query}" if parts.query else "")
        simple = re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-.")[:_LONGEST]
        plain = f"{folder or 'index'}{'/' if simple else ''}{simple}.html"
        if simple == text and plain.lower() not in self._taken:
            return plain
        return plain.replace(".html", f"-{hashlib.blake2b(page.encode(), digest_size=5).hexdigest()}.html")

    def _wanted(self, kind: str, name: str, query: dict[str, str]) -> bool:
        if "run" in query and query["run"] not in self._runs:
            return False
        match kind:
            case "":
                return not name
            case "runs":
                return not name or name in self._runs
            case "run":
                return query.get("name") in self._runs
            case "metrics":
                return not name or name in self._metrics
            case "metric":
                return query.get("name") in self._metrics
            case "nights" | "data" | "plot":
                return not name.endswith(".json")
            case "maps":
                return not query or (query.get("metric") in self._mapped and "visit" not in query)
            case "compare":
                return not {"metric", "band", "sort", "direction"} & set(query) and (
                    not query or query.get("after") in self._runs
                )
        return False


def linked(page: str) -> Iterator[str]:
    """List the addresses that a page leads to.

    Parameters
    ----------
    page : `str`
        HTML of a page of the server.

    Yields
    ------
    address : `str`
        Paths and queries of pages and files of the server.
    """
    for _, value in _ATTRIBUTE.findall(page):
        address = html.unescape(value).partition("#")[0]
        if address.startswith("/"):
            yield address
    for _, held, _ in _CHART.findall(page):
        for words in _urls(json.loads(held)):
            yield from (word for word in words if word)


def relinked(page: str, file: str, locate: Callable[[str], str | None]) -> str:
    """Let the links of a page lead to files.

    Parameters
    ----------
    page : `str`
        HTML of a page of the server.
    file : `str`
        Path of the file that will hold it.
    locate : `~collections.abc.Callable`
        Returns the path of the file of an address, nothing if there is none.

    Returns
    -------
    page : `str`
        HTML, whose links to what is not copied lead nowhere.
    """
    folder = os.path.dirname(file)

    def found(address: str) -> str | None:
        path, mark, place = address.partition("#")
        target = locate(path)
        return None if target is None else os.path.relpath(target, folder or ".") + mark + place

    def attribute(match: re.Match[str]) -> str:
        name, address = match[1], html.unescape(match[2])
        if not address.startswith("/"):
            return match[0]
        target = found(address)
        if target is None:
            return 'title="This is not in the copy"'
        return f'{name}="{html.escape(target)}"'

    def chart(match: re.Match[str]) -> str:
        held = json.loads(match[2])
        held["row"] = ""  # rows of a table are asked for when they are opened
        for words in _urls(held):
            words[:] = [found(word) if word else word for word in words]
        return f"{match[1]}{safe_json(held)}{match[3]}"

    return _CHART.sub(chart, _ATTRIBUTE.sub(attribute, page))


def is_asset(address: str) -> bool:
    """Tell whether an address is that of a file that pages share.

    Parameters
    ----------
    address : `str`
        Path and query.

    Returns
    -------
    answer : `bool`
        Whether it is.
    """
    return address.startswith(_STATIC)


def asset_file(address: str) -> str:
    """Return the path in the copy of a file that pages share.

    Parameters
    ----------
    address : `str`
        Path and query.

    Returns
    -------
    file : `str`
        Path.
    """
    return f"static/{urlsplit(address).path.removeprefix(_STATIC)}"


def _urls(chart: Any) -> Iterator[list[str | None]]:
    """Give the lists of a chart that hold addresses."""
    for columns in chart["columns"].values() if isinstance(chart, dict) and "columns" in chart else ():
        held = columns.get("url")
        if isinstance(held, dict):
            yield held["words"]
        elif isinstance(held, list):
            yield held
