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

"""The landing page: the latest runs against the requirements."""

from __future__ import annotations

__all__ = ["VIEW", "data"]

import sqlalchemy
from starlette.requests import Request
from starlette.responses import Response

from ...store import query
from .. import shapes
from ..site import Data, Site, View

_LATEST = 7


def data(engine: sqlalchemy.Engine) -> Data:
    """Return the latest runs with their verdicts.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``runs``, latest first: each with ``counts`` of verdicts by state, in
        ``variant_counts`` those of variants, and its ``verdicts`` by a
        threshold.
    """
    specs = query.specifications(engine)
    shown = []
    for held in query.latest_runs(engine, _LATEST):
        cells = shapes.verdicts(engine, held, specs)
        judged = [cell for cell in cells if cell["state"] != "none"]
        shown.append({**shapes.run(held), **shapes.counts(cells), "verdicts": judged})
    return {"runs": shown}


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """

    @site.route("/", "/index.json")
    def landing(request: Request) -> Response:
        return site.show(request, VIEW, data(site.engine))


VIEW = View("landing", add)
