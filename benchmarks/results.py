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

"""Running the cases, and keeping what was found."""

from __future__ import annotations

__all__ = ["Entry", "Results", "run"]

import dataclasses
import os
import platform
import re
import time
from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from .cases import DECODING, OURS, STREAMING, Case
from .probe import ROOT, Sample, measure

_PACKAGES = (
    "lsst-qa",
    "numpy",
    "pyarrow",
    "scipy",
    "pandas",
    "polars",
    "duckdb",
    "TreeCorr",
    "lsst-pipe-base",
)
_AGREE = 1e-9
"""What values written plainly may differ by, relative to ours."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """What one program took for one case.

    Attributes
    ----------
    path, of, tool : `str`
        What was done, to what, by whom.
    size : `int`
        To how many.
    cpu, wall : `float`
        Seconds: the least of all times, as others' work only adds.
    memory : `float`
        MiB above the baseline: the most of all times.
    cpus : `list` [`float`]
        CPU seconds, time by time.
    note : `str`
        What else there is to say, where values do not agree for instance.
    figures : `dict` [`str`, `float`]
        What else was measured, by name and unit.
    """

    path: str
    of: str
    tool: str
    size: int
    cpu: float
    wall: float
    memory: float
    cpus: list[float]
    note: str = ""
    figures: dict[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Results:
    """What a run of the benchmarks found."""

    size: str
    machine: dict[str, str]
    entries: list[Entry] = dataclasses.field(default_factory=list)
    heavy: list[tuple[str, float]] = dataclasses.field(default_factory=list)

    def updated(self, other: Results) -> Results:
        """Return these results with another run's in the place of theirs."""
        anew = {entry.path for entry in other.entries}
        kept = [entry for entry in self.entries if entry.path not in anew]
        return dataclasses.replace(other, entries=[*kept, *other.entries])

    def find(self, path: str, tool: str = OURS, size: int | None = None) -> Entry | None:
        """Return what a program took, at the largest size if none is given."""
        held = [e for e in self.entries if e.path == path and e.tool == tool and size in (None, e.size)]
        return max(held, key=lambda entry: entry.size, default=None)

    def series(self, path: str, tool: str = OURS) -> list[Entry]:
        """Return what a program took at all sizes, from small to large."""
        held = [e for e in self.entries if e.path == path and e.tool == tool]
        return sorted(held, key=lambda entry: entry.size)


def run(
    size: str, chosen: Iterable[Case], folder: Path, repeats: int, told: Callable[[str], None]
) -> Results:
    """Run cases one after the other."""
    results = Results(size, _machine())
    for case in chosen:
        begun = time.perf_counter()
        place = str(case.make(folder))
        made = time.perf_counter() - begun
        for entry in _entries(case, place, _times(case, repeats)):
            results.entries.append(entry)
            told(
                f"{entry.path}, {entry.size:,} {entry.of}: {entry.tool} {entry.cpu:.2f} s CPU,"
                f" {entry.wall:.2f} s, {entry.memory:.0f} MiB {entry.note}"
            )
        told(f"  ({time.perf_counter() - begun:.0f} s, {made:.0f} s of them to make the input)")
    before = {"before": "import lsst.pipe.base", "statement": "import lsst.qa.tasks.source"}
    (sample,) = measure("framework:heaviest", before)
    results.heavy = [(name, seconds) for name, seconds in sample.answer["modules"]]
    return results


def _times(case: Case, repeats: int) -> int:
    if not case.often:
        return 1
    # Imports are short and what differs is little: more times.
    return repeats if case.size > 1 else 3 * repeats


def _entries(case: Case, place: str, repeats: int) -> Iterable[Entry]:
    reference: Mapping[str, Any] = {}
    for tool, (work, arguments) in case.works(place).items():
        try:
            samples = measure(work, arguments, repeats)
        except RuntimeError as error:  # a peer that fails is a result as well
            # Where this checkout lies is nobody's business.
            lines = str(error).replace(f"{ROOT}/", "").strip().splitlines()
            none = float("nan")
            yield Entry(case.path, case.of, tool, case.size, none, none, none, [], f"failed: {lines[-1]}")
            continue
        answer = samples[0].answer
        reference = reference or answer
        yield _entry(case, tool, samples, _note(answer, reference))
        if tool == OURS and case.reads:
            columns = {"path": place, "columns": answer["columns"]}
            limit = measure("limits:decode", columns, repeats)
            yield _entry(case, DECODING, limit)
            stream = measure("limits:stream", {"size": limit[0].answer["bytes"]}, repeats)
            yield _entry(case, STREAMING, stream)


def _entry(case: Case, tool: str, samples: list[Sample], note: str = "") -> Entry:
    cpus = [round(sample.cpu, 4) for sample in samples]
    wall = round(min(sample.wall for sample in samples), 4)
    figures: dict[str, float] = samples[0].answer.get("figures", {})
    # A server is a process of its own.
    memory = round(max(figures.get("memory, MiB", sample.memory) for sample in samples), 1)
    return Entry(case.path, case.of, tool, case.size, min(cpus), wall, memory, cpus, note, figures)


def _note(answer: Mapping[str, Any], reference: Mapping[str, Any]) -> str:
    """Say where values differ, or what failed."""
    if answer.get("failed"):
        return f"failed: {answer['failed'][0]}"
    if "note" in answer:
        return str(answer["note"])
    ours, theirs = reference.get("values", {}), answer.get("values", {})
    if answer is reference or not theirs:
        return ""
    both = [name for name in ours if theirs.get(name) is not None]
    away = {name: abs(ours[name] - theirs[name]) for name in both}
    if all(away[name] <= _AGREE * max(abs(ours[name]), abs(theirs[name])) for name in both):
        return f"{len(both)} values agree"
    errors = reference.get("errors", {})
    worst = max(both, key=lambda name: away[name] / errors.get(name, 1.0))
    far = away[worst] / errors.get(worst, 1.0)
    return f"of {len(both)} values the farthest, {worst}, is {far:.2g} errors off"


def _machine() -> dict[str, str]:
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "processor": f"{os.cpu_count()} cores, {model[1] if model else platform.machine()}",
        "Python": platform.python_version(),
        **versions,
    }
