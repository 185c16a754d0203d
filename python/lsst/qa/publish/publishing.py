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

"""Publishing collections to targets, from what the user names to what came of
it.
"""

from __future__ import annotations

__all__ = [
    "DOWN",
    "GOOD",
    "SOME_DEAD",
    "Preview",
    "PublishReport",
    "naming_of",
    "preview",
    "publish",
    "told_of",
]

import contextlib
import datetime
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from ..errors import DatabaseError
from ..store.database import connect, exists
from .checking import faults
from .ledger import Ledger
from .record import Naming, records_of
from .settings import Settings
from .shelf import Shelf, open_shelf
from .targets.base import Target
from .targets.database import name_of
from .targets.opening import open_target
from .uploader import Outcome, upload

GOOD, SOME_DEAD, DOWN = 0, 1, 2

_AT_ONCE = 200


class PublishReport(NamedTuple):
    """What publishing came to.

    Attributes
    ----------
    outcomes : `list` [`Outcome`]
        One per target.
    unreadable : `list` [`str`]
        Tables that cannot even tell which datasets they gathered, and why.
    """

    outcomes: list[Outcome]
    unreadable: list[str]

    @property
    def code(self) -> int:
        """0 if all is acknowledged, 1 if something is dead or unreadable, 2 if
        a target is down.
        """
        if any(outcome.down is not None for outcome in self.outcomes):
            return DOWN
        dead = any(outcome.counts["dead"] for outcome in self.outcomes)
        return SOME_DEAD if dead or self.unreadable else GOOD


class Preview(NamedTuple):
    """What publishing to a target would do.

    Attributes
    ----------
    target : `str`
        Its name.
    datasets, records : `int`
        What would be sent.
    done : `int`
        Number of datasets that are acknowledged, dead or dropped.
    faults : `list` [`str`]
        What is wrong with datasets or records.
    """

    target: str
    datasets: int
    records: int
    done: int
    faults: list[str]


def publish(
    repo: str,
    collections: Sequence[str],
    targets: Sequence[str],
    db: str,
    *,
    where: str = "",
    made: datetime.datetime | None = None,
    settings: Settings | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> PublishReport:
    """Send results to targets, those that they do not have yet.

    Parameters
    ----------
    repo, collections
        What to publish, see `lsst.qa.store.opening.open_source`.
    targets : `~collections.abc.Sequence` [`str`]
        URLs, or names of the settings. One that fails leaves the others
        alone.
    db : `str`
        Metrics database that holds the ledger; made if it does not exist.
    where, made
        See there.
    settings : `Settings`, optional
        Names, tokens and the like; from the environment if there are none.
    progress : `~collections.abc.Callable`, optional
        Is told the target, and how many datasets of how many are done with.

    Returns
    -------
    report : `PublishReport`
        What it came to.

    Raises
    ------
    CollectionError
        Raised if there is nothing to publish.
    DatabaseError
        Raised if the ledger does not answer.
    InputError
        Raised if a target or the expression is wrong.
    """
    settings = settings or Settings.load()
    outcomes = []
    with contextlib.ExitStack() as stack:
        shelf = stack.enter_context(open_shelf(repo, collections, where, made))
        engine = connect(db, create=True)
        stack.callback(engine.dispose)
        ledger = Ledger(engine, settings.lease)
        # All first: a URL that is wrong is found before anything is sent.
        places = [(url, _opened(url, settings, stack)) for url in targets]
        for url, target in places:
            if isinstance(target, DatabaseError):
                outcomes.append(_unopened(shelf, ledger, settings.url_of(url), target))
                continue
            naming, told = naming_of(settings, url), told_of(progress, target.name)
            outcomes.append(upload(shelf, ledger, target, naming, settings.policy(), progress=told))
    return PublishReport(outcomes, list(shelf.unreadable))


def preview(
    repo: str,
    collections: Sequence[str],
    targets: Sequence[str],
    db: str,
    *,
    where: str = "",
    made: datetime.datetime | None = None,
    settings: Settings | None = None,
) -> list[Preview]:
    """Read and validate what would be sent, and send and write nothing.

    Parameters
    ----------
    repo, collections, targets, db, where, made, settings
        As for `publish`.

    Returns
    -------
    previews : `list` [`Preview`]
        One per target.

    Raises
    ------
    QaError
        Raised as by `publish`.
    """
    settings = settings or Settings.load()
    previews = []
    with contextlib.ExitStack() as stack:
        shelf = stack.enter_context(open_shelf(repo, collections, where, made))
        ledger = None
        if exists(db):
            engine = connect(db)
            stack.callback(engine.dispose)
            ledger = Ledger(engine)
        for url in targets:
            naming = naming_of(settings, url)
            name = settings.url_of(url)
            datasets = [planned.dataset for planned in shelf.planned]
            states = ledger.states(name, datasets) if ledger else {}
            open_ones = [d for d in datasets if states.get(d) not in ("acknowledged", "dead", "dropped")]
            previews.append(_previewed(shelf, open_ones, name, naming))
    return previews


def _opened(url: str, settings: Settings, stack: contextlib.ExitStack) -> Target | DatabaseError:
    """Open a target; a database is asked already, and may be down."""
    try:
        return stack.enter_context(open_target(url, settings))
    except DatabaseError as error:
        return error


def _unopened(shelf: Shelf, ledger: Ledger, url: str, error: DatabaseError) -> Outcome:
    name = name_of(url)
    ledger.plan(name, shelf.planned)
    counts = ledger.counts(name, [planned.dataset for planned in shelf.planned])
    return Outcome(name, counts, down=str(error))


def _previewed(shelf: Shelf, open_ones: Sequence[str], name: str, naming: Naming) -> Preview:
    records, wrong = 0, list(shelf.unreadable)
    for start in range(0, len(open_ones), _AT_ONCE):
        for found in shelf.read(open_ones[start : start + _AT_ONCE]):
            what = f"{found.origin.dataset_type} {found.origin.uuid}"
            if isinstance(found.rows, str):
                wrong.append(f"{what}: {found.rows}")
                continue
            made = records_of(found.origin, found.rows, naming, shelf.sequence)
            records += len(made)
            wrong += [f"{what}: {said}" for said in faults(made).values()]
    return Preview(name, len(open_ones), records, len(shelf.planned) - len(open_ones), wrong)


def naming_of(settings: Settings, target: str) -> Naming:
    """Return the names of topics at a target.

    Parameters
    ----------
    settings : `Settings`
        The site's settings.
    target : `str`
        URL or name of the target; ``?namespace=`` in its URL overrides the
        settings.

    Returns
    -------
    naming : `Naming`
        The names.
    """
    query = parse_qs(urlsplit(settings.url_of(target)).query)
    naming = settings.naming()
    return naming._replace(namespace=query["namespace"][-1]) if "namespace" in query else naming


def told_of(progress: Callable[[str, int, int], None] | None, name: str) -> Callable[[int, int], None] | None:
    """Return what an upload tells its progress.

    Parameters
    ----------
    progress : `~collections.abc.Callable` or `None`
        Is told the target and how far it is.
    name : `str`
        Name of the target.

    Returns
    -------
    told : `~collections.abc.Callable` or `None`
        Is told how far it is.
    """
    if progress is None:
        return None
    return lambda done, total: progress(name, done, total)
