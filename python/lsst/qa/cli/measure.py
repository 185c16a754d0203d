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

"""``lsst-qa measure``: metrics of table files."""

from __future__ import annotations

__all__ = ["measure_command"]

import json
import sys

import click

from . import FOUND_BAD


@click.command("measure")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--table", "kind", help="Kind of table; told by the columns if not given.")
@click.option(
    "--metric", "metrics", multiple=True, help="Metric to measure; all that the columns allow if none."
)
@click.option("--by", multiple=True, help="Column by whose values to measure apart as well, as detector.")
@click.option(
    "--assume-applied", multiple=True, help="Quality column whose cut is applied already, where it is absent."
)
@click.option("--band", help="Band of the rows, where the table does not state it.")
@click.option("--json", "as_json", is_flag=True, help="Print an array of row objects.")
def measure_command(
    files: tuple[str, ...],
    kind: str | None,
    metrics: tuple[str, ...],
    by: tuple[str, ...],
    assume_applied: tuple[str, ...],
    band: str | None,
    as_json: bool,
) -> None:
    """Measure table files (Parquet, FITS, ECSV) without a repository."""
    from .. import measure
    from ..results import to_records
    from ._show import print_rows

    shared = {"band": band} if band else {}
    found = [
        measure(file, metrics or None, kind=kind, by=by, assume_applied=assume_applied, **shared)
        for file in files
    ]
    if as_json:
        click.echo(json.dumps([record for rows in found for record in to_records(rows.to_arrow())], indent=1))
    else:
        for file, rows in zip(files, found):
            print_rows(file, rows)
    good = [row["status"] == "ok" for rows in found for row in rows]
    if not any(good) or (metrics and not all(good)):
        for row in (row for rows in found for row in rows if row["status"] != "ok"):
            click.echo(f"lsst-qa: {row['metric']} is {row['status']}: {row['message']}.", err=True)
        sys.exit(FOUND_BAD)
