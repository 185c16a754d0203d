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

"""A real InfluxDB for the tests, started at first need."""

from __future__ import annotations

__all__ = ["count_points", "needs_influx", "new_influx"]

import atexit
import functools
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import httpx

_ABSENT = shutil.which("influxd") is None and not os.environ.get("CI")

needs_influx = unittest.skipIf(
    _ABSENT or os.environ.get("QA_SKIP_INFLUX") == "1", "influxd is not installed, or QA_SKIP_INFLUX is 1"
)
"""Decorator of the tests that need the server, which pip cannot install. In CI
it must be there, and wherever it is one that does not start fails them."""

_SECONDS = 20.0
_numbers = itertools.count()

_CONFIG = """\
reporting-disabled = true
bind-address = "127.0.0.1:{other}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
  flux-enabled = false
[monitor]
  store-enabled = false
[subscriber]
  enabled = false
"""


def new_influx() -> tuple[str, str]:
    """Make an empty database.

    Returns
    -------
    address, name : `str`
        Host and port of the server, and the database.
    """
    address = _server()
    name = f"qa{next(_numbers)}"
    httpx.post(f"http://{address}/query", data={"q": f"CREATE DATABASE {name}"}).raise_for_status()
    return address, name


def count_points(address: str, name: str) -> int:
    """Count the points of a database."""
    query = 'SELECT COUNT("record_id") FROM /.*/'
    answer = httpx.post(f"http://{address}/query", params={"db": name}, data={"q": query}).json()
    return sum(one["values"][0][1] for one in answer["results"][0].get("series", []))


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@functools.cache
def _server() -> str:
    folder = Path(tempfile.mkdtemp(prefix="qa-influx-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    program = shutil.which("influxd")
    if program is None:
        raise RuntimeError("There is no influxd: install the package influxdb, or set QA_SKIP_INFLUX=1.")
    port = free_port()
    config = folder / "influxdb.conf"
    config.write_text(_CONFIG.format(folder=folder, port=port, other=free_port()))
    process = subprocess.Popen(
        [program, "-config", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    atexit.register(process.wait)
    atexit.register(process.kill)
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/ping").raise_for_status()
            return f"127.0.0.1:{port}"
        except httpx.HTTPError:
            time.sleep(0.02)
    raise RuntimeError("InfluxDB does not start.")
