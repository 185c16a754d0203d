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

"""A repository of measurements to publish, and what they are published to."""

from __future__ import annotations

__all__ = ["LINES", "RUN", "measurements", "receive", "serve", "started", "values_of"]

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lsst.daf.butler import Butler, DatasetRef, FileDataset
from lsst.qa.catalogue import METRICS
from lsst.qa.results import SCHEMA, from_rows

from .probe import ROOT
from .repositories import RUN, register

# The stand-in for the proxy is that of the tests.
sys.path.append(str(ROOT / "tests"))

LINES = "records.jsonl"
"""Name of the file of what the proxy took."""

_AT_ONCE = 100


def measurements(folder: Path, visits: int, detectors: int, metrics: int) -> Path:
    """Make a repository with a dataset of results a visit.

    Parameters
    ----------
    folder : `pathlib.Path`
        Folder that keeps the inputs.
    visits, detectors, metrics : `int`
        How many; every visit has a row for each detector and metric.

    Returns
    -------
    place : `pathlib.Path`
        The repository. One value of a hundred is NaN or infinite.
    """
    place = folder / f"measurements-{visits}-{detectors}-{metrics}"
    if place.exists():
        return place
    making = place.with_name(f"making-{place.name}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    butler = Butler.from_config(Butler.makeRepo(str(making)), writeable=True, run=RUN)
    names = list(range(1, visits + 1))
    register(butler, names)
    base, random = _base(detectors, metrics), np.random.default_rng(5)
    for first in range(0, visits, _AT_ONCE):
        files = [_file(butler, making, base, visit, random) for visit in names[first : first + _AT_ONCE]]
        butler.ingest(*files, transfer="move")
    butler.close()
    making.rename(place)
    return place


def values_of(repo: str) -> Iterator[tuple[tuple[str, str, str], float | None]]:
    """Read the values of a repository from its files, without the package.

    Parameters
    ----------
    repo : `str`
        One of `measurements`.

    Yields
    ------
    key : `tuple` [`str`]
        Metric, visit and detector.
    value : `float` or `None`
        `None` where it is not finite.
    """
    for path in sorted(Path(repo).rglob("*.parq")):
        table = pq.read_table(path, columns=["metric", "visit", "detector", "value"])
        for metric, visit, detector, value in zip(*(column.to_pylist() for column in table.columns)):
            yield (metric, str(visit), str(detector)), value if math.isfinite(value) else None


def receive(folder: Path, trouble: Callable[[], str | None] = lambda: None, **options: Any) -> Any:
    """Make a proxy that writes what it takes into a file.

    Parameters
    ----------
    folder : `pathlib.Path`
        Where to.
    trouble : `~collections.abc.Callable`, optional
        How it misbehaves.
    **options
        As of the stand-in.

    Returns
    -------
    proxy : `support_proxy.Proxy`
        A context.
    """
    from support_proxy import Proxy

    path = folder / LINES

    def forward(topic: str, schema: int, values: Sequence[dict[str, Any]]) -> None:
        with path.open("a") as file:
            file.writelines(f"{json.dumps([topic, value])}\n" for value in values)

    return Proxy(trouble, forward=forward, keep=False, **options)


def serve() -> None:
    """Be a proxy that forgets what it takes, until the standard input ends."""
    from support_proxy import Proxy

    with Proxy(keep=False) as proxy:
        print(proxy.url, flush=True)
        sys.stdin.read()


def started() -> tuple[subprocess.Popen[str], str]:
    """Start a proxy in a process of its own, which forgets what it takes."""
    program = "from benchmarks import measurements; measurements.serve()"
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def _base(detectors: int, metrics: int) -> pa.Table:
    chosen = sorted(METRICS.values(), key=lambda metric: metric.name)[:metrics]
    shared = {"band": "r", "status": "ok", "error": 0.1, "n": 1000, "instrument": "Cam"}
    shared |= {"physical_filter": "r_01", "day_obs": 20260101}
    rows = [
        {"metric": metric.name, "value": 0.0, "unit": metric.unit, "detector": detector, **shared}
        for metric in chosen
        for detector in range(detectors)
    ]
    made = {
        "task": "sourceMetrics",
        "packages": json.dumps({"lsst-qa": "0.1"}),
        "config": "ab" * 32,
        "created": "2026-01-01T00:00:00+00:00",
    }
    return from_rows(rows, made)


def _file(
    butler: Butler, folder: Path, base: pa.Table, visit: int, random: np.random.Generator
) -> FileDataset:
    values = random.lognormal(sigma=20.0, size=len(base)) * random.choice([-1.0, 1.0], len(base))
    strange = random.random(len(base)) < 0.01
    values[strange] = random.choice([np.nan, np.inf, -np.inf], int(strange.sum()))
    own = {"value": pa.array(values), "visit": pa.array([visit] * len(base))}
    table = base
    for name, column in own.items():
        place = SCHEMA.get_field_index(name)
        table = table.set_column(place, SCHEMA.field(place), column)
    path = folder / f"visit-{visit}.parq"
    pq.write_table(table, path)
    kind = butler.get_dataset_type("qa_source_metrics")
    data_id = butler.registry.expandDataId(instrument="Cam", visit=visit)
    return FileDataset(path=str(path), refs=[DatasetRef(kind, data_id, run=RUN)])
