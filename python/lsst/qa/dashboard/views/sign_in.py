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

"""Signing in with a token, and out again."""

from __future__ import annotations

__all__ = ["VIEW"]

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ...errors import AccessError
from ..access import SESSION, SESSION_SECONDS
from ..guard import SIGN_IN
from ..site import Site, View, read_form


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """

    @site.route(SIGN_IN, f"{SIGN_IN}.json")
    def sign_in(request: Request) -> Response:
        return site.show(request, VIEW, {"possible": bool(site.access.settings.tokens)})

    async def signed_in(request: Request) -> Response:
        form = await read_form(request)
        site.access.require_same_site(request)
        identity = await run_in_threadpool(site.access.by_token, form.get("token", "").strip())
        if identity is None:
            raise AccessError("This token is not known here.", 401)
        answer = site.go(site.links.page())
        answer.set_cookie(
            SESSION,
            site.access.session(identity),
            max_age=SESSION_SECONDS,
            path=f"{site.links.root}/",
            secure="https" in (request.url.scheme, request.headers.get("x-forwarded-proto")),
            httponly=True,
            samesite="strict",
        )
        return answer

    site.receive(SIGN_IN, signed_in)

    async def signed_out(request: Request) -> Response:
        site.access.require_same_site(request)
        answer = site.go(site.links.page())
        answer.delete_cookie(SESSION, path=f"{site.links.root}/")
        return answer

    site.receive("/sign-out", signed_out)


VIEW = View("sign_in", add)
