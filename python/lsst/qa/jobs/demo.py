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

__all__ = ["Step", "demo_steps", "run_demo"]

import dataclasses
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_QUANTA = re.compile(r"Executed (\d+) quanta successfully, (\d+) failed and \d+ remain out of total (\d+)")

_REPORTED_LINES = 15


@dataclasses.dataclass(frozen=True)
class Step:
    """One command of the demonstration, as a user would type it.

    Every step is a process of its own: what the demonstration runs is what
    it shows.
    """

    title: str
    """What the command does, for the progress display."""

    command: tuple[str, ...]
    """The program's name and its arguments."""

    good: tuple[int, ...] = (0,)
    """Exit codes after which the demonstration goes on."""

    log: str = ""
    """File that takes the output, in the demonstration's folder; if it is
    empty, the output goes where that of this process goes."""


def demo_steps(directory: Path) -> tuple[Step, ...]:
    """List the commands of the demonstration.

    Parameters
    ----------
    directory : `pathlib.Path`
        Folder of everything that the demonstration makes.

    Returns
    -------
    steps : `tuple` [`Step`]
        The commands, in order.
    """
    repo, database = str(directory / "repo"), _database(directory)
    # A metric that fails is a row of the verdict table: its task's other
    # results count, and the steps after it go on.
    pipetask = ("pipetask", "run", "-b", repo, "--register-dataset-types", "--no-raise-on-partial-outputs")
    return (
        # A repeat leaves the survey as it is, and measures it in a new run.
        Step("Simulate a survey", ("lsst-qa", "simulate", repo)),
        Step(
            "Measure the survey",
            (
                *pipetask,
                *("-p", "$QA_DIR/pipelines/qa.yaml", "-i", "SimCam/defaults", "-o", "qa/demo"),
                *("-d", "instrument='SimCam' AND skymap='sim_v1'"),
            ),
            log="measure.log",
        ),
        Step(
            "Gather the results",
            # A repeat finds one run more in qa/demo than its chain holds.
            (
                *pipetask,
                *("-p", "$QA_DIR/pipelines/gather.yaml", "-i", "qa/demo", "-o", "qa/demo-gathered"),
                "--rebase",
            ),
            log="gather.log",
        ),
        Step("Load the metrics database", ("lsst-qa", "load", repo, "qa/demo", "--db", database)),
        Step("Judge the metrics", ("lsst-qa", "check", "--db", database), good=(0, 1)),
    )


def run_demo(directory: Path) -> int:
    """Simulate a survey, measure it and judge the measurements.

    Parameters
    ----------
    directory : `pathlib.Path`
        Folder of everything that the demonstration makes; made if missing.

    Returns
    -------
    code : `int`
        0, or the exit code of the step that failed.
    """
    console = Console(soft_wrap=True, highlight=False)
    directory.mkdir(parents=True, exist_ok=True)
    for step in demo_steps(directory):
        if code := _run(step, directory, console):
            return code
    # Whoever has not activated the environment types the program's place.
    program = (
        "lsst-qa" if shutil.which("lsst-qa") else os.path.relpath(Path(sys.executable).with_name("lsst-qa"))
    )
    command = escape(_typed((program, "dashboard", "--db", _database(directory))))
    console.print(f"\nTo look at it: [bold]{command}[/bold], then open http://127.0.0.1:8765")
    return 0


def _database(directory: Path) -> str:
    return f"sqlite:///{directory / 'metrics.sqlite3'}"


def _typed(command: tuple[str, ...]) -> str:
    """Write a command as one would type it in a shell."""
    readable = (f'"{word}"' if "'" in word and not set(word) & set('"$`\\') else "" for word in command)
    return " ".join(quoted or shlex.quote(word) for quoted, word in zip(readable, command))


def _run(step: Step, directory: Path, console: Console) -> int:
    """Run a step and return 0, or its exit code where that is no good one."""
    console.print(f"\n[bold]{step.title}[/bold]\n$ {escape(_typed(step.command))}")
    # The programs of this environment come first, activated or not.
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    command = [shutil.which(step.command[0], path=places) or step.command[0], *step.command[1:]]
    log = directory / step.log
    code = _run_logged(command, log, console) if step.log else subprocess.run(command).returncode
    if code in step.good:
        return 0
    if step.log:
        lines = log.read_text().splitlines()[-_REPORTED_LINES:]
        console.print("\n".join(lines), f"\nThe whole output is in {log}.", markup=False)
    console.print(f"The demonstration stopped: {step.command[0]} ended with code {code}.")
    return code


def _run_logged(command: list[str], log: Path, console: Console) -> int:
    """Run pipetask with its output in a file, and count its quanta."""
    bar = Progress(
        BarColumn(), MofNCompleteColumn(), TextColumn("quanta"), TimeElapsedColumn(), console=console
    )
    process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with process, log.open("w") as copy, bar:
        task = bar.add_task("", total=None)
        for line in process.stdout or ():
            copy.write(line)
            if match := _QUANTA.search(line):
                done, failed, total = map(int, match.groups())
                bar.update(task, completed=done + failed, total=total)
    return process.returncode
