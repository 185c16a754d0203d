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

"""The command line: one module per verb, each parsing and calling one
function.
"""

from __future__ import annotations

__all__ = ["main"]

import importlib
import sys
from typing import Any

import click

from ..errors import QaError
from ..version import __version__

VERBS = {
    "check": "Judge a run by the requirements.",
    "dashboard": "Serve the pages of a metrics database.",
    "demo": "Simulate, measure, load and judge a small survey.",
    "export": "Write results as files that other packages read.",
    "gather": "Write results as one Parquet dataset, a folder a metric.",
    "jobs": "List, show and cancel jobs.",
    "harvest": "Read what quanta took and logged into a metrics database.",
    "load": "Load results of a repository into a metrics database.",
    "measure": "Measure table files, without a repository.",
    "metrics": "List the metrics, or explain one.",
    "publish": "Send results to wherever they are wanted.",
    "run": "Run a declared job.",
    "simulate": "Write a simulated survey into a repository.",
    "site": "Write pages of a metrics database as files.",
    "worker": "Take jobs from a metrics database and run them.",
}

FOUND_BAD, MISUSE = 1, 2


class _Verbs(click.Group):
    """Commands that are imported only when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        return getattr(importlib.import_module(f".{cmd_name}", __package__), f"{cmd_name}_command")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(verb, VERBS[verb]) for verb in sorted(VERBS)])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except QaError as error:
            click.echo(f"lsst-qa: {error}", err=True)
            sys.exit(MISUSE)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version=__version__, prog_name="lsst-qa")
def main() -> None:
    """Quality-assurance metrics for Rubin Observatory data."""
