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

"""Answers kept as long as the database is what it was."""

from __future__ import annotations

__all__ = ["FRESH", "Kept"]

import asyncio
import dataclasses
import time
from collections import OrderedDict
from collections.abc import Hashable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import DatabaseError
from ..store.watch import Watch

FRESH = "x-qa-fresh"
"""Header that says for how many seconds an answer may be kept."""

_SECONDS = 10.0  # where it does not say so
_MOST_BYTES = 16 << 20
_LONGEST = 2 << 20
_OF_BODY = (b"content-encoding", b"content-length", b"content-type")


@dataclasses.dataclass(frozen=True)
class _Answer:
    """A whole answer, of which state it was made, and how long it is good."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    state: str
    until: float


class Kept:
    """Middleware that answers at once what it has answered before.

    Parameters
    ----------
    app : `~collections.abc.Callable`
        What answers.
    watch : `lsst.qa.store.watch.Watch`
        Tells whether the database has changed.
    """

    def __init__(self, app: ASGIApp, watch: Watch):
        self.app = app
        self._watch = watch
        self._held: OrderedDict[Hashable, _Answer] = OrderedDict()
        self._size = 0
        self._making: dict[Hashable, asyncio.Event] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or have it answered."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        key = _key(scope, headers)
        try:
            state = await run_in_threadpool(self._watch.state)
        except DatabaseError:
            await self.app(scope, receive, send)  # which says so
            return
        # Whoever asks for what is just being made waits for it.
        while (answer := self._current(key, state)) is None and key in self._making:
            await self._making[key].wait()
        if answer is not None:
            await _send(answer, headers, send)
            return
        self._making[key] = asyncio.Event()
        try:
            await self._make(key, state, scope, receive, send)
        finally:
            self._making.pop(key).set()

    def _current(self, key: Hashable, state: str) -> _Answer | None:
        answer = self._held.get(key)
        if answer is None or answer.state != state or time.monotonic() > answer.until:
            return None
        self._held.move_to_end(key)
        return answer

    async def _make(self, key: Hashable, state: str, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        # The whole answer is wanted, also by who has it already.
        asked = [(name, value) for name, value in scope["headers"] if name != b"if-none-match"]
        start: Message = {}
        passing = False

        async def keep(message: Message) -> None:
            nonlocal start, passing
            if message["type"] == "http.response.start":
                start = message
                return
            if passing or message.get("more_body"):
                # An answer in pieces goes on as it comes.
                if not passing:
                    await send(start)
                passing = True
                await send(message)
                return
            until = time.monotonic() + float(Headers(raw=start["headers"]).get(FRESH, _SECONDS))
            raw = [(name, value) for name, value in start["headers"] if name != FRESH.encode()]
            answer = _Answer(start["status"], raw, message.get("body", b""), state, until)
            self._keep(key, answer)
            await _send(answer, headers, send)

        await self.app({**scope, "headers": asked}, receive, keep)

    def _keep(self, key: Hashable, answer: _Answer) -> None:
        """Keep an answer in the place of those that were not asked longest."""
        names = {name.lower() for name, _ in answer.headers}
        if (
            answer.status != 200
            or len(answer.body) > _LONGEST
            or b"set-cookie" in names
            or b"etag" not in names
        ):
            return
        if (old := self._held.pop(key, None)) is not None:
            self._size -= len(old.body)
        self._held[key] = answer
        self._size += len(answer.body)
        while self._size > _MOST_BYTES:
            self._size -= len(self._held.popitem(last=False)[1].body)


def _key(scope: Scope, headers: Headers) -> Hashable:
    identity = scope.get("state", {}).get("identity")
    zipped = "gzip" in headers.get("accept-encoding", "")
    return scope["path"], scope["query_string"], headers.get("accept"), zipped, identity


async def _send(answer: _Answer, asked: Mapping[str, str], send: Send) -> None:
    headers = MutableHeaders(raw=answer.headers)
    status, raw, body = answer.status, answer.headers, answer.body
    tag = headers.get("etag", "").removeprefix("W/")
    if status == 200 and tag and tag in asked.get("if-none-match", ""):
        raw = [(name, value) for name, value in raw if name.lower() not in _OF_BODY]
        status, body = 304, b""
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
