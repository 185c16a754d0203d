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

"""``lsst-qa worker``: take jobs and run them."""

from __future__ import annotations

__all__ = ["worker_command"]

import sys

import click


@click.command("worker")
@click.option("--db", "url", metavar="URL", help="Metrics database; qa-metrics.sqlite3 here by default.")
@click.option(
    "--definitions", "folders", multiple=True, metavar="DIR", help="Folder of declared jobs; repeatable."
)
@click.option(
    "--work", default="qa-jobs", show_default=True, metavar="DIR", help="Folder of the jobs' folders."
)
@click.option(
    "--allow", "allowed", multiple=True, metavar="PATTERN", help="Repositories that jobs may use; repeatable."
)
@click.option(
    "--lease",
    default=90.0,
    show_default=True,
    type=click.FloatRange(min=1.0),
    help="Seconds without a sign of life after which another worker takes over.",
)
@click.option("--once", is_flag=True, help="End after one job, or at once if there is none.")
def worker_command(
    url: str | None,
    folders: tuple[str, ...],
    work: str,
    allowed: tuple[str, ...],
    lease: float,
    once: bool,
) -> None:
    """Take jobs from a metrics database, one after the other, and run them.

    Ends when it is interrupted; another worker then goes on with its job.
    With --once the exit code is 1 if its job did not succeed.
    """
    from ..jobs.worker import run_worker
    from ..store.database import DEFAULT_URL

    n_failed = run_worker(
        url or DEFAULT_URL, folders=folders, work=work, allowed=allowed, lease=lease, once=once
    )
    sys.exit(1 if once and n_failed else 0)
