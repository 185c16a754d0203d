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

"""``lsst-qa load``: fill the metrics database from a repository or files."""

from __future__ import annotations

__all__ = ["load_command"]

import dataclasses
import json
import sys

import click


@click.command("load")
@click.argument("repo")
@click.argument("collections", nargs=-1, metavar="[COLLECTION]...")
@click.option("--db", "url", metavar="URL", help="Metrics database; qa-metrics.sqlite3 here by default.")
@click.option("--where", default="", metavar="EXPRESSION", help="Load only data IDs that fulfil this.")
@click.option("--made", metavar="TIME", help="When a Job was made that does not say so; ISO, UTC.")
@click.option(
    "--specs",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    help="File of thresholds to judge by from now on: YAML, also that of lsst.verify.",
)
@click.option("--dry-run", is_flag=True, help="Read all, write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print an object instead of text.")
def load_command(
    repo: str,
    collections: tuple[str, ...],
    url: str | None,
    where: str,
    made: str | None,
    files: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Load measurements of collections of REPO into a metrics database.

    Those of analysis_tools and lsst.verify are taken too. Instead of a
    repository, REPO may be a Job of lsst.verify, a folder of *.verify.json,
    or a package of metrics and specs. What the database holds already is
    skipped. The exit code is 1 if a file cannot be read.
    """
    from rich.console import Console
    from rich.progress import Progress

    from ..readers.thresholds import read_thresholds
    from ..store.database import DEFAULT_URL, shown_url
    from ..store.load import load
    from ..store.opening import parse_time

    target = url or DEFAULT_URL
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Loading", total=None)
        report = load(
            repo,
            collections,
            target,
            where=where,
            made=parse_time(made),
            thresholds=read_thresholds(files) if files else None,
            dry_run=dry_run,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(report), indent=1))
    else:
        would = "Would load" if dry_run else "Loaded"
        click.echo(
            f"{would} {report.rows} measurements in {report.datasets} datasets of {len(report.runs)} runs "
            f"into {shown_url(target)}; {report.skipped} datasets were there."
        )
        if report.definitions:
            click.echo(f"Defined {report.definitions} metrics with {report.specifications} thresholds.")
        for complaint in report.unreadable:
            click.echo(f"Not readable: {complaint}", err=True)
    sys.exit(1 if report.unreadable else 0)
