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
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    envvar="LSST_QA_DASHBOARD_HOSTS",
    help="Name that browsers use for it; those of the loopback always may.",
)
@click.option(
    "--tokens",
    metavar="FILE",
    envvar="LSST_QA_DASHBOARD_TOKENS",
    help="Lines 'NAME read TOKEN' or 'NAME write TOKEN', in a file that only you can read.",
)
@click.option("--private", is_flag=True, help="Reading needs a token or a user, too.")
@click.option(
    "--trusted-proxy",
    "proxies",
    multiple=True,
    metavar="ADDRESS",
    envvar="LSST_QA_DASHBOARD_PROXIES",
    help="Proxy, or network, whose header X-Auth-Request-User names the user.",
)
@click.option("--rate", default=200.0, show_default=True, help="Requests a second that one client may send.")
def dashboard_command(
    url: str | None,
    host: str,
    port: int,
    root_path: str,
    hosts: tuple[str, ...],
    tokens: str | None,
    private: bool,
    proxies: tuple[str, ...],
    rate: float,
) -> None:
    """Serve the pages of a metrics database until interrupted.

    Everybody who can reach it may read. Starting jobs and writing notes needs
    a token, or a user whom a trusted proxy names.
    """
    from ..dashboard.app import serve
    from ..dashboard.settings import Settings, networks, read_tokens
    from ..store.database import DEFAULT_URL

    known = read_tokens(tokens) if tokens else ()
    settings = Settings(root_path, hosts, known, private, networks(proxies), rate=rate)
    serve(
        url or DEFAULT_URL,
        host,
        port,
        settings,
        lambda address: click.echo(f"The dashboard is at {address}"),
    )
