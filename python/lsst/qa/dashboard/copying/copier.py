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
"""Walking through the pages of a dashboard and writing them down."""

from __future__ import annotations

__all__ = ["Copied", "copy_site"]

import asyncio
import dataclasses
import html
import re
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy

from ...errors import InputError, UnknownNameError
from ...store import query, runs
from ...store.job_records import utc_now
from ..app import create_app
from ..settings import Settings
from ..views import landing, run
from .folder import Folder
from .links import Plan, asset_file, is_asset, linked, relinked
from .rows import FORMATS, rows_of

# What matters most is copied first, until there are as many as there may be.
_ORDER = ("", "runs", "run", "compare", "metrics", "metric", "nights", "maps", "data", "plot", "detector")
_SAID = re.compile(r"<main.*?<h1>.*?</h1>\s*<p>(.*?)</p>", re.DOTALL)

Walked = tuple[int, int, int, list[str]]
"""Numbers of pages, of shared files and of pages left out, and faults."""


@dataclasses.dataclass(frozen=True)
class Copied:
    """What a copy holds.

    Attributes
    ----------
    index : `pathlib.Path`
        The file to open.
    runs : `list` [`str`]
        Names of the runs whose pages are there.
    pages, files, size : `int`
        Number of pages, of all files, and their bytes.
    left_out : `int`
        Number of pages that the limit has left out, which others lead to.
    faults : `list` [`str`]
        What could not be copied, and why.
    """

    index: Path
    runs: list[str]
    pages: int
    files: int
    size: int
    left_out: int
    faults: list[str]


def copy_site(
    engine: sqlalchemy.Engine,
    folder: Path,
    names: Sequence[str] = (),
    most: int = 2000,
    plots: int = 200,
    progress: Callable[[int, int], None] = lambda done, known: None,
) -> Copied:
    """Write pages of a dashboard as files that open from disk.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    folder : `pathlib.Path`
        Where to; absent, empty, or holding nothing but an earlier copy, which
        is replaced when the new one is whole.
    names : `~collections.abc.Sequence` [`str`], optional
        Names of the runs; the latest one of each kind by default.
    most : `int`, optional
        The most pages.
    plots : `int`, optional
        The most pages of these that are plots of a data ID besides its first
        one, which take longest to make.
    progress : `~collections.abc.Callable`, optional
        Called with the number of pages that are done and that are known.

    Returns
    -------
    copied : `Copied`
        What the copy holds.

    Raises
    ------
    InputError
        Raised if the folder holds anything else, cannot be written, or if
        there is nothing to copy.
    UnknownNameError
        Raised if there is no run of a name.
    """
    target = Folder(folder)
    chosen = _runs(engine, names)
    measured = {cell["metric"] for name in chosen for cell in run.data(engine, name)["verdicts"]}
    plan = Plan(chosen, measured, {one.name for one in query.definitions(engine) if one.specs})
    app = create_app(engine, Settings(rate=1e9))
    app.state.site.templates.globals["copied"] = {"time": utc_now(), "plan": plan}
    with target.writing() as write:
        for name in chosen:
            held = query.get_run(engine, name)
            for form, content in (rows_of(engine, held.run_id) if held is not None else {}).items():
                write(plan.rows_file(name, form), content)
        pages, assets, left_out, faults = _run(_walk(app, plan, most, plots, write, progress))
    assets += len(FORMATS) * len(chosen)
    return Copied(target.path / "index.html", chosen, pages, pages + assets, target.size, left_out, faults)


def _runs(engine: sqlalchemy.Engine, names: Sequence[str]) -> list[str]:
    if not names:
        found = [group["run"]["name"] for group in landing.data(engine)["groups"]]
        if not found:
            raise InputError("There is no run in this database to copy: load results first.")
        return found
    known = [one.name for one in runs.latest_runs(engine, 1000)]
    for name in names:
        if name not in known:
            raise UnknownNameError("run", name, known)
    return list(dict.fromkeys(names))


def _run(walk: Coroutine[Any, Any, Walked]) -> Walked:
    """Run it here, or in a thread if this one, a notebook's, runs others."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(walk)
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, walk).result()


async def _walk(
    app: Any,
    plan: Plan,
    most: int,
    plots: int,
    write: Callable[[str, bytes], None],
    progress: Callable[[int, int], None],
) -> Walked:
    """Copy all pages that others lead to, and then the files they share."""
    bodies: dict[str, str] = {}
    waiting: dict[str, None] = {"/": None}
    shared: dict[str, None] = {}
    faults: list[str] = []
    omitted = 0
    seen = {"/"}
    # What a page holds is kept until all are known: only then is it known
    # which of its links lead anywhere.
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://localhost"
    ) as client:
        while waiting and len(bodies) < most:
            page = min(waiting, key=_rank)
            del waiting[page]
            if page.startswith("/plot"):
                if plots == 0:
                    omitted += 1
                    continue
                plots -= 1
            answer = await client.get(page)
            if answer.status_code != 200:
                said = _SAID.search(answer.text)
                faults.append(f"{page}: {html.unescape(said[1]) if said else answer.status_code}")
                continue
            bodies[page] = answer.text
            for address in linked(answer.text):
                if is_asset(address):
                    shared[address] = None
                elif (found := plan.page(address)) is not None and found not in seen:
                    seen.add(found)
                    waiting[found] = None
            progress(len(bodies), len(bodies) + len(waiting))
        for address in shared:
            write(asset_file(address), (await client.get(address)).content)

    def locate(address: str) -> str | None:
        if is_asset(address):
            return asset_file(address)
        if (rows := plan.rows(address)) is not None:
            return plan.rows_file(*rows)
        page = plan.page(address)
        return plan.file(page) if page in bodies else None

    for page, body in bodies.items():
        write(plan.file(page), relinked(body, plan.file(page), locate).encode())
    return len(bodies), len(shared), len(waiting) + omitted, faults


def _rank(page: str) -> int:
    kind = re.split(r"[/?]", page[1:], maxsplit=1)[0]
    if "detector=" in page and kind in ("data", "plot"):
        kind = "detector"  # of which there are many, and the visit's page has their values
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)
