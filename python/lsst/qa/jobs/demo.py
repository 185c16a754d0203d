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

"""The demonstration: from a simulated survey to a table of verdicts."""

from __future__ import annotations

__all__ = ["SURVEY", "run_demo"]

import getpass
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.markup import escape

from ..store.database import connect
from .display import Display, terminal
from .plan import typed
from .submission import find_definition, submit
from .terminal import run_here

SURVEY: Mapping[str, int | str] = {"stars": 3000, "galaxies": 3000, "visits": 10, "bands": "gri"}
"""Parameters of the declared job that the demonstration runs."""


def run_demo(directory: Path, survey: Mapping[str, int | str] = SURVEY) -> int:
    """Simulate a survey, measure it and judge the measurements.

    Parameters
    ----------
    directory : `pathlib.Path`
        Folder of everything that the demonstration makes; made if missing.
    survey : `~collections.abc.Mapping` [`str`, `int` or `str`], optional
        Parameters of the declared job "demo".

    Returns
    -------
    code : `int`
        0, or the exit code of the step that failed.
    """
    console = terminal()
    directory.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{directory / 'metrics.sqlite3'}"
    definition = find_definition("demo")
    engine = connect(url, create=True)
    try:
        job = submit(engine, definition, survey, getpass.getuser())
        # A repeat leaves the survey as it is, and measures it in a new run.
        job = run_here(
            engine,
            job,
            definition,
            Display(console),
            url=url,
            work=directory.resolve(),
            allowed=(),
            apart=False,
        )
    finally:
        engine.dispose()
    if job.state != "succeeded":
        console.print(f"The whole output is in {directory / 'log.txt'}.", markup=False)
        return job.exit_code or 1
    # Whoever has not activated the environment types the program's place.
    program = (
        "lsst-qa" if shutil.which("lsst-qa") else os.path.relpath(Path(sys.executable).with_name("lsst-qa"))
    )
    command = escape(typed((program, "dashboard", "--db", url)))
    console.print(f"\nTo look at it: [bold]{command}[/bold], then open http://127.0.0.1:8765")
    return 0
