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

"""A standard plot of a data ID, as a chart and as a picture."""

from __future__ import annotations

__all__ = ["VIEW", "data", "data_id_of", "describe", "found_choices"]

from collections.abc import Mapping
from typing import Any

import sqlalchemy
from starlette.requests import Request
from starlette.responses import Response

from ... import plots
from ...errors import CollectionError, UnknownNameError
from ...plots.drawing import Drawing
from ...plots.picture import FORMATS, picture
from ...store.data_ids import data_id_measurements
from .. import answers, arrange, memory
from ..charts.standard import standard_chart
from ..drawings import Choice, Choices, choices, drawing, usual_band
from ..links import Links
from ..site import Data, Site, View

NAMES = ("instrument", "visit", "exposure", "detector", "skymap", "tract", "patch")
"""The parameters that make a data ID."""

_ENOUGH = 200


def found_choices(
    engine: sqlalchemy.Engine, data_id: Mapping[str, Any], run: str | None
) -> tuple[Data, Choices]:
    """Find a data ID's plots by what was measured of it.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    data_id : `~collections.abc.Mapping` [`str`, `typing.Any`]
        A visit, exposure or tract, and what narrows it.
    run : `str` or `None`
        Only the repository of this run.

    Returns
    -------
    data_id : `dict` [`str`, `typing.Any`]
        With instrument and skymap where they were left out.
    choices : `Choices`
        The plots.

    Raises
    ------
    InputError
        Raised if it names neither visit, exposure nor tract.
    UnknownNameError
        Raised if nothing was measured of it.
    """
    found = data_id_measurements(engine, data_id, None, _ENOUGH)
    if run is not None:
        found = [row for row in found if row.run == run]
    if not found:
        raise UnknownNameError("data ID with values named", arrange.where(data_id), [])
    full = data_id_of(data_id, found)
    return full, choices(engine, [row.run for row in found], full)


def data_id_of(data_id: Mapping[str, Any], found: list[Any]) -> Data:
    """Complete a data ID by the measurements of it.

    Parameters
    ----------
    data_id : `~collections.abc.Mapping` [`str`, `typing.Any`]
        What was asked for.
    found : `list` [`lsst.qa.store.records.Measurement`]
        Measurements of it.

    Returns
    -------
    data_id : `dict` [`str`, `typing.Any`]
        With instrument and skymap.
    """
    full = {name: data_id.get(name) for name in NAMES}
    for name in ("instrument", "skymap"):
        if full[name] is None:
            full[name] = next((value for row in found if (value := getattr(row, name)) is not None), None)
    return full


def describe(plots: tuple[Choice, ...]) -> list[Data]:
    """Describe the plots that can be drawn.

    Parameters
    ----------
    plots : `tuple` [`Choice`, ...]
        The plots.

    Returns
    -------
    described : `list` [`dict`]
        With ``name``, ``title``, ``bands``, ``table``, ``dataset`` and ``of``.
    """
    return [
        {
            "name": one.name,
            "title": one.title,
            "bands": list(one.bands),
            "table": one.input.kind,
            "dataset_type": one.input.table.dataset_type,
            "run": one.input.table.run,
            "uuid": one.input.table.uuid,
        }
        for one in plots
    ]


def data(
    engine: sqlalchemy.Engine,
    data_id: Mapping[str, Any],
    run: str | None = None,
    name: str | None = None,
    band: str | None = None,
) -> tuple[Data, Drawing]:
    """Return a plot of a data ID.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    data_id : `~collections.abc.Mapping` [`str`, `typing.Any`]
        A visit, exposure or tract, and what narrows it.
    run : `str`, optional
        Only the repository of this run.
    name : `str`, optional
        The plot; the first if not given.
    band : `str`, optional
        Band that it is drawn in.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``data_id``, ``run``, the ``plots`` that there are, and of this one
        ``name``, ``title``, ``doc``, ``band``, ``n``, ``of``, ``notes`` and
        ``source``.
    drawing : `Drawing`
        What is drawn.

    Raises
    ------
    UnknownNameError
        Raised if there is no such plot, or none of this data ID.
    CollectionError
        Raised if there are no tables to draw.
    """
    if name is not None:
        plots.find_plot(name)
    full, found = found_choices(engine, data_id, run)
    if not found.plots:
        raise CollectionError(found.message)
    chosen = next((one for one in found.plots if name in (None, one.name)), None)
    if chosen is None:
        raise UnknownNameError("plot of this data ID", name or "", [one.name for one in found.plots])
    drawn = drawing(chosen, band)
    described = describe(found.plots)
    shown = band if chosen.bands and band else usual_band(chosen.bands)
    return {
        "data_id": full,
        "run": run,
        "plots": described,
        "name": chosen.name,
        "title": chosen.title,
        "doc": plots.find_plot(chosen.name).doc,
        "band": shown,
        "source": next(one for one in described if one["name"] == chosen.name),
        "n": drawn.n,
        "of": drawn.of,
        "notes": list(drawn.notes),
    }, drawn


def row_link(links: Links, shown: Data) -> str:
    """Return the address to which the id of a point is added.

    Parameters
    ----------
    links : `Links`
        Addresses.
    shown : `dict` [`str`, `typing.Any`]
        What `data` returned.

    Returns
    -------
    address : `str`
        Without the id.
    """
    table = shown["source"]["table"]
    return links.page("rows", run=shown["run"], **shown["data_id"], table=table, id="")


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """

    @site.route("/plot", "/plot.json", *(f"/plot.{form}" for form in FORMATS))
    def plot(
        request: Request,
        instrument: str | None = None,
        visit: int | None = None,
        exposure: int | None = None,
        detector: int | None = None,
        skymap: str | None = None,
        tract: int | None = None,
        patch: int | None = None,
        run: str | None = None,
        name: str | None = None,
        band: str | None = None,
    ) -> Response:
        values = (instrument, visit, exposure, detector, skymap, tract, patch)
        shown, drawn = data(site.engine, dict(zip(NAMES, values)), run, name, band)
        form = request.url.path.rpartition(".")[2]
        if form in FORMATS:
            title = f"{shown['title']}{' in ' + shown['band'] if shown['band'] else ''}, "
            made = picture(drawn, title + arrange.where(shown["data_id"]), form)
            memory.give_back()  # figures are large, and wait for each other to go
            return answers.bytes_answer(request, made, FORMATS[form])
        if form == "json":
            return site.show(request, VIEW, {**shown, "drawing": drawn.to_dict()})
        row = row_link(site.links, shown)
        return site.show(request, VIEW, shown, lambda _: {"plot": standard_chart(drawn, row)})


VIEW = View("plot", add, section="nights")
