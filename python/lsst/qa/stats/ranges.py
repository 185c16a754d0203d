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

"""Runs of rows beside each other."""

from __future__ import annotations

__all__ = ["rows_of_runs"]

import numpy as np


def rows_of_runs(starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """List the rows of runs, one run after the other.

    Parameters
    ----------
    starts, counts : `numpy.ndarray` of `int`, (g,)
        First row and number of rows of each run.

    Returns
    -------
    rows : `numpy.ndarray` of `int`, (r,)
        All their rows.
    """
    ends = np.cumsum(counts)
    rows: np.ndarray = np.repeat(starts - ends + counts, counts)
    rows += np.arange(len(rows))
    return rows
