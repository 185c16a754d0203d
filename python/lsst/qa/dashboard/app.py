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
import socket
import threading
from collections.abc import Callable
from typing import Any, Literal

import sqlalchemy
import uvicorn
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response

from ..errors import DatabaseError, InputError, UnknownNameError
from ..metric import Spec
from ..store import database
from . import answers, arrange, assets, charts, pages
from .links import Links, split_twin

State = Literal["pass", "fail", "unknown", "none"]

_METHODS = ["GET", "HEAD"]
_UNNAMED = "There is no page here. The runs and metrics pages list all there is."


def create_app(engine: sqlalchemy.Engine, root_path: str = "") -> FastAPI:
    """Return the dashboard of a metrics database.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    root_path : `str`, optional
        Path prefix that a proxy adds, as in "/qa".

    Returns
    -------
    app : `fastapi.FastAPI`
        The application.
    """
    links = Links(root_path)
    templates = answers.environment(links)
    app = FastAPI(title="lsst.qa", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=6)

    def show(request: Request, twin: bool, name: str, data: dict[str, Any], **drawn: Any) -> Response:
        if twin:
            return answers.json_answer(request, data)
        shown = {key: chart for key, chart in drawn.items() if chart is not None}
        return answers.page_answer(request, templates, name, data, shown)

    def route(*paths: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
        def add(function: Callable[..., Response]) -> Callable[..., Response]:
            # Some proxies take their prefix away, and some do not.
            for path in dict.fromkeys(prefix + path for prefix in ("", links.prefix) for path in paths):
                app.add_api_route(path, function, methods=_METHODS, response_model=None)
            return function

        return add

    @route("/", "/index.json")
    def landing(request: Request) -> Response:
        return show(request, _is_twin(request), "landing.html", pages.landing(engine))

    @route("/runs", "/runs/", "/runs.json")
    def runs(request: Request) -> Response:
        return show(request, _is_twin(request), "runs.html", pages.runs(engine))

    @route("/run", "/run.json")
    def run_by_query(request: Request, name: str, state: State | None = None) -> Response:
        return show(request, _is_twin(request), "run.html", pages.run(engine, name, state))

    @route("/runs/{path:path}")
    def run(request: Request, path: str, state: State | None = None) -> Response:
        name, twin = split_twin(path)
        return show(request, twin, "run.html", pages.run(engine, name, state))

    @route("/metrics", "/metrics/", "/metrics.json")
    def metrics(request: Request) -> Response:
        return show(request, _is_twin(request), "metrics.html", pages.metrics(engine))

    @route("/metrics/{path:path}")
    def metric(request: Request, path: str, band: str | None = None, run: str | None = None) -> Response:
        name, twin = split_twin(path)
        data = pages.metric(engine, name, band, run)
        drawn = {} if twin else _charts(data, links)
        return show(request, twin, "metric.html", data, **drawn)

    @route("/static/{name}")
    def static(request: Request, name: str) -> Response:
        answer = answers.asset_answer(request, name)
        return answer or fail(request, 404, "not_found", _UNNAMED)

    def fail(request: Request, status: int, code: str, message: str) -> Response:
        return answers.error_answer(request, templates, status, code, message)

    @app.exception_handler(UnknownNameError)
    def unknown(request: Request, error: UnknownNameError) -> Response:
        return fail(request, 404, error.code, str(error))

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        known = error.status_code == 404
        return fail(
            request, error.status_code, "not_found" if known else "http", _UNNAMED if known else error.detail
        )

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

    return app


def serve(url: str, host: str, port: int, root_path: str, announce: Callable[[str], None]) -> None:
    """Serve the dashboard until it is interrupted.

    Parameters
    ----------
    url : `str`
        The metrics database.
    host : `str`
        Address to listen at.
    port : `int`
        Port to listen at; 0 for any that is free.
    root_path : `str`
        Path prefix that a proxy adds; "" where there is none.
    announce : `~collections.abc.Callable`
        Called with the address of the dashboard before it is served.

    Raises
    ------
    DatabaseError
        Raised if the database does not answer, or is not of this schema.
    InputError
        Raised if the address cannot be listened at.
    """
    app = create_app(database.connect(url), root_path)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise InputError(
            f"Cannot listen at {host} port {port}: {error.strerror}. Try another --port."
        ) from error
    with listener:
        shown = f"[{host}]" if ":" in host else host
        announce(f"http://{shown}:{listener.getsockname()[1]}{Links(root_path).page()}")
        # The first chart would wait a second for Bokeh to be imported.
        threading.Thread(target=_prepare, daemon=True).start()
        config = uvicorn.Config(app, log_level="warning", server_header=False)
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


def _prepare() -> None:
    charts.describe_usual()
    for name in assets.ASSETS:
        assets.load(name)


def _is_twin(request: Request) -> bool:
    return split_twin(request.url.path)[1]


def _charts(data: dict[str, Any], links: Links) -> dict[str, Any]:
    """Return the charts of a metric's page."""
    specs = [Spec(**spec) for spec in data["metric"]["specs"]]
    # All the levels of all the bands at once would be a thicket.
    band = data["band"]
    seen = [
        spec for spec in specs if (spec.holds_in(band) if band else spec.level == "design" or not spec.bands)
    ]
    unit = data["metric"]["unit"]
    label = f"{data['metric']['name']} ({unit})" if unit else data["metric"]["name"]
    points = [{**point, "url": links.run(point["run"])} for point in data["history"]]
    rows = [{**row, "time": row["obs_time"], "where": arrange.where(row)} for row in data["rows"]]
    return {
        "history": charts.history_chart(points, seen, label) if points else None,
        "rows": charts.rows_chart(rows, seen, label),
    }
