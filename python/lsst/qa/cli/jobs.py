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

"""``lsst-qa jobs``: look at jobs, and call them off."""

from __future__ import annotations

__all__ = ["jobs_command"]

import contextlib
import getpass
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import sqlalchemy as sa

_database = click.option(
    "--db", "url", metavar="URL", help="Metrics database; qa-metrics.sqlite3 here by default."
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print objects.")


@contextlib.contextmanager
def _connected(url: str | None) -> Iterator[sa.Engine]:
    from ..store.database import DEFAULT_URL, connect

    engine = connect(url or DEFAULT_URL)
    try:
        yield engine
    finally:
        engine.dispose()


@click.group("jobs")
def jobs_command() -> None:
    """List, show and cancel the jobs of a metrics database."""


@jobs_command.command("list")
@_database
@click.option("--state", "states", multiple=True, help="Only jobs in this state; repeatable.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(min=1), help="The most jobs.")
@_as_json
def list_command(url: str | None, states: tuple[str, ...], limit: int, as_json: bool) -> None:
    """List the latest jobs."""
    from ..jobs.listing import print_jobs

    with _connected(url) as engine:
        print_jobs(engine, states, limit, as_json)


@jobs_command.command("show")
@click.argument("name")
@_database
@click.option("--log", "with_log", is_flag=True, help="Print its log as well.")
@_as_json
def show_command(name: str, url: str | None, with_log: bool, as_json: bool) -> None:
    """Show the job NAME, its readable name or its UUID."""
    from ..jobs.listing import show_job
    from ..store.jobs import get_job

    with _connected(url) as engine:
        show_job(engine, get_job(engine, name), with_log, as_json)


@jobs_command.command("cancel")
@click.argument("name")
@_database
def cancel_command(name: str, url: str | None) -> None:
    """Cancel the job NAME; the worker that has it stops it some seconds
    later.
    """
    from ..store.jobs import cancel_job

    with _connected(url) as engine:
        job = cancel_job(engine, name, getpass.getuser())
    click.echo(f"{job.name}: {job.state}{'' if job.ended else ', will be stopped'}.")
