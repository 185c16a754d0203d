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

"""A program that runs a command and ends it when whoever started it is gone.

It leads a process group, so that the command and all its children can be ended
at once, and watches its standard input: that closes when the worker is gone,
however that came about. What is left then cannot disturb whoever takes up the
job.
"""

from __future__ import annotations

__all__ = ["main"]

import os
import signal
import subprocess
import sys
import threading
import time

GRACE = 10.0
"""Seconds between asking a command to end and ending it."""


def main(command: list[str]) -> int:
    """Run a command in this process group.

    Parameters
    ----------
    command : `list` [`str`]
        The program and its arguments.

    Returns
    -------
    code : `int`
        Its exit code. If a signal ended it, the same one ends this process.
    """
    # The whole group is asked to end; this process tells how the command did.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, lambda *_: None)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_watch, daemon=True).start()
    code = process.wait()
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    return code


def _watch() -> None:
    """End the group once standard input is closed."""
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
