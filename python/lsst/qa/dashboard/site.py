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

__all__ = ["Data", "Site", "View", "read_form"]

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import jinja2
import sqlalchemy
from fastapi import APIRouter
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ..errors import InputError
from . import answers
from .access import FORM_TOKEN, Access
from .kept import FRESH
from .links import Links, split_twin

Data = dict[str, Any]
"""What a page shows, which its JSON twin shows as it is."""

Handler = Callable[..., Response | Awaitable[Response]]

_FIELDS = 100  # of one form


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
    fresh : `float`
        Time in s for which it says what is true if nobody writes to the
        database: short for what tells of the present.
    """

    name: str
    add: Callable[[Site], None]
    label: str = ""
    section: str = ""
    prepare: Callable[[], None] | None = None
    fresh: float = 600.0


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
    access : `Access`
        Tells who asks.
    """

    engine: sqlalchemy.Engine
    links: Links
    templates: jinja2.Environment
    router: APIRouter
    access: Access

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

    def action(self, path: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
        """Return a decorator that answers to a form that changes something.

        Parameters
        ----------
        path : `str`
            Path below the prefix. What it names in braces is in
            ``request.path_params``.

        Returns
        -------
        decorator : `~collections.abc.Callable`
            Leaves the function as it is, which is called with the request,
            the user who may write, and the fields of the form.
        """

        def add(function: Callable[..., Response]) -> Callable[..., Response]:
            async def checked(request: Request) -> Response:
                form = await read_form(request)
                identity = request.state.identity
                who = self.access.require_writer(request, identity, form.pop(FORM_TOKEN, ""))
                return await run_in_threadpool(function, request, who, form)

            self.receive(path, checked)
            return function

        return add

    def receive(self, path: str, function: Handler) -> None:
        """Answer to a form of which nothing has been checked.

        Parameters
        ----------
        path : `str`
            Path below the prefix.
        function : `~collections.abc.Callable`
            Coroutine that answers to a request.
        """
        self._added((path,), ["POST"])(function)

    def go(self, address: str) -> Response:
        """Answer to a form with the page to be shown next.

        Parameters
        ----------
        address : `str`
            One of `links`.

        Returns
        -------
        response : `starlette.responses.Response`
            The answer.
        """
        return answers.redirect_answer(address)

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
            return self._fresh(answers.json_answer(request, data), view)
        drawn = {} if charts is None else charts(data)
        shown = {name: chart for name, chart in drawn.items() if chart is not None}
        context = {**data, "charts": shown, **self.about(request, view)}
        answer = answers.page_answer(request, self.templates, f"{view.name}.html", context)
        return self._fresh(answer, view)

    def about(self, request: Request, view: View | None = None) -> Data:
        """Return what every template needs to know of a request.

        Parameters
        ----------
        request : `starlette.requests.Request`
            The request.
        view : `View`, optional
            The page that is shown; without it an error.

        Returns
        -------
        context : `dict` [`str`, `typing.Any`]
            Variables of the template.
        """
        # Not there where the request did not even pass the guard.
        identity = getattr(request.state, "identity", None)
        field = Markup('<input type="hidden" name="{}" value="{}">')
        token = self.access.form_token(identity)
        return {
            "view": view.name if view else "",
            "section": view.section or view.name if view else "",
            "user": identity.name if identity else None,
            "who": identity.name if identity and token else None,
            "form_token": lambda: field.format(FORM_TOKEN, token) if token else Markup(""),
        }

    @staticmethod
    def _fresh(answer: Response, view: View) -> Response:
        """Tell those who keep answers for how long; nobody else sees it."""
        answer.headers[FRESH] = str(view.fresh)
        return answer

    def _added(self, paths: tuple[str, ...], methods: list[str]) -> Callable[[Handler], Handler]:
        def add(function: Handler) -> Handler:
            # Some proxies take their prefix away, and some do not.
            for path in dict.fromkeys(prefix + path for prefix in ("", self.links.prefix) for path in paths):
                self.router.add_api_route(
                    path, function, methods=methods, response_model=None, include_in_schema=False
                )
            return function

        return add


async def read_form(request: Request) -> dict[str, str]:
    """Read the fields of a form.

    Parameters
    ----------
    request : `starlette.requests.Request`
        The request.

    Returns
    -------
    form : `dict` [`str`, `str`]
        Values by name; of several of one name the last.

    Raises
    ------
    InputError
        Raised if it is no form.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise InputError(
            f"A form is sent as application/x-www-form-urlencoded, not as {kind or 'nothing'!r}."
        )
    try:
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError as error:
        raise InputError(f"This is not a form: {error}.") from error
    if any("\0" in text for pair in pairs for text in pair):
        raise InputError("No text of a form has a character 0.")
    return dict(pairs)
