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

"""Notes of people on runs, metrics and data IDs."""

from __future__ import annotations

__all__ = ["LONGEST", "Annotation", "add_annotation", "list_annotations", "withdraw_annotation"]

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from ..dimensions import DATA_ID
from ..errors import AccessError, InputError, UnknownNameError
from .database import tables, writing

LONGEST = 4000
"""Characters of the longest note."""

_PLACES = tuple(name for name in DATA_ID if name != "physical_filter")
_TARGETS = ("run", "metric", "band", "obs_time", *_PLACES)


@dataclasses.dataclass(frozen=True)
class Annotation:
    """A note; what it is about is `None` where it is about all.

    Attributes
    ----------
    annotation_id : `int`
        Its number; later ones are larger.
    author : `str`
        Who wrote it.
    created : `datetime.datetime`
        When; UTC, without a zone.
    text : `str`
        What it says.
    run, metric, band : `str` or `None`
        Name of the RUN collection, of the metric and of the band.
    obs_time : `datetime.datetime` or `None`
        The moment that it is about; UTC, without a zone.
    instrument, day_obs, visit, exposure, detector, skymap, tract, patch
        The data ID, as far as it is given.
    """

    annotation_id: int
    author: str
    created: datetime.datetime
    text: str
    run: str | None
    metric: str | None
    band: str | None
    obs_time: datetime.datetime | None
    instrument: str | None
    day_obs: int | None
    visit: int | None
    exposure: int | None
    detector: int | None
    skymap: str | None
    tract: int | None
    patch: int | None


def add_annotation(engine: sa.Engine, author: str, text: str, **about: Any) -> Annotation:
    """Write a note down.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    author : `str`
        Who writes it.
    text : `str`
        What it says.
    **about
        What it is about: fields of `Annotation` from ``run`` on.

    Returns
    -------
    annotation : `Annotation`
        The note.

    Raises
    ------
    InputError
        Raised if it says nothing or too much, or is about nothing.
    UnknownNameError
        Raised if there is no such run or metric.
    """
    said = text.strip()
    if not said or len(said) > LONGEST:
        raise InputError(f"A note has 1 to {LONGEST} characters, not {len(said)}.")
    target = _target(about)
    if not target:
        raise InputError("A note is about something: a run, a metric, a band, a moment, or a data ID.")
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    t = tables()
    row = {"author": author, "created": now, "text": said, **target}
    with writing(engine) as connection:
        for kind, column in (("run", t.run.c.name), ("metric", t.metric.c.name)):
            name = target.get(kind)
            if name and connection.execute(sa.select(column).where(column == name)).first() is None:
                raise UnknownNameError(kind, name, connection.execute(sa.select(column)).scalars())
        adding = sa.insert(t.annotation).returning(t.annotation.c.annotation_id)
        number = connection.execute(adding, row).scalar_one()
    return Annotation(number, author, now, said, **{name: target.get(name) for name in _TARGETS})


def list_annotations(
    engine: sa.Engine, *, limit: int = 100, before: int | None = None, **about: Any
) -> list[Annotation]:
    """List notes, the latest first.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    limit : `int`, optional
        The most notes to return.
    before : `int`, optional
        Number of the last note of the page before this one.
    **about
        What they are about, as for `add_annotation`.

    Returns
    -------
    annotations : `list` [`Annotation`]
        Those that were not withdrawn.

    Raises
    ------
    InputError
        Raised if notes are not about that.
    """
    t = tables().annotation
    columns = [t.c[field.name] for field in dataclasses.fields(Annotation)]
    chosen = sa.select(*columns).where(t.c.withdrawn.is_(None))
    for name, value in _target(about).items():
        chosen = chosen.where(t.c[name] == value)
    if before is not None:
        chosen = chosen.where(t.c.annotation_id < before)
    with engine.connect() as connection:
        found = connection.execute(chosen.order_by(t.c.annotation_id.desc()).limit(limit))
        return [Annotation(*row) for row in found]


def withdraw_annotation(engine: sa.Engine, annotation_id: int, author: str) -> None:
    """Take a note back.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    annotation_id : `int`
        Its number.
    author : `str`
        Who takes it back: only the one who wrote it may.

    Raises
    ------
    UnknownNameError
        Raised if there is no such note.
    AccessError
        Raised if another one wrote it.
    """
    t = tables().annotation
    mine = sa.and_(t.c.annotation_id == annotation_id, t.c.withdrawn.is_(None))
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    with writing(engine) as connection:
        owner = connection.execute(sa.select(t.c.author).where(mine)).scalar_one_or_none()
        if owner is None:
            raise UnknownNameError("note", str(annotation_id), ())
        if owner != author:
            raise AccessError(f"{owner} wrote this note, and alone may take it back.")
        connection.execute(sa.update(t).where(mine).values(withdrawn=now))


def _target(about: Mapping[str, Any]) -> dict[str, Any]:
    if strange := sorted(set(about) - set(_TARGETS)):
        raise InputError(f"Notes are not about {', '.join(strange)}, but about {', '.join(_TARGETS)}.")
    return {name: about[name] for name in _TARGETS if about.get(name) not in (None, "")}
