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

"""``lsst-qa harvest``: read what quanta took and logged into the database."""

from __future__ import annotations

__all__ = ["harvest_command"]

import dataclasses
import json
import sys

import click


@click.command("harvest")
@click.argument("repo")
@click.argument("collections", nargs=-1, required=True, metavar="COLLECTION...")
@click.option("--db", "url", metavar="URL", help="Metrics database; qa-metrics.sqlite3 here by default.")
@click.option("--where", default="", metavar="EXPRESSION", help="Only quanta whose data IDs fulfil this.")
@click.option("--level", default="INFO", show_default=True, help="Lowest level of log records to keep.")
@click.option("--most", default=1000, show_default=True, help="Most log records of a quantum to keep.")
@click.option("--dry-run", is_flag=True, help="Read all, write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print an object instead of text.")
def harvest_command(
    repo: str,
    collections: tuple[str, ...],
    url: str | None,
    where: str,
    level: str,
    most: int,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Read what the quanta of collections of REPO took and logged.

    Their metadata, logs and provenance graphs go into a metrics database;
    what it holds already is skipped. The exit code is 1 if a file cannot be
    read.
    """
    from rich.console import Console

    from ..harvest.harvesting import harvest
    from ..harvest.policy import Policy
    from ..store.database import DEFAULT_URL, shown_url

    target, policy = url or DEFAULT_URL, Policy(level=level.upper(), most_records=most)
    with Console(stderr=True).status("Harvesting") as status:
        report = harvest(
            repo,
            collections,
            target,
            where=where,
            policy=policy,
            dry_run=dry_run,
            progress=lambda done: status.update(f"Harvesting: {done} quanta"),
        )
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(report), indent=1))
    else:
        would = "Would harvest" if dry_run else "Harvested"
        states = "".join(f", {number} {state}" for state, number in report.states.items())
        click.echo(
            f"{would} {report.quanta} quanta{states}, with {report.records} log records, of "
            f"{len(report.runs)} runs into {shown_url(target)}; {report.unchanged} were there.\n"
            f"Not kept: {report.below} records below {policy.level}, {report.over} too many or broken; "
            f"{report.shortened} were shortened."
        )
        for complaint in report.unreadable:
            click.echo(f"Not readable: {complaint}", err=True)
    sys.exit(1 if report.unreadable else 0)
