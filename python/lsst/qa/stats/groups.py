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
import functools
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from .laid import Laid
from .middle import MOST_COLUMNS
from .ranges import rows_of_runs
from .sides import number_in, on_side

_FEW_LIMITS = 2
"""Limits of an array that are sooner compared with its rows than with its
medians.
"""


@dataclasses.dataclass(frozen=True, eq=False)
class Groups:
    """Groups of consecutive rows.

    What was worked out once of an array is remembered: asked for again of the
    same array, which must not change, it costs nothing.

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
    _known: dict[Any, tuple[tuple[np.ndarray, ...], np.ndarray]] = dataclasses.field(
        default_factory=dict, repr=False
    )
    _limits: Counter[int] = dataclasses.field(default_factory=Counter, repr=False)

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

    def rows_of(self, chosen: np.ndarray) -> np.ndarray:
        """List the rows of the groups that are chosen.

        Parameters
        ----------
        chosen : `numpy.ndarray` of `bool`, (g,)
            Groups to keep.

        Returns
        -------
        rows : `numpy.ndarray` of `int`, (k,)
            Their rows.
        """
        return rows_of_runs(self.starts[chosen], self.counts[chosen])

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
        if not len(self):
            return np.array(values, dtype=np.float64)
        # An origin within the group keeps the digits that a large offset would
        # cost; the least value is it in whatever order the rows come.
        shifted = np.subtract(values, self.spread(np.minimum.reduceat(values, self.starts)))
        shifted -= self.spread(self.mean(shifted))
        return shifted

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
        return self.once(("rms", ddof), (values,), lambda: self._rms(values, ddof))

    def _rms(self, values: np.ndarray, ddof: int) -> np.ndarray:
        values = np.asarray(values, dtype=np.float64)
        squares = np.empty(len(self))
        with np.errstate(invalid="ignore"):  # an infinite value makes NaN of its group
            squares[self._laid.order] = self._laid.squares(values)
            if len(self._laid.order) < len(self):
                large = self.counts > MOST_COLUMNS
                rest = self.take(large)
                away = rest.deviations(values[self.rows_of(large)])
                squares[large] = rest.sum(np.square(away, out=away))
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
        return self.once("median", (values,), lambda: self._median(values))

    def _median(self, values: np.ndarray) -> np.ndarray:
        medians = np.empty(len(self))
        medians[self._laid.order] = self._laid.medians(values)
        for count in np.unique(self.counts[self.counts > MOST_COLUMNS]).tolist():
            chosen = np.flatnonzero(self.counts == count)
            # Groups of one size make a rectangle; its rows are sorted at once.
            rows = values[self.starts[chosen, None] + np.arange(count)]
            rows.sort(axis=1)
            half = 0.5 * (rows[:, (count - 1) // 2] + rows[:, count // 2])
            medians[chosen] = np.where(np.isnan(rows[:, -1]), np.nan, half)  # NaN sorts last
        return medians

    @functools.cached_property
    def _laid(self) -> Laid:
        return Laid(self.starts, self.counts)

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
            What ``median(values) >= limit`` tells; where there is a NaN,
            whether more than half the rows are.
        """
        return self._compared(values, limit, np.greater_equal)

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
            What ``median(values) < limit`` tells; where there is a NaN,
            whether more than half the rows are.
        """
        return self._compared(values, limit, np.less)

    def finite(self, values: np.ndarray) -> np.ndarray:
        """Tell in which groups every row has a finite value.

        Parameters
        ----------
        values : `numpy.ndarray`, (r,)
            One value per row.

        Returns
        -------
        held : `numpy.ndarray` of `bool`, (g,)
            One per group.
        """
        return self.once("finite", (values,), lambda: self.all(np.isfinite(values)))

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
        if mask.all():
            return np.ones(len(self), dtype=bool)
        return np.logical_and.reduceat(mask, self.starts)

    def once(self, what: Any, given: tuple[np.ndarray, ...], work: Callable[[], np.ndarray]) -> np.ndarray:
        """Work something out, or return what is known of it.

        Parameters
        ----------
        what : `~collections.abc.Hashable`
            What it is.
        given : `tuple` [`numpy.ndarray`, ...]
            The arrays that it is made of, which must not change.
        work : `~collections.abc.Callable`
            Works it out.

        Returns
        -------
        result : `numpy.ndarray`
            The result, which cannot be written to.
        """
        key = (what, *map(id, given))
        if key not in self._known:
            # The arrays are kept, so that no id is given to another one.
            self._known[key] = given, work()
            self._known[key][1].flags.writeable = False
        return self._known[key][1]

    def _compared(self, values: np.ndarray, limit: float, than: np.ufunc) -> np.ndarray:
        """Compare medians with a limit; of groups that have none, most rows
        decide.
        """

        def work() -> np.ndarray:
            self._limits[id(values)] += 1
            if self._limits[id(values)] <= _FEW_LIMITS:
                return on_side(values, self.starts, self.counts, limit, than)
            medians = self.median(values)
            unknown = self.once("unknown", (values,), lambda: np.flatnonzero(np.isnan(medians)))
            held: np.ndarray = than(medians, limit)
            if len(unknown):
                rows = number_in(than(values, limit), self.starts, self.counts)
                held[unknown] = 2 * rows[unknown] > self.counts[unknown]
            return held

        return self.once((than, limit), (values,), work)


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
    groups = _runs(keys)
    # Keys of runs ascend if those of all rows do.
    if np.all(groups.keys[1:] > groups.keys[:-1]):
        return None, groups
    index = np.argsort(keys)
    return index, _runs(keys[index])


def _runs(keys: np.ndarray) -> Groups:
    """Take rows beside each other that share a key as a group."""
    first = np.ones(len(keys), dtype=bool)
    first[1:] = keys[1:] != keys[:-1]
    starts = np.flatnonzero(first)
    ends = np.empty_like(starts)
    ends[:-1], ends[-1:] = starts[1:], len(keys)
    return Groups(keys[starts], starts, ends - starts)
