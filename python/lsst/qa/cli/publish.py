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

"""``lsst-qa publish``: results, to wherever they are wanted."""

from __future__ import annotations

__all__ = ["publish_command"]

import sys

import click


@click.command("publish")
@click.argument("repo", required=False)
@click.argument("collections", nargs=-1, metavar="[COLLECTION]...")
@click.option(
    "--to",
    "targets",
    multiple=True,
    metavar="TARGET",
    help="URL of a target, or its name in the settings; repeatable.",
)
@click.option("--where", default="", help="Butler expression that the data IDs must fulfil.")
@click.option("--made", metavar="TIME", help="When a Job was made that does not say so; ISO, UTC.")
@click.option(
    "--db", metavar="URL", help="Metrics database of the ledger; qa-metrics.sqlite3 here by default."
)
@click.option("--settings", "file", envvar="QA_PUBLISH_SETTINGS", help="File of names, tokens and the like.")
@click.option("--dry-run", is_flag=True, help="Read and validate all; send and write nothing.")
@click.option("--status", is_flag=True, help="Tell what the ledger knows of each target.")
@click.option("--dead", type=click.Choice(["list", "retry", "drop"]), help="What to do with dead letters.")
@click.option("--verify", is_flag=True, help="Compare what the targets hold with the Butler.")
@click.option("--rebuild-ledger", "rebuild", is_flag=True, help="Write down what the targets hold already.")
@click.option("--json", "as_json", is_flag=True, help="Print objects.")
def publish_command(
    repo: str | None,
    collections: tuple[str, ...],
    targets: tuple[str, ...],
    where: str,
    made: str | None,
    db: str | None,
    file: str | None,
    dry_run: bool,
    status: bool,
    dead: str | None,
    verify: bool,
    rebuild: bool,
    as_json: bool,
) -> None:
    """Publish results of collections, those that a target does not have yet.

    A target is sqlite:///FILE, postgresql://USER@HOST/DATABASE,
    sasquatch+https://HOST/PATH?namespace=NAMESPACE, kafka://HOST:PORT,
    influxdb://HOST:PORT/DATABASE, file:///FILE.jsonl, file:///FILE.avro, or a
    name of the settings. Ends with 0 if all is acknowledged, 1 if some is
    dead, 2 if a target is down.
    """
    from ._publish import PublishRequest, run

    modes = [
        name for name, given in (("--dry-run", dry_run), ("--status", status), ("--dead", dead)) if given
    ]
    modes += [name for name, given in (("--verify", verify), ("--rebuild-ledger", rebuild)) if given]
    if len(modes) > 1:
        raise click.UsageError(f"{' and '.join(modes)} exclude each other.")
    mode = f"dead {dead}" if dead else modes[0].removeprefix("--") if modes else "publish"
    if mode.split()[0] not in ("status", "dead") and not (repo and targets):
        raise click.UsageError("Name a repository, its collections, and with --to a target.")
    asked = PublishRequest(mode, repo or "", collections, targets, where, made, db or "", file, as_json)
    sys.exit(run(asked))
