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

"""What the database knows of quanta: how they ended, what they took, what they
logged.
"""

from __future__ import annotations

__all__ = ["LEVELS", "STATES", "LogRecord", "Quantum", "TaskExecution"]

import dataclasses
import datetime

LEVELS = {"DEBUG": 10, "VERBOSE": 15, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
"""Levels of log records by name."""

STATES = ("succeeded", "failed", "blocked", "aborted", "unknown")
"""What may have become of a quantum: blocked by the failure of another one it
needs, aborted without writing anything, or nobody knows."""


@dataclasses.dataclass(frozen=True)
class Quantum:
    """A quantum of a run, and what its last attempt took.

    Attributes
    ----------
    quantum_id : `int`
        Number of the quantum in this database; it also is the cursor.
    run_id : `int`
        Number of the run.
    run, task, data_id : `str`
        Name of the run, label of the task, data ID in words.
    status : `str`
        One of `STATES`.
    caveats : `str` or `None`
        What a success lacks.
    attempts : `int`
        How often it was tried.
    started, finished : `datetime.datetime` or `None`
        UTC, without a zone.
    wall, cpu : `float` or `None`
        In s.
    memory, memory_before, memory_budget : `int` or `None`
        In bytes: the peak of the process up to the end of the quantum, its
        peak before the task ran, and what the task declared to take above
        that.
    n_before : `int` or `None`
        Number of quanta that the process ran before, where that is known.
    host : `str` or `None`
        The computer.
    exception_type, exception_message : `str` or `None`
        The exception that ended it, or that a success was annotated with.
    n_records, n_below, n_over, n_shortened : `int`
        Number of log records: all, not kept because of their level, not
        kept because there were too many, kept in part.
    band, instrument, physical_filter, day_obs, visit, exposure, detector
        Data ID, `None` where a dimension does not apply.
    skymap, tract, patch
        Data ID, `None` where a dimension does not apply.
    """

    quantum_id: int
    run_id: int
    run: str
    task: str
    data_id: str
    status: str
    caveats: str | None
    attempts: int
    started: datetime.datetime | None
    finished: datetime.datetime | None
    wall: float | None
    cpu: float | None
    memory: int | None
    memory_before: int | None
    memory_budget: int | None
    n_before: int | None
    host: str | None
    exception_type: str | None
    exception_message: str | None
    n_records: int
    n_below: int
    n_over: int
    n_shortened: int
    band: str | None
    instrument: str | None
    physical_filter: str | None
    day_obs: int | None
    visit: int | None
    exposure: int | None
    detector: int | None
    skymap: str | None
    tract: int | None
    patch: int | None

    @property
    def memory_is_own(self) -> bool:
        """Whether this quantum raised the peak of its process: otherwise the
        peak is that of one that the process ran before.
        """
        return self.memory is not None and (not self.memory_before or self.memory > self.memory_before)

    @property
    def memory_taken(self) -> int | None:
        """How far it raised the peak of its process, in bytes: what it took
        itself, or less where the process ran another one before.
        """
        if self.memory is None or self.memory_before is None:
            return None
        return self.memory - self.memory_before


@dataclasses.dataclass(frozen=True)
class LogRecord:
    """A record of a log.

    Attributes
    ----------
    record_id : `int`
        Number of the record in this database; it also is the cursor.
    quantum_id : `int`
        Number of its quantum.
    attempt, record_number : `int`
        The attempt, from 1, and the place in its log, from 0.
    time : `datetime.datetime` or `None`
        UTC, without a zone.
    level : `int`
        Level as a number, see `LEVELS`.
    logger : `str`
        Name of the logger.
    place : `str` or `None`
        File and line.
    message : `str`
        What it says.
    exception : `str` or `None`
        The traceback that it carries.
    """

    record_id: int
    quantum_id: int
    attempt: int
    record_number: int
    time: datetime.datetime | None
    level: int
    logger: str
    place: str | None
    message: str
    exception: str | None

    @property
    def level_name(self) -> str:
        """The name of the level, or the nearest below with its number."""
        name = max((n for n in LEVELS if LEVELS[n] <= self.level), key=LEVELS.__getitem__, default="DEBUG")
        return name if LEVELS[name] == self.level else f"{name} ({self.level})"


@dataclasses.dataclass(frozen=True)
class TaskExecution:
    """The quanta of a task in a run.

    Attributes
    ----------
    task : `str`
        Label of the task.
    n_quanta, n_succeeded, n_failed, n_blocked, n_other : `int`
        Number of quanta, all and by status.
    wall, cpu : `float`
        Sums, in s.
    memory : `int` or `None`
        The highest peak of a process, in bytes.
    memory_taken : `int` or `None`
        The most that a quantum raised that peak, in bytes.
    memory_budget : `int` or `None`
        The most that the task declared to take, in bytes.
    started, finished : `datetime.datetime` or `None`
        First start and last end; UTC, without a zone.
    n_records, n_left_out : `int`
        Number of log records, and of those that are not kept.
    """

    task: str
    n_quanta: int
    n_succeeded: int
    n_failed: int
    n_blocked: int
    n_other: int
    wall: float
    cpu: float
    memory: int | None
    memory_taken: int | None
    memory_budget: int | None
    started: datetime.datetime | None
    finished: datetime.datetime | None
    n_records: int
    n_left_out: int
