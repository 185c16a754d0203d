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

"""One visit, detector or tract: all its metrics, and how to read its data."""

from __future__ import annotations

__all__ = ["VIEW", "data", "notebook"]

from collections.abc import Mapping
from typing import Any

import sqlalchemy
from starlette.requests import Request
from starlette.responses import Response

from ...errors import QaError, UnknownNameError
from ...store import query
from ...store.data_ids import DETAIL, PLACES, data_id_measurements
from ...store.records import Measurement, Run
from ...store.stored import pointer
from .. import arrange, shapes
from ..charts.standard import standard_chart
from ..drawings import choices
from ..site import Data, Site, View
from . import notes, plot

_ROWS = 2000
_POINTERS = 6
_DATA_ID = ("instrument", "visit", "exposure", "detector", "skymap", "tract", "patch")


def data(engine: sqlalchemy.Engine, data_id: Mapping[str, Any], run: str | None = None) -> Data:
    """Return the metrics of a data ID.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    data_id : `~collections.abc.Mapping` [`str`, `typing.Any`]
        A visit, exposure or tract, and what narrows it.
    run : `str`, optional
        Only values of this run; else the latest value of each metric.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``data_id``; the ``runs`` with values of it and the one asked for as
        ``run``; ``rows``, judged; ``datasets`` with what reads each:
        ``butler`` and ``notebook``, and the ``uri`` of its file where that is
        known here; ``notes``; the standard ``plots`` that
        there are, and why there are none as ``no_plots``.

    Raises
    ------
    InputError
        Raised if it names neither visit, exposure nor tract.
    UnknownNameError
        Raised if nothing was measured of it, or if there is no such run.
    """
    # All metrics, which no other page has to know.
    from ...catalogue import METRICS

    asked = {**dict.fromkeys((*PLACES, *DETAIL, "detector")), **data_id}
    held = None if run is None else shapes.found_run(engine, run)
    found = data_id_measurements(engine, asked, None if held is None else held.run_id, _ROWS)
    if not found:
        words = arrange.where(asked)
        raise UnknownNameError("data ID with values named", words, [])
    specs = query.specifications(engine)
    latest = _latest(found)
    runs = list(dict.fromkeys(row.run for row in found))
    full = plot.data_id_of(asked, latest)
    possible = choices(engine, runs, full)
    return {
        "data_id": asked,
        "run": run,
        "runs": runs,
        "plots": plot.describe(possible.plots),
        "kinds": list(dict.fromkeys(one.kind for one in possible.inputs)),
        "no_plots": possible.message,
        "rows": [
            {
                **shapes.taken(row, ("metric", "run", "task", "bin_low", "bin_high")),
                **shapes.row(row, specs.get(row.metric, ())),
                "table": METRICS[row.metric].table if row.metric in METRICS else None,
            }
            for row in sorted(latest, key=lambda row: _place(row, specs))
        ],
        "datasets": _datasets(engine, latest, at_hand=bool(possible.inputs)),
        "notes": notes.listed(engine, **{name: asked[name] for name in _DATA_ID}),
    }


def _latest(found: list[Measurement]) -> list[Measurement]:
    """Keep the first of the rows of one metric and bin."""
    kept: dict[tuple[Any, ...], Measurement] = {}
    for row in found:
        kept.setdefault((row.metric, row.band, row.bin_low, row.patch, row.physical_filter), row)
    return list(kept.values())


def _place(row: Measurement, specs: Mapping[str, Any]) -> tuple[Any, ...]:
    judged = not specs.get(row.metric)
    return (
        judged,
        "." in row.metric,
        arrange.natural_key(row.metric),
        arrange.band_key(row.band),
        row.bin_low or 0.0,
    )


def _datasets(engine: sqlalchemy.Engine, rows: list[Measurement], at_hand: bool) -> list[Data]:
    """List the datasets that hold rows, with what reads them."""
    first = {row.dataset_id: row for row in reversed(rows)}
    runs: dict[str, Run | None] = {row.run: query.get_run(engine, row.run) for row in first.values()}
    found: list[Data] = []
    for uuid, row in sorted(first.items(), key=lambda item: (item[1].run, item[1].dataset_type)):
        held = runs[row.run]
        repo = held.repo if held is not None and held.repo else "REPO"
        found.append(
            {
                "uuid": uuid,
                "run": row.run,
                "dataset_type": row.dataset_type,
                "butler": butler_query(repo, row),
                "notebook": notebook(repo, row),
                "uri": _uri(engine, uuid) if at_hand and len(found) < _POINTERS else None,
            }
        )
    return found


def _uri(engine: sqlalchemy.Engine, uuid: str) -> str | None:
    try:
        return pointer(engine, uuid).uri
    except QaError:
        return None  # a dataset that is gone, or of another kind


def butler_query(repo: str, row: Measurement) -> str:
    """Write what reads a dataset of results.

    Parameters
    ----------
    repo : `str`
        Root of the repository.
    row : `lsst.qa.store.records.Measurement`
        A row of the dataset.

    Returns
    -------
    code : `str`
        Lines of Python.
    """
    given = {name: getattr(row, name) for name in _DATA_ID if name != "detector"}
    arguments = "".join(f", {name}={value!r}" for name, value in given.items() if value is not None)
    return "\n".join(
        (
            "from lsst.daf.butler import Butler",
            "",
            f"butler = Butler.from_config({repo!r}, collections={row.run!r})",
            f'table = butler.get({row.dataset_type!r}{arguments}, storageClass="ArrowAstropy")',
        )
    )


def notebook(repo: str, row: Measurement) -> str:
    """Write a notebook's cell that shows a data ID's values and its tables.

    Parameters
    ----------
    repo : `str`
        Root of the repository.
    row : `lsst.qa.store.records.Measurement`
        A row of the dataset.

    Returns
    -------
    code : `str`
        Lines of Python.
    """
    given = {name: value for name in _DATA_ID if (value := getattr(row, name)) is not None}
    arguments = "".join(f", {name}={value!r}" for name, value in given.items())
    return "\n".join(
        (
            butler_query(repo, row),
            f"table = table[table['metric'] == {row.metric!r}]",
            "",
            "# The tables that it was measured in, and all else of this data ID:",
            f'for ref in butler.query_all_datasets("*", find_first=False, limit=20{arguments}):',
            "    print(ref)",
            "table",
        )
    )


def first_plot(site: Site, shown: Data) -> dict[str, str | None]:
    """Draw the first of the plots of a page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    shown : `dict` [`str`, `typing.Any`]
        What `data` returned; what is drawn is added as ``first``.

    Returns
    -------
    charts : `dict` [`str`, `str` or `None`]
        The chart.
    """
    shown["first"] = None
    if not shown["plots"]:
        return {}
    try:
        first, drawn = plot.data(site.engine, shown["data_id"], shown["run"], shown["plots"][0]["name"])
    except QaError as error:  # the values are there all the same
        shown["no_plots"] = str(error)
        return {}
    shown["first"] = first
    return {"plot": standard_chart(drawn, plot.row_link(site.links, first))}


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """

    @site.route("/data", "/data.json")
    def data_id(
        request: Request,
        instrument: str | None = None,
        visit: int | None = None,
        exposure: int | None = None,
        detector: int | None = None,
        day_obs: int | None = None,
        skymap: str | None = None,
        tract: int | None = None,
        patch: int | None = None,
        band: str | None = None,
        run: str | None = None,
    ) -> Response:
        asked = {
            "instrument": instrument,
            "visit": visit,
            "exposure": exposure,
            "detector": detector,
            "skymap": skymap,
            "tract": tract,
            "patch": patch,
            "band": band,
        }
        if day_obs is not None and not any(
            asked[name] is not None for name in ("visit", "exposure", "tract")
        ):
            return site.go(site.links.page(f"nights/{day_obs}", instrument=instrument))
        shown = data(site.engine, asked, run)
        return site.show(request, VIEW, shown, lambda given: first_plot(site, given))


VIEW = View("data_id", add, section="nights")
