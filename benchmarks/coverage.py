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

"""The proof of the errors: ``python -m benchmarks.coverage --help``.

Many light skies are measured by every metric that has a true value; the table
of bias and coverage becomes a page of the documentation.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console

from lsst.qa.catalogue import METRICS
from lsst.qa.metric import Metric
from lsst.qa.simulate.skies import POPULATIONS, Coverage, covered, tally

PAGES = Path(__file__).resolve().parent.parent / "doc/lsst.qa/coverage"

COUNTED = (
    "coadd_n_visits",
    "coadd_n_images",
    "coadd_images_per_patch",
    "coadd_visits_per_patch",
    "coadd_effective_images",
)
"""Metrics that count the images of a coadd."""

EXTREMES = ("_q00", "_q100")
"""How names of metrics end that tell the least or the largest value."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.coverage", description="Compare the metrics' values and errors with truth."
    )
    parser.add_argument("--skies", type=int, default=1000, help="how many skies each metric measures")
    parser.add_argument("--only", default="", help="skies whose names hold these words, by commas")
    parser.add_argument("--report", type=Path, default=PAGES, help="folder of the report")
    parser.add_argument("--draw", action="store_true", help="only make the tables anew from results.json")
    parser.add_argument(
        "--merge", type=Path, action="append", default=[], help="take the results of another report as well"
    )
    return parser.parse_args()


def main() -> None:
    """Measure skies, and write the tables."""
    given, console = _arguments(), Console()
    words = [word for word in given.only.split(",") if word]
    found = _read(given.report / "results.json")
    for other in given.merge:
        more = _read(other / "results.json")
        newer = {one.population for one in more}
        found = [one for one in found if one.population not in newer] + more
    for population in () if given.draw else POPULATIONS:
        if words and not any(word in population.name for word in words):
            continue
        own = tally(population, given.skies)
        found = [old for old in found if old.population != population.name] + own
        honest = sum(covered(one) for one in own)
        console.print(f"{population.name}: {honest} of {len(own)} honest in {given.skies} skies")
        _write(found, given.report)
    _write(found, given.report)
    console.print(f"The tables are in {given.report}.")


def _read(path: Path) -> list[Coverage]:
    return [Coverage(**row) for row in json.loads(path.read_text())] if path.exists() else []


def _write(found: Sequence[Coverage], folder: Path) -> None:
    """Write results, the table of metrics, and the list of those without."""
    folder.mkdir(parents=True, exist_ok=True)
    order = {name: place for place, name in enumerate(METRICS)}
    found = sorted(
        (one for one in found if one.metric in order),
        key=lambda one: (order[one.metric], one.population, one.bin_low or 0.0),
    )
    rows = [dataclasses.asdict(one) for one in found]
    (folder / "results.json").write_text(json.dumps(rows, indent=0, allow_nan=True) + "\n")
    names = list(dict.fromkeys(one.metric for one in found))
    _table(
        folder / "table.csv",
        ("metric", "unit", "bins", "skies", "truth", "mean", "bias / error", "coverage %", "error / scatter"),
        (_summary([one for one in found if one.metric == name]) for name in names),
    )
    _table(
        folder / "without.csv",
        ("metric", "why it has no truth here"),
        (
            (name, _why_not(metric, [METRICS[other] for other in names]))
            for name, metric in METRICS.items()
            if name not in set(names)
        ),
    )


def _why_not(metric: Metric, covered_ones: Sequence[Metric]) -> str:
    """Say why a metric is not in the table."""
    if metric.name in COUNTED:
        return "undefined: which images went into a coadd is decided, not drawn from anything"
    if metric.name.endswith(EXTREMES):
        return "undefined: the least and the largest value of a sample depend on its size"
    for other in covered_ones:
        if (other.function, other.rows, other.steps) == (metric.function, metric.rows, metric.steps):
            return f"of the same functions as {other.name}, with other constants or columns"
    return "defined, but no light sky has what it is measured on"


def _table(path: Path, heading: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(heading)
        writer.writerows(rows)


def _summary(rows: Sequence[Coverage]) -> tuple[object, ...]:
    """Put the bins of a metric in one line: the range of what they are."""
    one = rows[0]
    single = len(rows) == 1
    return (
        one.metric,
        one.unit,
        "" if single else len(rows),
        min(row.skies for row in rows),
        f"{one.truth:.5g}" if single else "by bin",
        f"{one.mean:.5g}" if single else "by bin",
        _range([(row.mean - row.truth) / row.error for row in rows], "+.2f"),
        _range([row.coverage for row in rows], ".1f"),
        _range([row.error / row.scatter for row in rows], ".2f"),
    )


def _range(values: Sequence[float], style: str) -> str:
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return "–"
    low, high = min(known), max(known)
    return f"{low:{style}}" if len(known) == 1 else f"{low:{style}} to {high:{style}}"


if __name__ == "__main__":
    main()
