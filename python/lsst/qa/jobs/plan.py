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

"""What a job consists of: the commands of its steps, as one types them."""

from __future__ import annotations

__all__ = ["HARVEST", "PIPELINE", "RESUMED", "Plan", "Step", "make_plan", "typed"]

import dataclasses
import datetime
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .definition import JobDefinition
from .templates import fields_of, filled

PIPELINE = "pipeline"
"""Name of the step that runs the pipeline; the ones after it follow."""

HARVEST = "harvest"
"""Name of the step that reads execution figures and logs; it has something to
do even if all quanta failed."""

RESUMED = ("--extend-run", "--skip-existing", "--clobber-outputs")
"""Options with which pipetask goes on with a run that was cut off."""

_GATHER = "$QA_DIR/pipelines/gather.yaml"


@dataclasses.dataclass(frozen=True)
class Step:
    """One command of a job."""

    name: str
    """A word for it."""

    title: str
    """What it does, in a few words."""

    command: tuple[str, ...]
    """The program's name and its arguments; no shell reads them."""

    good: tuple[int, ...] = (0,)
    """Exit codes after which the job goes on."""

    chain: str = ""
    """The chained collection that pipetask writes, if it is pipetask."""

    run: str = ""
    """The RUN collection that pipetask writes, if it is pipetask."""

    inputs: str = ""
    """The collections that pipetask reads, if it is pipetask."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """All the commands of a job."""

    repo: str
    """The repository that it works in."""

    output: str
    """RUN collection of the results of the pipeline."""

    steps: tuple[Step, ...]
    """In order."""


def make_plan(
    definition: JobDefinition,
    values: Mapping[str, Any],
    *,
    name: str,
    submitted: datetime.datetime,
    work: Path,
    url: str,
) -> Plan:
    """Work out the commands of a job.

    Parameters
    ----------
    definition : `JobDefinition`
        The declaration.
    values : `~collections.abc.Mapping` [`str`, `object`]
        Values of all parameters, as `~lsst.qa.jobs.parameters.settled`
        returns them.
    name : `str`
        Readable name of the job.
    submitted : `datetime.datetime`
        When the job was asked for, which names its runs; UTC.
    work : `pathlib.Path`
        The job's folder.
    url : `str`
        Metrics database, without a password.

    Returns
    -------
    plan : `Plan`
        The commands; the same for the same arguments.
    """
    texts = {key: _text(value) for key, value in values.items() if value is not None}
    texts |= {"job": name, "work": str(work), "here": str(definition.folder)}
    repo, chain = filled(definition.repo, texts), filled(definition.output, texts)
    run, gathered = f"{chain}/{submitted:%Y%m%dT%H%M%SZ}", f"{chain}-gathered/{submitted:%Y%m%dT%H%M%SZ}"
    database = ("--db", url)
    steps = []
    if definition.simulate is not None:
        options = [(f"--{key}", filled(str(value), texts)) for key, value in definition.simulate.items()]
        steps.append(Step("simulate", "Simulate a survey", ("lsst-qa", "simulate", repo, *sum(options, ()))))
    inputs = ",".join(filled(one, texts) for one in definition.input)
    chosen = _pipeline_options(definition, texts)
    command = _pipetask(repo, filled(definition.pipeline, texts), inputs, chain, run)
    steps.append(Step(PIPELINE, "Run the pipeline", (*command, *chosen), chain=chain, run=run, inputs=inputs))
    then = definition.then
    if then.gather:
        command = _pipetask(repo, _GATHER, run, f"{chain}-gathered", gathered)
        steps.append(
            Step("gather", "Gather the results", command, chain=f"{chain}-gathered", run=gathered, inputs=run)
        )
    if then.harvest:
        command = ("lsst-qa", "harvest", repo, run, *database)
        steps.append(Step(HARVEST, "Read execution figures and logs", command))
    if then.load:
        steps.append(Step("load", "Load the results", ("lsst-qa", "load", repo, run, *database)))
    if then.publish:
        targets = [("--to", target) for target in then.publish]
        command = ("lsst-qa", "publish", repo, run, *sum(targets, ()), *database)
        steps.append(Step("publish", "Publish the results", command))
    if then.check:
        command = ("lsst-qa", "check", "--run", run, "--level", then.check, *database)
        # 1 is a result: some requirement is missed.
        steps.append(Step("check", "Judge the results", command, good=(0, 1)))
    return Plan(repo, run, tuple(steps))


def typed(command: tuple[str, ...]) -> str:
    """Write a command as one would type it in a shell.

    Parameters
    ----------
    command : `tuple` [`str`, ...]
        The words.

    Returns
    -------
    text : `str`
        With quotes where the shell needs them.
    """
    readable = (f'"{word}"' if "'" in word and not set(word) & set('"$`\\') else "" for word in command)
    return " ".join(quoted or shlex.quote(word) for quoted, word in zip(readable, command))


def _pipetask(repo: str, pipeline: str, inputs: str, chain: str, run: str) -> tuple[str, ...]:
    # A metric that fails is a row of the results: the others of its task
    # count, and the steps after it go on.
    always = ("--register-dataset-types", "--no-raise-on-partial-outputs")
    return (
        "pipetask",
        "run",
        "-b",
        repo,
        *always,
        "-p",
        pipeline,
        "-i",
        inputs,
        "-o",
        chain,
        "--output-run",
        run,
    )


def _pipeline_options(definition: JobDefinition, texts: Mapping[str, str]) -> list[str]:
    options = []
    # A part that names a parameter without a value is left out.
    clauses = [filled(one, texts) for one in definition.where if fields_of(one) <= texts.keys()]
    if clauses:
        options += ["-d", clauses[0] if len(clauses) == 1 else " AND ".join(f"({one})" for one in clauses)]
    if (processes := filled(str(definition.processes), texts)) != "1":
        options += ["-j", processes]
    if definition.timeout is not None:
        options += ["--timeout", str(definition.timeout)]
    for field, value in definition.config.items():
        options += ["-c", f"{field}={filled(value, texts) if isinstance(value, str) else value}"]
    return options


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
