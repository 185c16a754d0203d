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

"""Tables for the terminal."""

from __future__ import annotations

__all__ = ["print_rows"]

import math
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from ..judge.rounding import format_value
from ..results import DATA_ID


def print_rows(title: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Print rows of results as a table.

    Parameters
    ----------
    title : `str`
        What stands above it.
    rows : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        Rows of results; only the data ID fields that any row has are shown.
    """
    held = list(rows)
    shown = [name for name in ("band", *DATA_ID) if any(row[name] is not None for row in held)]
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("metric", no_wrap=True)
    for name in shown:
        table.add_column(name, no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("n", justify="right")
    table.add_column("unit")
    for row in held:
        known = ["" if row[name] is None else str(row[name]) for name in shown]
        value = format_value(row["value"], row["error"]) if math.isfinite(row["value"]) else row["status"]
        table.add_row(row["metric"], *known, value, str(row["n"]), row["unit"])
    console = Console(width=None if sys.stdout.isatty() else 200)
    console.print(title, style="bold", soft_wrap=True, highlight=False)
    console.print(table)
    for row in held:
        if row["message"]:
            console.print(f"{row['metric']}: {row['message']}", style="dim", soft_wrap=True, highlight=False)
