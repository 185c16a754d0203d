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

"""The report on a run: its metrics, judged, as a table or as plain objects."""

from __future__ import annotations

__all__ = ["Report", "check", "plain", "show"]

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import CollectionError, UnknownNameError
from ..readers.thresholds import overridden_for, read_thresholds
from ..spec import LEVELS
from ..store.database import connect
from ..store.query import get_run, latest_runs, run_summary, specifications
from ..store.records import Run
from .rounding import format_value
from .verdicts import Judged, verdicts

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {"pass": "green", "fail": "bold red", "unknown": "yellow", "none": "dim"}
_NEAREST = 1000  # runs among which a misspelt name is looked for


class Report(NamedTuple):
    """A run and what it is worth.

    Attributes
    ----------
    run : `~lsst.qa.store.records.Run`
        The run.
    level : `str`
        The level it is judged by.
    judged : `list` [`Judged`]
        Its metrics, by name and band.
    """

    run: Run
    level: str
    judged: list[Judged]

    @property
    def counts(self) -> dict[str, int]:
        """Number of metrics and bands by state."""
        found = Counter(item.verdict.state for item in self.judged)
        return {state: found[state] for state in _STYLES}

    @property
    def good(self) -> bool:
        """Whether no metric misses its threshold and none failed to run."""
        return not any(item.verdict.state == "fail" or item.summary.n_failed for item in self.judged)


def check(
    url: str, name: str | None = None, level: str = "design", files: Sequence[str | Path] = ()
) -> Report:
    """Judge a run.

    Parameters
    ----------
    url : `str`
        Metrics database, see `lsst.qa.store.database.connect`.
    name : `str`, optional
        Name or identifier of the run; the latest one by default.
    level : `str`, optional
        "minimum", "design" or "stretch".
    files : `~collections.abc.Sequence` [`str` or `~pathlib.Path`], optional
        Files of thresholds that count instead of those of the database, see
        `lsst.qa.readers.thresholds.read_thresholds`.

    Returns
    -------
    report : `Report`
        The run and its metrics.

    Raises
    ------
    CollectionError
        Raised if the database holds no run at all.
    DatabaseError
        Raised if the database does not answer or is not one of metrics.
    InputError
        Raised if a file of thresholds cannot be understood.
    UnknownNameError
        Raised if there is no such run, or no such level.
    """
    if level not in LEVELS:
        raise UnknownNameError("level", level, LEVELS)
    given = read_thresholds(files)
    engine = connect(url)
    try:
        runs = latest_runs(engine, 1 if name is None else _NEAREST)
        if not runs:
            raise CollectionError("The metrics database holds no runs yet; 'lsst-qa load' fills it.")
        run = get_run(engine, runs[0].name if name is None else name)
        if run is None:
            raise UnknownNameError("run", str(name), [run.name for run in runs])
        specs = overridden_for(specifications(engine), given, run.instruments, run.name)
        found = verdicts(run_summary(engine, run.run_id), lambda metric: specs.get(metric, ()), level)
    finally:
        engine.dispose()
    return Report(run, level, found)


def plain(report: Report) -> dict[str, Any]:
    """Turn a report into plain objects for JSON.

    Parameters
    ----------
    report : `Report`
        A report.

    Returns
    -------
    objects : `dict`
        ``run``, ``level``, ``counts`` and ``verdicts``: an object per metric
        and band, with the field names of a row of results; NaN is `None`.
    """
    run = report.run
    return {
        "run": {
            "name": run.name,
            "uuid": run.uuid,
            "started": run.started.isoformat() if run.started else None,
            "instruments": list(run.instruments),
            "packages": dict(run.packages),
        },
        "level": report.level,
        "counts": report.counts,
        "verdicts": [_plain(item) for item in report.judged],
    }


def show(report: Report, console: Console, everything: bool = False) -> None:
    """Print a report as a table.

    Parameters
    ----------
    report : `Report`
        A report.
    console : `rich.console.Console`
        Where to.
    everything : `bool`, optional
        Whether to print the values without a threshold as well; they are
        printed anyway where nothing has one.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("metric", "band"):
        table.add_column(heading, no_wrap=True)
    table.add_column("value", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column(report.level, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    listed = [item for item in report.judged if everything or item.verdict.state != "none"] or report.judged
    values = _aligned([_value(item) for item in listed])
    for item, value in zip(listed, values):
        summary, verdict = item
        threshold = "" if verdict.threshold is None else f"{verdict.op} {verdict.threshold:g}"
        word = "" if verdict.state == "none" else verdict.state
        table.add_row(
            Text(summary.metric),
            Text(summary.band or ""),
            Text(value),
            str(summary.n),
            Text(summary.unit or ""),
            threshold,
            Text(word, style=_STYLES[verdict.state]),
        )
    started = f", {report.run.started:%Y-%m-%d %H:%M} UTC" if report.run.started else ""
    console.print(Text(f"{report.run.name}{started}", style="bold"), soft_wrap=True)
    console.print(table)
    for summary, verdict in report.judged:
        if summary.message and (summary.n_failed or verdict.state == "unknown"):
            where = f"{summary.metric} {summary.band or ''}".rstrip()
            lost = summary.n_rows - summary.n_ok
            console.print(
                Text(f"{where}: {lost} of {summary.n_rows} without value: {summary.message}", style="dim"),
                soft_wrap=True,
            )
    more = "" if len(listed) == len(report.judged) else " (--all lists them)"
    words = {"pass": "pass", "fail": "fail", "unknown": "unknown", "none": f"without threshold{more}"}
    total = ", ".join(f"{count} {words[state]}" for state, count in report.counts.items() if count)
    console.print(Text(f"{report.level}: {total or 'nothing was measured'}", style="bold"), soft_wrap=True)


def _value(item: Judged) -> str:
    known = math.isfinite(item.summary.value)
    return format_value(item.summary.value, item.summary.error) if known else item.summary.status


def _aligned(texts: list[str]) -> list[str]:
    """Put the signs between values and errors below each other."""
    parts = [text.partition(" ± ") for text in texts]
    width = max((len(value) for value, _, _ in parts), default=0)
    return [f"{value:>{width}}{sign}{error}" for value, sign, error in parts]


def _plain(item: Judged) -> dict[str, Any]:
    summary, verdict = item
    fields = (
        "metric",
        "band",
        "value",
        "error",
        "n",
        "unit",
        "status",
        "message",
        "n_rows",
        "n_failed",
        "worst",
    )
    facts = {name: getattr(summary, name) for name in fields} | verdict._asdict()
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in facts.items()
    }
