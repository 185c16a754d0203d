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

"""Metrics over time, as many values as there are pixels to draw them in."""

from __future__ import annotations

__all__ = ["add"]

import datetime
from typing import Annotated, Literal

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from ...store.series import pixels, run_pixels
from .. import shapes
from . import models
from .formats import Format, answer, plain
from .routes import Api

Over = Literal["observations", "runs"]
Pixels = Annotated[int, Query(ge=1, le=4000, description="stretches of time, over all bands")]


def add(api: Api) -> None:
    """Add the routes of the resource.

    Parameters
    ----------
    api : `Api`
        Takes them.
    """

    @api.listing("/series", models.Pixel)
    def series(
        request: Request,
        metric: str,
        over: Over = "observations",
        band: str | None = None,
        run: str | None = None,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
        width: Pixels = 1000,
        format: Format = "json",
    ) -> Response:
        """Follow a metric over the time of observation, or over runs: the
        lowest, the highest and the mean value in each stretch of time.
        """
        name = shapes.found_metric(api.engine, metric).name
        start, end = (_naive(time) for time in (since, until))
        if over == "runs":
            found = run_pixels(api.engine, name, band, start, end, width)
        else:
            run_id = None if run is None else shapes.found_run(api.engine, run).run_id
            found = pixels(api.engine, name, band, run_id, start, end, width)
        return answer(request, models.Pixel, [plain(held, models.Pixel) for held in found], format)


def _naive(time: datetime.datetime | None) -> datetime.datetime | None:
    """Return a time as the database has it: UTC, without a zone."""
    if time is None or time.tzinfo is None:
        return time
    return time.astimezone(datetime.UTC).replace(tzinfo=None)
