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

"""Notes of people."""

from __future__ import annotations

__all__ = ["add"]

import datetime

from starlette.requests import Request
from starlette.responses import Response

from ...store.annotations import add_annotation, list_annotations, withdraw_annotation
from .. import answers
from . import models
from .formats import Format, Limit, Number, answer, plain
from .routes import Api


def add(api: Api) -> None:
    """Add the routes of the resource.

    Parameters
    ----------
    api : `Api`
        Takes them.
    """

    @api.listing("/annotations", models.Note)
    def list_notes(
        request: Request,
        run: str | None = None,
        metric: str | None = None,
        band: str | None = None,
        instrument: str | None = None,
        day_obs: models.Long | None = None,
        visit: models.Long | None = None,
        detector: models.Long | None = None,
        skymap: str | None = None,
        tract: models.Long | None = None,
        limit: Limit = 100,
        cursor: Number = None,
        format: Format = "json",
    ) -> Response:
        """List notes, the latest first."""
        about = {"run": run, "metric": metric, "band": band, "instrument": instrument, "day_obs": day_obs}
        about |= {"visit": visit, "detector": detector, "skymap": skymap, "tract": tract}
        found = list_annotations(api.engine, limit=limit, before=cursor, **about)
        following = str(found[-1].annotation_id) if len(found) == limit else None
        rows = [plain(held, models.Note) for held in found]
        return answer(request, models.Note, rows, format, following)

    @api.writing("POST", "/annotations", 201, models.Note)
    def write_note(request: Request, note: models.NoteRequest) -> Response:
        """Write a note down."""
        who = api.writer(request)
        about = note.model_dump(exclude={"text"})
        if note.obs_time is not None and note.obs_time.tzinfo is not None:
            about["obs_time"] = note.obs_time.astimezone(datetime.UTC).replace(tzinfo=None)
        made = add_annotation(api.engine, who, note.text, **about)
        return answers.json_answer(request, plain(made, models.Note), 201)

    @api.writing("DELETE", "/annotations/{annotation_id}", 204, None)
    def withdraw_note(request: Request, annotation_id: models.Long) -> Response:
        """Take one's own note back."""
        withdraw_annotation(api.engine, annotation_id, api.writer(request))
        return answers.empty_answer()
