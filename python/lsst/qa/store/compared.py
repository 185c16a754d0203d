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

"""The same data IDs in two runs, side by side."""

from __future__ import annotations

__all__ = ["Pair", "Paired", "paired"]

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from .database import tables

_DATA_ID = ("instrument", "visit", "exposure", "skymap", "tract", "patch", "physical_filter")
_KEY = ("metric_id", "band", "bin_low", *_DATA_ID)


class Pair(NamedTuple):
    """A data ID that two runs have a value of.

    Attributes
    ----------
    bin_low : `float` or `None`
        Lower edge of the bin, of a binned metric.
    data_id : `dict`
        Names and values of what it is of.
    """

    bin_low: float | None
    data_id: dict[str, Any]


class Paired(NamedTuple):
    """A metric in a band, in two runs.

    Attributes
    ----------
    metric, band, unit : `str` or `None`
        What was measured.
    pairs : `list` [`Pair`]
        The data IDs that both have, n of them.
    before, after, before_error, after_error : `numpy.ndarray`, (n,)
        Values and errors; NaN where unknown.
    only_before, only_after : `numpy.ndarray`, (m, 2)
        Values and errors of data IDs that only one run has.
    """

    metric: str
    band: str | None
    unit: str
    pairs: list[Pair]
    before: np.ndarray
    after: np.ndarray
    before_error: np.ndarray
    after_error: np.ndarray
    only_before: np.ndarray
    only_after: np.ndarray


def paired(
    engine: sa.Engine,
    before: int,
    after: int,
    metric: str | None = None,
    band: str | None = None,
) -> list[Paired]:
    """Pair the measurements of two runs, those of single detectors apart.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    before, after : `int`
        Numbers of the runs.
    metric, band : `str`, optional
        Only this metric, only this band.

    Returns
    -------
    paired : `list` [`Paired`]
        By metric and band. Of several rows of a run for one data ID the
        latest loaded counts; rows in another unit than the other run's are
        not paired.
    """
    first, second = (_rows(engine, run, metric, band) for run in (before, after))
    names = {row.metric_id: row.name for rows in (first, second) for row in rows.values()}
    grouped: dict[tuple[Any, ...], list[tuple[Any, Any]]] = {}
    for key in (*first, *(key for key in second if key not in first)):
        one, other = first.get(key), second.get(key)
        unit = (one or other).unit  # type: ignore[union-attr]
        if one is not None and other is not None and one.unit != other.unit:
            grouped.setdefault((key[0], key[1], one.unit), []).append((one, None))
            grouped.setdefault((key[0], key[1], other.unit), []).append((None, other))
        else:
            grouped.setdefault((key[0], key[1], unit), []).append((one, other))
    found = [_paired(names[key[0]], key[1], key[2], rows) for key, rows in grouped.items()]
    return sorted(found, key=lambda one: (one.metric, one.band or "", one.unit))


def _paired(metric: str, band: str | None, unit: str, rows: list[tuple[Any, Any]]) -> Paired:
    both = [(one, other) for one, other in rows if one is not None and other is not None]
    alone = [one for one, other in rows if other is None], [other for one, other in rows if one is None]
    before, after = (_numbers(side) for side in zip(*both)) if both else (_numbers(()), _numbers(()))
    pairs = [
        Pair(one.bin_low, {name: value for name in _DATA_ID if (value := getattr(one, name)) is not None})
        for one, _ in both
    ]
    return Paired(
        metric,
        band,
        unit,
        pairs,
        before=before[:, 0],
        after=after[:, 0],
        before_error=before[:, 1],
        after_error=after[:, 1],
        only_before=_numbers(alone[0]),
        only_after=_numbers(alone[1]),
    )


def _numbers(rows: Sequence[Any]) -> np.ndarray:
    numbers = [[math.nan if x is None else x for x in (row.value, row.error)] for row in rows]
    return np.array(numbers, dtype=float).reshape(-1, 2)


def _rows(engine: sa.Engine, run: int, metric: str | None, band: str | None) -> dict[tuple[Any, ...], Any]:
    """Read what a run holds of whole visits and tracts, by data ID."""
    definition, dataset, rows = tables().metric, tables().dataset, tables().measurement
    joined = rows.join(dataset, rows.c.dataset_id == dataset.c.dataset_id).join(
        definition, rows.c.metric_id == definition.c.metric_id
    )
    fields = (*_KEY, "value", "error", "unit")
    chosen = (
        sa.select(*(rows.c[name] for name in fields), definition.c.name)
        .select_from(joined)
        .where(dataset.c.run_id == run, rows.c.detector.is_(None))
        .order_by(rows.c.dataset_id, rows.c.row_number)
    )
    if metric is not None:
        chosen = chosen.where(definition.c.name == metric)
    if band is not None:
        chosen = chosen.where(rows.c.band == band)
    with engine.connect() as connection:
        return {tuple(row)[: len(_KEY)]: row for row in connection.execute(chosen)}
