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
"""What programs can ask for, told to people."""

from __future__ import annotations

__all__ = ["VIEW", "data"]

import itertools
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ..api import PREFIX, Later
from ..site import Data, Site, View


def data(api: Later) -> Data:
    """Return the reference of the API.

    Parameters
    ----------
    api : `Later`
        The API.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``about`` it, its ``prefix``; ``resources`` with their
        ``operations``; the ``schemas`` of what is answered; and the
        ``faults`` that any request may meet, by HTTP status.
    """
    from ..api.formats import FAULTS
    from ..api.reference import operations, schemas

    document = api.made().document

    def resource(one: dict[str, Any]) -> str:
        return str(one["resource"])

    return {
        "about": document["info"]["description"],
        "prefix": PREFIX,
        "resources": [
            {"name": name, "operations": list(members)}
            for name, members in itertools.groupby(operations(document), resource)
        ],
        "schemas": schemas(document),
        "faults": [{"status": status, "about": fault["description"]} for status, fault in FAULTS.items()],
    }


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """

    @site.route("/api", "/api.json")
    def api(request: Request) -> Response:
        return site.show(request, VIEW, data(request.app.state.api))


VIEW = View("api", add, fresh=3600.0)
