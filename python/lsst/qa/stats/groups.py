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
    visit : `numpy.ndarray`, (r,)
        Visit of each row.
    """

    keys: np.ndarray
    starts: np.ndarray
    counts: np.ndarray
    visit: np.ndarray

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
        return Groups(self.keys[chosen], starts, counts, self.visit[self.spread(chosen)])

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
        if not len(self):
            return np.zeros(0)
        ordered = values[np.lexsort((values, self.labels))]
        low = ordered[self.starts + (self.counts - 1) // 2]
        high = ordered[self.starts + self.counts // 2]
        last = ordered[self.starts + self.counts - 1]  # NaN sorts last
        return np.where(np.isnan(last), np.nan, 0.5 * (low + high))

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


def group_rows(keys: np.ndarray, *order: np.ndarray) -> tuple[np.ndarray, Groups]:
    """Gather rows with the same key, whatever order they come in.

    Parameters
    ----------
    keys : `numpy.ndarray` of `int`, (r,)
        Key of the group of each row.
    *order : `numpy.ndarray`, (r,)
        What rows of a group are ordered by: first the visit, then what
        makes the order unique.

    Returns
    -------
    index : `numpy.ndarray` of `int`, (r,)
        Order that puts the rows of a group beside each other.
    groups : `Groups`
        The groups of the rows in that order.
    """
    index = np.lexsort((*reversed(order), keys))
    ordered = keys[index]
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(first)
    counts = np.diff(np.append(starts, len(ordered)))
    return index, Groups(ordered[starts], starts, counts, order[0][index])
