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

"""One job: how far it is, what it runs, and its log as it is written."""

from __future__ import annotations

__all__ = ["VIEW", "data"]

import shlex

import sqlalchemy
from starlette.requests import Request
from starlette.responses import Response

from ...store import jobs as stored
from ...store import query
from ..links import split_twin
from ..site import Data, Site, View
from .jobs import summary

_PIECES = 200


def data(engine: sqlalchemy.Engine, name: str, after: int | None = None) -> Data:
    """Return a job with its log.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    name : `str`
        Readable name or UUID of the job.
    after : `int`, optional
        Only the pieces of the log after this one; without it the last ones.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``job``; ``steps`` with their commands; the run of its results as
        ``run`` if that is loaded; ``log``, pieces of lines, of which
        ``earlier`` lines are not there.

    Raises
    ------
    UnknownNameError
        Raised if there is no such job.
    """
    job = stored.get_job(engine, name)
    pieces = stored.job_log(
        engine, job.uuid, **({"last": _PIECES} if after is None else {"after": after, "limit": _PIECES})
    )
    steps = [{"step": one["step"], "command": shlex.join(map(str, one["command"]))} for one in job.commands]
    loaded = query.get_run(engine, job.output) if job.output else None
    return {
        "job": {**summary(job), "repo": job.repo, "output": job.output, "heartbeat": job.heartbeat},
        "steps": steps,
        "run": None if loaded is None else loaded.name,
        "earlier": pieces[0].first_line if pieces and after is None else 0,
        "log": [{"piece": one.piece, "step": one.step, "text": one.text} for one in pieces],
    }


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """

    @site.route("/job", "/job.json")
    def job_by_query(request: Request, name: str, after: int | None = None) -> Response:
        return site.show(request, VIEW, data(site.engine, name, after))

    @site.route("/jobs/{path:path}")
    def job(request: Request, path: str, after: int | None = None) -> Response:
        return site.show(request, VIEW, data(site.engine, split_twin(path)[0], after))


VIEW = View("job", add, section="jobs", fresh=10)
