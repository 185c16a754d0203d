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

"""The list of metrics."""

from __future__ import annotations

__all__ = ["VIEW", "data"]

import sqlalchemy
from starlette.requests import Request
from starlette.responses import Response

from ...store import query
from .. import shapes
from ..arrange import natural_key
from ..site import Data, Site, View


def data(engine: sqlalchemy.Engine) -> Data:
    """Return the list of metrics.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``metrics``, by name, with their definitions and thresholds.
    """
    found = sorted(query.definitions(engine), key=lambda held: natural_key(held.name))
    return {"metrics": [shapes.definition(held) for held in found]}


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """

    @site.route("/metrics", "/metrics/", "/metrics.json")
    def metrics(request: Request) -> Response:
        return site.show(request, VIEW, data(site.engine))


VIEW = View("metrics", add, label="Metrics")
