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

"""``lsst-qa run``: run a declared job."""

from __future__ import annotations

__all__ = ["run_command"]

import sys

import click


@click.command("run")
@click.argument("name", required=False)
@click.option("--set", "given", multiple=True, metavar="KEY=VALUE", help="Value of a parameter; repeatable.")
@click.option("--db", "url", metavar="URL", help="Metrics database; qa-metrics.sqlite3 here by default.")
@click.option(
    "--definitions", "folders", multiple=True, metavar="DIR", help="Folder of declared jobs; repeatable."
)
@click.option(
    "--work", default="qa-jobs", show_default=True, metavar="DIR", help="Folder of the jobs' folders."
)
@click.option("--wait/--detach", default=True, help="Run it here and wait, or leave it to a worker.")
@click.option("--dry-run", is_flag=True, help="Only print the commands.")
@click.option("--json", "as_json", is_flag=True, help="Print objects.")
def run_command(
    name: str | None,
    given: tuple[str, ...],
    url: str | None,
    folders: tuple[str, ...],
    work: str,
    wait: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Run the declared job NAME; without NAME, list the declared jobs.

    The exit code is 1 if it did not succeed.
    """
    from ..jobs.listing import list_declared
    from ..jobs.terminal import RunRequest, run
    from ..store.database import DEFAULT_URL

    if name is None:
        list_declared(folders, as_json)
        return
    if malformed := [one for one in given if not one.partition("=")[0] or "=" not in one]:
        raise click.UsageError(f"--set takes KEY=VALUE, not {malformed[0]!r}.")
    values = {key: value for key, _, value in (one.partition("=") for one in given)}
    request = RunRequest(name, values, url or DEFAULT_URL, folders, work, wait, dry_run, as_json)
    sys.exit(run(request))
