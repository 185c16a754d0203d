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

"""Verdicts and values in the order and shape in which a page shows them."""

from __future__ import annotations

__all__ = [
    "band_key",
    "by_metric",
    "by_run",
    "dataset_of",
    "matrix",
    "natural_key",
    "place",
    "thresholds",
    "where",
    "worst_first",
]

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..columns import BANDS
from ..dimensions import DATA_ID

_STAMP = re.compile(r"/?\d{8}T\d{6}Z$")
_NUMBER = re.compile(r"\d{2,}")


def matrix(cells: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Arrange verdicts by metric and band.

    Parameters
    ----------
    cells : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        Verdicts, in order of metric.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``bands``, and ``rows`` of a metric's name and its cells in their
        order, `None` where there is no verdict.
    """
    listed = list(cells)
    bands = sorted({cell["band"] for cell in listed}, key=band_key)
    rows = []
    for name, group in by_metric(listed):
        held = {cell["band"]: cell for cell in group}
        rows.append((name, [held.get(band) for band in bands]))
    return {"bands": bands, "rows": rows}


def by_metric(cells: Iterable[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Part verdicts, which come in order of metric, by metric.

    Parameters
    ----------
    cells : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        Verdicts.

    Returns
    -------
    groups : `list` [`tuple` [`str`, `list`]]
        Metrics in their order, each with its verdicts.
    """
    return [(name, list(group)) for name, group in itertools.groupby(cells, lambda cell: cell["metric"])]


def by_run(history: Iterable[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], dict[str | None, Any]]]:
    """Part the history of a metric by run.

    Parameters
    ----------
    history : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        Values of a metric, by run and band.

    Returns
    -------
    groups : `list` [`tuple` [`~collections.abc.Mapping`, `dict`]]
        For each run, latest first, one of its values and all by band.
    """
    held: dict[str, dict[str | None, Any]] = {}
    for point in history:
        held.setdefault(point["run"], {})[point["band"]] = point
    return [(next(iter(points.values())), points) for points in reversed(held.values())]


def thresholds(specs: Iterable[Mapping[str, Any]]) -> list[tuple[str, dict[str, Mapping[str, Any]]]]:
    """Part the thresholds of a metric by the bands they hold in.

    Parameters
    ----------
    specs : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        Thresholds.

    Returns
    -------
    groups : `list` [`tuple` [`str`, `dict`]]
        Bands, as in "gri" or "" for all, and their thresholds by level.
    """
    held: dict[str, dict[str, Mapping[str, Any]]] = {}
    for spec in specs:
        held.setdefault(spec["bands"], {})[spec["level"]] = spec
    return sorted(held.items(), key=lambda item: band_key(item[0][:1] or None))


def worst_first(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Sort judged rows so that what needs a look comes first.

    Parameters
    ----------
    rows : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        Verdicts.

    Returns
    -------
    rows : `list` [`~collections.abc.Mapping`]
        Failed ones first, the furthest beyond the threshold leading, then
        those without a value.
    """

    def key(row: Mapping[str, Any]) -> tuple[int, float]:
        rank = ("fail", "unknown", "pass", "none").index(row["state"])
        if row["value"] is None or row["threshold"] is None:
            return rank, 0.0
        excess = row["value"] - row["threshold"]
        return rank, -excess if row["op"] == "<=" else excess

    return sorted(rows, key=key)


def place(row: Mapping[str, Any]) -> dict[str, Any]:
    """Take of a row what the page of its data ID is asked by.

    Parameters
    ----------
    row : `~collections.abc.Mapping`
        A measurement.

    Returns
    -------
    data_id : `dict` [`str`, `typing.Any`]
        Visit or tract and what narrows it.
    """
    names = (name for name in DATA_ID if name not in ("day_obs", "physical_filter"))
    return {name: row[name] for name in names if row.get(name) is not None}


def where(row: Mapping[str, Any]) -> str:
    """Write the data ID of a row.

    Parameters
    ----------
    row : `~collections.abc.Mapping`
        A measurement.

    Returns
    -------
    text : `str`
        As in "visit 1228, detector 5"; without the day of a visit.
    """
    left = {"skymap", "physical_filter"}
    if any(row.get(name) is not None for name in ("visit", "exposure")):
        left.add("day_obs")
    shown = [name for name in DATA_ID if row.get(name) is not None and name not in left]
    return ", ".join(str(row[name]) if name == "instrument" else f"{name} {row[name]}" for name in shown)


def dataset_of(name: str) -> str:
    """Name the dataset that a run is of: runs that differ in times, weeks
    and other numbers only are of one.

    Parameters
    ----------
    name : `str`
        Name of the run.

    Returns
    -------
    dataset : `str`
        The name without its time, and with a star for each longer number.
    """
    return _NUMBER.sub("*", _STAMP.sub("", name)) or name


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts AM2 before AM10, and capitals first.

    Parameters
    ----------
    name : `str`
        Name of a metric.

    Returns
    -------
    key : `list`
        To be compared with the keys of other names.
    """
    parts = re.split(r"(\d+)", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def band_key(band: str | None) -> tuple[int, str]:
    """Return a key that sorts bands by wavelength, others after, none last.

    Parameters
    ----------
    band : `str` or `None`
        Name of the band.

    Returns
    -------
    key : `tuple` [`int`, `str`]
        To be compared with the keys of other bands.
    """
    if band is None:
        return len(BANDS) + 1, ""
    return (BANDS.index(band) if len(band) == 1 and band in BANDS else len(BANDS)), band
