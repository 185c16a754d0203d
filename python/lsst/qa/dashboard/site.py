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

"""What every page is made of: the site, and a view of it."""

from __future__ import annotations

__all__ = ["Data", "Site", "View"]

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jinja2
import sqlalchemy
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from . import answers
from .links import Links, split_twin

Data = dict[str, Any]
"""What a page shows, which its JSON twin shows as it is."""

Handler = Callable[..., Response]


@dataclasses.dataclass(frozen=True)
class View:
    """One kind of page; `lsst.qa.dashboard.views` tells how to add one.

    Attributes
    ----------
    name : `str`
        Name of its module and of its template.
    add : `~collections.abc.Callable`
        Adds its routes to a site.
    label : `str`
        What the navigation calls it; not there if empty.
    section : `str`
        Name of the view whose entry in the navigation is lit.
    prepare : `~collections.abc.Callable` or `None`
        Called once in the background after the server started.
    """

    name: str
    add: Callable[[Site], None]
    label: str = ""
    section: str = ""
    prepare: Callable[[], None] | None = None


@dataclasses.dataclass(frozen=True)
class Site:
    """What the views of one dashboard share.

    Attributes
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    links : `Links`
        Addresses of the views.
    templates : `jinja2.Environment`
        The templates.
    router : `fastapi.APIRouter`
        Takes the routes.
    """

    engine: sqlalchemy.Engine
    links: Links
    templates: jinja2.Environment
    router: APIRouter

    def route(self, *paths: str) -> Callable[[Handler], Handler]:
        """Return a decorator that answers to reading some paths.

        Parameters
        ----------
        *paths : `str`
            Paths below the prefix, those of JSON twins ending in ``.json``.

        Returns
        -------
        decorator : `~collections.abc.Callable`
            Leaves the function as it is.
        """
        return self._added(paths, ["GET", "HEAD"])

    def show(
        self,
        request: Request,
        view: View,
        data: Data,
        charts: Callable[[Data], Mapping[str, str | None]] | None = None,
    ) -> Response:
        """Answer with a page, or with its JSON twin if that is asked for.

        Parameters
        ----------
        request : `starlette.requests.Request`
            The request.
        view : `View`
            The page.
        data : `dict` [`str`, `typing.Any`]
            What it shows.
        charts : `~collections.abc.Callable`, optional
            Returns from the data the charts by their name in the template;
            those that are `None` are left out.

        Returns
        -------
        response : `starlette.responses.Response`
            The answer.
        """
        if split_twin(request.url.path)[1]:
            return answers.json_answer(request, data)
        drawn = {} if charts is None else charts(data)
        shown = {name: chart for name, chart in drawn.items() if chart is not None}
        context = {**data, "charts": shown, "view": view.name, "section": view.section or view.name}
        return answers.page_answer(request, self.templates, f"{view.name}.html", context)

    def _added(self, paths: tuple[str, ...], methods: list[str]) -> Callable[[Handler], Handler]:
        def add(function: Handler) -> Handler:
            # Some proxies take their prefix away, and some do not.
            for path in dict.fromkeys(prefix + path for prefix in ("", self.links.prefix) for path in paths):
                self.router.add_api_route(path, function, methods=methods, response_model=None)
            return function

        return add
