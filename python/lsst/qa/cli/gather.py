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

"""``lsst-qa gather``: results as one dataset, partitioned for reading."""

from __future__ import annotations

__all__ = ["gather_command"]

import json

import click


@click.command("gather")
@click.argument("repo")
@click.argument("collections", nargs=-1, required=True, metavar="COLLECTION...")
@click.option("--to", "folder", required=True, metavar="DIR", help="Folder of the dataset; must not exist.")
@click.option("--where", default="", metavar="EXPRESSION", help="Gather only data IDs that fulfil this.")
@click.option("--json", "as_json", is_flag=True, help="Print an object instead of text.")
def gather_command(repo: str, collections: tuple[str, ...], folder: str, where: str, as_json: bool) -> None:
    """Write the results of collections of REPO as a Parquet dataset.

    It has a folder for each metric, so that reading one metric opens its
    files only; pyarrow, DuckDB, polars, pandas and Spark read it as a table.
    """
    from ..store.partition import partition

    written = partition(repo, collections, folder, where=where)
    text = f"Wrote {written.rows} measurements of {written.datasets} datasets to {folder}."
    click.echo(json.dumps({**written._asdict(), "folder": folder}) if as_json else text)
