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

"""The API: the same as the pages, for programs.

Each resource is a module with a function ``add(api)``; the list of them is
`RESOURCES`. Its rows are described in `models`, once, which makes the
documentation and the columns of all formats.
"""

from __future__ import annotations

__all__ = ["PREFIX", "RESOURCES", "Later", "add"]

import threading
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ..site import Site

if TYPE_CHECKING:
    from .routes import Made

PREFIX = "/api/v1"

RESOURCES = (
    "runs",
    "metrics",
    "measurements",
    "series",
    "verdicts",
    "compare",
    "search",
    "logs",
    "annotations",
    "jobs",
    "tables",
)
"""The modules of this package that are resources."""


class Later:
    """The routes of all resources, made when they are first asked for: pages
    need none of them, nor what they import.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """

    def __init__(self, site: Site):
        self._site = site
        self._lock = threading.Lock()
        self._made: Made | None = None

    def made(self) -> Made:
        """Return the routes.

        Returns
        -------
        made : `Made`
            The same each time.
        """
        from .routes import made

        with self._lock:
            if self._made is None:
                self._made = made(self._site)
            return self._made

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer to a request."""
        made = self._made
        if made is None:
            made = await run_in_threadpool(self.made)
        await made.router(scope, receive, send)


def add(site: Site) -> Later:
    """Add the API to a dashboard.

    Parameters
    ----------
    site : `Site`
        The dashboard.

    Returns
    -------
    api : `Later`
        The API, which may be made before anybody asks.
    """
    api = Later(site)
    for prefix in dict.fromkeys(("", site.links.prefix)):
        site.router.routes.append(Route(f"{prefix}{PREFIX}/{{rest:path}}", api))
    return api
