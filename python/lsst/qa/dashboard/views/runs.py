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

"""The list of runs."""

from __future__ import annotations

__all__ = ["VIEW", "data"]

import sqlalchemy
from starlette.requests import Request
from starlette.responses import Response

from ...store import query
from .. import shapes
from ..site import Data, Site, View

_LISTED = 200


def data(engine: sqlalchemy.Engine) -> Data:
    """Return the list of runs.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``runs``, latest first, at most ``limit`` of them.
    """
    return {"limit": _LISTED, "runs": [shapes.run(held) for held in query.latest_runs(engine, _LISTED)]}


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """

    @site.route("/runs", "/runs/", "/runs.json")
    def runs(request: Request) -> Response:
        return site.show(request, VIEW, data(site.engine))


VIEW = View("runs", add, label="Runs")
