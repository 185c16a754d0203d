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

__all__ = ["SUMMARY_COLUMNS", "band_key", "condense", "grouped", "summary"]

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..stats import median
from .records import Summary

SUMMARY_COLUMNS = ("band", "value", "error", "n", "status", "unit", "message")
"""Columns that `condense` needs of a row, in this order."""

_BAND_ORDER = "ugrizy"


def grouped(rows: Iterable[Sequence[Any]]) -> dict[tuple[Any, str | None], list[Sequence[Any]]]:
    """Put rows of the same metric (or run) and band together.

    Parameters
    ----------
    rows : `~collections.abc.Iterable` [`~collections.abc.Sequence`]
        What they belong to, and then `SUMMARY_COLUMNS`.

    Returns
    -------
    groups : `dict`
        Lists of `SUMMARY_COLUMNS` by what they belong to and band; in order,
        the bands from blue to red.
    """
    groups: dict[tuple[Hashable, str | None], list[Sequence[Any]]] = {}
    for owner, *columns in rows:
        groups.setdefault((owner, columns[0]), []).append(columns)
    return dict(sorted(groups.items(), key=lambda item: (item[0][0], *band_key(item[0][1]))))


def condense(rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Summarize the rows of a metric in a band.

    Parameters
    ----------
    rows : `~collections.abc.Sequence` [`~collections.abc.Sequence`]
        `SUMMARY_COLUMNS` of at least one row.

    Returns
    -------
    summary : `dict` [`str`, `typing.Any`]
        Columns of the table of summaries by name; null where a number is
        undefined.
    """
    _, values, errors, numbers, states, units, _ = zip(*rows)
    known = np.array([value for value in values if value is not None], dtype=float)
    center, error, _ = median(known)
    if len(known) == 1:
        error = next(np.nan if e is None else e for v, e in zip(values, errors) if v is not None)
    counts = Counter(states)
    low, high, far = (
        (known.min(), known.max(), known[np.argmax(np.abs(known - center))]) if len(known) else (np.nan,) * 3
    )
    numbers_of = {"value": center, "error": error, "low": low, "high": high, "far": far}
    return {
        "unit": next((unit for unit in units if unit is not None), None),
        # PostgreSQL keeps no sign of zero.
        **{name: None if np.isnan(number) else float(number) + 0.0 for name, number in numbers_of.items()},
        "n_rows": len(rows),
        "n": sum(number or 0 for number in numbers),
        **{f"n_{status}": counts[status] for status in ("ok", "empty", "undefined", "failed")},
        "message": _message(rows),
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


def _message(rows: Sequence[Sequence[Any]]) -> str | None:
    said = [(row[4] != "failed", row[6]) for row in rows if row[4] != "ok" and row[6]]
    return min(said, key=lambda item: item[0])[1] if said else None
