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

"""The landing page: of each instrument and dataset the latest run against the
requirements, what changed since the one before, the last night, and jobs.
"""

from __future__ import annotations

__all__ = ["VIEW", "data"]

import datetime

import sqlalchemy
from starlette.requests import Request
from starlette.responses import Response

from ...store import jobs as stored
from ...store import nights, query, records
from ...store.job_records import utc_now
from .. import arrange, shapes
from ..site import Data, Site, View
from . import jobs
from .compare import compared

_LOOKED_AT = 60
_GROUPS = 6
_TOLD = 5
_JOBS = 5
_DAYS = 7
_OPEN = ("queued", "running", "following", "lost")


def data(engine: sqlalchemy.Engine) -> Data:
    """Return the latest runs with their verdicts.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``groups``, of an ``instruments`` and ``dataset`` each, the one with
        the latest run first: the ``run`` with ``counts`` of verdicts by
        state, ``variant_counts`` and its ``verdicts`` by a threshold; the
        ``baseline``, the run before it, with the number of changes and the
        greatest of them; the number of ``earlier`` runs. ``night``, the last
        one with values; ``jobs`` that wait, run or failed lately.
    """
    specs = query.specifications(engine)
    required = tuple(name for name in specs if "." not in name)
    groups: dict[tuple[tuple[str, ...], str], list[records.Run]] = {}
    for held in query.latest_runs(engine, _LOOKED_AT):
        if not held.n_measurements:
            continue  # only its execution is known
        groups.setdefault((held.instruments, arrange.dataset_of(held.name)), []).append(held)
    shown = []
    for (instruments, dataset), runs in list(groups.items())[:_GROUPS]:
        cells = shapes.verdicts(engine, runs[0], specs)
        judged = [cell for cell in cells if cell["state"] != "none"]
        shown.append(
            {
                "instruments": list(instruments),
                "dataset": dataset,
                "run": {**shapes.run(runs[0]), **shapes.counts(cells), "verdicts": judged},
                "baseline": _since(engine, runs[1], runs[0], required) if len(runs) > 1 else None,
                "earlier": len(runs) - 1,
            }
        )
    open_jobs = stored.list_jobs(engine, states=_OPEN, limit=_JOBS)
    recent = utc_now() - datetime.timedelta(days=_DAYS)
    failed = [
        job for job in stored.list_jobs(engine, states=("failed",), limit=_JOBS) if job.submitted > recent
    ]
    return {
        "groups": shown,
        "night": _night(engine),
        "jobs": [jobs.summary(job) for job in (*open_jobs, *failed)],
    }


def _night(engine: sqlalchemy.Engine) -> Data | None:
    """Tell of the last night, with its bands by wavelength."""
    night = nights.last_night(engine)
    if night is None:
        return None
    told = [{**one, "bands": sorted(one["bands"], key=arrange.band_key)} for one in night["instruments"]]
    return {**night, "instruments": told}


def _since(
    engine: sqlalchemy.Engine, before: records.Run, after: records.Run, required: tuple[str, ...]
) -> Data:
    """Tell what got worse and better, as only thresholds can tell."""
    rows = compared(engine, before, after, required)
    directions = ("worse", "better")
    return {
        "name": before.name,
        "started": before.started,
        **{name: sum(row["direction"] == name for row in rows) for name in directions},
        "most": [row for name in directions for row in rows if row["direction"] == name][:_TOLD],
    }


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """

    @site.route("/", "/index.json")
    def landing(request: Request) -> Response:
        return site.show(request, VIEW, data(site.engine))


VIEW = View("landing", add, fresh=10)
