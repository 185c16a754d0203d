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

"""Searching metrics, runs, data IDs, log messages and exceptions."""

from __future__ import annotations

__all__ = ["VIEW", "data"]

from typing import Annotated, Any, Literal

import sqlalchemy
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from ...store import lookup, search
from ...store.execution import LEVELS
from .. import shapes
from ..site import Data, Site, View

Kind = Literal["all", "logs", "exceptions", "metrics", "runs", "data"]
Level = Literal["", "DEBUG", "VERBOSE", "INFO", "WARNING", "ERROR", "CRITICAL"]

_PAGE = 50
_SAMPLE = 5
_QUANTUM = ("quantum_id", "run", "task", "data_id", "status", "started", "host", "exception_type")


def data(
    engine: sqlalchemy.Engine,
    text: str = "",
    kind: str = "all",
    level: str = "",
    after: int | None = None,
    **chosen: Any,
) -> Data:
    """Return what is found.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    text : `str`, optional
        What a user typed.
    kind : `str`, optional
        "logs", "exceptions", "metrics", "runs" or "data" (data IDs); a few
        of each with "all".
    level : `str`, optional
        Name of the lowest level of log records.
    after : `int`, optional
        The ``next`` of the page before this one.
    **chosen
        Facets that are chosen, of `lsst.qa.store.search.FACETS`.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        What was asked for, and lists by kind; ``facets`` of logs and
        exceptions with ``total`` and ``complete``; ``next`` where there is
        more.

    Raises
    ------
    InputError
        Raised for too many words.
    """
    wanted = {name: value for name, value in chosen.items() if value is not None}
    found: Data = {"text": text, "kind": kind, "level": level, "chosen": wanted, "next": None}
    found |= {"facets": {}, "total": 0, "complete": True}
    found |= {name: [] for name in ("logs", "exceptions", "metrics", "runs", "data")}
    limit = _SAMPLE if kind == "all" else _PAGE
    if text or kind in ("logs", "exceptions"):
        if kind in ("all", "logs"):
            found |= _logs(engine, text, level, limit, after, wanted)
        if kind in ("all", "exceptions"):
            found |= _exceptions(engine, text, limit, after, wanted, facets=kind != "all")
    if text:
        if kind in ("all", "metrics"):
            found["metrics"] = [shapes.definition(one) for one in lookup.search_metrics(engine, text, limit)]
        if kind in ("all", "runs"):
            found["runs"] = [shapes.run(one) for one in lookup.search_runs(engine, text, limit)]
        if kind in ("all", "data"):
            found["data"] = [hit._asdict() for hit in lookup.search_data_ids(engine, text, limit)]
    return found


def _logs(
    engine: sqlalchemy.Engine, text: str, level: str, limit: int, after: int | None, chosen: Data
) -> Data:
    least = LEVELS.get(level, 0)
    hits = search.search_logs(engine, text, level=least, limit=limit + 1, after=after, **chosen)
    counted = search.log_facets(engine, text, level=least, **chosen)
    more = len(hits) > limit
    return {
        "logs": [
            {
                **shapes.taken(hit.record, ("record_id", "time", "level", "logger", "message", "exception")),
                **shapes.taken(hit.quantum, _QUANTUM),
            }
            for hit in hits[:limit]
        ],
        "next": hits[limit - 1].record.record_id if more else None,
        **_counted(counted),
    }


def _exceptions(
    engine: sqlalchemy.Engine, text: str, limit: int, after: int | None, chosen: Data, facets: bool
) -> Data:
    hits = search.search_quanta(engine, text, raised=True, limit=limit + 1, after=after, **chosen)
    found: Data = {
        "exceptions": [shapes.taken(hit, (*_QUANTUM, "exception_message")) for hit in hits[:limit]]
    }
    if facets:
        found |= _counted(search.quantum_facets(engine, text, raised=True, **chosen))
        found["next"] = hits[limit - 1].quantum_id if len(hits) > limit else None
    return found


def _counted(facets: search.Facets) -> Data:
    counts = {name: [list(pair) for pair in counts] for name, counts in facets.counts.items()}
    return {"facets": counts, "total": facets.total, "complete": facets.complete}


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """
    site.templates.globals["level_names"] = {number: name for name, number in LEVELS.items()}

    @site.route("/search", "/search.json")
    def found(
        request: Request,
        q: Annotated[str, Query(max_length=1000)] = "",
        kind: Kind = "all",
        level: Level = "",
        after: int | None = None,
        task: str | None = None,
        status: str | None = None,
        exception_type: str | None = None,
        instrument: str | None = None,
        day_obs: int | None = None,
        tract: int | None = None,
    ) -> Response:
        shown = data(
            site.engine,
            q.strip(),
            kind,
            level,
            after,
            task=task,
            instrument=instrument,
            day_obs=day_obs,
            tract=tract,
            **({"status": status, "exception_type": exception_type} if kind == "exceptions" else {}),
        )
        return site.show(request, VIEW, shown)


VIEW = View("search", add, label="Search")
