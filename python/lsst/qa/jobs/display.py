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

"""A job as somebody at a terminal sees it."""

from __future__ import annotations

__all__ = ["Display", "terminal"]

import sys
from collections import deque
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ..judge.report import check, show
from ..store.jobs import Job
from ..store.work import Quanta
from .plan import PIPELINE, typed

_REPORTED_LINES = 15


def terminal(quiet: bool = False) -> Console:
    """Return the console for the output of a job.

    Parameters
    ----------
    quiet : `bool`, optional
        Whether to print nothing.

    Returns
    -------
    console : `rich.console.Console`
        As wide as the terminal, or wide enough where there is none.
    """
    return Console(width=None if sys.stdout.isatty() else 200, soft_wrap=True, highlight=False, quiet=quiet)


class Display:
    """Shows the steps of a job, each as one would type it.

    Parameters
    ----------
    console : `rich.console.Console`
        Where to write.
    """

    def __init__(self, console: Console):
        self._console = console
        self._step = ""
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._latest: deque[str] = deque(maxlen=_REPORTED_LINES)

    def begin(self, name: str, title: str, command: tuple[str, ...]) -> None:
        """Show that a step begins.

        Parameters
        ----------
        name, title : `str`
            The step.
        command : `tuple` [`str`, ...]
            Its command.
        """
        self._close()
        self._step = name
        self._latest.clear()
        self._console.print(f"\n[bold]{escape(title)}[/bold]\n$ {escape(typed(command))}")
        if name == PIPELINE:
            columns = (BarColumn(), MofNCompleteColumn(), TextColumn("quanta"), TimeElapsedColumn())
            self._bar = Progress(*columns, console=self._console)
            self._task = self._bar.add_task("", total=None)
            self._bar.start()

    def hear(self, lines: Sequence[str], quanta: Quanta) -> None:
        """Show what a step has written.

        Parameters
        ----------
        lines : `~collections.abc.Sequence` [`str`]
            The lines; those of pipetask are shown if it fails.
        quanta : `Quanta`
            How far the pipeline is.
        """
        self._latest.extend(lines)
        if self._bar is not None and self._task is not None and quanta.total is not None:
            done = (quanta.done or 0) + (quanta.failed or 0)
            self._bar.update(self._task, completed=done, total=quanta.total)
        # The verdicts are drawn for this terminal at the end.
        if self._step not in (PIPELINE, "gather", "check"):
            for line in lines:
                self._console.print(line, markup=False)

    def end(self, job: Job, url: str) -> None:
        """Show how a job ended.

        Parameters
        ----------
        job : `~lsst.qa.store.jobs.Job`
            The job.
        url : `str`
            Its metrics database.
        """
        self._close()
        if job.state != "succeeded":
            self._console.print("\n".join(self._latest), markup=False)
        elif job.step == "check" and job.output is not None:
            level = job.commands[-1]["command"][job.commands[-1]["command"].index("--level") + 1]
            show(check(url, job.output, level), self._console)
        self._console.print(f"\n{job.name}: {job.state}. {job.message or ''}".rstrip(), markup=False)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._bar = self._task = None
