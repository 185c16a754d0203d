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

"""One run: what it is, and its verdicts by metric and band."""

from __future__ import annotations

__all__ = ["VIEW", "data"]

from typing import Literal

import sqlalchemy
from starlette.requests import Request
from starlette.responses import Response

from ...store import query
from .. import shapes
from ..links import split_twin
from ..site import Data, Site, View

State = Literal["pass", "fail", "unknown", "none"]


def data(engine: sqlalchemy.Engine, name: str, state: str | None = None) -> Data:
    """Return one run, judged.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    name : `str`
        Name or unique identifier of the run.
    state : `str`, optional
        Keep only the verdicts in this one of the states.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``run`` with its ``packages``, ``counts`` and ``variant_counts`` of
        all its verdicts by state, the ``state`` asked for, and ``verdicts``.

    Raises
    ------
    UnknownNameError
        Raised if there is no such run.
    """
    held = shapes.found_run(engine, name)
    cells = shapes.verdicts(engine, held, query.specifications(engine))
    return {
        "run": {**shapes.run(held), "packages": dict(sorted(held.packages.items()))},
        **shapes.counts(cells),
        "state": state,
        "verdicts": [cell for cell in cells if state in (None, cell["state"])],
    }


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """

    @site.route("/run", "/run.json")
    def run_by_query(request: Request, name: str, state: State | None = None) -> Response:
        return site.show(request, VIEW, data(site.engine, name, state))

    @site.route("/runs/{path:path}")
    def run(request: Request, path: str, state: State | None = None) -> Response:
        return site.show(request, VIEW, data(site.engine, split_twin(path)[0], state))


VIEW = View("run", add, section="runs")
