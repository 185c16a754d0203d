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

"""What ``lsst-qa publish`` prints."""

from __future__ import annotations

__all__ = ["PublishRequest", "run"]

import contextlib
import datetime
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import click
from rich.console import Console
from rich.progress import Progress

from ..publish import comparing
from ..publish.publishing import GOOD, SOME_DEAD, preview, publish
from ..publish.settings import Settings
from ..store import letters
from ..store.database import DEFAULT_URL, connect
from ..store.opening import parse_time


class PublishRequest(NamedTuple):
    """What was asked for; see the options of the command."""

    mode: str
    repo: str
    collections: tuple[str, ...]
    targets: tuple[str, ...]
    where: str
    made: str | None
    db: str
    settings: str | None
    as_json: bool


def run(asked: PublishRequest) -> int:
    """Do what was asked for, and print what came of it.

    Parameters
    ----------
    asked : `PublishRequest`
        The request.

    Returns
    -------
    code : `int`
        Exit code.
    """
    asked = asked._replace(db=asked.db or DEFAULT_URL)
    settings = Settings.load(asked.settings)
    verb, _, what = asked.mode.partition(" ")
    if verb in ("status", "dead"):
        return _ledger(asked, what, [settings.url_of(target) for target in asked.targets])
    known: dict[str, Any] = {"where": asked.where, "made": parse_time(asked.made), "settings": settings}
    if verb == "dry-run":
        previews = preview(asked.repo, asked.collections, asked.targets, asked.db, **known)
        _print(asked, previews, lambda one: f"would send {one.records} records of {one.datasets} datasets")
        for one in previews:
            _complain(one.faults)
        return SOME_DEAD if any(one.faults for one in previews) else GOOD
    with _progress() as told:
        if verb == "publish":
            report = publish(asked.repo, asked.collections, asked.targets, asked.db, progress=told, **known)
        elif verb == "verify":
            found = comparing.verify(asked.repo, asked.collections, asked.targets, progress=told, **known)
        else:
            found = comparing.rebuild(
                asked.repo, asked.collections, asked.targets, asked.db, progress=told, **known
            )
    if verb == "publish":
        _print(asked, report.outcomes, lambda one: f"{_counts(one.counts)}; sent {one.records} records")
        _complain(report.unreadable)
        for outcome in report.outcomes:
            _complain([outcome.down] if outcome.down else [])
            if dead := outcome.counts["dead"]:
                _complain([f"{dead} datasets are dead letters: 'lsst-qa publish --dead list' says why."])
        return report.code
    _print(
        asked,
        found,
        lambda one: (
            f"{one.found} of {one.records} records are there; {one.missing} missing, "
            f"{one.different} different, {one.doubled} more than once"
        ),
    )
    for comparison in found:
        _complain(comparison.unreadable)
    return GOOD if verb != "verify" or all(one.good for one in found) else SOME_DEAD


def _ledger(asked: PublishRequest, what: str, targets: list[str]) -> int:
    engine = connect(asked.db)
    try:
        chosen: list[str | None] = [*targets] or [None]
        if what in ("retry", "drop"):
            change = letters.retry if what == "retry" else letters.drop
            changed = sum(change(engine, target) for target in chosen)
            said = {"retry": "will be tried again", "drop": "were dropped"}[what]
            click.echo(json.dumps({"datasets": changed}) if asked.as_json else f"{changed} datasets {said}.")
            return GOOD
        if what == "list":
            dead = [x for target in chosen for x in letters.dead_letters(engine, target)]
            _print(asked, dead, lambda one: f"{one.dataset_type} {one.dataset} in {one.run}: {one.reason}")
            return SOME_DEAD if dead else GOOD
        found = [one for one in letters.statuses(engine) if not targets or one.target in targets]
    finally:
        engine.dispose()
    _print(asked, found, _status)
    return GOOD


def _status(one: letters.TargetStatus) -> str:
    waiting = f"; the oldest since {one.oldest:%Y-%m-%d %H:%M}" if one.oldest else ""
    error = f"; last error: {one.last_error}" if one.last_error else ""
    return f"{_counts(one.counts)}{waiting}{error}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {state}" for state, number in counts.items() if number) or "nothing"


def _print(asked: PublishRequest, found: list[Any], text: Callable[[Any], str]) -> None:
    if asked.as_json:
        click.echo(json.dumps([_plain(one) for one in found], indent=1))
    else:
        for one in found:
            click.echo(f"{one.target}: {text(one)}")


def _plain(value: Any) -> Any:
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(found) for name, found in value._asdict().items()}
    if isinstance(value, list):
        return [_plain(found) for found in value]
    return value.isoformat() if isinstance(value, datetime.datetime) else value


def _complain(said: list[str]) -> None:
    for one in said:
        click.echo(f"lsst-qa: {one}", err=True)


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None] | None]:
    """Show how far it is, where somebody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def told(target: str, done: int, total: int) -> None:
            if target not in tasks:
                tasks[target] = bar.add_task(target, total=total)
            bar.update(tasks[target], completed=done)

        yield told
