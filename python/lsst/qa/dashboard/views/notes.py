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

"""Notes: what people wrote on runs, metrics and data IDs."""

from __future__ import annotations

__all__ = ["VIEW", "about", "data", "listed", "on_metric"]

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy
from starlette.requests import Request
from starlette.responses import Response

from ...errors import InputError
from ...store.annotations import Annotation, add_annotation, list_annotations, withdraw_annotation
from .. import shapes
from ..site import Data, Site, View

_PAGE = 50
_ON_A_PAGE = 20
_OF_RUNS = 200
_FIELDS = tuple(field.name for field in dataclasses.fields(Annotation))
_TARGET = _FIELDS[_FIELDS.index("run") :]
_NUMBERS = ("day_obs", "visit", "exposure", "detector", "tract", "patch")


def listed(engine: sqlalchemy.Engine, **target: Any) -> list[Data]:
    """List the notes that belong on a page.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    **target
        What the page is about.

    Returns
    -------
    notes : `list` [`dict`]
        The latest first.
    """
    given = {name: value for name, value in target.items() if value is not None}
    return [_note(note) for note in list_annotations(engine, limit=_ON_A_PAGE, **given)]


def on_metric(engine: sqlalchemy.Engine, metric: str, runs: Collection[str]) -> list[Data]:
    """List the notes on a metric, and those on runs as a whole.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    metric : `str`
        Name of the metric.
    runs : `~collections.abc.Collection` [`str`]
        Names of the runs.

    Returns
    -------
    notes : `list` [`dict`]
        The latest first.
    """
    latest = [_note(note) for note in list_annotations(engine, limit=_OF_RUNS)]
    of_runs = [note for note in latest if set(note["about"]) == {"run"} and note["about"]["run"] in runs]
    found = [*listed(engine, metric=metric), *of_runs]
    return sorted(found, key=lambda note: note["annotation_id"], reverse=True)


def data(engine: sqlalchemy.Engine, before: int | None = None) -> Data:
    """Return all notes.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    before : `int`, optional
        Only notes before the one of this number.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``notes``, the latest first; ``next`` where there are more.
    """
    found = list_annotations(engine, limit=_PAGE + 1, before=before)
    more = len(found) > _PAGE
    return {
        "notes": [_note(note) for note in found[:_PAGE]],
        "next": found[_PAGE - 1].annotation_id if more else None,
    }


def about(form: Mapping[str, str]) -> dict[str, Any]:
    """Read from a form what a note is about.

    Parameters
    ----------
    form : `~collections.abc.Mapping` [`str`, `str`]
        Its fields.

    Returns
    -------
    target : `dict` [`str`, `typing.Any`]
        Those that are filled.

    Raises
    ------
    InputError
        Raised if a number is none.
    """
    given: dict[str, Any] = {name: form[name].strip() for name in _TARGET if form.get(name, "").strip()}
    for name in _NUMBERS:
        if name in given:
            try:
                given[name] = int(given[name])
            except ValueError as error:
                raise InputError(f"{name} is a number, not {given[name]!r}.") from error
    return given


def _note(note: Annotation) -> Data:
    held = shapes.taken(note, _FIELDS)
    target = {name: held[name] for name in _TARGET if held[name] is not None}
    return {**{name: held[name] for name in ("annotation_id", "author", "created", "text")}, "about": target}


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """

    def back(form: Mapping[str, str]) -> Response:
        # The page of what the note is about.
        target = about(form)
        place = {name: value for name, value in target.items() if name not in ("run", "metric", "obs_time")}
        if "visit" in place or "exposure" in place or "tract" in place:
            url = site.links.page("data", run=target.get("run"), **place)
        elif "metric" in target:
            url = site.links.metric(target["metric"], band=target.get("band"))
        elif "run" in target:
            url = site.links.run(target["run"])
        else:
            url = site.links.page("notes")
        return site.go(url)

    @site.route("/notes", "/notes.json")
    def notes(request: Request, before: int | None = None) -> Response:
        return site.show(request, VIEW, data(site.engine, before))

    @site.action("/notes/write")
    def write(request: Request, who: str, form: Mapping[str, str]) -> Response:
        add_annotation(site.engine, who, form.get("text", ""), **about(form))
        return back(form)

    @site.action("/notes/withdraw")
    def withdraw(request: Request, who: str, form: Mapping[str, str]) -> Response:
        number = form.get("note", "")
        if not (number.isascii() and number.isdigit() and len(number) < 19):
            raise InputError(f"{number!r} is not the number of a note.")
        withdraw_annotation(site.engine, int(number), who)
        return back(form)


VIEW = View("notes", add, label="Notes")
