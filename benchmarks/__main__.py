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

"""The command of the benchmarks: ``python -m benchmarks --help``."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from .cases import SIZES, cases
from .report import read, show, write
from .results import run

HERE = Path(__file__).resolve().parent
PAGES = HERE.parent / "doc/lsst.qa/benchmarks"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what this costs.")
    parser.add_argument("--size", choices=sorted(SIZES), default="small", help="how large the inputs are")
    parser.add_argument("--data", type=Path, default=HERE / ".data", help="folder that keeps the inputs")
    parser.add_argument(
        "--report", type=Path, help="folder of the report; without it the documentation's if the size is full"
    )
    parser.add_argument(
        "--only",
        default="",
        help="run paths that hold these words, by commas; what the report has of others stays",
    )
    parser.add_argument("--repeats", type=int, default=3, help="how many times each work is done")
    parser.add_argument("--draw", action="store_true", help="only make the report anew from its results.json")
    return parser.parse_args()


def main() -> None:
    """Run the benchmarks."""
    given, console = _arguments(), Console()
    if not console.is_terminal:
        console.width = 200  # a file has no edge
    report = given.report or (PAGES if given.size != "small" else given.data / "report")
    if given.draw:
        results = read(report)
    else:
        words = [word for word in given.only.split(",") if word]
        every = cases(SIZES[given.size])
        chosen = [case for case in every if not words or any(word in case.path for word in words)]
        results = run(given.size, chosen, given.data, given.repeats, console.print)
        if words and (report / "results.json").exists():
            results = read(report).updated(results)
    show(results, console)
    write(results, report)
    # Imported last: matplotlib is slow to.
    from .plots import plot

    plot(results, report)
    console.print(f"The report is in {report}.")


if __name__ == "__main__":
    main()
