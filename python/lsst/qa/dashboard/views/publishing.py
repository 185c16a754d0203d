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
"""Publishing: what each target has, what waits, and what it will not take."""

from __future__ import annotations

__all__ = ["VIEW", "data"]

from collections import Counter
from collections.abc import Callable, Mapping

import sqlalchemy
from starlette.requests import Request
from starlette.responses import Response

from ...errors import InputError, UnknownNameError
from ...store import letters, query
from ..site import Data, Site, View

_LISTED = 100
_CHANGES: Mapping[str, Callable[[sqlalchemy.Engine, str | None], int]] = {
    "retry": letters.retry,
    "drop": letters.drop,
}


def data(engine: sqlalchemy.Engine, target: str | None = None) -> Data:
    """Return the state of each target, and its dead letters.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    target : `str`, optional
        Only the dead letters of this target.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``targets`` with the number of datasets by state; ``letters``, at most
        ``limit`` of the ``n_letters``, with whether their run is ``loaded``;
        ``reasons`` and how many died of them.

    Raises
    ------
    UnknownNameError
        Raised if nothing was ever to be published at the target.
    """
    statuses = [one._asdict() for one in letters.statuses(engine)]
    _require_known(target, statuses)
    dead = letters.dead_letters(engine, target)
    loaded = {run for run in {one.run for one in dead[:_LISTED]} if query.get_run(engine, run) is not None}
    return {
        "target": target,
        "states": letters.STATES,
        "targets": statuses,
        "letters": [{**one._asdict(), "loaded": one.run in loaded} for one in dead[:_LISTED]],
        "n_letters": len(dead),
        "limit": _LISTED,
        "reasons": Counter(one.reason or "no reason was given" for one in dead).most_common(10),
    }


def _require_known(target: str | None, statuses: list[Data]) -> None:
    known = [one["target"] for one in statuses]
    if target is not None and target not in known:
        raise UnknownNameError("target", target, known)


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """

    @site.route("/publishing", "/publishing.json")
    def publishing(request: Request, target: str | None = None) -> Response:
        return site.show(request, VIEW, data(site.engine, target))

    @site.action("/publishing/dead")
    def change(request: Request, who: str, form: Mapping[str, str]) -> Response:
        what, target = form.get("what", ""), form.get("target") or None
        if what not in _CHANGES:
            raise InputError(f"Dead letters can be told to {' or '.join(_CHANGES)}, not to {what!r}.")
        _require_known(target, [one._asdict() for one in letters.statuses(site.engine)])
        _CHANGES[what](site.engine, target)
        return site.go(site.links.page("publishing", target=target))


VIEW = View("publishing", add, label="Publishing", fresh=10)
