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

"""One worker's attempt at one job."""

from __future__ import annotations

__all__ = ["Attempt", "Setting"]

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..errors import DatabaseError, QaError, UnknownNameError
from ..store.job_records import Job
from ..store.work import Hand, Orders, Quanta
from .definition import JobDefinition
from .parameters import settled
from .plan import HARVEST, PIPELINE, RESUMED, Plan, Step, make_plan
from .process import Ended, run_command, without_password
from .progress import Progress
from .resume import was_begun

_PATIENCE = 0.75  # of the lease, without an answer from the database


@dataclasses.dataclass(frozen=True)
class Setting:
    """What a worker was told when it was started."""

    url: str
    """The metrics database."""

    definitions: Mapping[str, JobDefinition]
    """The jobs that it knows, by name."""

    work: Path
    """Folder of its jobs."""

    allowed: Sequence[str]
    """Patterns of the repositories that jobs may use."""

    apart: bool = True
    """Whether each job has a folder of its own in that."""

    interval: float = 1.0
    """Seconds between reports on a job."""

    show: Callable[[Step, Sequence[str], Quanta], None] = lambda *_: None
    """Is told the lines of a step as they come."""

    begun: Callable[[Step], None] = lambda *_: None
    """Is told which step begins."""


class Attempt:
    """An attempt at a job that is in hand.

    Parameters
    ----------
    hand : `~lsst.qa.store.work.Hand`
        The worker's hand.
    job : `~lsst.qa.store.jobs.Job`
        The job.
    setting : `Setting`
        What the worker was told.
    leaving : `~collections.abc.Callable`
        Tells whether the worker was asked to end.
    """

    def __init__(self, hand: Hand, job: Job, setting: Setting, leaving: Callable[[], bool]):
        self._hand, self._job, self._setting, self._leaving = hand, job, setting, leaving
        self._folder = setting.work / job.name if setting.apart else setting.work
        self._orders = Orders.GO_ON
        self._untold: list[str] = []
        self._told = Quanta()
        self._answered = time.monotonic()
        self._last = ""

    def run(self) -> None:
        """Run the steps that are left, and write down what came of them."""
        try:
            plan = self._plan()
            # Elsewhere there may be a folder with what other steps have made.
            resumed = self._job.step is not None and self._folder.exists()
            self._folder.mkdir(parents=True, exist_ok=True)
            commands = [{"step": step.name, "command": step.command} for step in plan.steps]
            self._hand.describe(self._job, commands, plan.repo, plan.output)
            names = [step.name for step in plan.steps]
            first = names.index(self._job.step) if resumed and self._job.step in names else 0
            self._steps(plan, plan.steps[first:])
        except DatabaseError:
            raise
        except (QaError, OSError) as error:
            self._hand.finish(self._job, "failed", str(error))

    def _plan(self) -> Plan:
        job, known = self._job, self._setting.definitions
        if job.definition not in known:
            raise UnknownNameError("declared job", job.definition, known)
        definition = known[job.definition]
        values = settled(definition.parameters, job.parameters, self._setting.allowed)
        url, _ = without_password(self._setting.url)
        return make_plan(
            definition, values, name=job.name, submitted=job.submitted, work=self._folder, url=url
        )

    def _steps(self, plan: Plan, steps: Sequence[Step]) -> None:
        code, following = 0, steps[0].name not in ("simulate", PIPELINE)
        reached = Quanta(self._job.quanta_total, self._job.quanta_done, self._job.quanta_failed)
        incomplete = _incomplete(reached) if following else ""
        for step in steps:
            if incomplete and not reached.done and step.name != HARVEST:
                # There are logs that say why, but no results.
                continue
            self._hand.begin(self._job, step.name, "following" if following else "running")
            self._setting.begun(step)
            progress = Progress()
            ended = self._command(plan, step, progress)
            if self._orders is Orders.LET_GO:
                return
            if ended.stopped:
                self._stopped(step, ended)
                return
            code = ended.code
            if step.name == PIPELINE:
                following = True
                # Some results are better than none, but that is no success.
                if code and progress.all_tried:
                    reached = progress.quanta
                    incomplete = _incomplete(reached)
                    continue
                if code and self._job.step is not None and progress.nothing_left:
                    continue
            if code not in step.good:
                said = f": {self._last}" if self._last else "."
                message = f"{step.title}: {step.command[0]} ended with code {code}{said}"
                self._hand.finish(self._job, "failed", message, code)
                return
        self._hand.finish(
            self._job, "failed" if incomplete else "succeeded", incomplete or _verdict(code), code
        )

    def _stopped(self, step: Step, ended: Ended) -> None:
        if self._orders is Orders.CANCEL:
            message = f"It was cancelled during this step: {step.title}."
            self._hand.finish(self._job, "cancelled", message, ended.code)
        else:
            self._hand.hand_back(self._job)

    def _command(self, plan: Plan, step: Step, progress: Progress) -> Ended:
        """Run the command of a step, and report on it while it runs."""
        command = step.command
        if (
            step.run
            and self._job.step is not None
            and was_begun(plan.repo, step.run, step.chain, step.inputs)
        ):
            command = (*command, *RESUMED)
        _, secrets = without_password(self._setting.url)
        with (self._folder / "log.txt").open("a", encoding="utf-8") as copy:

            def tick(lines: list[str]) -> bool:
                copy.writelines(f"{line}\n" for line in lines)
                copy.flush()
                return self._tick(step, lines, progress)

            ended = run_command(
                command, tick, folder=self._folder, environment=secrets, interval=self._setting.interval
            )
        return ended

    def _tick(self, step: Step, lines: list[str], progress: Progress) -> bool:
        for line in lines:
            progress.hear(line)
            self._last = line.strip() or self._last
        self._untold += lines
        quanta = progress.quanta
        self._setting.show(step, lines, quanta)
        news = quanta if step.name == PIPELINE and quanta != self._told else None
        try:
            if self._orders is Orders.GO_ON:
                self._orders = self._hand.report(self._job, step.name, self._untold, news)
            else:
                self._hand.report(self._job, step.name, self._untold, news)
            self._untold, self._told, self._answered = [], quanta, time.monotonic()
        except DatabaseError:
            # Another worker may believe that this one is gone.
            if time.monotonic() - self._answered > _PATIENCE * self._hand.lease:
                self._orders = Orders.LET_GO
        return self._orders is Orders.GO_ON and not self._leaving()


def _incomplete(quanta: Quanta) -> str:
    if not quanta.failed:
        return ""
    rest = "; the results of the others went on." if quanta.done else "; there are no results."
    return f"{quanta.failed} of {quanta.total} quanta failed{rest}"


def _verdict(code: int) -> str:
    return (
        "All steps are done; a requirement is missed, or a metric failed." if code else "All steps are done."
    )
