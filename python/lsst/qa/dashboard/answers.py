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

"""Answers of the server: pages, JSON, files and errors, and their headers."""

from __future__ import annotations

__all__ = ["asset_answer", "environment", "error_answer", "json_answer", "page_answer"]

import hashlib
from collections.abc import Mapping
from typing import Any

import jinja2
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from ..spec import LEVELS
from . import arrange, assets, bars, text
from .links import Links

_TEXTS = ("change", "iso", "moment", "number", "rounded", "short", "unit", "utc")
_LISTED = 20  # rows of a table that may be long

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{styles}; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY.format(styles=""),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Bokeh styles its charts with style elements that it makes itself.
_CHART_HEADERS = {"Content-Security-Policy": _POLICY.format(styles=" 'unsafe-inline'")}


def environment(links: Links, **shared: Any) -> jinja2.Environment:
    """Return the templates, ready to be filled.

    Parameters
    ----------
    links : `Links`
        Addresses of the views.
    **shared
        What else all templates see.

    Returns
    -------
    templates : `jinja2.Environment`
        Templates that escape every value.
    """
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("lsst.qa.dashboard"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {name: getattr(text, name) for name in _TEXTS}
    shapes = ("by_metric", "by_run", "matrix", "place", "thresholds", "where", "worst_first")
    made.filters |= {name: getattr(arrange, name) for name in shapes}
    made.globals |= shared
    made.globals |= {
        "links": links,
        "asset": lambda name: f"{links.root}/static/{name}?v={assets.load(name).digest}",
        "copied": None,
        "bar": bars.bar,
        "bar_size": (bars.WIDTH, bars.HEIGHT),
        "levels": LEVELS,
        "listed": _LISTED,
        "signs": {"<=": "≤", ">=": "≥"},
    }
    return made


def page_answer(
    request: Request, templates: jinja2.Environment, name: str, data: Mapping[str, Any]
) -> Response:
    """Answer with a page.

    Parameters
    ----------
    request : `starlette.requests.Request`
        The request.
    templates : `jinja2.Environment`
        The templates.
    name : `str`
        Name of the template.
    data : `~collections.abc.Mapping` [`str`, `typing.Any`]
        What the page shows, and its ``charts``.

    Returns
    -------
    response : `starlette.responses.Response`
        The page, or that it has not changed.
    """
    body = templates.get_template(name).render(data).encode()
    return _answer(request, body, "text/html; charset=utf-8", _CHART_HEADERS if data["charts"] else {})


def json_answer(request: Request, data: dict[str, Any], status: int = 200) -> Response:
    """Answer with JSON.

    Parameters
    ----------
    request : `starlette.requests.Request`
        The request.
    data : `dict` [`str`, `typing.Any`]
        What to send.
    status : `int`, optional
        HTTP status.

    Returns
    -------
    response : `starlette.responses.Response`
        The data, or that it has not changed.
    """
    return _answer(request, text.to_json(data).encode(), "application/json", {}, status)


def redirect_answer(address: str) -> Response:
    """Answer to a form with the page to be shown next.

    Parameters
    ----------
    address : `str`
        Path of a page of this site.

    Returns
    -------
    response : `starlette.responses.Response`
        The answer.
    """
    return Response(status_code=303, headers={**_HEADERS, "Location": address, "Cache-Control": "no-store"})


def bytes_answer(request: Request, body: bytes, media_type: str) -> Response:
    """Answer with bytes of any kind.

    Parameters
    ----------
    request : `starlette.requests.Request`
        The request.
    body : `bytes`
        What to send.
    media_type : `str`
        What it is.

    Returns
    -------
    response : `starlette.responses.Response`
        The bytes, or that they have not changed.
    """
    return _answer(request, body, media_type, {})


def empty_answer() -> Response:
    """Answer that it is done.

    Returns
    -------
    response : `starlette.responses.Response`
        The answer.
    """
    return Response(status_code=204, headers={**_HEADERS, "Cache-Control": "no-store"})


def error_answer(
    request: Request,
    templates: jinja2.Environment,
    status: int,
    code: str,
    message: str,
    about: Mapping[str, Any],
) -> Response:
    """Answer with an error, as JSON to who asks for JSON.

    Parameters
    ----------
    request : `starlette.requests.Request`
        The request.
    templates : `jinja2.Environment`
        The templates.
    status : `int`
        HTTP status.
    code : `str`
        Stable name of the kind of error.
    message : `str`
        What is wrong and what would be right.
    about : `~collections.abc.Mapping` [`str`, `typing.Any`]
        What the template needs besides.

    Returns
    -------
    response : `starlette.responses.Response`
        The error.
    """
    links = templates.globals["links"]
    path = request.url.path.removeprefix(links.prefix if isinstance(links, Links) else "")
    if path.endswith(".json") or path.startswith("/api/"):
        return json_answer(request, {"error": {"code": code, "message": message}}, status)
    shown = {"status": status, "message": message, "charts": {}, **about}
    body = templates.get_template("error.html").render(shown).encode()
    return _answer(request, body, "text/html; charset=utf-8", {}, status)


def asset_answer(request: Request, name: str) -> Response | None:
    """Answer with a file.

    Parameters
    ----------
    request : `starlette.requests.Request`
        The request.
    name : `str`
        Name of the file in the URL.

    Returns
    -------
    response : `starlette.responses.Response` or `None`
        The file, or nothing if there is no such file.
    """
    if name not in assets.ASSETS:
        return None
    asset = assets.load(name)
    current = request.query_params.get("v") == asset.digest
    headers = {
        **_HEADERS,
        "Cache-Control": "public, max-age=31536000, immutable" if current else "no-cache",
        "ETag": f'"{asset.digest}"',
        "Vary": "Accept-Encoding",
    }
    if _unchanged(request.headers, asset.digest):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            asset.zipped, media_type=asset.media_type, headers={**headers, "Content-Encoding": "gzip"}
        )
    return Response(asset.body, media_type=asset.media_type, headers=headers)


def _answer(
    request: Request, body: bytes, media_type: str, headers: dict[str, str], status: int = 200
) -> Response:
    digest = hashlib.blake2b(body, digest_size=12).hexdigest()
    # Weak: the same page compressed has other bytes.
    full = {**_HEADERS, "ETag": f'W/"{digest}"', "Cache-Control": "private, no-cache", **headers}
    if status == 200 and _unchanged(request.headers, digest):
        return Response(status_code=304, headers=full)
    return Response(body, status_code=status, media_type=media_type, headers=full)


def _unchanged(headers: Headers, digest: str) -> bool:
    return f'"{digest}"' in headers.get("if-none-match", "")
