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

"""What the package promises, and whether it keeps it."""

from __future__ import annotations

__all__ = ["Verdict", "verdicts"]

import dataclasses
import math
from collections.abc import Iterator

from .cases import DECODING, OURS, SIX
from .results import Entry, Results


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Whether a target is met.

    Attributes
    ----------
    what, at, unit : `str`
        What is promised, at which size, in what unit.
    target, measured : `float`
        What may be reached at most, and what was; NaN where it failed.
    """

    what: str
    at: str
    unit: str
    target: float
    measured: float

    @property
    def ratio(self) -> float:
        """What was measured over what may be."""
        return self.measured / self.target

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.measured <= self.target


def verdicts(results: Results) -> list[Verdict]:
    """Judge the targets that were measured, each at the largest size."""
    return [
        *_over_decoding(results),
        *_pair_metrics(results),
        *_memory(results),
        *_correlations(results),
        *_imports(results),
        *_framework(results),
        *_dashboard(results),
    ]


def _at(entry: Entry) -> str:
    return f"{entry.size:,} {entry.of}"


def _over_decoding(results: Results) -> Iterator[Verdict]:
    for path, target in (
        ("matched stars, all metrics", 3.0),
        ("matched stars, all metrics, rows by visit", 3.0),
        ("objects, standard metrics, six bands", 2.0),
    ):
        found = results.series(path)
        # Beyond that size, memory is what is promised.
        for entry in [entry for entry in found if entry.size <= 10_000_000][-1:]:
            limit = results.find(path, DECODING, entry.size)
            ratio = entry.cpu / limit.cpu if limit is not None and limit.cpu else math.nan
            yield Verdict(f"{path}: CPU over decoding", _at(entry), "x", target, ratio)


def _pair_metrics(results: Results) -> Iterator[Verdict]:
    if entry := results.find("matched stars, AM AD AF"):
        yield Verdict("AM1-3, AD1-3, AF1-3: CPU", _at(entry), "s", 2.0, entry.cpu)
        yield Verdict("AM1-3, AD1-3, AF1-3: memory", _at(entry), "MiB", 300.0, entry.memory)


def _memory(results: Results) -> Iterator[Verdict]:
    for path in (
        "matched stars, all metrics",
        "matched stars, all metrics, rows by visit",
        "sources, standard metrics",
        "objects, standard metrics, six bands",
        "publish to a REST proxy",
        "publish to SQLite",
        "publish to a file",
        "load a release into SQLite",
        "load a release into PostgreSQL",
    ):
        if entry := results.find(path):
            yield Verdict(f"{path}: memory", _at(entry), "MiB", 512.0, entry.memory)


def _correlations(results: Results) -> Iterator[Verdict]:
    for entry in results.series("rho and TE")[-1:]:
        peer = results.find(entry.path, "TreeCorr", entry.size)
        if peer is not None:
            yield Verdict("rho and TE: CPU over TreeCorr", _at(entry), "x", 1.5, entry.cpu / peer.cpu)


def _imports(results: Results) -> Iterator[Verdict]:
    for what, of, without, target in (
        ("import lsst.qa: CPU more than numpy", "import numpy and lsst.qa", "import numpy", 0.15),
        (
            "import a task: CPU more than lsst.pipe.base",
            "import lsst.pipe.base and a task",
            "import lsst.pipe.base",
            0.1,
        ),
    ):
        whole, part = results.find(of), results.find(without)
        if whole and part:
            yield Verdict(what, "1 process", "s", target, whole.cpu - part.cpu)


def _framework(results: Results) -> Iterator[Verdict]:
    path = "quanta of sources"
    for tool, what in ((SIX, "six metrics"), (OURS, "all that is shipped, with detectors")):
        for other in ("a task that stores one number", "a task that does nothing"):
            slopes = [_slope(results.series(path, one)) for one in (tool, other)]
            if None not in slopes:
                ours, theirs = (slope or 0.0 for slope in slopes)
                at = f"{results.series(path)[-1].size:,} quanta"
                words = f"a small quantum, {what}: CPU more than {other}"
                yield Verdict(words, at, "ms", 15.0, 1e3 * (ours - theirs))
    for path in ("gather", "gather, with graph and Butler"):
        if entry := results.find(path):
            yield Verdict(f"{path}: CPU", _at(entry), "s", 10.0, entry.cpu)
    for database, target in (("SQLite", 5.0), ("PostgreSQL", 8.0)):
        if entry := results.find(f"load into {database}"):
            yield Verdict(f"load into {database}: wall", _at(entry), "s", target, entry.wall)


def _dashboard(results: Results) -> Iterator[Verdict]:
    for database in ("SQLite", "PostgreSQL"):
        path = f"dashboard of {database}"
        if entry := results.find(path):
            for figure, target in (
                ("first page, s", 2.0),
                ("page at the median, ms", 150.0),
                ("page at 95 %, ms", 400.0),
                ("largest page, kB", 500.0),
                ("memory, MiB", 300.0),
            ):
                what, _, unit = figure.rpartition(", ")
                measured = entry.figures.get(figure, math.nan)
                yield Verdict(f"{path}: {what}", _at(entry), unit, target, measured)


def _slope(series: list[Entry]) -> float | None:
    """Return the CPU seconds of one more, without what the first costs."""
    if len(series) < 2:
        return None
    first, last = series[-2], series[-1]
    return (last.cpu - first.cpu) / (last.size - first.size)
