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

"""Jobs: what runs and ran, and asking for more."""

from __future__ import annotations

__all__ = ["State", "add"]

from typing import Annotated, Literal

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from ...jobs.submission import find_definition, submit
from ...store.jobs import cancel_job, get_job, job_log, list_jobs
from .. import answers
from . import models
from .formats import Format, Limit, Number, answer, plain
from .routes import Api

State = Literal["queued", "running", "following", "succeeded", "failed", "cancelled", "lost"]


def add(api: Api) -> None:
    """Add the routes of the resource.

    Parameters
    ----------
    api : `Api`
        Takes them.
    """

    @api.listing("/jobs", models.Job)
    def list_all_jobs(
        request: Request,
        state: Annotated[list[State], Query(max_length=20)] = [],  # noqa: B006
        definition: str | None = None,
        limit: Limit = 50,
        cursor: Number = None,
        format: Format = "json",
    ) -> Response:
        """List jobs, the latest first."""
        found = list_jobs(api.engine, states=state, definition=definition, limit=limit, before=cursor)
        following = str(found[-1].job_id) if len(found) == limit else None
        return answer(
            request,
            models.Job,
            [plain(job, models.Job) for job in found],
            format,
            None if following is None else str(following),
        )

    @api.writing("POST", "/jobs", 201, models.Job)
    def start_job(request: Request, job: models.JobRequest) -> Response:
        """Ask for a declared job to be run."""
        who = api.writer(request)
        made = submit(api.engine, find_definition(job.definition), job.parameters, who)
        return answers.json_answer(request, plain(made, models.Job), 201)

    @api.reading("/jobs/{name}", {200: {"model": models.Job, "description": "The job"}})
    def show_job(request: Request, name: str) -> Response:
        """Show a job, by its identifier or its readable name."""
        return answers.json_answer(request, plain(get_job(api.engine, name), models.Job))

    @api.writing("POST", "/jobs/{name}/cancel", 200, models.Job)
    def stop_job(request: Request, name: str) -> Response:
        """Ask for a job to be stopped."""
        who = api.writer(request)
        return answers.json_answer(request, plain(cancel_job(api.engine, name, who), models.Job))

    @api.listing("/jobs/{name}/log", models.LogLines)
    def show_log(
        request: Request, name: str, limit: Limit = 1000, cursor: Number = None, format: Format = "json"
    ) -> Response:
        """Read the log of a job, as far as it was written."""
        found = job_log(api.engine, name, after=-1 if cursor is None else cursor, limit=limit)
        following = str(found[-1].piece) if found else None if cursor is None else str(cursor)
        return answer(
            request, models.LogLines, [plain(held, models.LogLines) for held in found], format, following
        )
