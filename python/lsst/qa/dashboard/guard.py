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

"""What stands before the dashboard: names, sizes, rates, and who may read."""

from __future__ import annotations

__all__ = ["SIGN_IN", "STATIC", "Buckets", "Guard"]

import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import AccessError
from .access import Access
from .links import Links
from .settings import LOOPBACK

SIGN_IN, STATIC = "/sign-in", "/static/"
"""Paths that are open to everybody."""

_READING = ("GET", "HEAD", "OPTIONS")
_BURST_SECONDS = 10.0
_WRITES = 0.01
_REMEMBERED = 4096
_DIGITS = 20

Refuse = Callable[[Request, int, str, str], Response]


class Buckets:
    """Counts what each client asks, and says when it is too much.

    Parameters
    ----------
    rate : `float`
        Requests per second in the long run; ten seconds' worth at once.
    """

    def __init__(self, rate: float):
        self._rate = rate
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, now: float) -> float:
        """Count a request.

        Parameters
        ----------
        client : `str`
            Who asks.
        now : `float`
            Time in s, of any clock that only goes forward.

        Returns
        -------
        wait : `float`
            Time in s after which it would be granted; 0 if it is.
        """
        most = max(self._rate * _BURST_SECONDS, 1.0)
        left, then = self._held.pop(client, (most, now))
        left = min(most, left + (now - then) * self._rate)
        granted = left >= 1.0
        self._held[client] = (left - granted, now)
        if len(self._held) > _REMEMBERED:
            self._held.popitem(last=False)
        return 0.0 if granted else (1.0 - left) / self._rate


class Guard:
    """Middleware that lets only proper requests pass.

    Parameters
    ----------
    app : `~collections.abc.Callable`
        What it guards.
    access : `Access`
        Tells who asks.
    refuse : `~collections.abc.Callable`
        Makes the answer to a request from status, code and message.
    """

    def __init__(self, app: ASGIApp, access: Access, refuse: Refuse):
        self.app = app
        self.access = access
        self.refuse = refuse
        settings = access.settings
        self._prefix = Links(settings.root_path).prefix
        self._hosts = {host.lower() for host in (*LOOPBACK, *settings.hosts)}
        self._reads, self._writes = Buckets(settings.rate), Buckets(settings.rate * _WRITES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let somebody else do so."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        if (refusal := self._refusal(request)) is not None:
            await refusal(scope, receive, send)
            return
        await self.app(scope, _limited(receive, self.access.settings.body_limit), send)

    def _refusal(self, request: Request) -> Response | None:
        """Return why a request does not pass; keep who asks if it does."""
        host = request.headers.get("host", "")
        if _name(host) not in self._hosts:
            # A page of any site could have its own name lead here, and read.
            return self.refuse(request, 421, "host", f"This is not {_shown(host)}; see --allow-host.")
        if "\0" in request.url.path or b"%00" in request.scope["query_string"]:
            return self.refuse(request, 422, "input", "No name and no text has a character 0.")
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > _DIGITS or int(length) > self.access.settings.body_limit:
            return self.refuse(request, 413, "too_large", "This request is too large.")
        client = request.client.host if request.client else ""
        buckets = self._reads if request.method in _READING else self._writes
        if wait := buckets.take(client, time.monotonic()):
            refused = self.refuse(request, 429, "rate", "These are too many requests. Try again in a while.")
            refused.headers["Retry-After"] = str(int(wait) + 1)
            return refused
        try:
            request.state.identity = self.access.identify(request)
            if not self._open_to_all(request.url.path):
                self.access.require_reader(request.state.identity)
        except AccessError as error:
            request.state.identity = None
            return self.refuse(request, error.status, error.code, str(error))
        return None

    def _open_to_all(self, path: str) -> bool:
        """Tell whether even who may not read may see this: how to sign in."""
        inside = path.removeprefix(self._prefix)
        return inside == SIGN_IN or inside.startswith(STATIC)


def _limited(receive: Receive, limit: int) -> Receive:
    """Cut a body off that is longer than its header admits."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise HTTPException(413, "This request is too large.")
        return message

    return limited


def _name(host: str) -> str:
    """Return the name in a Host header, without its port."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower()


def _shown(host: str) -> str:
    return repr(host[:100]) if host else "named in the request"
