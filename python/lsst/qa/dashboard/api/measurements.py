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

"""Measurements, as they were loaded."""

from __future__ import annotations

__all__ = ["add"]

from typing import Annotated, Literal

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from ...store import query
from .. import shapes
from . import models
from .formats import Format, Limit, answer, plain
from .routes import Api

Place = Annotated[str, Query(pattern=r"^[0-9]{1,18}-[0-9]{1,18}$", description="`next` of the page before")]
Status = Literal["ok", "empty", "undefined", "failed"]


def add(api: Api) -> None:
    """Add the routes of the resource.

    Parameters
    ----------
    api : `Api`
        Takes them.
    """

    @api.listing("/measurements", models.Measurement)
    def list_measurements(
        request: Request,
        run: str | None = None,
        metric: str | None = None,
        band: str | None = None,
        status: Status | None = None,
        detectors: bool = False,
        limit: Limit = 1000,
        cursor: Place | None = None,
        format: Format = "json",
    ) -> Response:
        """List measurements of whole visits and tracts; with detectors those
        of single detectors, too.
        """
        found = query.measurements(
            api.engine,
            run_id=None if run is None else shapes.found_run(api.engine, run).run_id,
            metric=None if metric is None else shapes.found_metric(api.engine, metric).name,
            band=band,
            detector_rows=detectors,
            status=status,
            limit=limit,
            after=cursor,
        )
        rows = [plain(held, models.Measurement) for held in found]
        following = found[-1].cursor if len(found) == limit else None
        return answer(request, models.Measurement, rows, format, following)
