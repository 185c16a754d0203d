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

"""Definitions of metrics."""

from __future__ import annotations

__all__ = ["add"]

from starlette.requests import Request
from starlette.responses import Response

from ...errors import UnknownNameError
from ...store import query
from .. import shapes
from . import models
from .formats import Cursor, Format, Limit, answer
from .routes import Api


def add(api: Api) -> None:
    """Add the routes of the resource.

    Parameters
    ----------
    api : `Api`
        Takes them.
    """

    @api.listing("/metrics", models.Metric)
    def list_metrics(
        request: Request,
        name: str | None = None,
        limit: Limit = 1000,
        cursor: Cursor = None,
        format: Format = "json",
    ) -> Response:
        """List metrics by name, with their thresholds; or one."""
        every = query.definitions(api.engine)
        found = [held for held in every if name in (None, held.name) and held.name > (cursor or "")]
        if name is not None and not found:
            raise UnknownNameError("metric", name, [held.name for held in every])
        following = found[limit - 1].name if len(found) > limit else None
        rows = [shapes.definition(held) for held in found[:limit]]
        return answer(request, models.Metric, rows, format, following)
