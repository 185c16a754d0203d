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

"""What is run, and at which sizes."""

from __future__ import annotations

__all__ = ["SIZES", "Case", "Size", "cases"]

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from . import history, measurements, ours, plainly, repositories, tables

OURS, DECODING, STREAMING = "lsst.qa", "pyarrow, decoding", "numpy, adding up"
SIX = "lsst.qa, six metrics"

Work = tuple[str, Mapping[str, Any]]
"""A function and what to call it with, see `benchmarks.probe.measure`."""


@dataclasses.dataclass(frozen=True)
class Size:
    """How large the inputs are, each time from small to large."""

    matched: tuple[int, ...]
    sources: tuple[int, ...]
    objects: tuple[int, ...]
    stars: tuple[int, ...]
    growth_rows: int
    visits: tuple[int, ...]
    quanta: tuple[int, ...]
    datasets: tuple[int, ...]
    loaded: int
    """Datasets of 100 rows each."""
    released: int
    """Rows of one table that gathered a release; 0 for none."""
    published: int
    """Visits of 9,450 measurements each: 50 metrics of 189 detectors."""
    shown: int
    """Runs of 20,032 measurements each, in the database of a dashboard."""
    reading: float
    """Time in s for which 20 readers go over its pages."""


SIZES = {
    "small": Size(
        matched=(100_000, 1_000_000),
        sources=(100_000, 1_000_000),
        objects=(10_000, 100_000),
        stars=(10_000,),
        growth_rows=100_000,
        visits=(5, 10, 20),
        quanta=(1, 10, 40),
        datasets=(100, 1000),
        loaded=1000,
        released=0,
        published=10,
        shown=10,
        reading=10.0,
    ),
    "full": Size(
        matched=(100_000, 1_000_000, 10_000_000),
        sources=(100_000, 1_000_000, 10_000_000),
        objects=(10_000, 100_000, 1_000_000),
        stars=(10_000, 100_000, 1_000_000),
        growth_rows=1_000_000,
        visits=(5, 10, 20, 50, 100),
        quanta=(1, 10, 100, 300),
        datasets=(100, 1000, 10_000),
        loaded=10_000,
        released=0,
        published=200,
        shown=500,
        reading=60.0,
    ),
}
SIZES["huge"] = dataclasses.replace(
    SIZES["full"], matched=(*SIZES["full"].matched, 100_000_000), released=50_000_000
)


@dataclasses.dataclass(frozen=True)
class Case:
    """One path at one size.

    Attributes
    ----------
    path : `str`
        What is done.
    size : `int`
        To how many.
    of : `str`
        Of what.
    make : `~collections.abc.Callable`
        Makes the input in a folder, and returns where it is.
    works : `~collections.abc.Callable`
        Returns who does it, and how, given the input.
    reads : `bool`
        Whether it reads a table, so that decoding its columns is a limit.
    often : `bool`
        Whether it is done several times, as others' work adds to what it
        takes; not where many times are taken at once.
    """

    path: str
    size: int
    of: str
    make: Callable[[Path], Any]
    works: Callable[[str], Mapping[str, Work]]
    reads: bool = True
    often: bool = True


def cases(size: Size) -> Iterator[Case]:
    """List what is run at a size."""
    everything, pairs = ours.matched_metrics(), ours.am_metrics()
    shipped = ours.standard_metrics("matched")
    for rows in size.matched:
        yield _matched("matched stars, all metrics", rows, everything)
        yield _matched("matched stars, shipped list", rows, shipped)
        if rows <= 10_000_000:
            yield _matched("matched stars, all metrics, rows by visit", rows, everything, by="visit")
            yield _matched("matched stars, repeatability", rows, plainly.PLAIN, plain="repeatability")
        if rows <= 1_000_000:
            yield _matched("matched stars, AM AD AF", rows, pairs)
    yield _matched("matched stars, all metrics, six bands", size.growth_rows, everything, bands="ugrizy")
    for visits in size.visits:
        name = f"matched stars, all metrics, {visits} visits"
        yield _matched(name, size.growth_rows, everything, visits=visits)
    for number in (1, 3, 7, 12, 18, len(everything)):
        name = f"matched stars, {number} metrics"
        yield _matched(name, size.growth_rows, _cheapest_first(everything)[:number])
    for rows in size.sources:
        yield _table("source", "sources, standard metrics", rows, "sources")
    for rows in size.objects:
        yield _table("object", "objects, standard metrics, six bands", rows, "objects")
    for stars in size.stars:
        yield Case("rho and TE", stars, "stars", partial(tables.stars, rows=stars), _correlations)
    yield from _framework(size)
    yield from _dashboard(size)


def _matched(path: str, rows: int, metrics: list[str], plain: str = "", **how: Any) -> Case:
    make = partial(tables.matched, rows=rows, **how)
    return Case(path, rows, "rows", make, partial(_measured, "matched", metrics, plain))


def _table(kind: str, path: str, rows: int, plain: str) -> Case:
    make = partial(getattr(tables, plain), rows=rows)
    return Case(path, rows, "rows", make, partial(_measured, kind, ours.standard_metrics(kind), plain))


def _measured(kind: str, metrics: list[str], plain: str, place: str) -> Mapping[str, Work]:
    own = {"kind": kind, "path": place, "metrics": metrics}
    peers = ("pandas", "polars", "duckdb") if plain else ()
    return {
        OURS: ("ours:measure_table", own),
        **{name: (f"plain_{name}:{plain}", {"path": place}) for name in peers},
    }


def _correlations(place: str) -> Mapping[str, Work]:
    own = {"kind": "source", "path": place, "metrics": ours.rho_metrics(), "budget": 4096}
    return {
        OURS: ("ours:measure_table", own),
        "TreeCorr": ("plain_treecorr:correlations", {"path": place}),
    }


def _framework(size: Size) -> Iterator[Case]:
    for path, statement in (
        ("import numpy", "import numpy"),
        ("import numpy and lsst.qa", "import numpy, lsst.qa"),
        ("import lsst.pipe.base", "import lsst.pipe.base"),
        ("import lsst.pipe.base and a task", "import lsst.pipe.base, lsst.qa.tasks.source"),
    ):
        works = {OURS: ("framework:import_only", {"statement": statement})}
        yield Case(path, 1, "process", _nothing, partial(_same, works), reads=False)
    for number in size.quanta:
        make = partial(repositories.survey, visits=size.quanta[-1])
        yield Case("quanta of sources", number, "quanta", make, partial(_quanta, number), reads=False)
    for number in size.datasets:
        make = partial(repositories.results, number=number)
        for path, work in (("gather", "gather"), ("gather, with graph and Butler", "gather_quantum")):
            yield Case(path, number, "datasets", make, partial(_in_repository, work), reads=False)
    make = partial(repositories.results, number=size.loaded)
    for database in ("SQLite", "PostgreSQL"):
        loading = partial(_in_repository, "load", database=database)
        yield Case(f"load into {database}", 100 * size.loaded, "rows", make, loading, reads=False)
        if size.released:
            whole = partial(repositories.release, rows=size.released)
            name = f"load a release into {database}"
            yield Case(name, size.released, "rows", whole, loading, reads=False, often=False)
    # The proxy of the tests is slower than what it is to measure.
    few = min(20, size.published)
    for path, target, visits in (
        ("publish to a REST proxy", "proxy", few),
        ("publish to SQLite", "SQLite", size.published),
        ("publish to a file", "file", size.published),
    ):
        made = partial(measurements.measurements, visits=visits, detectors=189, metrics=50)
        yield Case(path, 189 * 50 * visits, "records", made, partial(_published, target), reads=False)


def _dashboard(size: Size) -> Iterator[Case]:
    for database in history.DATABASES:
        make = partial(history.database, kind=database, runs=size.shown)
        read = partial(_read, size.reading)
        rows = history.ROWS * size.shown
        yield Case(f"dashboard of {database}", rows, "rows", make, read, reads=False, often=False)


def _read(seconds: float, place: str) -> Mapping[str, Work]:
    return {OURS: ("dashboard:readers", {"place": place, "seconds": seconds, "pause": 1.0})}


def _published(target: str, place: str) -> Mapping[str, Work]:
    return {OURS: ("publishing:publish", {"repo": place, "target": target})}


def _nothing(folder: Path) -> str:
    return ""


def _same(works: Mapping[str, Work], place: str) -> Mapping[str, Work]:
    return works


def _quanta(number: int, place: str) -> Mapping[str, Work]:
    tasks = {
        OURS: "ours",
        SIX: "six",
        "a task that stores one number": "storing",
        "a task that does nothing": "idle",
    }
    return {
        name: ("framework:quanta", {"repo": place, "number": number, "task": task})
        for name, task in tasks.items()
    }


def _in_repository(work: str, place: str, **more: Any) -> Mapping[str, Work]:
    return {OURS: (f"framework:{work}", {"repo": place, **more})}


def _cheapest_first(names: list[str]) -> list[str]:
    """Order metrics of matched stars: each number of them holds the fewer."""
    pairs = [name for name in names if name[:2] in ("AM", "AD", "AF")]
    return [name for name in names if name not in pairs] + pairs
