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

"""``lsst-qa simulate``: make a repository of a survey of which everything is
known.
"""

from __future__ import annotations

__all__ = ["simulate_command"]

import dataclasses
import json
from typing import Any

import click


@click.command("simulate")
@click.argument("repo", type=click.Path(file_okay=False))
@click.option("--stars", default=3000, show_default=True, help="Stars in each tract.")
@click.option("--galaxies", default=3000, show_default=True, help="Galaxies in each tract.")
@click.option("--visits", default=10, show_default=True, help="Visits of each tract in each band.")
@click.option("--bands", default="gri", show_default=True, help="Bands, of ugrizy.")
@click.option("--tracts", default=1, show_default=True, help="Tracts, side by side.")
@click.option("--ra", default=53.1, show_default=True, help="Right ascension of the first tract [deg].")
@click.option("--dec", default=-27.8, show_default=True, help="Declination of the tracts [deg].")
@click.option("--seed", default=1, show_default=True, help="Seed of all random numbers.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be made.")
@click.option("--json", "as_json", is_flag=True, help="Print an object instead of text.")
def simulate_command(repo: str, dry_run: bool, as_json: bool, **parameters: Any) -> None:
    """Simulate a survey into a new Butler repository REPO.

    Stars, galaxies, noise, flags and calibration errors of a small camera,
    in the tables that production has, and the true value of every metric.
    The same options give the same survey; a REPO that already holds it is
    left as it is.
    """
    from ..simulate import Survey, Written, planned, write_repository

    survey = Survey(**parameters)
    written: Written = planned(repo, survey) if dry_run else _shown(write_repository, repo, survey)
    if as_json:
        click.echo(json.dumps({**dataclasses.asdict(written), "survey": survey.parameters()}))
    else:
        click.echo(written.sentence())


def _shown(write: Any, repo: str, survey: Any) -> Any:
    """Write a repository, with a progress bar where somebody sees it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("Simulating"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("tables"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("tables", total=None)
        return write(repo, survey, lambda done, total: bar.update(task, completed=done, total=total))
