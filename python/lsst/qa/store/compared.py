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

import dataclasses
from collections.abc import Collection
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
    keys : `list` [`tuple`]
        The data IDs that both have, n of them, as `pairs` tells them.
    both : `numpy.ndarray`, (n, 4)
        Values and errors before, and after; NaN where unknown.
    only_before, only_after : `numpy.ndarray`, (m, 2)
        Values and errors of data IDs that only one run has.
    """

    metric: str
    band: str | None
    unit: str
    keys: list[tuple[Any, ...]]
    both: np.ndarray
    only_before: np.ndarray
    only_after: np.ndarray

    @property
    def pairs(self) -> list[Pair]:
        """The data IDs that both have."""
        return [
            Pair(low, {name: value for name, value in zip(_DATA_ID, data_id) if value is not None})
            for _, _, low, *data_id in self.keys
        ]

    @property
    def before(self) -> np.ndarray:
        """Values of the first run, (n,)."""
        return self.both[:, 0]

    @property
    def before_error(self) -> np.ndarray:
        """Errors of the first run, (n,)."""
        return self.both[:, 1]

    @property
    def after(self) -> np.ndarray:
        """Values of the second run, (n,)."""
        return self.both[:, 2]

    @property
    def after_error(self) -> np.ndarray:
        """Errors of the second run, (n,)."""
        return self.both[:, 3]


@dataclasses.dataclass
class _Group:
    """What was found of a metric in a band."""

    metric: str
    keys: list[tuple[Any, ...]] = dataclasses.field(default_factory=list)
    both: list[tuple[Any, ...]] = dataclasses.field(default_factory=list)
    before: list[tuple[Any, ...]] = dataclasses.field(default_factory=list)
    after: list[tuple[Any, ...]] = dataclasses.field(default_factory=list)


def paired(
    engine: sa.Engine,
    before: int,
    after: int,
    metrics: Collection[str] | None = None,
    band: str | None = None,
) -> list[Paired]:
    """Pair the measurements of two runs, those of single detectors apart.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    before, after : `int`
        Numbers of the runs.
    metrics : `~collections.abc.Collection` [`str`], optional
        Only these metrics.
    band : `str`, optional
        Only this band.

    Returns
    -------
    paired : `list` [`Paired`]
        By metric and band. Of several rows of a run for one data ID the
        latest loaded counts; rows in another unit than the other run's are
        not paired.
    """
    first, second = (_rows(engine, run, metrics, band) for run in (before, after))
    groups: dict[tuple[Any, ...], _Group] = {}

    def group(key: tuple[Any, ...], name: str, unit: str) -> _Group:
        kept = (key[0], key[1], unit)
        if (found := groups.get(kept)) is None:
            found = groups[kept] = _Group(name)
        return found

    for key, (name, unit, *values) in first.items():
        of = group(key, name, unit)
        other = second.get(key)
        if other is None or other[1] != unit:
            of.before.append(tuple(values))
        else:
            of.keys.append(key)
            of.both.append((*values, *other[2:]))
    for key, (name, unit, *values) in second.items():
        other = first.get(key)
        if other is None or other[1] != unit:
            group(key, name, unit).after.append(tuple(values))
    found = [
        Paired(
            of.metric,
            band,
            unit,
            of.keys,
            _numbers(of.both, 4),
            _numbers(of.before, 2),
            _numbers(of.after, 2),
        )
        for (_, band, unit), of in groups.items()
    ]
    return sorted(found, key=lambda one: (one.metric, one.band or "", one.unit))


def _numbers(rows: list[tuple[Any, ...]], width: int) -> np.ndarray:
    # What is null becomes NaN.
    return np.array(rows, dtype=float).reshape(-1, width)


def _rows(
    engine: sa.Engine, run: int, metrics: Collection[str] | None, band: str | None
) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Read what a run holds of whole visits and tracts: by data ID the name of
    the metric, unit, value and error.
    """
    definition, dataset, rows = tables().metric, tables().dataset, tables().measurement
    joined = rows.join(dataset, rows.c.dataset_id == dataset.c.dataset_id).join(
        definition, rows.c.metric_id == definition.c.metric_id
    )
    columns = [rows.c[name] for name in _KEY]
    chosen = (
        sa.select(*columns, definition.c.name, rows.c.unit, rows.c.value, rows.c.error)
        .select_from(joined)
        .where(dataset.c.run_id == run, rows.c.detector.is_(None))
        .order_by(rows.c.dataset_id, rows.c.row_number)
    )
    if metrics is not None:
        chosen = chosen.where(definition.c.name.in_(metrics))
    if band is not None:
        chosen = chosen.where(rows.c.band == band)
    with engine.connect() as connection:
        # One by one they would take four times as long.
        return {row[: len(_KEY)]: row[len(_KEY) :] for row in connection.execute(chosen).all()}
