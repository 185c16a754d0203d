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

"""A run with quanta that succeed, fail, find no work and are never run."""

from __future__ import annotations

__all__ = [
    "AFTER",
    "COUNT",
    "SHAKY",
    "VISIT_OF",
    "WARNING",
    "ShakyRun",
    "ShakyTask",
    "copied",
    "files_repository",
    "graph_repository",
]

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support_butler import make_repository, put
from support_tables import sources

from lsst.daf.butler import Butler
from lsst.pipe.base import (
    AlgorithmError,
    AnnotatedPartialOutputsError,
    NoWorkFound,
    PipelineTask,
    PipelineTaskConfig,
    PipelineTaskConnections,
)
from lsst.pipe.base.connectionTypes import Input, Output

SHAKY, AFTER = "shaky", "after"
"""Labels of the tasks: one that may fail, one that needs its output."""

VISIT_OF = {"succeeds": 11, "fails": 12, "finds_nothing": 13, "gives_a_part": 21}

COUNT = 137
"""What the first task counts in its visit that succeeds."""


WARNING = "Few stars: it's 3 of 50% with psf_flux > 0.25"
"""What it logs before it fails."""


class PartError(AlgorithmError):
    """Some of the outputs could not be made."""

    @property
    def metadata(self) -> dict[str, int]:
        return {"lost": 3}


class ShakyConnections(PipelineTaskConnections, dimensions=("instrument", "visit")):
    """Sources in, sources out."""

    table = Input(
        doc="Sources.",
        name="source",
        storageClass="ArrowAstropy",
        dimensions=("instrument", "visit"),
        deferLoad=True,
    )
    out = Output(
        doc="The same.", name="shaky_out", storageClass="ArrowAstropy", dimensions=("instrument", "visit")
    )


class ShakyConfig(PipelineTaskConfig, pipelineConnections=ShakyConnections):
    """Configuration of `ShakyTask`."""


class ShakyTask(PipelineTask):
    """Do with a visit what its number says."""

    ConfigClass = ShakyConfig
    _DefaultName = SHAKY

    def runQuantum(self, butlerQC, inputRefs, outputRefs):  # type: ignore[no-untyped-def]
        visit = butlerQC.quantum.dataId["visit"]
        self.metadata["star_count"] = COUNT
        if visit == VISIT_OF["fails"]:
            self.log.warning("%s", WARNING)
            raise ValueError("there are too few stars")
        if visit == VISIT_OF["finds_nothing"]:
            raise NoWorkFound("there is no star")
        butlerQC.put(butlerQC.get(inputRefs.table).get(), outputRefs.out)
        if visit == VISIT_OF["gives_a_part"]:
            try:
                raise PartError("a part is lost")
            except PartError as error:
                raise AnnotatedPartialOutputsError.annotate(error, self, log=self.log) from error


class AfterConnections(PipelineTaskConnections, dimensions=("instrument", "visit")):
    """Sources in, nothing out."""

    table = Input(
        doc="Sources.",
        name="shaky_out",
        storageClass="ArrowAstropy",
        dimensions=("instrument", "visit"),
        deferLoad=True,
    )
    out = Output(
        doc="Nothing.", name="after_out", storageClass="ArrowAstropy", dimensions=("instrument", "visit")
    )


class AfterConfig(PipelineTaskConfig, pipelineConnections=AfterConnections):
    """Configuration of `AfterTask`."""


class AfterTask(PipelineTask):
    """Do nothing with what is there."""

    ConfigClass = AfterConfig
    _DefaultName = AFTER

    def runQuantum(self, butlerQC, inputRefs, outputRefs):  # type: ignore[no-untyped-def]
        self.log.info("Nothing to do.")


def _command(program: str, *arguments: str, code: int = 0) -> None:
    found = shutil.which(program, path=str(Path(sys.executable).parent))
    assert found is not None, f"{program} is not beside this Python"
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([found, *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == code, f"{program} {arguments} ended with {done.returncode}: {done.stderr}"


@functools.cache
def files_repository() -> str:
    """Run the tasks.

    Returns
    -------
    repo : `str`
        The repository, which tests only read.
    """
    folder = tempfile.mkdtemp(prefix="qa-shaky-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    repo = f"{folder}/repo"
    Path(repo).mkdir()
    with make_repository(repo) as butler:
        inputs = Butler.from_config(butler=butler, run="in")
        for visit in VISIT_OF.values():
            put(inputs, "source", sources(visit), visit=visit)
    pipeline = Path(folder) / "shaky.yaml"
    pipeline.write_text(
        "description: shaky\ntasks:\n"
        f"  {SHAKY}: {{class: support_harvest.ShakyTask}}\n  {AFTER}: {{class: support_harvest.AfterTask}}\n"
    )
    common = ("-b", repo, "-p", str(pipeline), "-i", "in", "-o", "u/me/shaky", "--register-dataset-types")
    options = ("--save-qgraph", f"{folder}/shaky.qg", "--no-raise-on-partial-outputs")
    _command("pipetask", "run", *common, *options, code=1)
    return repo


@functools.cache
def graph_repository() -> str:
    """Move logs and metadata of the run into a provenance graph.

    Returns
    -------
    repo : `str`
        A copy of the repository, which tests only read.
    """
    folder = Path(tempfile.mkdtemp(prefix="qa-shaky-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    original = Path(files_repository())
    repo, graph = str(shutil.copytree(original, folder / "repo")), str(folder / "provenance.qg")
    predicted = str(original.parent / "shaky.qg")
    _command("butler", "aggregate-graph", predicted, repo, "--promise-ingest-graph", "-o", graph)
    _command("butler", "ingest-graph", repo, graph)
    return repo


def copied(test: unittest.TestCase) -> str:
    """Copy the repository.

    Parameters
    ----------
    test : `unittest.TestCase`
        The test that changes it.

    Returns
    -------
    repo : `str`
        The copy, which lives as long as the test.
    """
    folder = tempfile.TemporaryDirectory(prefix="qa-shaky-")
    test.addCleanup(folder.cleanup)
    return shutil.copytree(files_repository(), f"{folder.name}/repo")


class ShakyRun(unittest.TestCase):
    """Gives a class of tests the run, in ``repo``."""

    GRAPH = False
    """Whether its logs and metadata are in a provenance graph."""

    repo: str
    run_name: str

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.repo = graph_repository() if cls.GRAPH else files_repository()
        with Butler.from_config(cls.repo) as butler:
            (cls.run_name,) = butler.collections.query("u/me/shaky/*")
