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

"""A metric over the visits and tracts of a run: median, scatter and worst."""

from __future__ import annotations

__all__ = ["SUMMARY_COLUMNS", "band_key", "condense", "summary"]

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..stats import median
from .records import Summary

SUMMARY_COLUMNS = ("value", "error", "n", "status", "unit", "message")
"""Columns that `condense` needs of a row, in this order."""

_BAND_ORDER = "ugrizy"


def condense(rows: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """Summarize the rows of a metric in a band.

    Parameters
    ----------
    rows : `~collections.abc.Iterable` [`~collections.abc.Sequence`]
        `SUMMARY_COLUMNS` of at least one row; only the values of all of them
        are in memory.

    Returns
    -------
    summary : `dict` [`str`, `typing.Any`]
        Columns of the table of summaries by name; null where a number is
        undefined.
    """
    values, n, counts = array("d"), 0, Counter[str]()
    only = unit = None
    said: dict[bool, str] = {}
    for value, error, number, status, named, message in rows:
        if value is not None:
            values.append(value)
            only = error
        n += number or 0
        counts[status] += 1
        if unit is None:
            unit = named
        if status != "ok" and message:
            said.setdefault(status == "failed", message)
    known = np.asarray(values)
    center, error, _ = median(known)
    if len(known) == 1:
        error = np.nan if only is None else only
    low, high, far = (
        (known.min(), known.max(), known[np.argmax(np.abs(known - center))]) if len(known) else (np.nan,) * 3
    )
    numbers_of = {"value": center, "error": error, "low": low, "high": high, "far": far}
    return {
        "unit": unit,
        # PostgreSQL keeps no sign of zero.
        **{name: None if np.isnan(number) else float(number) + 0.0 for name, number in numbers_of.items()},
        "n_rows": counts.total(),
        "n": n,
        **{f"n_{status}": counts[status] for status in ("ok", "empty", "undefined", "failed")},
        "message": said.get(True, said.get(False)),
    }


def summary(
    metric: str, band: str | None, held: Mapping[str, Any], larger_is_better: bool | None = None
) -> Summary:
    """Return a summary as it is asked for.

    Parameters
    ----------
    metric : `str`
        Name of the metric.
    band : `str` or `None`
        Band.
    held : `~collections.abc.Mapping` [`str`, `typing.Any`]
        What `condense` returned, now or when it was stored.
    larger_is_better : `bool`, optional
        Which side is the bad one; `None` if no threshold says so.

    Returns
    -------
    summary : `Summary`
        The rows in one.
    """
    side = {None: "far", True: "low", False: "high"}[larger_is_better]
    names = ("unit", "n_rows", "n", "n_ok", "n_empty", "n_undefined", "n_failed", "message")
    value, error, worst = (np.nan if held[key] is None else held[key] for key in ("value", "error", side))
    return Summary(
        metric=metric,
        band=band,
        value=value,
        error=error,
        worst=worst,
        **{name: held[name] for name in names},
    )


def band_key(band: str | None) -> tuple[int, str]:
    """Return a key that sorts bands from blue to red.

    Parameters
    ----------
    band : `str` or `None`
        Band.

    Returns
    -------
    key : `tuple` [`int`, `str`]
        To be compared with the keys of other bands.
    """
    place = _BAND_ORDER.find(band) if band else -1
    return (place if place >= 0 or band is None else len(_BAND_ORDER), band or "")
