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

"""``lsst-qa check``: judge a run by the requirements."""

from __future__ import annotations

__all__ = ["check_command"]

import json
import sys

import click


@click.command("check")
@click.option("--db", "url", metavar="URL", help="Metrics database; qa-metrics.sqlite3 here by default.")
@click.option("--run", metavar="NAME", help="Name or identifier of the run; the latest one by default.")
@click.option(
    "--level", type=click.Choice(["minimum", "design", "stretch"]), default="design", show_default=True
)
@click.option(
    "--specs",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    help="File of thresholds that count instead of the requirements: YAML, also that of lsst.verify.",
)
@click.option("--all", "everything", is_flag=True, help="List the values without a threshold as well.")
@click.option("--json", "as_json", is_flag=True, help="Print an object instead of a table.")
def check_command(
    url: str | None, run: str | None, level: str, files: tuple[str, ...], everything: bool, as_json: bool
) -> None:
    """Judge a run by the requirements.

    The exit code is 1 if it misses any, or if a metric failed to run.
    """
    from rich.console import Console

    from ..judge.report import check, plain, show
    from ..store.database import DEFAULT_URL

    report = check(url or DEFAULT_URL, run, level, files)
    if as_json:
        click.echo(json.dumps(plain(report), indent=1))
    else:
        show(report, Console(width=None if sys.stdout.isatty() else 200, highlight=False), everything)
    sys.exit(0 if report.good else 1)
