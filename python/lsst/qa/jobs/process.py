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

"""Commands run in a process group of their own, heard line by line."""

from __future__ import annotations

__all__ = ["Ended", "executable", "run_command", "without_password"]

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from ..errors import InputError
from ..store.engines import parse
from .guard import GRACE

_MOST_UNTOLD = 65536
_LONGEST_LINE = 1_000_000
_READ_AT_ONCE = 65536


class Ended(NamedTuple):
    """How a command ended.

    Attributes
    ----------
    code : `int`
        Its exit code; below 0 for the signal that ended it.
    stopped : `bool`
        Whether it was asked to.
    """

    code: int
    stopped: bool


def executable(command: Sequence[str]) -> list[str]:
    """Find the program of a command.

    Parameters
    ----------
    command : `~collections.abc.Sequence` [`str`]
        The program's name and its arguments.

    Returns
    -------
    command : `list` [`str`]
        What the system can run.

    Raises
    ------
    InputError
        Raised if there is no such program.
    """
    if command[0] == "lsst-qa":
        return [sys.executable, "-m", "lsst.qa.cli", *command[1:]]
    # The programs of this environment come first, activated or not.
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    program = shutil.which(command[0], path=places)
    if program is None:
        raise InputError(f"There is no program {command[0]!r}: looked for it in {places}.")
    return [program, *command[1:]]


def without_password(url: str) -> tuple[str, dict[str, str]]:
    """Take the password out of a URL: everybody can see commands.

    Parameters
    ----------
    url : `str`
        Metrics database.

    Returns
    -------
    url : `str`
        Its URL, for commands that may run in another folder.
    environment : `dict` [`str`, `str`]
        Variables that give the password to such a command.
    """
    parsed = parse(url)
    if parsed.get_backend_name() == "sqlite":
        file = parsed.database or ""
        absolute = file if file.startswith("file:") else str(Path(file).resolve())
        return parsed.set(database=absolute).render_as_string(hide_password=False), {}
    parts = (
        parsed.drivername,
        parsed.username,
        None,
        parsed.host,
        parsed.port,
        parsed.database,
        parsed.query,
    )
    secret = {} if parsed.password is None else {"PGPASSWORD": str(parsed.password)}
    return sa.URL.create(*parts).render_as_string(hide_password=False), secret


def run_command(
    command: Sequence[str],
    tick: Callable[[list[str]], bool],
    *,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    interval: float = 1.0,
    grace: float = GRACE,
) -> Ended:
    """Run a command until it ends, or until it is to be stopped.

    Parameters
    ----------
    command : `~collections.abc.Sequence` [`str`]
        The program's name and its arguments.
    tick : `~collections.abc.Callable`
        Is told what the command wrote since the last time, after every
        interval, or sooner if it is much; returns whether to go on.
    folder : `pathlib.Path`
        Working folder.
    environment : `~collections.abc.Mapping` [`str`, `str`], optional
        Variables in addition to those of this process.
    interval : `float`, optional
        Seconds.
    grace : `float`, optional
        Seconds between asking a command to end and ending it.

    Returns
    -------
    ended : `Ended`
        How it ended; none of its processes is left.

    Raises
    ------
    InputError
        Raised if there is no such program.
    """
    found = [sys.executable, "-m", "lsst.qa.jobs.guard", *executable(command)]
    process = subprocess.Popen(
        found,
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        stopped = _listen(process, tick, interval, grace)
    finally:
        # Whatever the command left behind, or, after an exception, all of it.
        _signal(process, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
    return Ended(process.returncode, stopped)


def _listen(
    process: subprocess.Popen[bytes], tick: Callable[[list[str]], bool], interval: float, grace: float
) -> bool:
    """Pass on what a process writes; return whether it was stopped."""
    assert process.stdout is not None
    output = process.stdout.fileno()
    untold, due, stopping = b"", time.monotonic() + interval, float("inf")
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while True:
            # A child that was left behind may keep the output open.
            over = process.poll() is not None
            if selector.select(0 if over else max(0.0, due - time.monotonic())):
                read = os.read(output, _READ_AT_ONCE)
                untold, over = untold + read, not read
            now = time.monotonic()
            if over or now >= due or len(untold) > _MOST_UNTOLD:
                told = len(untold) if over or len(untold) > _LONGEST_LINE else untold.rfind(b"\n") + 1
                go_on = tick(_lines(untold[:told]))
                untold = untold[told:]
                due = now + interval
                if not go_on and stopping == float("inf"):
                    _signal(process, signal.SIGTERM)
                    stopping = now + grace
            if over:
                process.wait()
                return stopping < float("inf")
            if now >= stopping:
                _signal(process, signal.SIGKILL)


def _lines(written: bytes) -> list[str]:
    """Split output into lines; of a line written over, the last state."""
    lines = written.decode("utf-8", "replace").split("\n")
    return [line.rstrip("\r").rpartition("\r")[2] for line in (lines if lines[-1] else lines[:-1])]


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
