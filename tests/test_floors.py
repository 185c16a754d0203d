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

"""The floors of the house: a module imports lower floors only."""

from __future__ import annotations

import ast
import subprocess
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path

import lsst.qa

PACKAGE = "lsst.qa"
ROOT = Path(lsst.qa.__file__).parent

# Lowest floor first. On an ordered floor a module may also import the ones
# listed before it; rooms of the last but one floor never import each other.
FLOORS = (
    ("F0", True, ("errors", "version", "dimensions", "pieces", "columns", "resolution")),
    ("F1", True, ("stats",)),
    ("F2", True, ("spec", "metric")),
    ("F3", True, ("metrics",)),
    ("F4", True, ("results", "catalogue", "variants", "engine")),
    ("F5 (shared)", True, ("tables", "readers", "store", "judge", "harvest", "jobs", "plots")),
    ("F5 (rooms)", False, ("tasks", "publish", "dashboard", "client", "simulate")),
    ("F6", True, ("cli",)),
)
FRONT_DOOR = "the package itself"
LIGHT = 4
"""Floors below this one import neither pyarrow nor the middleware."""

HEAVY = ("pyarrow", "astropy", "scipy", "sqlalchemy", "bokeh", "lsst.daf.butler", "lsst.pipe.base")


def place(room: str) -> tuple[int, int] | None:
    """Find the floor of a module and its position there."""
    for floor, (_, _, rooms) in enumerate(FLOORS):
        if room in rooms:
            return floor, rooms.index(room)
    return None


def room_of(module: str) -> str:
    """Name the room of an absolute module name inside the package."""
    inside = module.removeprefix(PACKAGE).lstrip(".")
    return inside.split(".")[0] or FRONT_DOOR


def imports(source: str, module: str, is_package: bool) -> Iterator[tuple[int, str]]:
    """Give the line and the absolute name of all that a module imports."""
    parents = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = parents[: len(parents) - node.level + 1] if node.level else []
            origin = ".".join([*base, *filter(None, [node.module])])
            for alias in node.names:
                # Only names below the package and below lsst can be modules
                # of which the origin alone does not tell the room.
                yield node.lineno, f"{origin}.{alias.name}" if origin in (PACKAGE, "lsst") else origin


def fault(room: str, imported: str) -> str | None:
    """Say why a room may not import a module; None where it may."""
    here = place(room)
    if room == FRONT_DOOR:
        return None  # it is lazy, which a test below watches
    if here is None:
        return f"{room} stands on no floor: give it one in FLOORS"
    if imported == PACKAGE or imported.startswith(PACKAGE + "."):
        other = room_of(imported)
        there = place(other)
        if other == room:
            return None
        name, ordered, _ = FLOORS[here[0]]
        if there is None:
            if name == FLOORS[-1][0]:
                return None  # the command line may use what users use
            return f"{room} ({name}) -> {imported}: import it from the module that defines it"
        if there[0] < here[0] or (there[0] == here[0] and ordered and there[1] < here[1]):
            return None
        return f"{room} ({name}) -> {other} ({FLOORS[there[0]][0]})"
    if here[0] < LIGHT:
        top = imported.split(".")[0]
        if top == "pyarrow" or (top == "lsst" and not imported.startswith("lsst.utils")):
            return f"{room} ({FLOORS[here[0]][0]}) -> {imported}: not below {FLOORS[LIGHT][0]}"
    return None


def faults(source: str, path: str) -> list[str]:
    """List the forbidden arrows of a file, given its path in the package."""
    parts = Path(path).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    module = ".".join([PACKAGE, *(parts[:-1] if is_package else parts)])
    found = imports(source, module, is_package)
    room = room_of(module)
    return [f"{path}:{line}: {why}" for line, name in found if (why := fault(room, name))]


class FloorsTestCase(unittest.TestCase):
    """Every arrow points down."""

    def test_package(self) -> None:
        files = [p for p in sorted(ROOT.rglob("*.py")) if "resources" not in p.relative_to(ROOT).parts]
        self.assertGreater(len(files), 3)
        found = [f for p in files for f in faults(p.read_text(), p.relative_to(ROOT).as_posix())]
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_modules_have_a_floor(self) -> None:
        rooms = {p.stem for p in ROOT.glob("*.py")} | {p.parent.name for p in ROOT.glob("*/__init__.py")}
        homeless = sorted(room for room in rooms - {"__init__"} if place(room) is None)
        self.assertEqual(homeless, [])

    def test_upward_arrows_are_named(self) -> None:
        """The check itself: each kind of forbidden arrow is found."""
        for path, source, expected in (
            (
                "stats/pairs.py",
                "\nfrom ..metric import Metric",
                "stats/pairs.py:2: stats (F1) -> metric (F2)",
            ),
            (
                "metric.py",
                "from .stats import *\nfrom . import results",
                "metric.py:2: metric (F2) -> results",
            ),
            ("errors.py", "import lsst.qa.columns", "errors.py:1: errors (F0) -> columns (F0)"),
            (
                "jobs/a.py",
                "def f():\n    from ..dashboard.b import c",
                "jobs/a.py:2: jobs (F5 (shared)) -> dash",
            ),
            ("tables/a.py", "from lsst.qa.tasks import a", "tables/a.py:1: tables (F5 (shared)) -> tasks"),
            (
                "store/__init__.py",
                "from ..cli import main",
                "store/__init__.py:1: store (F5 (shared)) -> cli",
            ),
            (
                "metrics/a.py",
                "import pyarrow.parquet",
                "metrics/a.py:1: metrics (F3) -> pyarrow.parquet: not",
            ),
            (
                "stats/a.py",
                "from lsst.daf.butler import x",
                "stats/a.py:1: stats (F1) -> lsst.daf.butler: not",
            ),
            ("stats/a.py", "from lsst import geom", "stats/a.py:1: stats (F1) -> lsst.geom: not"),
            (
                "tasks/a.py",
                "from lsst.qa import measure",
                "tasks/a.py:1: tasks (F5 (rooms)) -> lsst.qa.measure",
            ),
            ("attic.py", "import os", "attic.py:1: attic stands on no floor"),
        ):
            with self.subTest(path=path, source=source):
                found = faults(source, path)
                self.assertEqual(len(found), 1)
                self.assertTrue(found[0].startswith(expected), found[0])

    def test_downward_arrows_are_allowed(self) -> None:
        for path, source in (
            (
                "stats/pairs.py",
                "import numpy as np\nfrom .groups import Groups\nfrom ..errors import QaError",
            ),
            ("columns/kinds.py", "from ..errors import InputError\nfrom . import derived"),
            (
                "tasks/source.py",
                "import pyarrow\nfrom lsst.pipe.base import Task\nfrom ..tables import pieces",
            ),
            (
                "dashboard/app.py",
                "from ..store import query\nfrom ..results import SCHEMA\nfrom .pages import p",
            ),
            ("cli/check.py", "from ..judge import verdicts\nfrom ..store.query import x"),
            ("cli/measure.py", "from .. import measure"),
            ("metric.py", "from lsst.utils.classes import cached_getter"),
        ):
            with self.subTest(path=path):
                self.assertEqual(faults(source, path), [])


class LightTestCase(unittest.TestCase):
    """Importing the package costs next to nothing."""

    def test_import_is_lazy(self) -> None:
        program = f"import sys, lsst.qa; print(*[m for m in {HEAVY} if m in sys.modules])"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout.split(), [])


if __name__ == "__main__":
    unittest.main()
