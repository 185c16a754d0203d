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

"""Telling what was found: on the screen, as JSON, Markdown and CSV."""

from __future__ import annotations

__all__ = ["read", "show", "write"]

import csv
import dataclasses
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .cases import DECODING, STREAMING
from .results import Entry, Results
from .targets import verdicts

_ENTRIES = (
    *("path", "size", "program", "CPU [s]", "wall [s]", "memory [MiB]", "a second"),
    *("over decoding", "over adding up", "values"),
)
_TARGETS = ("promise", "at", "at most", "measured", "ratio", "")


def show(results: Results, console: Console) -> None:
    """Print the tables."""
    for title, head, rows in (
        (f"Benchmarks, {results.size}", _ENTRIES, _rows(results)),
        ("Targets", _TARGETS, _judged(results)),
    ):
        table = Table(title=title)
        for number, name in enumerate(head):
            table.add_column(name, justify="left" if number in (0, len(head) - 1) else "right")
        for row in rows:
            table.add_row(*row)
        console.print(table)


def write(results: Results, folder: Path) -> None:
    """Save the tables, and all that was found."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(dataclasses.asdict(results), indent=1) + "\n")
    tables = {
        "targets": (_TARGETS, _judged(results)),
        "table": (_ENTRIES, _rows(results)),
        "imports": (("module", "own time [ms]"), [[n, f"{1e3 * s:.1f}"] for n, s in results.heavy]),
        "machine": (("what", "is"), [[*item] for item in results.machine.items()]),
    }
    for name, (head, rows) in tables.items():
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([head, *rows])
    parts = [f"# Benchmarks, {results.size}\n"]
    parts += [f"## {name.capitalize()}\n\n{_markdown(*table)}" for name, table in tables.items()]
    (folder / "results.md").write_text("\n".join(parts))


def read(folder: Path) -> Results:
    """Read what was saved."""
    held = json.loads((folder / "results.json").read_text())
    return Results(**{**held, "entries": [Entry(**entry) for entry in held["entries"]]})


def _rows(results: Results) -> list[list[str]]:
    return [_row(results, entry) for entry in results.entries]


def _row(results: Results, entry: Entry) -> list[str]:
    speed = entry.size / entry.cpu if entry.cpu else math.nan
    return [
        entry.path,
        f"{entry.size:,} {entry.of}",
        entry.tool,
        _number(entry.cpu),
        _number(entry.wall),
        "" if entry.of == "process" or math.isnan(entry.memory) else f"{entry.memory:.0f}",
        "" if entry.of == "process" or math.isnan(speed) else f"{speed:,.3g}".replace("e+0", "e"),
        *(_over(results, entry, limit) for limit in (DECODING, STREAMING)),
        entry.note,
    ]


def _over(results: Results, entry: Entry, limit: str) -> str:
    found = results.find(entry.path, limit, entry.size)
    return f"{entry.cpu / found.cpu:.3g}" if found and found.cpu and entry.cpu == entry.cpu else ""


def _judged(results: Results) -> list[list[str]]:
    return [
        [
            verdict.what,
            verdict.at,
            f"{verdict.target:g} {verdict.unit}",
            "failed" if math.isnan(verdict.measured) else f"{verdict.measured:.3g} {verdict.unit}",
            "" if math.isnan(verdict.ratio) else f"{verdict.ratio:.2f}",
            "met" if verdict.met else "missed",
        ]
        for verdict in verdicts(results)
    ]


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3g}"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def lines() -> Iterator[str]:
        for row in (head, ["---"] * len(head), *rows):
            yield f"| {' | '.join(row)} |\n"

    return "".join(lines())
