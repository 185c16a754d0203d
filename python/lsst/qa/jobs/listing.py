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

"""Jobs, and what is declared, as tables for the terminal."""

from __future__ import annotations

__all__ = ["list_declared", "print_jobs", "show_job"]

import datetime
import json
import sys
from collections.abc import Sequence

import sqlalchemy as sa
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..store.jobs import Job, job_log, list_jobs, list_workers
from .plan import typed
from .submission import find_definitions


def list_declared(folders: Sequence[str], as_json: bool) -> None:
    """Print the declared jobs.

    Parameters
    ----------
    folders : `~collections.abc.Sequence` [`str`]
        Folders of declared jobs, besides the usual ones.
    as_json : `bool`
        Whether to print objects.
    """
    found = find_definitions(folders).values()
    if as_json:
        print(json.dumps([one.model_dump(mode="json") for one in found], indent=1))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("job", "what it is", "parameter", "value", "meaning"):
        table.add_column(column)
    for one in found:
        heads = [(one.name, one.title)] + [("", "")] * len(one.parameters)
        rows = [(name, p.described(), p.description) for name, p in one.parameters.items()] or [("", "", "")]
        for head, row in zip(heads, rows):
            table.add_row(*map(escape, (*head, *row)))
    Console(width=None if sys.stdout.isatty() else 200, highlight=False).print(table)


def print_jobs(engine: sa.Engine, states: Sequence[str], limit: int, as_json: bool) -> None:
    """Print the latest jobs, and what works on them.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    states : `~collections.abc.Sequence` [`str`]
        Only jobs in one of these; all if empty.
    limit : `int`
        The most jobs to print.
    as_json : `bool`
        Whether to print objects.
    """
    jobs = list_jobs(engine, states=states, limit=limit)
    if as_json:
        print(json.dumps([job.plain() for job in jobs], indent=1))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("job", "state", "step", "quanta", "by", "submitted (UTC)", "took"):
        table.add_column(column, no_wrap=True, justify="right" if column in ("quanta", "took") else "left")
    for job in jobs:
        asked = f"{job.submitted:%Y-%m-%d %H:%M:%S}"
        by = job.submitted_by or ""
        table.add_row(job.name, job.state, job.step or "", _quanta(job), by, asked, _took(job))
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    console.print(table if jobs else "There are no such jobs: lsst-qa run NAME starts one.")
    n_workers = len(list_workers(engine))
    console.print(f"{n_workers} worker{'' if n_workers == 1 else 's'} at work.")


def show_job(engine: sa.Engine, job: Job, with_log: bool, as_json: bool) -> None:
    """Print what is known of a job.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    job : `~lsst.qa.store.jobs.Job`
        The job.
    with_log : `bool`
        Whether to print its log as well.
    as_json : `bool`
        Whether to print objects.
    """
    pieces = job_log(engine, job.uuid, limit=sys.maxsize) if with_log else []
    if as_json:
        log = {"log": [piece.text for piece in pieces]} if with_log else {}
        print(json.dumps({**job.plain(), **log}, indent=1))
        return
    for name, value in job.plain().items():
        if name != "commands" and value not in (None, {}):
            print(f"{name:14}{value}")
    for command in job.commands:
        print(f"{command['step']:14}{typed(tuple(command['command']))}")
    line = 0
    for piece in pieces:
        if piece.first_line > line:
            print(f"[{piece.first_line - line} lines left out]")
        line = piece.first_line + piece.n_lines
        print(piece.text, end="")


def _quanta(job: Job) -> str:
    if job.quanta_total is None:
        return ""
    failed = f", {job.quanta_failed} failed" if job.quanta_failed else ""
    return f"{job.quanta_done}/{job.quanta_total}{failed}"


def _took(job: Job) -> str:
    end = job.finished or job.heartbeat
    if job.started is None or end is None:
        return ""
    return str(datetime.timedelta(seconds=round((end - job.started).total_seconds())))
