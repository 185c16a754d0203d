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

"""Jobs that somebody at a terminal starts and waits for."""

from __future__ import annotations

__all__ = ["RunRequest", "follow", "run", "run_here"]

import contextlib
import getpass
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from ..store.database import connect, shown_url
from ..store.job_records import utc_now
from ..store.jobs import Job, cancel_job, get_job, job_log, list_workers
from ..store.work import Quanta
from .attempt import Setting
from .definition import JobDefinition
from .display import Display, terminal
from .parameters import settled
from .plan import Step, make_plan, typed
from .submission import find_definition, submit
from .worker import Worker, on_signals

_INTERVAL = 1.0

_ANY = ("*",)
"""Repositories that whoever sits at the terminal may name; a worker that the
job is left to has a list of its own."""


class RunRequest(NamedTuple):
    """What somebody wants to be run.

    Attributes
    ----------
    name : `str`
        Name of the declared job.
    given : `~collections.abc.Mapping` [`str`, `str`]
        Texts of parameters.
    url : `str`
        Metrics database; made if it does not exist.
    folders : `~collections.abc.Sequence` [`str`]
        Folders of declared jobs, besides the usual ones.
    work : `str`
        Folder of the jobs' folders.
    wait : `bool`
        Whether to run it here, or to leave it to a worker.
    dry_run : `bool`
        Whether to print only what would be run.
    as_json : `bool`
        Whether to print objects.
    """

    name: str
    given: Mapping[str, str]
    url: str
    folders: Sequence[str]
    work: str
    wait: bool
    dry_run: bool
    as_json: bool


def run(request: RunRequest) -> int:
    """Ask for a job to be run, and if wanted, run it.

    Parameters
    ----------
    request : `RunRequest`
        What is wanted.

    Returns
    -------
    code : `int`
        0, or 1 if the job did not succeed.
    """
    definition = find_definition(request.name, request.folders)
    if request.dry_run:
        _print_plan(request, definition)
        return 0
    console = terminal(quiet=request.as_json)
    with contextlib.ExitStack() as stack:
        engine = connect(request.url, create=True)
        stack.callback(engine.dispose)
        job = submit(engine, definition, request.given, getpass.getuser(), allowed=_ANY)
        console.print(f"{job.name} ({job.uuid})")
        if request.wait:
            display, work = Display(console), Path(request.work).resolve()
            job = run_here(engine, job, definition, display, url=request.url, work=work, allowed=_ANY)
        elif not any(definition.name in one.definitions for one in list_workers(engine)):
            console.print(f"No worker is there to take it: lsst-qa worker --db {shown_url(request.url)}")
    if request.as_json:
        print(json.dumps(job.plain(), indent=1))
    return 0 if job.state == "succeeded" or not request.wait else 1


def _print_plan(request: RunRequest, definition: JobDefinition) -> None:
    values = settled(definition.parameters, request.given, _ANY)
    name = f"{definition.name}-dry-run"
    work = Path(request.work).resolve() / name
    plan = make_plan(
        definition, values, name=name, submitted=utc_now(), work=work, url=shown_url(request.url)
    )
    if request.as_json:
        print(json.dumps([{"step": step.name, "command": step.command} for step in plan.steps], indent=1))
    else:
        print("\n".join(typed(step.command) for step in plan.steps))


def run_here(
    engine: sa.Engine,
    job: Job,
    definition: JobDefinition,
    display: Display,
    *,
    url: str,
    work: Path,
    allowed: Sequence[str],
    apart: bool = True,
) -> Job:
    """Run a job in this process, unless a worker was faster; then follow it.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    job : `~lsst.qa.store.jobs.Job`
        A job that was asked for.
    definition : `JobDefinition`
        Its declaration.
    display : `Display`
        Where it is shown.
    url : `str`
        URL of the database.
    work : `pathlib.Path`
        Folder of the jobs.
    allowed : `~collections.abc.Sequence` [`str`]
        Patterns of the repositories that it may use.
    apart : `bool`, optional
        Whether the job has a folder of its own in that.

    Returns
    -------
    job : `~lsst.qa.store.jobs.Job`
        The job as it ended.
    """

    def begun(step: Step) -> None:
        display.begin(step.name, step.title, step.command)

    def heard(step: Step, lines: Sequence[str], quanta: Quanta) -> None:
        display.hear(lines, quanta)

    setting = Setting(url, {definition.name: definition}, work, allowed, apart, show=heard, begun=begun)
    worker = Worker(engine, setting)
    with on_signals(lambda: cancel_job(engine, job.uuid, job.submitted_by)):
        ended = worker.work(job.uuid) or follow(engine, job, display)
    display.end(ended, url)
    return ended


def follow(
    engine: sa.Engine, job: Job, display: Display, wait: Callable[[float], object] = time.sleep
) -> Job:
    """Watch a job that a worker runs, to its end.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    job : `~lsst.qa.store.jobs.Job`
        The job.
    display : `Display`
        Where it is shown.
    wait : `~collections.abc.Callable`, optional
        Lets so many seconds pass.

    Returns
    -------
    job : `~lsst.qa.store.jobs.Job`
        The job as it ended.
    """
    seen, step = -1, ""
    while True:
        now = get_job(engine, job.uuid)
        pieces = job_log(engine, job.uuid, after=seen)
        quanta = Quanta(now.quanta_total, now.quanta_done, now.quanta_failed)
        for piece in pieces:
            if piece.step != step:
                step = piece.step
                display.begin(step, step.capitalize(), _command(now, step))
            display.hear(piece.text.splitlines(), quanta)
            seen = piece.piece
        if now.ended and not pieces:
            return now
        if not pieces:
            wait(_INTERVAL)


def _command(job: Job, step: str) -> tuple[str, ...]:
    found: Mapping[str, Sequence[str]] = {one["step"]: one["command"] for one in job.commands}
    return tuple(found.get(step, ()))
