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
"""``lsst-qa site``: write pages of a dashboard as files."""

from __future__ import annotations

__all__ = ["site_command"]

import contextlib
import sys
from pathlib import Path

import click


@click.command("site")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--db", "url", metavar="URL", help="Metrics database; qa-metrics.sqlite3 here by default.")
@click.option(
    "--run",
    "runs",
    multiple=True,
    metavar="NAME",
    help="Run; the latest of each kind by default; repeatable.",
)
@click.option(
    "--most",
    default=2000,
    show_default=True,
    type=click.IntRange(1),
    help="Most pages; the main ones go first.",
)
@click.option(
    "--plots",
    default=200,
    show_default=True,
    type=click.IntRange(0),
    help="Most pages of these that are further plots of a visit or tract; they take longest.",
)
def site_command(folder: Path, url: str | None, runs: tuple[str, ...], most: int, plots: int) -> None:
    """Write the pages of runs into DIR, to be opened without a server.

    DIR is new, empty, or holds an earlier copy, which is replaced. The exit
    code is 1 if a page could not be made.
    """
    from rich.console import Console

    from ..dashboard.copying import copy_site
    from ..store.database import DEFAULT_URL, connect

    with contextlib.ExitStack() as stack:
        engine = connect(url or DEFAULT_URL)
        stack.callback(engine.dispose)
        status = stack.enter_context(Console(stderr=True).status("Copying"))
        copied = copy_site(
            engine,
            folder,
            runs,
            most,
            plots,
            lambda done, known: status.update(f"Copying: page {done} of {known}"),
        )
    more = f" {copied.left_out} more were left out: see --most and --plots." if copied.left_out else ""
    click.echo(f"{copied.pages} pages, {copied.size / 1e6:.1f} MB; open {copied.index}.{more}")
    for fault in copied.faults:
        click.echo(f"Not copied: {fault}", err=True)
    sys.exit(1 if copied.faults else 0)
