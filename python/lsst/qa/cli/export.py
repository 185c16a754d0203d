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

"""``lsst-qa export``: results as files that other packages read."""

from __future__ import annotations

__all__ = ["export_command"]

import json
from pathlib import Path

import click


@click.command("export")
@click.argument("repo")
@click.argument("collections", nargs=-1, metavar="[COLLECTION]...")
@click.option(
    "--format",
    "kind",
    required=True,
    type=click.Choice(["verify-json", "bundle", "csv", "parquet"]),
    help="Format.",
)
@click.option(
    "--to",
    "folder",
    default=".",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder.",
)
@click.option("--where", default="", help="Butler expression that the data IDs must fulfil.")
@click.option("--dry-run", is_flag=True, help="Read all, write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of the files.")
def export_command(
    repo: str,
    collections: tuple[str, ...],
    kind: str,
    folder: Path,
    where: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write results of collections as Jobs of lsst.verify, bundles of
    analysis_tools, CSV or Parquet, and print the names of the files.
    """
    from ..publish.export import export

    files = export(repo, collections, kind, folder, where=where, dry_run=dry_run)
    click.echo(json.dumps([str(path) for path in files], indent=1) if as_json else "\n".join(map(str, files)))
