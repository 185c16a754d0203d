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

"""Uploaders in processes of their own, that can be killed."""

from __future__ import annotations

__all__ = ["DOWN", "KILLED", "Nursery", "nurse", "upload_all"]

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

KILLED = -signal.SIGKILL
"""Exit code of an uploader that was killed."""

DOWN = 2
"""Exit code of an uploader that gave its target up."""


class Nursery:
    """Starts uploaders that have imported all already; a context."""

    def __enter__(self) -> Self:
        program = "import support_nursery; support_nursery.nurse()"
        places = [str(Path(__file__).parent), *filter(None, sys.path)]
        self._process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._pipes = (self._process.stdin, self._process.stdout)
        return self

    def __exit__(self, *args: object) -> None:
        self._pipes[0].close()
        self._process.wait()
        self._pipes[1].close()

    def start(self, **arguments: Any) -> int:
        """Start an uploader, see `upload_all`, and return its process."""
        answer: int = self._ask({"start": arguments})
        return answer

    def code(self, process: int) -> int | None:
        """Return the exit code of an uploader that has ended."""
        answer: int | None = self._ask({"code": process})
        return answer

    def _ask(self, question: dict[str, Any]) -> Any:
        questions, answers = self._pipes
        questions.write(json.dumps(question) + "\n")
        questions.flush()
        return json.loads(answers.readline())


def upload_all(
    repo: str, collection: str, target: str, ledger: str, lease: float, batch: int, timeout: float
) -> int:
    """Publish as the command does, with another patience and in other batches.

    Returns
    -------
    code : `int`
        Exit code as of the command.
    """
    from lsst.qa.publish.delivery import Policy
    from lsst.qa.publish.ledger import Ledger
    from lsst.qa.publish.publishing import naming_of
    from lsst.qa.publish.settings import Settings, TargetSettings
    from lsst.qa.publish.shelf import open_shelf
    from lsst.qa.publish.targets.opening import open_target
    from lsst.qa.publish.uploader import upload
    from lsst.qa.store.database import connect

    known = Settings(targets={target: TargetSettings(timeout=timeout)})
    policy = Policy(attempts=20, first_wait=0.01, longest_wait=0.1)
    with open_shelf(repo, [collection]) as shelf, open_target(target, known) as place:
        engine = connect(ledger, create=True)
        naming = naming_of(known, target)
        outcome = upload(shelf, Ledger(engine, lease), place, naming, policy, batch_records=batch)
        engine.dispose()
        if outcome.down is not None:
            return DOWN
        return 0 if outcome.counts["acknowledged"] == len(shelf.planned) else 1


def nurse() -> None:
    """Start uploaders as long as somebody asks for them."""
    import lsst.qa.publish.publishing  # noqa: F401
    import lsst.qa.publish.targets.sasquatch  # noqa: F401
    from lsst.qa.store.database import tables

    tables()  # takes a second
    codes: dict[int, int] = {}
    for line in sys.stdin:
        question = json.loads(line)
        if "start" in question:
            child = os.fork()
            if child == 0:
                code = 3
                try:
                    code = upload_all(**question["start"])
                finally:
                    os._exit(code)
            print(child, flush=True)
            continue
        process = question["code"]
        if process not in codes:
            done, status = os.waitpid(process, os.WNOHANG)
            if done:
                codes[process] = os.waitstatus_to_exitcode(status)
        print(json.dumps(codes.get(process)), flush=True)
