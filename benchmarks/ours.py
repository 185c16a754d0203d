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

"""Work of the package: a task's quantum over a table, without the Butler."""

from __future__ import annotations

__all__ = ["am_metrics", "matched_metrics", "measure_table", "rho_metrics", "standard_metrics"]

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

Answer = dict[str, Any]

_TARGETED = ("PA", "PF", "AM", "AD", "AF")

_BIG = ("TE", "rho")
"""Pair statistics of a whole table, which are measured by themselves."""


def matched_metrics() -> list[str]:
    """List the metrics of matched stars that a target is set for: PA, PF, AM,
    AD, AF and repeatability by brightness and by coordinate.
    """
    from lsst.qa.catalogue import of_table

    names = [metric.name for metric in of_table("matched") if "." not in metric.name]
    by_season = [name for name in names if name.endswith("_season")]
    kept = [name for name in names if name[:2] in _TARGETED or "PhotRep" in name or "AstroErr" in name]
    return [name for name in kept if name not in by_season]


def am_metrics() -> list[str]:
    """List AM, AD and AF."""
    return [name for name in matched_metrics() if name[:2] in ("AM", "AD", "AF")]


def rho_metrics() -> list[str]:
    """List the pair statistics of a visit that are compared with TreeCorr."""
    return [*(f"rho{i}" for i in range(6)), "TE3", "TE4"]


def standard_metrics(kind: str) -> list[str]:
    """List the metrics that a task's own configuration names."""
    return [name for name in _configured(kind).metrics if not name.removeprefix("coadd_").startswith(_BIG)]


def measure_table(kind: str, path: str, metrics: Sequence[str], budget: int = 512) -> Callable[[], Answer]:
    """Measure a table by the task of its kind, within its budget."""
    # What pyarrow itself imports with the first array that it makes: a
    # butler has done so before.
    import pandas  # noqa: F401

    from lsst.qa.tables.files import open_table

    config = _configured(kind)
    config.metrics, config.memory_budget = list(metrics), budget
    task = _task_class(kind)(config=config)

    def work() -> Answer:
        source = _Seen(open_table(path))
        table = task.run(source, {}).metrics
        rows = [row for row in table.to_pylist() if row["detector"] is None]
        failed = sorted({row["message"] for row in table.to_pylist() if row["status"] == "failed"})
        return {
            "values": {_key(row): row["value"] for row in rows if math.isfinite(row["value"])},
            "errors": {_key(row): row["error"] for row in rows if math.isfinite(row["error"])},
            "rows": len(table),
            "failed": failed,
            "columns": sorted(source.names),
        }

    return work


class _Seen:
    """A table that notes which of its columns are read."""

    def __init__(self, table: Any):
        self._table, self.names = table, set[str]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    def pieces(self, names: Sequence[str]) -> Iterator[Any]:
        self.names.update(names)
        return self._table.pieces(names)


def _key(row: dict[str, Any]) -> str:
    place = next((row[name] for name in ("visit", "tract") if row[name] is not None), "")
    bins = "" if row["bin_low"] is None else f" from {row['bin_low']:.4g}"
    return f"{row['metric']} {row['band'] or ''} {place}{bins}".strip()


def _task_class(kind: str) -> Any:
    from lsst.qa import tasks

    return {
        "matched": tasks.MatchedStarMetricsTask,
        "source": tasks.SourceMetricsTask,
        "object": tasks.ObjectMetricsTask,
    }[kind]


def _configured(kind: str) -> Any:
    """Configure a task as its pipeline does."""
    import yaml

    import lsst.qa

    task = _task_class(kind)
    label = task._DefaultName
    place = Path(lsst.qa.__file__).parent / "resources/pipelines/_ingredients" / f"{label}.yaml"
    settings = yaml.safe_load(place.read_text())["tasks"][label]["config"]
    config = task.ConfigClass()
    for name in ("metrics", "by", "memory_budget"):
        if name in settings:
            setattr(config, name, settings[name])
    return config
