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

"""Runs, and the packages that they were made with."""

from __future__ import annotations

__all__ = ["add"]

from starlette.requests import Request
from starlette.responses import Response

from ...store import query
from .. import shapes
from . import models
from .formats import Format, Identifier, Limit, answer, plain
from .routes import Api


def add(api: Api) -> None:
    """Add the routes of the resource.

    Parameters
    ----------
    api : `Api`
        Takes them.
    """

    @api.listing("/runs", models.Run)
    def list_runs(
        request: Request,
        name: str | None = None,
        limit: Limit = 100,
        cursor: Identifier = None,
        format: Format = "json",
    ) -> Response:
        """List runs, the latest first; or one, by its name or identifier."""
        if name is not None:
            found, following = [shapes.found_run(api.engine, name)], None
        else:
            found = query.latest_runs(api.engine, limit, None if cursor is None else str(cursor))
            following = found[-1].uuid if len(found) == limit else None
        rows = [plain(run, models.Run, instruments=list(run.instruments)) for run in found]
        return answer(request, models.Run, rows, format, following)

    @api.listing("/packages", models.Package)
    def list_packages(request: Request, run: str, format: Format = "json") -> Response:
        """List the packages that a run was made with."""
        held = shapes.found_run(api.engine, run).packages
        rows = [{"name": name, "version": version} for name, version in sorted(held.items())]
        return answer(request, models.Package, rows, format)
