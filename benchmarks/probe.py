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

"""Measuring one piece of work in a fresh process."""

from __future__ import annotations

__all__ = ["ROOT", "Sample", "measure"]

import dataclasses
import importlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

_MARK = "benchmark:"
_OWN = ("PYTHONDONTWRITEBYTECODE", "OMP_NUM_THREADS")


@dataclasses.dataclass(frozen=True)
class Sample:
    """What one piece of work cost.

    Attributes
    ----------
    cpu, wall : `float`
        Seconds; CPU time is that of user and system, of all threads and of
        all processes that were started.
    memory : `float`
        Highest resident memory above that before the work began, in MiB.
    answer : `dict`
        What the work has to say.
    """

    cpu: float
    wall: float
    memory: float
    answer: dict[str, Any]


def measure(work: str, arguments: Mapping[str, Any], repeats: int = 1) -> list[Sample]:
    """Do a piece of work some times, each time in a fresh process.

    Parameters
    ----------
    work : `str`
        A function, as "module:name" within this package. It gets everything
        ready, imports included, and returns a function that does the work,
        which alone is measured, and returns a `dict`.
    arguments : `~collections.abc.Mapping`
        What to call it with; fit for JSON.
    repeats : `int`, optional
        How many times.

    Returns
    -------
    samples : `list` [`Sample`]
        One for each time.

    Raises
    ------
    RuntimeError
        Raised if the process fails; says how.
    """
    command = [sys.executable, "-m", "benchmarks.probe", work, json.dumps(arguments)]
    kept = {name: value for name, value in os.environ.items() if name not in _OWN}
    places = [str(ROOT), str(ROOT / "python"), *filter(None, [kept.get("PYTHONPATH")])]
    kept["PYTHONPATH"] = os.pathsep.join(places)
    samples = []
    for _ in range(repeats):
        done = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True)
        told = [line for line in done.stdout.splitlines() if line.startswith(_MARK)]
        if done.returncode or not told:
            raise RuntimeError(f"{work}({arguments}) ended with {done.returncode}:\n{done.stderr[-3000:]}")
        samples.append(Sample(**json.loads(told[-1].removeprefix(_MARK))))
    return samples


def _run(work: str, arguments: Mapping[str, Any]) -> Sample:
    module, name = work.split(":")
    ready = getattr(importlib.import_module(f"benchmarks.{module}"), name)(**arguments)
    # The highest mark is set back: what imports and preparations took for a
    # while is not the work's.
    Path("/proc/self/clear_refs").write_text("5")
    before, cpu, wall = _memory("VmRSS"), _cpu(), time.perf_counter()
    answer = ready()
    wall, cpu, peak = time.perf_counter() - wall, _cpu() - cpu, _memory("VmHWM")
    return Sample(cpu, wall, peak - before, answer)


def _cpu() -> float:
    return sum(os.times()[:4])


def _memory(field: str) -> float:
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024.0


if __name__ == "__main__":
    print(_MARK + json.dumps(dataclasses.asdict(_run(sys.argv[1], json.loads(sys.argv[2])))))
