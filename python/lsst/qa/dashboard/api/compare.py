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

"""What differs between two runs."""

from __future__ import annotations

__all__ = ["add"]

from starlette.requests import Request
from starlette.responses import Response

from ...errors import InputError
from .. import shapes
from ..views.compare import compared
from . import models
from .formats import Format, answer, plain
from .routes import Api


def add(api: Api) -> None:
    """Add the routes of the resource.

    Parameters
    ----------
    api : `Api`
        Takes them.
    """

    @api.listing("/compare", models.Change)
    def compare(request: Request, before: str, after: str, format: Format = "json") -> Response:
        """Compare the metrics of two runs over the data IDs that both have."""
        one, other = (shapes.found_run(api.engine, name) for name in (before, after))
        if one.run_id == other.run_id:
            raise InputError(f"{one.name} is compared with itself: name another run before or after.")
        rows = [plain(row, models.Change) for row in compared(api.engine, one, other)]
        return answer(request, models.Change, rows, format)
