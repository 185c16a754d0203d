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

"""Finding metrics, runs, data IDs and quanta."""

from __future__ import annotations

__all__ = ["add"]

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from ...store.lookup import search_data_ids, search_metrics, search_runs
from ...store.search import search_quanta
from . import models
from .formats import Format, Limit, answer
from .routes import Api


def add(api: Api) -> None:
    """Add the routes of the resource.

    Parameters
    ----------
    api : `Api`
        Takes them.
    """

    @api.listing("/search", models.Hit)
    def search(
        request: Request,
        q: Annotated[str, Query(max_length=1000, description="words, or numbers of visits and tracts")],
        limit: Limit = 50,
        format: Format = "json",
    ) -> Response:
        """Find metrics, runs, data IDs and quanta; `limit` of each kind."""
        links = api.site.links
        rows = [
            {"kind": "metric", "name": held.name, "text": held.description, "url": links.metric(held.name)}
            for held in search_metrics(api.engine, q, limit)
        ]
        rows += [
            {"kind": "run", "name": held.name, "text": held.collection, "url": links.run(held.name)}
            for held in search_runs(api.engine, q, limit)
        ]
        for found in search_data_ids(api.engine, q, limit):
            name = ", ".join(f"{key} {value}" for key, value in found.data_id.items())
            counts = f"{found.n_measurements} measurements, {found.n_quanta} quanta"
            rows.append(
                {"kind": "data_id", "name": name, "text": counts, "url": links.page("search", q=name)}
            )
        for quantum in search_quanta(api.engine, q, limit=limit):
            name = f"{quantum.task}: {quantum.data_id}"
            url = links.page(f"quanta/{quantum.quantum_id}")
            rows.append({"kind": "quantum", "name": name, "text": quantum.exception_message, "url": url})
        return answer(request, models.Hit, rows, format)
