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

"""How cost grows: the plots of the documentation."""

from __future__ import annotations

__all__ = ["plot"]

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from .cases import DECODING, OURS
from .results import Entry, Results

plt.switch_backend("svg")  # whatever display there is
# The same file for the same numbers, with text that can be searched.
plt.rcParams.update({"svg.hashsalt": "lsst.qa", "svg.fonttype": "none", "font.size": 9, "axes.grid": True})
_COLOURS = {OURS: "#b3261e", DECODING: "black", "pandas": "#4a6fa5", "polars": "#3a8f5c", "duckdb": "#c58b1b"}
_TABLES = (
    ("matched stars, all metrics", "matched stars, all"),
    ("matched stars, all metrics, rows by visit", "the same, by visit"),
    ("matched stars, repeatability", "repeatability"),
    ("sources, standard metrics", "sources"),
    ("objects, standard metrics, six bands", "objects"),
)


def plot(results: Results, folder: Path) -> list[Path]:
    """Draw all plots that the results allow."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = [_rows(results, folder), _memory(results, folder), _visits(results, folder)]
    drawn += [_metrics(results, folder), _quanta(results, folder), _datasets(results, folder)]
    return drawn


def _rows(results: Results, folder: Path) -> Path:
    figure, axes = plt.subplots(2, 3, figsize=(9.0, 5.4), layout="constrained")
    panels = [*_TABLES, ("rho and TE", "rho and TE")]
    for axis, (path, title) in zip(axes.flat, panels):
        for tool in dict.fromkeys(entry.tool for entry in results.entries if entry.path == path):
            if not tool.startswith("numpy"):
                _line(axis, results.series(path, tool), tool)
        axis.set(title=title, xscale="log", yscale="log", ylabel="CPU [s]", xlabel="rows")
        axis.minorticks_off()  # they are most of the file
        _legend(axis)
    return _saved(figure, folder / "rows.svg")


def _memory(results: Results, folder: Path) -> Path:
    figure, axis = plt.subplots(figsize=(5.0, 3.2), layout="constrained")
    for number, (path, title) in enumerate(_TABLES):
        series = results.series(path)
        axis.plot(
            [entry.size for entry in series],
            [entry.memory for entry in series],
            "os^Dv"[number] + "-",
            label=title,
        )
    axis.axhline(512.0, color="black", linestyle="--", label="budget")
    if any(results.series(path) for path, _ in _TABLES):  # a line alone has no place on a logarithmic axis
        axis.set(xscale="log")
    axis.set(xlabel="rows", ylabel="memory above the baseline [MiB]", ylim=(0.0, None))
    _legend(axis)
    return _saved(figure, folder / "memory.svg")


def _visits(results: Results, folder: Path) -> Path:
    return _growth(results, folder / "visits.svg", r"all metrics, (\d+) visits", "visits of a star")


def _metrics(results: Results, folder: Path) -> Path:
    return _growth(results, folder / "metrics.svg", r"matched stars, (\d+) metrics", "metrics in one quantum")


def _growth(results: Results, path: Path, pattern: str, what: str) -> Path:
    """Draw what a number in the path does to the cost."""
    figure, axis = plt.subplots(figsize=(4.5, 3.0), layout="constrained")
    names = dict.fromkeys(entry.path for entry in results.entries)
    rows = 0
    numbers = {name: int(found[1]) for name in names if (found := re.search(pattern, name))}
    for tool in (OURS, DECODING):
        held = [(numbers[name], results.find(name, tool)) for name in numbers]
        points = sorted((number, entry.cpu) for number, entry in held if entry is not None)
        if points:
            axis.plot(*zip(*points), "o-", label=tool, color=_COLOURS[tool])
        rows = max([rows, *(entry.size for _, entry in held if entry is not None)])
    axis.set(xlabel=what, ylabel=f"CPU [s], {rows:,} rows", ylim=(0.0, None))
    _legend(axis)
    return _saved(figure, path)


def _quanta(results: Results, folder: Path) -> Path:
    figure, axis = plt.subplots(figsize=(4.5, 3.0), layout="constrained")
    path = "quanta of sources"
    for tool in dict.fromkeys(entry.tool for entry in results.entries if entry.path == path):
        _line(axis, results.series(path, tool), tool)
    axis.set(xlabel="quanta of some 5,000 sources", ylabel="CPU [s], graph aside", ylim=(0.0, None))
    _legend(axis)
    return _saved(figure, folder / "quanta.svg")


def _datasets(results: Results, folder: Path) -> Path:
    figure, axis = plt.subplots(figsize=(4.5, 3.0), layout="constrained")
    for path in ("gather", "gather, with graph and Butler"):
        _line(axis, results.series(path), path)
    axis.set(xlabel="datasets of 100 rows", ylabel="CPU [s]", xscale="log", yscale="log")
    _legend(axis)
    return _saved(figure, folder / "datasets.svg")


def _line(axis: Any, series: Sequence[Entry], label: str) -> None:
    style = {"color": _COLOURS[label]} if label in _COLOURS else {}
    points = [(entry.size, max(entry.cpu, 1e-3)) for entry in series if entry.cpu == entry.cpu]
    if points:
        axis.plot(*zip(*points), "o-", label=label, markersize=3, **style)


def _legend(axis: Any) -> None:
    if axis.lines:
        axis.legend(fontsize=7)


def _saved(figure: Any, path: Path) -> Path:
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return path
