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

"""What takes the routes of resources, and all of them taken."""

from __future__ import annotations

__all__ = ["Api", "Made", "made"]

import dataclasses
import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import sqlalchemy
from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from .. import answers
from ..access import FORM_TOKEN_HEADER
from ..site import Site
from . import PREFIX, RESOURCES
from .formats import FAULTS, documented
from .words import described

_ABOUT = """Everything that the pages show. Lists come in pages of at most `limit` rows;
`next` of one page is the `cursor` of the next. Numbers that are undefined are null. Times are UTC."""


@dataclasses.dataclass(frozen=True)
class Api:
    """Takes the routes of resources.

    Attributes
    ----------
    site : `Site`
        The dashboard.
    router : `fastapi.APIRouter`
        Takes them.
    """

    site: Site
    router: APIRouter

    @property
    def engine(self) -> sqlalchemy.Engine:
        """The metrics database."""
        return self.site.engine

    def listing(self, path: str, model: type[BaseModel]) -> Callable[[Any], Any]:
        """Return a decorator that answers with a list.

        Parameters
        ----------
        path : `str`
            Path below the prefix of the API.
        model : `type` [`pydantic.BaseModel`]
            A row.

        Returns
        -------
        decorator : `~collections.abc.Callable`
            Leaves the function as it is.
        """
        return self._added(path, "GET", responses=documented(model))

    def reading(self, path: str, responses: dict[int | str, dict[str, Any]]) -> Callable[[Any], Any]:
        """Return a decorator that answers with something else.

        Parameters
        ----------
        path : `str`
            Path below the prefix of the API.
        responses : `dict`
            What is answered, for the documentation.

        Returns
        -------
        decorator : `~collections.abc.Callable`
            Leaves the function as it is.
        """
        return self._added(path, "GET", responses={**FAULTS, **responses})

    def writing(
        self, method: str, path: str, status: int, model: type[BaseModel] | None
    ) -> Callable[[Any], Any]:
        """Return a decorator that answers to what changes something.

        Parameters
        ----------
        method : `str`
            HTTP method.
        path : `str`
            Path below the prefix of the API.
        status : `int`
            HTTP status of success.
        model : `type` [`pydantic.BaseModel`] or `None`
            What is answered then.

        Returns
        -------
        decorator : `~collections.abc.Callable`
            Leaves the function as it is.
        """
        done: dict[str, Any] = {"description": "Done", **({"model": model} if model else {})}
        return self._added(path, method, responses={**FAULTS, status: done}, status_code=status)

    def writer(self, request: Request) -> str:
        """Return who writes, or refuse.

        Parameters
        ----------
        request : `starlette.requests.Request`
            The request.

        Returns
        -------
        who : `str`
            The user.

        Raises
        ------
        AccessError
            Raised if they may not.
        """
        given = request.headers.get(FORM_TOKEN_HEADER, "")
        return self.site.access.require_writer(request, request.state.identity, given)

    def _added(self, path: str, method: str, **described: Any) -> Callable[[Any], Any]:
        def add(function: Any) -> Any:
            paths = dict.fromkeys(prefix + PREFIX + path for prefix in ("", self.site.links.prefix))
            for place, whole in enumerate(paths):
                self.router.add_api_route(
                    whole,
                    function,
                    methods=[method],
                    response_model=None,
                    operation_id=function.__name__,
                    tags=[function.__module__.rpartition(".")[2]],
                    include_in_schema=place == 0,
                    **described,
                )
                if method == "GET":
                    self.router.add_api_route(
                        whole, function, methods=["HEAD"], response_model=None, include_in_schema=False
                    )
            return function

        return add


class Made(NamedTuple):
    """The API of a dashboard.

    Attributes
    ----------
    router : `fastapi.APIRouter`
        Answers to requests.
    document : `dict` [`str`, `typing.Any`]
        The OpenAPI document, as JSON has it.
    """

    router: APIRouter
    document: dict[str, Any]


def made(site: Site) -> Made:
    """Return the routes of all resources, and of their documentation.

    Parameters
    ----------
    site : `Site`
        The dashboard.

    Returns
    -------
    made : `Made`
        The routes, and what is documented of them.
    """
    router = APIRouter(redirect_slashes=False)
    api = Api(site, router)
    for name in RESOURCES:
        importlib.import_module(f".{name}", __package__).add(api)
    document = _documented(site, router)

    def openapi(request: Request) -> Response:
        return answers.json_answer(request, document)

    for prefix in dict.fromkeys(("", site.links.prefix)):
        path = f"{prefix}{PREFIX}/openapi.json"
        router.add_api_route(path, openapi, methods=["GET", "HEAD"], include_in_schema=False)
    return Made(router, document)


def _documented(site: Site, router: APIRouter) -> dict[str, Any]:
    document = get_openapi(
        title="lsst.qa",
        version="1",
        description=_ABOUT,
        routes=router.routes,
        servers=[{"url": site.links.root or "/"}],
    )
    return described(document)
