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

"""``lsst-qa dashboard``: serve the pages of a metrics database."""

from __future__ import annotations

__all__ = ["dashboard_command"]

import click


@click.command(name="dashboard")
@click.option("--db", "url", metavar="URL", help="Metrics database; qa-metrics.sqlite3 here by default.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port", default=8765, show_default=True, type=click.IntRange(0, 65535), help="0: any that is free."
)
@click.option("--root-path", default="", metavar="PATH", help="Path prefix that a proxy adds.")
def dashboard_command(url: str | None, host: str, port: int, root_path: str) -> None:
    """Serve the pages of a metrics database until interrupted."""
    from ..dashboard.app import serve
    from ..store.database import DEFAULT_URL

    serve(
        url or DEFAULT_URL,
        host,
        port,
        root_path,
        lambda address: click.echo(f"The dashboard is at {address}"),
    )
