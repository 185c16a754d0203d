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

"""The dashboard's server: which URL shows what, over one metrics database."""

from __future__ import annotations

__all__ = ["create_app", "serve"]

import contextlib
import dataclasses
import gc
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import sqlalchemy
import uvicorn
from anyio import to_thread
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response

from ..errors import AccessError, DatabaseError, InputError, QaError
from ..store import database
from ..store.watch import Watch
from . import answers, api, assets, memory, shapes
from .access import Access
from .guard import STATIC, Guard
from .kept import Kept
from .links import Links
from .settings import Settings
from .site import Site
from .views import views

_LOG = logging.getLogger(__name__)
_CONNECTIONS = 500
_GARBAGE = 20_000
_THREADS = 8
_CACHE_KIB = 4096
_SOON = 2.0  # s until what the first page does not need is made ready
_UNNAMED = "There is no page here. The runs and metrics pages list all there is."


def create_app(engine: sqlalchemy.Engine, settings: Settings | None = None) -> FastAPI:
    """Return the dashboard of a metrics database.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    settings : `Settings`, optional
        Its settings.

    Returns
    -------
    app : `fastapi.FastAPI`
        The application.
    """
    chosen = settings or Settings()
    links = Links(chosen.root_path)
    shared = {"states": shapes.STATES, "views": views, "signing_in": bool(chosen.tokens)}
    templates = answers.environment(links, **shared)
    app = FastAPI(
        title="lsst.qa",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    site = Site(engine, links, templates, app.router, Access(chosen))
    app.state.site, app.state.api = site, api.add(site)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=6)
    for view in views():
        view.add(site)

    def fail(request: Request, status: int, code: str, message: str) -> Response:
        answer = answers.error_answer(request, templates, status, code, message, site.about(request))
        if status in (401, 403):
            client = request.client.host if request.client else "?"
            _LOG.warning("%s is not let to %s %r: %s", client, request.method, request.url.path, message)
        if status == 401:
            answer.headers["WWW-Authenticate"] = "Bearer"
        return answer

    app.add_middleware(Kept, watch=Watch(engine))
    app.add_middleware(Guard, access=site.access, refuse=fail)
    _report(app, fail)

    @site.route(STATIC + "{name}")
    def static(request: Request, name: str) -> Response:
        answer = answers.asset_answer(request, name)
        return answer or fail(request, 404, "not_found", _UNNAMED)

    return app


def _report(app: FastAPI, fail: Callable[[Request, int, str, str], Response]) -> None:
    """Make an answer of every error."""

    @app.exception_handler(QaError)
    def unusable(request: Request, error: QaError) -> Response:
        status = 404 if isinstance(error, LookupError) else 422
        return fail(request, status, error.code, str(error))

    @app.exception_handler(AccessError)
    def forbidden(request: Request, error: AccessError) -> Response:
        return fail(request, error.status, error.code, str(error))

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        known = error.status_code == 404
        code, message = ("not_found", _UNNAMED) if known else ("http", error.detail)
        answer = fail(request, error.status_code, code, message)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(RequestValidationError)
    def misused(request: Request, error: RequestValidationError) -> Response:
        faults = [f"{fault['loc'][-1]}: {fault['msg']}" for fault in error.errors()]
        return fail(request, 422, "parameter", f"{'; '.join(faults)}.")

    @app.exception_handler(DatabaseError)
    def unanswered(request: Request, error: DatabaseError) -> Response:
        # Its message says where the database is, which readers need not know.
        return fail(request, 503, error.code, "The metrics database does not answer. Try again in a while.")

    @app.exception_handler(Exception)
    def broken(request: Request, error: Exception) -> Response:
        return fail(request, 500, "internal", "This is a fault of the dashboard; its log says more.")


def serve(url: str, host: str, port: int, settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve the dashboard until it is interrupted.

    Parameters
    ----------
    url : `str`
        The metrics database.
    host : `str`
        Address to listen at.
    port : `int`
        Port to listen at; 0 for any that is free.
    settings : `Settings`
        Its settings; the address it listens at is among its names.
    announce : `~collections.abc.Callable`
        Called with the address of the dashboard before it is served.

    Raises
    ------
    DatabaseError
        Raised if the database does not answer, or is not of this schema.
    InputError
        Raised if the address cannot be listened at.
    """
    shown = f"[{host}]" if ":" in host else host
    # Where it listens at all addresses, its names are given.
    names = () if host in ("", "0.0.0.0", "::") else (shown,)
    named = dataclasses.replace(settings, hosts=(*settings.hosts, *names))
    memory.keep_low()
    gc.set_threshold(_GARBAGE)  # going over it time and again took a third of the time of a page
    app = create_app(_frugal(database.connect(url)), named)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise InputError(
            f"Cannot listen at {host} port {port}: {error.strerror}. Try another --port."
        ) from error
    with listener:
        announce(f"http://{shown}:{listener.getsockname()[1]}{Links(settings.root_path).page()}")
        later = threading.Timer(_SOON, _prepare, [app])
        later.daemon = True
        later.start()
        # Whom a proxy speaks for is decided by Access alone, from the address
        # that the connection really comes from.
        config = uvicorn.Config(
            app, log_level="warning", server_header=False, proxy_headers=False, limit_concurrency=_CONNECTIONS
        )
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    # More would only wait for each other, and each holds what it has read.
    to_thread.current_default_thread_limiter().total_tokens = _THREADS
    yield


def _frugal(engine: sqlalchemy.Engine) -> sqlalchemy.Engine:
    """Let connections to SQLite, of which there are many, hold few pages."""
    if engine.dialect.name == "sqlite":

        @sqlalchemy.event.listens_for(engine, "connect")
        def hold_little(connection: Any, record: Any) -> None:
            connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")

        engine.dispose()  # the connection that it was opened with holds more
    return engine


def _prepare(app: FastAPI) -> None:
    """Have everything ready that readers would wait for, after the first."""
    for view in views():
        if view.prepare is not None:
            view.prepare()
    for name in assets.ASSETS:
        assets.load(name)
    app.state.api.made()
    # What is there by now stays.
    gc.collect()
    gc.freeze()
