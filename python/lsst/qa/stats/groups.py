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

"""Rows gathered in groups, as a star's detections, and statistics of each
group.
"""

from __future__ import annotations

__all__ = ["Groups", "group_rows"]

import dataclasses
from collections.abc import Callable

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Groups:
    """Groups of consecutive rows.

    Attributes
    ----------
    keys : `numpy.ndarray`, (g,)
        Key of each group, ascending.
    starts : `numpy.ndarray`, (g,)
        First row of each group.
    counts : `numpy.ndarray`, (g,)
        Number of rows of each group, at least 1.
    """

    keys: np.ndarray
    starts: np.ndarray
    counts: np.ndarray

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def labels(self) -> np.ndarray:
        """Number of the group that each row belongs to, (r,)."""
        return np.repeat(np.arange(len(self)), self.counts)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Give each row its group's value.

        Parameters
        ----------
        values : `numpy.ndarray`, (g,)
            One value per group.

        Returns
        -------
        spread : `numpy.ndarray`, (r,)
            One value per row.
        """
        return np.repeat(values, self.counts)

    def take(self, chosen: np.ndarray) -> Groups:
        """Return the groups that are chosen; rows go with `Groups.rows_of`.

        Parameters
        ----------
        chosen : `numpy.ndarray` of `bool`, (g,)
            Groups to keep.

        Returns
        -------
        groups : `Groups`
            The groups that are left.
        """
        counts = self.counts[chosen]
        starts = np.concatenate(([0], np.cumsum(counts)[:-1])).astype(np.int64)[: len(counts)]
        return Groups(self.keys[chosen], starts, counts)

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Add up each group's values.

        Parameters
        ----------
        values : `numpy.ndarray`, (r,)
            One value per row.

        Returns
        -------
        sums : `numpy.ndarray`, (g,)
            One value per group.
        """
        if not len(self):
            return np.zeros(0)
        return np.add.reduceat(np.asarray(values, dtype=np.float64), self.starts)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Return each group's arithmetic mean.

        Parameters
        ----------
        values : `numpy.ndarray`, (r,)
            One value per row.

        Returns
        -------
        means : `numpy.ndarray`, (g,)
            NaN where a value of the group is.
        """
        return self.sum(values) / self.counts

    def deviations(self, values: np.ndarray) -> np.ndarray:
        """Return how far each row is from its group's mean.

        Parameters
        ----------
        values : `numpy.ndarray`, (r,)
            One value per row.

        Returns
        -------
        deviations : `numpy.ndarray`, (r,)
            Value minus mean.
        """
        # The first value of the group as origin keeps the digits that a large
        # offset would cost.
        shifted = values - self.spread(values[self.starts]) if len(self) else values
        return shifted - self.spread(self.mean(shifted))

    def rms(self, values: np.ndarray, ddof: int = 1) -> np.ndarray:
        """Return each group's rms about its mean.

        Parameters
        ----------
        values : `numpy.ndarray`, (r,)
            One value per row.
        ddof : `int`, optional
            1 for the unbiased variance, 0 for the population's.

        Returns
        -------
        rms : `numpy.ndarray`, (g,)
            NaN where a group has too few rows or a value is NaN.
        """
        squares = self.sum(self.deviations(values) ** 2)
        free = np.where(self.counts > ddof, self.counts - ddof, np.nan)
        return np.sqrt(squares / free)

    def median(self, values: np.ndarray) -> np.ndarray:
        """Return each group's median.

        Parameters
        ----------
        values : `numpy.ndarray`, (r,)
            One value per row.

        Returns
        -------
        medians : `numpy.ndarray`, (g,)
            NaN where a value of the group is.
        """
        medians = np.empty(len(self))
        for count in np.unique(self.counts).tolist():
            # Groups of one size make a rectangle; its rows are sorted at once.
            chosen = np.flatnonzero(self.counts == count)
            rows = values[self.starts[chosen][:, None] + np.arange(count)]
            rows.sort(axis=1)
            middle = 0.5 * (rows[:, (count - 1) // 2] + rows[:, count // 2])
            medians[chosen] = np.where(np.isnan(rows[:, -1]), np.nan, middle)  # NaN sorts last
        return medians

    def median_at_least(self, values: np.ndarray, limit: float) -> np.ndarray:
        """Tell which groups have a median of at least a limit.

        Parameters
        ----------
        values : `numpy.ndarray`, (r,)
            One value per row; NaN is less than any.
        limit : `float`
            The limit.

        Returns
        -------
        held : `numpy.ndarray` of `bool`, (g,)
            What ``median(values) >= limit`` tells, mostly by counting.
        """
        return self._majority(values >= limit, lambda groups, rows: groups.median(values[rows]) >= limit)

    def median_below(self, values: np.ndarray, limit: float) -> np.ndarray:
        """Tell which groups have a median below a limit.

        Parameters
        ----------
        values : `numpy.ndarray`, (r,)
            One value per row; NaN is not below any.
        limit : `float`
            The limit.

        Returns
        -------
        held : `numpy.ndarray` of `bool`, (g,)
            What ``median(values) < limit`` tells, mostly by counting.
        """
        return self._majority(values < limit, lambda groups, rows: groups.median(values[rows]) < limit)

    def _majority(self, mask: np.ndarray, exactly: Callable[[Groups, np.ndarray], np.ndarray]) -> np.ndarray:
        """Tell where most rows are true; where just half are, ask."""
        if not len(self):
            return np.zeros(0, dtype=bool)
        twice = 2 * np.add.reduceat(mask.view(np.int8), self.starts, dtype=np.int32)
        held = twice > self.counts
        if len(even := np.flatnonzero(twice == self.counts)):
            chosen = np.zeros(len(self), dtype=bool)
            chosen[even] = True
            held[even] = exactly(self.take(chosen), self.spread(chosen))
        return held

    def all(self, mask: np.ndarray) -> np.ndarray:
        """Tell in which groups a condition holds for every row.

        Parameters
        ----------
        mask : `numpy.ndarray` of `bool`, (r,)
            The condition.

        Returns
        -------
        held : `numpy.ndarray` of `bool`, (g,)
            One per group.
        """
        if not len(self):
            return np.zeros(0, dtype=bool)
        return np.logical_and.reduceat(mask, self.starts)


def group_rows(keys: np.ndarray) -> tuple[np.ndarray | None, Groups]:
    """Gather rows with the same key, whatever order they come in.

    Parameters
    ----------
    keys : `numpy.ndarray` of `int`, (r,)
        Key of the group of each row.

    Returns
    -------
    index : `numpy.ndarray` of `int`, (r,), or `None`
        Order that puts the rows of a group beside each other; `None` if
        they are in it.
    groups : `Groups`
        The groups of the rows in that order.
    """
    index = None if np.all(keys[1:] >= keys[:-1]) else np.argsort(keys)
    ordered = keys if index is None else keys[index]
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(first)
    counts = np.diff(np.append(starts, len(ordered)))
    return index, Groups(ordered[starts], starts, counts)
