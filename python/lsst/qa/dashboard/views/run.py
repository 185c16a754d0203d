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

import dataclasses
from typing import Literal

import sqlalchemy
from starlette.requests import Request
from starlette.responses import Response

from ...store import quanta, query, records
from ...store.configured import Made, made_by
from .. import arrange, shapes
from ..links import split_twin
from ..site import Data, Site, View
from . import notes

State = Literal["pass", "fail", "unknown", "none"]

_LOOKED_AT = 200


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
        all its verdicts by state, the ``state`` asked for, and ``verdicts``;
        ``made``, the tasks whose results these are, with their configuration
        and whether it is ``new`` since the run before, `None` where that has
        none of that task; ``execution``, task by task; the ``baseline``, the
        run before it of the same dataset, with the packages that differ;
        ``notes``.

    Raises
    ------
    UnknownNameError
        Raised if there is no such run.
    """
    held = shapes.found_run(engine, name)
    cells = shapes.verdicts(engine, held, query.specifications(engine))
    before = _before(engine, held)
    made = made_by(engine, [run.run_id for run in (held, before) if run is not None])
    return {
        "run": {**shapes.run(held), "packages": dict(sorted(held.packages.items()))},
        **shapes.counts(cells),
        "state": state,
        "verdicts": [cell for cell in cells if state in (None, cell["state"])],
        "made": _made(made[held.run_id], made[before.run_id] if before is not None else []),
        "execution": [dataclasses.asdict(one) for one in quanta.execution_summary(engine, held.run_id)],
        "baseline": None if before is None else _differences(before, held),
        "notes": notes.listed(engine, run=held.name),
    }


def _before(engine: sqlalchemy.Engine, held: records.Run) -> records.Run | None:
    """Find the run before this one that is of the same dataset."""
    of = arrange.dataset_of(held.name)
    for other in query.latest_runs(engine, _LOOKED_AT):
        older = (other.started or other.loaded_at) < (held.started or held.loaded_at)
        if older and other.run_id != held.run_id and arrange.dataset_of(other.name) == of:
            return query.get_run(engine, other.name)
    return None


def _made(now: list[Made], before: list[Made]) -> list[Data]:
    """Tell of each task whether it was configured otherwise before."""
    known: dict[str | None, set[str | None]] = {}
    for one in before:
        known.setdefault(one.task, set()).add(one.config_hash)
    return [
        {**one._asdict(), "new": one.config_hash not in known[one.task] if one.task in known else None}
        for one in now
    ]


def _differences(before: records.Run, after: records.Run) -> Data:
    """Tell which packages are of another version."""
    names = sorted({*before.packages, *after.packages})
    changed = [
        {"package": name, "before": before.packages.get(name), "after": after.packages.get(name)}
        for name in names
        if before.packages.get(name) != after.packages.get(name)
    ]
    return {"name": before.name, "started": before.started, "packages": changed}


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
