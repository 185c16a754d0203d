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

"""Workers: processes that take jobs from the database and run them here."""

from __future__ import annotations

__all__ = ["DEFAULT_WORK", "Worker", "on_signals", "run_worker"]

import contextlib
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import sqlalchemy as sa

from ..errors import DatabaseError
from ..store.database import connect
from ..store.job_records import Job
from ..store.jobs import get_job
from ..store.work import Hand
from .attempt import Attempt, Setting
from .submission import find_definitions, repositories

DEFAULT_WORK = "qa-jobs"
"""Folder of the jobs' folders."""

_WAIT = 2.0


class Worker:
    """A worker.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    setting : `Setting`
        What it is told.
    lease : `float`, optional
        Seconds without a sign of life after which others take up its job.
    """

    def __init__(self, engine: sa.Engine, setting: Setting, lease: float = 90.0):
        self.hand = Hand(engine, setting.definitions, lease)
        self._engine, self._setting = engine, setting
        self._leaving = threading.Event()

    def leave(self) -> None:
        """Ask it to end soon; another worker goes on with its job."""
        self._leaving.set()

    def work(self, name: str | None = None) -> Job | None:
        """Take a job and run it to its end.

        Parameters
        ----------
        name : `str`, optional
            UUID of the only job to take.

        Returns
        -------
        job : `~lsst.qa.store.jobs.Job` or `None`
            The job as it ended; `None` if there was nothing to take.
        """
        job = self.hand.take(name)
        if job is None:
            return None
        try:
            Attempt(self.hand, job, self._setting, self._leaving.is_set).run()
        except DatabaseError:
            raise
        except Exception as error:
            # One job must not take all those after it along.
            traceback.print_exc()
            message = f"The worker itself failed: {type(error).__name__}: {error}"
            self.hand.finish(job, "failed", message)
        return get_job(self._engine, job.uuid)

    def run(self, once: bool = False) -> int:
        """Take jobs until asked to leave.

        Parameters
        ----------
        once : `bool`, optional
            End after the first one, or at once if there is none.

        Returns
        -------
        n_failed : `int`
            How many of its jobs did not succeed.
        """
        n_failed = 0
        try:
            while not self._leaving.is_set():
                job = None
                try:
                    self.hand.wave()
                    job = self.work()
                except DatabaseError as error:
                    if once:
                        raise
                    print(f"lsst-qa worker: {error}", file=sys.stderr)
                if job is not None:
                    n_failed += job.state != "succeeded"
                    print(f"{job.name}: {job.state}. {job.message or ''}".rstrip(), flush=True)
                if once:
                    break
                if job is None:
                    self._leaving.wait(_WAIT)
        finally:
            with contextlib.suppress(DatabaseError):
                self.hand.leave()
        return n_failed


def run_worker(
    url: str,
    *,
    folders: Iterable[str | Path] = (),
    work: str | Path = DEFAULT_WORK,
    allowed: Sequence[str] = (),
    lease: float = 90.0,
    once: bool = False,
) -> int:
    """Run a worker in this process, until a signal asks it to end.

    Parameters
    ----------
    url : `str`
        Metrics database; made if it does not exist.
    folders : `~collections.abc.Iterable` [`str` or `pathlib.Path`], optional
        Folders of declared jobs, besides the usual ones.
    work : `str` or `pathlib.Path`, optional
        Folder of the jobs' folders.
    allowed : `~collections.abc.Sequence` [`str`], optional
        Patterns of repositories that jobs may use, besides the usual ones.
    lease : `float`, optional
        Seconds without a sign of life after which others take up its job.
    once : `bool`, optional
        End after the first job, or at once if there is none.

    Returns
    -------
    n_failed : `int`
        How many of its jobs did not succeed.

    Raises
    ------
    DefinitionError
        Raised if a declared job is wrong.
    DatabaseError
        Raised if the database does not answer when the worker starts.
    """
    definitions = find_definitions(folders)
    engine = connect(url, create=True)
    try:
        setting = Setting(url, definitions, Path(work).resolve(), (*repositories(), *allowed))
        worker = Worker(engine, setting, lease)
        with on_signals(worker.leave):
            return worker.run(once)
    finally:
        engine.dispose()


@contextlib.contextmanager
def on_signals(react: Callable[[], object]) -> Iterator[None]:
    """Call something when a signal asks this process to end.

    Parameters
    ----------
    react : `~collections.abc.Callable`
        What to call; a second signal ends the process as usual.

    Yields
    ------
    nothing : `None`
        Signals are handled as before at the end.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle(*_: object) -> None:
        restore()
        react()

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        restore()
