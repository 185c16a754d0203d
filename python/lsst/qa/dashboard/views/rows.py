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

"""The stars behind a number: the rows that a metric takes of a table."""

from __future__ import annotations

__all__ = ["VIEW", "data"]

from collections.abc import Mapping
from typing import Annotated, Any

import sqlalchemy
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from ...columns import TABLES
from ...errors import CollectionError, UnknownNameError
from ...plots.declared import KEYS
from ..drawings import opened_kind
from ..site import Data, Site, View
from .plot import NAMES, found_choices

_ROWS = 100
_LARGEST = 2**40
_IDS = 2**63 - 1
Offset = Annotated[int, Query(ge=0, le=_LARGEST)]
Id = Annotated[int | None, Query(ge=-_IDS, le=_IDS)]


def data(
    engine: sqlalchemy.Engine,
    data_id: Mapping[str, Any],
    run: str | None = None,
    table: str | None = None,
    metric: str | None = None,
    band: str | None = None,
    key: int | None = None,
    offset: int = 0,
) -> Data:
    """Return rows of a table of a data ID.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    data_id : `~collections.abc.Mapping` [`str`, `typing.Any`]
        A visit, exposure or tract, and what narrows it.
    run : `str`, optional
        Only the repository of this run.
    table : `str`, optional
        Kind of table; that of the metric, or the first if not given.
    metric : `str`, optional
        Only rows that this metric takes.
    band : `str`, optional
        Band, where columns or rows are of one.
    key : `int`, optional
        Only the rows of this source, object or star.
    offset : `int`, optional
        How many rows to leave out at first.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``columns`` with their units, ``rows``, whether there are ``more``,
        and what was asked for.

    Raises
    ------
    UnknownNameError
        Raised if there is no such metric, kind of table, or table.
    CollectionError
        Raised if there are no tables.
    """
    # What reads tables is imported when one is read.
    from ...catalogue import find
    from ...plots.listing import list_rows

    asked = None if metric is None else find(metric)
    if table is not None and table not in TABLES:
        raise UnknownNameError("kind of table", table, TABLES)
    full, found = found_choices(engine, data_id, run)
    if not found.inputs:
        raise CollectionError(found.message)
    kind = asked.table if asked is not None else table or found.inputs[0].kind
    with opened_kind(found, kind) as (held, source):
        listing = list_rows(source, kind, asked, band, dict(held.where), key, offset, _ROWS)
        size = source.n_rows
    return {
        "data_id": full,
        "run": run,
        "table": kind,
        "kinds": list(dict.fromkeys(one.kind for one in found.inputs)),
        "metric": metric,
        "doc": None if asked is None else asked.doc,
        "band": band,
        "id": None if key is None else str(key),
        "key": KEYS.get(kind),
        "offset": offset,
        "more": listing.more,
        "size": size,
        "columns": listing.columns,
        "rows": listing.rows,
        "assumed": listing.assumed,
        "source": {
            "dataset_type": held.table.dataset_type,
            "run": held.table.run,
            "uuid": held.table.uuid,
        },
    }


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """

    @site.route("/rows", "/rows.json")
    def rows(
        request: Request,
        instrument: str | None = None,
        visit: int | None = None,
        exposure: int | None = None,
        detector: int | None = None,
        skymap: str | None = None,
        tract: int | None = None,
        patch: int | None = None,
        run: str | None = None,
        table: str | None = None,
        metric: str | None = None,
        band: str | None = None,
        id: Id = None,
        offset: Offset = 0,
    ) -> Response:
        values = (instrument, visit, exposure, detector, skymap, tract, patch)
        data_id = dict(zip(NAMES, values))
        return site.show(request, VIEW, data(site.engine, data_id, run, table, metric, band, id, offset))


VIEW = View("rows", add, section="nights")
