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

"""Jobs: the declared ones to start, the started ones to watch and cancel."""

from __future__ import annotations

__all__ = ["VIEW", "data"]

from collections.abc import Mapping
from typing import Any

import sqlalchemy
from starlette.requests import Request
from starlette.responses import Response

from ...errors import DefinitionError
from ...jobs import submission
from ...jobs.definition import JobDefinition
from ...store import jobs as stored
from ...store.job_records import ENDED, Job
from .. import shapes
from ..site import Data, Site, View

_LISTED = 50
_FIELDS = (
    "job_id",
    "uuid",
    "name",
    "definition",
    "submitted_by",
    "submitted",
    "started",
    "finished",
    "state",
    "attempts",
    "max_attempts",
    "step",
    "host",
    "quanta_total",
    "quanta_done",
    "quanta_failed",
    "exit_code",
    "message",
    "log_lines",
)


def data(engine: sqlalchemy.Engine, before: int | None = None) -> Data:
    """Return the declared jobs, those that were started, and the workers.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    before : `int`, optional
        Only jobs before the one of this number.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``definitions``, or the ``fault`` in one; ``jobs``, the latest first;
        ``workers`` that give signs of life; ``next`` where there are more
        jobs.
    """
    try:
        found, fault = submission.find_definitions(), None
    except DefinitionError as error:
        found, fault = {}, str(error)
    listed = stored.list_jobs(engine, limit=_LISTED + 1, before=before)
    return {
        "definitions": [_definition(one) for one in found.values()],
        "fault": fault,
        "jobs": [summary(job) for job in listed[:_LISTED]],
        "workers": [worker._asdict() for worker in stored.list_workers(engine)],
        "next": listed[_LISTED - 1].job_id if len(listed) > _LISTED else None,
    }


def summary(job: Job) -> Data:
    """Return a job without its log.

    Parameters
    ----------
    job : `lsst.qa.store.job_records.Job`
        The job.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        Its fields.
    """
    return {**shapes.taken(job, _FIELDS), "parameters": dict(job.parameters), "ended": job.state in ENDED}


def _definition(job: JobDefinition) -> Data:
    parameters = [
        {
            "name": name,
            **{key: getattr(one, key) for key in ("type", "description", "choices", "minimum", "maximum")},
            "default": ", ".join(map(str, one.default)) if isinstance(one.default, list) else one.default,
            "required": one.required,
            "allowed": one.described(),
        }
        for name, one in job.parameters.items()
    ]
    return {"name": job.name, "title": job.title, "description": job.description, "parameters": parameters}


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """

    @site.route("/jobs", "/jobs.json")
    def jobs(request: Request, before: int | None = None) -> Response:
        return site.show(request, VIEW, data(site.engine, before))

    @site.action("/jobs/start")
    def start(request: Request, who: str, form: Mapping[str, str]) -> Response:
        definition = submission.find_definition(form.get("definition", ""))
        # What a form leaves empty takes its default.
        given: dict[str, Any] = {
            name: form[f"set-{name}"] for name in definition.parameters if form.get(f"set-{name}", "").strip()
        }
        job = submission.submit(site.engine, definition, given, who)
        return site.go(site.links.thing("jobs", "job", job.name))

    @site.action("/jobs/cancel")
    def cancel(request: Request, who: str, form: Mapping[str, str]) -> Response:
        job = stored.cancel_job(site.engine, form.get("name", ""), who)
        return site.go(site.links.thing("jobs", "job", job.name))


VIEW = View("jobs", add, label="Jobs", fresh=10)
