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

"""Readers of the dashboard, many at once, as they come to its pages.

``python -m benchmarks.dashboard --help`` tells how to let them.
"""

from __future__ import annotations

__all__ = ["PAGES", "readers"]

import argparse
import asyncio
import dataclasses
import html
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from lsst.qa.dashboard.app import create_app
from lsst.qa.store.database import connect

from .history import DATABASES, database, opened

PAGES = 20
"""The most addresses of one kind of page that are asked for."""

_LINK = re.compile(r'href="(/[^"#]*)')
_READERS = 20


@dataclasses.dataclass
class Load:
    """What readers saw.

    Attributes
    ----------
    first : `float`
        Time in s from the start of the process to the first page.
    memory : `float`
        Highest resident memory of the server, in MiB.
    cold : `dict` [`str`, `list` [`float`]]
        Times in s of pages by their kind, asked for one after the other
        for the first time.
    busy : `dict` [`str`, `list` [`float`]]
        Times in s of pages by their kind, asked for by all readers.
    sizes : `dict` [`str`, `int`]
        The most bytes of a page, compressed, by its kind.
    processor : `float`
        Time in s of the processor that the server took for a page of a busy
        reader.
    """

    first: float
    memory: float
    cold: dict[str, list[float]]
    busy: dict[str, list[float]]
    sizes: dict[str, int]
    processor: float


def readers(place: str, seconds: float, pause: float) -> Callable[[], dict[str, Any]]:
    """Let 20 readers go over all pages of a dashboard.

    Parameters
    ----------
    place : `str`
        Folder of a database, see `benchmarks.history.database`.
    seconds : `float`
        For how long.
    pause : `float`
        Mean time in s that a reader looks at a page.

    Returns
    -------
    work : `~collections.abc.Callable`
        Does it, and returns the fields of `Load`, with ``figures`` of them
        and what is to be said of them as ``note``.
    """

    def work() -> dict[str, Any]:
        with opened(Path(place)) as url:
            kinds = _kinds(url)
            options = ["--db", url, "--port", "0", "--rate", "100000"]
            command = [sys.executable, "-m", "lsst.qa.cli", "dashboard", *options]
            begun = time.perf_counter()
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
                try:
                    assert server.stdout is not None
                    address = server.stdout.readline().split()[-1].rstrip("/")
                    httpx.get(f"{address}/", timeout=60).raise_for_status()
                    first = time.perf_counter() - begun
                    load = asyncio.run(_visit(address, kinds, seconds, pause, server.pid))
                    memory = _peak(server.pid)
                finally:
                    server.terminate()
        found = Load(first, memory, *load)
        figures = _figures(found)
        return {**dataclasses.asdict(found), "figures": figures, "note": _note(figures)}

    return work


def _figures(load: Load) -> dict[str, float]:
    """Sum up what readers saw, by name and unit."""
    every = [seconds for times in load.busy.values() for seconds in times]
    alone = [seconds for times in load.cold.values() for seconds in times]
    median, most = (1e3 * float(np.quantile(every, part)) for part in (0.5, 0.95))
    return {
        "first page, s": load.first,
        "page at the median, ms": median,
        "page at 95 %, ms": most,
        "page alone at the median, ms": 1e3 * float(np.median(alone)),
        "processor a page, ms": 1e3 * load.processor,
        "largest page, kB": max(load.sizes.values()) / 1e3,
        "memory, MiB": load.memory,
    }


def _note(figures: dict[str, float]) -> str:
    parts = [(*name.rpartition(", ")[::2], value) for name, value in figures.items()]
    return ", ".join(f"{what} {value:.3g} {unit}" for what, unit, value in parts)


def _kinds(url: str) -> Callable[[str], str]:
    """Return a function that names the kind of page at a path."""
    from starlette.routing import Match

    engine = connect(url, create=True)  # with the tables that are new since it was made
    app = create_app(engine)
    engine.dispose()

    def kind(path: str) -> str:
        scope = {"type": "http", "path": path, "method": "GET", "root_path": ""}
        for route in app.routes:
            if route.matches(scope)[0] is Match.FULL:
                endpoint = getattr(route, "endpoint", None)
                return getattr(endpoint, "__module__", "").rpartition(".")[2]
        return ""

    return kind


async def _visit(
    address: str, kind: Callable[[str], str], seconds: float, pause: float, server: int
) -> tuple[dict[str, list[float]], dict[str, list[float]], dict[str, int], float]:
    """Follow the links there are, and then read what was found."""
    found: dict[str, list[str]] = {}
    cold: dict[str, list[float]] = {}
    sizes: dict[str, int] = {}
    waiting, seen = ["/"], {"/"}
    async with httpx.AsyncClient(
        base_url=address, timeout=60, limits=httpx.Limits(max_connections=40)
    ) as client:
        while waiting:
            path = waiting.pop(0)
            of = kind(path.partition("?")[0])
            # What is read from repositories needs one.
            if not of or of == "app" or path.startswith("/api/") or len(found.get(of, ())) >= PAGES:
                continue
            begun = time.perf_counter()
            answer = await client.get(path)
            cold.setdefault(of, []).append(time.perf_counter() - begun)
            answer.raise_for_status()
            found.setdefault(of, []).append(path)
            sizes[of] = max(sizes.get(of, 0), answer.num_bytes_downloaded)
            if answer.headers["content-type"].startswith("text/html"):
                links = {html.unescape(link) for link in _LINK.findall(answer.text)} - seen
                seen |= links
                waiting += random.Random(1).sample(sorted(links), len(links))
        busy: dict[str, list[float]] = {of: [] for of in found}
        used, until = _used(server), time.perf_counter() + seconds

        async def reader(number: int) -> None:
            chance = random.Random(number)
            while time.perf_counter() < until:
                of = chance.choice(sorted(found))
                begun = time.perf_counter()
                answer = await client.get(chance.choice(found[of]))
                busy[of].append(time.perf_counter() - begun)
                answer.raise_for_status()
                await asyncio.sleep(chance.expovariate(1.0 / pause) if pause else 0.0)

        await asyncio.gather(*(reader(number) for number in range(_READERS)))
    return cold, busy, sizes, (_used(server) - used) / sum(map(len, busy.values()))


def _used(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024.0


def _show(load: Load, console: Console) -> None:
    """Print what readers saw."""
    table = Table("page", "pages", "alone, ms", "busy, ms", "95 %, ms", "kB", title="Median times by page")

    def ms(times: list[float], part: float) -> str:
        return f"{1e3 * float(np.quantile(times, part)):.0f}" if times else "-"

    for kind, alone in sorted(load.cold.items()):
        busy = load.busy[kind]
        size = f"{load.sizes[kind] / 1e3:.0f}"
        table.add_row(kind, str(len(busy)), ms(alone, 0.5), ms(busy, 0.5), ms(busy, 0.95), size)
    figures = _figures(load)
    median, most = (f"{figures[f'page at {part}, ms']:.0f}" for part in ("the median", "95 %"))
    table.add_row("all", str(sum(map(len, load.busy.values()))), "", median, most, "")
    console.print(table)
    console.print(_note(figures))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dashboard", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--database", choices=DATABASES, default="SQLite", help="made if it is not there")
    parser.add_argument("--runs", type=int, default=500, help="of 20,032 measurements each")
    parser.add_argument("--seconds", type=float, default=60.0, help="for how long they read")
    parser.add_argument("--pause", type=float, default=1.0, help="mean time in s that one looks at a page")
    parser.add_argument("--data", type=Path, default=Path(__file__).parent / ".data", help="keeps databases")
    return parser.parse_args()


if __name__ == "__main__":
    given = _arguments()
    given.data.mkdir(exist_ok=True)
    made = database(given.data, given.database, given.runs)
    seen = readers(str(made), given.seconds, given.pause)()
    fields = [field.name for field in dataclasses.fields(Load)]
    _show(Load(**{name: seen[name] for name in fields}), Console())
