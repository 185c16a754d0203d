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

"""Which standard plots a data ID has, and drawing them: kept, because tables
of a repository do not change.
"""

from __future__ import annotations

__all__ = ["Choice", "Choices", "choices", "drawing", "opened_kind"]

import contextlib
import functools
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy

from ..columns import TABLES
from ..errors import QaError, UnknownNameError
from ..resolution import resolve
from ..store import query

if TYPE_CHECKING:
    # What reads tables is imported when one is read.
    from ..plots.drawing import Drawing
    from ..plots.inputs import Input
    from ..tables.readable import Readable

_SECONDS = 60.0  # until a table that came since is seen
_MOST_REPOSITORIES = 3
# What is read of a table takes memory: no more than two at a time.
_DRAWING = threading.BoundedSemaphore(2)


class Choice(NamedTuple):
    """A plot that can be drawn.

    Attributes
    ----------
    name, title : `str`
        The plot.
    input : `Input`
        What it is drawn of.
    bands : `tuple` [`str`, ...]
        Bands that it can be drawn in; none where it is of no band.
    """

    name: str
    title: str
    input: Input
    bands: tuple[str, ...]


class Choices(NamedTuple):
    """The plots of a data ID.

    Attributes
    ----------
    plots : `tuple` [`Choice`, ...]
        Those that can be drawn, in the order of pages.
    inputs : `tuple` [`Input`, ...]
        The tables that were found.
    message : `str`
        Why there are none; empty where there are some.
    """

    plots: tuple[Choice, ...]
    inputs: tuple[Input, ...]
    message: str


def choices(engine: sqlalchemy.Engine, runs: Sequence[str], data_id: Mapping[str, Any]) -> Choices:
    """Tell which plots a data ID has.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    runs : `~collections.abc.Sequence` [`str`]
        Names of runs with values of it, whose repositories are looked into;
        of each the inputs of its first run are taken.
    data_id : `~collections.abc.Mapping` [`str`, `typing.Any`]
        A visit, exposure or tract, and what narrows it.

    Returns
    -------
    choices : `Choices`
        The plots, or why there are none.
    """
    held = [query.get_run(engine, name) for name in dict.fromkeys(runs)]
    repos: dict[str, str] = {}
    for run in held:
        if run is not None and run.repo:
            repos.setdefault(run.repo, run.name)
    given = tuple((name, value) for name, value in sorted(data_id.items()) if value is not None)
    found = Choices((), (), "The run does not say which repository it is of, so its tables are not known.")
    for repo, seen_by in list(repos.items())[:_MOST_REPOSITORIES]:
        found = _choices(repo, given, seen_by, int(time.monotonic() / _SECONDS))
        if found.plots:
            break
    return found


@functools.lru_cache(maxsize=128)
def _choices(repo: str, data_id: tuple[tuple[str, Any], ...], seen_by: str, now: int) -> Choices:
    from ..plots.catalogue import PLOTS
    from ..plots.inputs import CANDIDATES, find_inputs

    try:
        inputs = tuple(find_inputs(repo, dict(data_id), seen_by))
    except QaError:
        told = "The repository of its run cannot be opened from here, so that nothing of it can be drawn."
        return Choices((), (), told)
    if not inputs:
        names = ", ".join(names[0] for names in CANDIDATES.values())
        return Choices(
            (), (), f"The repository has no table of it that plots are drawn of: {names} or the like."
        )
    possible: dict[str, Choice] = {}
    for one in inputs:
        for name, bands in _fits(one):
            possible.setdefault(name, Choice(name, PLOTS[name].title, one, bands))
    found = tuple(possible[name] for name in PLOTS if name in possible)
    held = ", ".join(dict.fromkeys(one.table.dataset_type for one in inputs))
    return Choices(found, inputs, "" if found else f"No standard plot can be drawn of what there is: {held}.")


@functools.lru_cache(maxsize=256)
def _fits(one: Input) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Name the plots that can be drawn of a table, and their bands."""
    from ..plots.catalogue import PLOTS
    from ..plots.inputs import opened_input
    from ..plots.reading import fitting

    try:
        with opened_input(one) as source:
            if any(resolve(TABLES[one.kind], source.units, name) is None for name, _ in one.where):
                return ()  # what is of the detector, or patch, cannot be told
            return tuple(
                (plot.name, tuple(fit.band for fit in fits if fit.band))
                for plot in PLOTS.values()
                if (fits := fitting(plot, source, one.kind))
            )
    except QaError:
        return ()  # a file that is gone, or damaged: others may be there


@functools.lru_cache(maxsize=32)
def drawing(choice: Choice, band: str | None) -> Drawing:
    """Draw a plot.

    Parameters
    ----------
    choice : `Choice`
        The plot.
    band : `str` or `None`
        Band that it is drawn in, one of its bands; `None` for the one in the
        middle.

    Returns
    -------
    drawing : `Drawing`
        What is to be drawn.

    Raises
    ------
    UnknownNameError
        Raised if it cannot be drawn in that band.
    CollectionError
        Raised if the table is not there any more.
    """
    from ..plots.catalogue import PLOTS, draw_fit
    from ..plots.inputs import opened_input
    from ..plots.reading import fitting

    if band is not None and choice.bands and band not in choice.bands:
        raise UnknownNameError(f"band of {choice.title.lower()}", band, choice.bands)
    wanted = usual_band(choice.bands) if band is None else band
    with _DRAWING, opened_input(choice.input) as source:
        fits = fitting(PLOTS[choice.name], source, choice.input.kind)
        fit = next((fit for fit in fits if fit.band == wanted), fits[0])
        return draw_fit(fit, source, dict(choice.input.where))


def usual_band(bands: Sequence[str]) -> str | None:
    """Choose a band to begin with.

    Parameters
    ----------
    bands : `~collections.abc.Sequence` [`str`]
        Those that there are.

    Returns
    -------
    band : `str` or `None`
        One of those where most is seen; `None` for none.
    """
    return next((band for band in "irzgyu" if band in bands), None)


@contextlib.contextmanager
def opened_kind(found: Choices, kind: str) -> Iterator[tuple[Input, Readable]]:
    """Open the best table of a kind.

    Parameters
    ----------
    found : `Choices`
        What there is.
    kind : `str`
        Kind of table.

    Yields
    ------
    found : `tuple` [`Input`, `Readable`]
        Which it is, and the table.

    Raises
    ------
    UnknownNameError
        Raised if there is none.
    """
    from ..plots.inputs import opened_input

    # Of detections that hold ids alone, the join says more.
    fitted = [one for one in found.inputs if one.kind == kind]
    if not fitted:
        raise UnknownNameError("table of this data ID", kind, [one.kind for one in found.inputs])
    best = next((one for one in fitted if _fits(one)), fitted[0])
    with _DRAWING, opened_input(best) as source:
        yield best, source
