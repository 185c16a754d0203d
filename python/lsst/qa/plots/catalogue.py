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

"""All standard plots, and drawing one of a table."""

from __future__ import annotations

__all__ = ["PLOTS", "draw", "draw_fit", "find_plot", "list_plots"]

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from ..errors import InputError, UnknownNameError
from ..tables.files import open_table
from ..tables.readable import Readable
from ..tables.reading import table_kind
from . import completeness, locus, magnitudes, repeatability, rho, size, sky, whiskers
from .declared import Plot
from .drawing import Drawing
from .reading import Fit, fitting, read_columns

PLOTS: dict[str, Plot] = {
    plot.name: plot
    for plot in (
        magnitudes.PLOT,
        size.PLOT,
        repeatability.PLOT,
        whiskers.PLOT,
        rho.PLOT,
        locus.PLOT,
        completeness.PLOT,
        sky.SKY_SOURCES,
        sky.BACKGROUND,
    )
}
"""The standard plots by name, in the order of pages."""


def list_plots() -> list[str]:
    """List the standard plots.

    Returns
    -------
    names : `list` [`str`]
        Their names.
    """
    return list(PLOTS)


def find_plot(name: str) -> Plot:
    """Look a plot up.

    Parameters
    ----------
    name : `str`
        Its name.

    Returns
    -------
    plot : `Plot`
        The plot.

    Raises
    ------
    UnknownNameError
        Raised if there is none.
    """
    if name not in PLOTS:
        raise UnknownNameError("plot", name, PLOTS)
    return PLOTS[name]


def draw(
    table: Readable | str | Path,
    name: str,
    *,
    kind: str | None = None,
    band: str | None = None,
    **where: int,
) -> Drawing:
    """Draw a plot of a table.

    Parameters
    ----------
    table : `Readable`, `str` or `~pathlib.Path`
        The table, or its file.
    name : `str`
        Name of the plot.
    kind : `str`, optional
        Kind of table; told by the columns if not given.
    band : `str`, optional
        Band, in a table with columns for each; the first that it can be
        drawn of if not given.
    **where : `int`
        Values that columns must have, as ``detector=31``.

    Returns
    -------
    drawing : `Drawing`
        What `lsst.qa.plots.picture` makes a figure of.

    Raises
    ------
    UnknownNameError
        Raised if there is no such plot.
    InputError
        Raised if the table is none that it can be drawn of.
    """
    plot = find_plot(name)
    source = open_table(table) if isinstance(table, str | Path) else table
    found = table_kind(source, kind)
    fits = [fit for fit in fitting(plot, source, found.name) if band in (None, fit.band)]
    if not fits:
        ways = "; ".join(f"{way.table}: {', '.join(plot.columns(way))}" for way in plot.ways)
        words = f" in {band}" if band else ""
        raise InputError(
            f"{plot.title} cannot be drawn of {source.name}{words}, a table of kind {found.name!r} with"
            f" {', '.join(sorted(source.units)) or 'no column'}. It takes of a table {ways}."
        )
    return draw_fit(fits[0], source, where)


def draw_fit(fit: Fit, source: Readable, where: Mapping[str, int]) -> Drawing:
    """Draw a plot in a way that fits a table.

    Parameters
    ----------
    fit : `Fit`
        The way.
    source : `Readable`
        The table.
    where : `~collections.abc.Mapping` [`str`, `int`]
        Values that columns must have.

    Returns
    -------
    drawing : `Drawing`
        With notes on what was left out, or assumed.
    """
    chosen = read_columns(fit, source, where)
    drawing = fit.plot.draw(fit.way, chosen.columns)
    notes = list(drawing.notes)
    if chosen.share < 1.0:
        notes.append(f"Of a sample of the rows: 1 in {round(1.0 / chosen.share)}.")
    cuts = sorted(set(fit.assumed) & set(fit.plot.selecting(fit.way)))
    if cuts:
        notes.append(f"Not selected by what the table lacks: {', '.join(cuts)}.")
    if not drawing.layers:
        notes.append(f"Nothing to draw: {chosen.n} of {source.n_rows} rows were selected.")
    return dataclasses.replace(drawing, notes=tuple(notes))
