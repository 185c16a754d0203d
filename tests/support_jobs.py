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

"""A pipeline that waits where a test wants it to, and jobs that run it."""

from __future__ import annotations

__all__ = ["GateTask", "JobsTestCase"]

import os
import sys
import tempfile
import threading
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import yaml
from support_store import Survey

import lsst.qa
from lsst.pex.config import Field
from lsst.pipe.base import PipelineTask, PipelineTaskConfig, PipelineTaskConnections
from lsst.pipe.base.connectionTypes import Input, Output
from lsst.qa.jobs.attempt import Setting
from lsst.qa.jobs.submission import find_definitions, submit
from lsst.qa.jobs.worker import Worker
from lsst.qa.store.database import connect
from lsst.qa.store.jobs import Job, get_job, job_log

_VISIT = ("instrument", "visit")

_MOST_SECONDS = 120.0


class GateConnections(PipelineTaskConnections, dimensions=_VISIT):
    """Results in, results out."""

    rows = Input(name="qa_source_metrics", storageClass="ArrowTable", dimensions=_VISIT, doc="Any results.")
    copied = Output(name="qa_gate_metrics", storageClass="ArrowTable", dimensions=_VISIT, doc="The same.")


class GateConfig(PipelineTaskConfig, pipelineConnections=GateConnections):
    """Configuration of `GateTask`."""

    folder = Field(dtype=str, doc="Where the gates are.", default="")


class GateTask(PipelineTask):
    """Copies results, after waiting at a gate if there is one for the visit,
    and fails where a file says so.
    """

    ConfigClass = GateConfig
    _DefaultName = "gate"

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:
        visit = butlerQC.quantum.dataId["visit"]
        folder = Path(self.config.folder)
        if (folder / f"gate-{visit}").exists():
            (folder / f"gate-{visit}").read_bytes()
        if (folder / f"fail-{visit}").exists():
            raise RuntimeError(f"visit {visit} is to fail")
        butlerQC.put(butlerQC.get(inputRefs.rows), outputRefs.copied)


class JobsTestCase(unittest.TestCase):
    """Gives each test a repository of three visits, a declared job "gates"
    that copies their results, and a database.
    """

    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()
        survey = Survey(f"{self.folder}/repo", self)
        survey.add_visits([1, 2, 3])
        survey.put_visits("u/me/in", [1, 2, 3])
        self.repo = survey.root
        task = {"class": f"{__name__}.GateTask"}
        self.declare("pipeline", description="Gates.", tasks={"gate": task})
        self.definitions = self.folder / "definitions"
        self.definitions.mkdir()
        self.declare_gates(load=True)
        self.url = self.new_database()
        self.engine = connect(self.url, create=True)
        self.addCleanup(self.engine.dispose)
        # What pipetask and workers import, in processes of their own.
        places = [
            str(Path(lsst.qa.__file__).parents[2]),
            str(Path(__file__).parent),
            os.environ.get("PYTHONPATH", ""),
        ]
        patch = mock.patch.dict(os.environ, {"PYTHONPATH": os.pathsep.join(filter(None, places))})
        patch.start()
        self.addCleanup(patch.stop)

    def new_database(self) -> str:
        return f"sqlite:///{self.folder}/qa.sqlite3"

    def declare(self, name: str, **content: Any) -> None:
        """Write a YAML file."""
        (self.folder / f"{name}.yaml").write_text(yaml.safe_dump(content))

    def declare_gates(self, **then: Any) -> None:
        """Declare the job, with what is to follow."""
        self.declare(
            "definitions/gates",
            title="Gates",
            repo=self.repo,
            pipeline="{here}/../pipeline.yaml",
            parameters={"gates": {"type": "integer", "default": 0}},
            input=["u/me/in"],
            where=["instrument = 'Cam'"],
            config={"gate:folder": "{here}/../gates/{gates}"},
            then=then,
        )

    def gate(self, visit: int, gates: int = 0) -> Callable[[], Callable[[], None]]:
        """Put a gate before a visit.

        What is returned waits until a task stands before the gate, and
        returns what opens it.
        """
        path = self.folder / "gates" / str(gates) / f"gate-{visit}"
        path.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(path)
        held: list[int] = []
        waiting = threading.Thread(target=lambda: held.append(os.open(path, os.O_WRONLY)), daemon=True)
        waiting.start()

        def wait() -> Callable[[], None]:
            waiting.join(_MOST_SECONDS)
            if not held:
                self.fail(f"nobody came to {path}")
            path.unlink()
            return close

        def close() -> None:
            while held:
                os.close(held.pop())

        self.addCleanup(close)
        return wait

    def fail_at(self, visit: int) -> None:
        """Let a visit fail."""
        path = self.folder / "gates/0" / f"fail-{visit}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    def submit(self, name: str = "gates", **parameters: Any) -> Job:
        """Ask for a job."""
        definition = find_definitions([self.definitions])[name]
        self.job = submit(self.engine, definition, parameters, "me", allowed=["*"])
        return self.job

    def worker(self, lease: float = 60.0) -> Worker:
        """Return a worker in this process."""
        definitions = find_definitions([self.definitions])
        return Worker(
            self.engine, Setting(self.url, definitions, self.folder / "work", ["*"], interval=0.2), lease
        )

    def command(self, *arguments: str) -> list[str]:
        """Return the command of a worker in a process of its own."""
        always = [
            "--db",
            self.url,
            "--definitions",
            str(self.definitions),
            "--work",
            str(self.folder / "work"),
        ]
        return [sys.executable, "-m", "lsst.qa.cli", "worker", *always, *arguments]

    def now(self, job: Job | None = None) -> Job:
        """Return a job as it is now."""
        return get_job(self.engine, (job or self.job).uuid)

    def told(self, job: Job | None = None) -> str:
        """Return the log of a job."""
        return "".join(piece.text for piece in job_log(self.engine, (job or self.job).uuid))
