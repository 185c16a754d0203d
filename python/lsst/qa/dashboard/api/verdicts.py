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

"""Verdicts: the metrics of a run against their thresholds."""

from __future__ import annotations

__all__ = ["add"]

from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from ...store import query
from .. import shapes
from . import models
from .formats import Format, answer, plain
from .routes import Api

State = Literal["pass", "fail", "unknown", "none"]


def add(api: Api) -> None:
    """Add the routes of the resource.

    Parameters
    ----------
    api : `Api`
        Takes them.
    """

    @api.listing("/verdicts", models.Verdict)
    def list_verdicts(
        request: Request, run: str, state: State | None = None, format: Format = "json"
    ) -> Response:
        """Judge the metrics of a run by metric and band."""
        held = shapes.found_run(api.engine, run)
        cells = shapes.verdicts(api.engine, held, query.specifications(api.engine))
        rows = [plain(cell, models.Verdict) for cell in cells if state in (None, cell["state"])]
        return answer(request, models.Verdict, rows, format)
