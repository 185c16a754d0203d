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

"""A metrics database and a browser for the tests of the dashboard."""

from __future__ import annotations

__all__ = ["HOSTILE", "RUNS", "Browser", "fill", "row"]

import asyncio
import datetime
import urllib.parse
import uuid
from collections.abc import Mapping
from typing import Any

import httpx
import numpy as np
import sqlalchemy as sa

from lsst.qa.catalogue import METRICS
from lsst.qa.dashboard.app import create_app
from lsst.qa.dashboard.settings import Settings
from lsst.qa.results import from_rows
from lsst.qa.store.batches import Batch, Origin, Provenance
from lsst.qa.store.definitions import synchronize
from lsst.qa.store.insertion import write_batch

HOSTILE = "<script>alert('x')</script>\"&amp;"
"""Text that breaks out of whatever does not escape it."""

RUNS = [f"u/someone/qa/w_2026_{week:02d}/202601{week:02d}T040000Z" for week in (5, 6, 7)]
"""Names of the runs, the earliest first."""


class Browser:
    """Asks an application, without a network.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    root_path : `str`, optional
        Path prefix of the application.
    client : `str`, optional
        Address that it asks from.
    **settings
        More of the settings.
    """

    def __init__(self, engine: sa.Engine, root_path: str = "", client: str = "127.0.0.1", **settings: Any):
        app = create_app(engine, Settings(root_path, **settings))
        self.site = app.state.site
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(client, 1234))

    def get(self, path: str, method: str = "GET", **headers: str | bytes) -> httpx.Response:
        """Return the answer to a request.

        Parameters
        ----------
        path : `str`
            Path and query.
        method : `str`, optional
            HTTP method.
        **headers
            Headers of the request.

        Returns
        -------
        answer : `httpx.Response`
            The answer.
        """
        return self.send(method, path, None, **headers)

    def post(self, path: str, form: Mapping[str, str], **headers: str | bytes) -> httpx.Response:
        """Return the answer to a form.

        Parameters
        ----------
        path : `str`
            Path and query.
        form : `~collections.abc.Mapping` [`str`, `str`]
            Its fields.
        **headers
            Headers of the request.

        Returns
        -------
        answer : `httpx.Response`
            The answer.
        """
        kind = "application/x-www-form-urlencoded"
        return self.send("POST", path, urllib.parse.urlencode(form).encode(), content_type=kind, **headers)

    def send(self, method: str, path: str, body: Any, **headers: str | bytes) -> httpx.Response:
        """Return the answer to a request with a body.

        Parameters
        ----------
        method : `str`
            HTTP method.
        path : `str`
            Path and query.
        body : `bytes`, iterator or `None`
            What to send.
        **headers
            Headers of the request.

        Returns
        -------
        answer : `httpx.Response`
            The answer.
        """

        async def ask() -> httpx.Response:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            async with httpx.AsyncClient(transport=self._transport, base_url="http://localhost") as client:
                return await client.request(method, path, headers=named, content=body)

        return asyncio.run(ask())


def row(metric: str, band: str | None, value: float, error: float = 0.1, **fields: Any) -> dict[str, Any]:
    """Return a row of results of one tract.

    Parameters
    ----------
    metric, band, value, error
        See `lsst.qa.results.SCHEMA`.
    **fields
        More of its fields.

    Returns
    -------
    row : `dict` [`str`, `typing.Any`]
        The row.
    """
    shared = {
        "n": 1234,
        "unit": "mmag",
        "status": "ok",
        "instrument": "HSC",
        "skymap": "rings",
        "tract": 9813,
    }
    return {"metric": metric, "band": band, "value": value, "error": error, **shared, **fields}


def fill(engine: sa.Engine, run: str, rows: list[dict[str, Any]]) -> None:
    """Load one dataset of results.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    run : `str`
        Name of the run.
    rows : `list` [`dict`]
        Its rows.
    """
    made = Provenance("matchedStarMetrics", 1, "0" * 64, datetime.datetime(2026, 1, 9), {"numpy": "2.4.6"})
    origin = Origin(str(uuid.uuid4()), run, "qa_matched_star_metrics", None, made)
    synchronize(engine, {name: METRICS[name] for name in ("PA1", "PA1.faro", "PF1", "seeing")})
    write_batch(engine, Batch([origin], np.array([len(rows)]), from_rows(rows)), "/repo/main", "u/someone/qa")
