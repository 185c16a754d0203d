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

"""How much of a table is measured together, counted before it is measured."""

from __future__ import annotations

__all__ = ["largest_context", "largest_selections"]

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..columns import TABLES
from .contexts import runs
from .source import Source
from .task import Task, mask_columns, mask_of, selected_by


def largest_context(table: Source, tasks: Sequence[Task]) -> int | None:
    """Count the rows of the largest context, where those of each lie together.

    Parameters
    ----------
    table : `Source`
        The table, of which only those columns are read that tell contexts
        apart.
    tasks : `~collections.abc.Sequence` [`Task`]
        Metrics over columns.

    Returns
    -------
    rows : `int` or `None`
        Rows of the largest one; `None` if rows of one lie among others'.
    """
    split = TABLES[tasks[0].metric.table].split
    rows: Counter[tuple[Any, ...]] = Counter()
    last = None
    for piece in table.pieces(list(split)):
        for key, part in runs(piece, split):
            if key != last and key in rows:
                return None
            last = key
            rows[key] += part.stop - part.start
    return max(rows.values(), default=table.n_rows)


def largest_selections(table: Source, tasks: Sequence[Task], apart: bool) -> dict[Any, int]:
    """Count the rows that each selection keeps.

    Parameters
    ----------
    table : `Source`
        The table, of which only those columns are read by which rows are
        selected.
    tasks : `~collections.abc.Sequence` [`Task`]
        Metrics over columns.
    apart : `bool`
        Whether to count the rows of each context, which lie together.

    Returns
    -------
    rows : `dict` [`~collections.abc.Hashable`, `int`]
        Selected rows, of the context that has most, by selection.
    """
    split = TABLES[tasks[0].metric.table].split if apart else ()
    masks = {selected_by(task): mask for task in tasks if (mask := mask_of(task)) is not None}
    read = {*split, *(name for task in tasks for name in mask_columns(task))}
    most = dict.fromkeys(masks, 0)
    here, last = most.copy(), None
    for piece in table.pieces(sorted(read)) if masks else ():
        for key, rows in runs(piece, split):
            here, last = here if key == last else dict.fromkeys(masks, 0), key
            for selection, mask in masks.items():
                here[selection] += _number(mask, piece.take(rows))
                most[selection] = max(most[selection], here[selection])
    return most


def _number(mask: Any, piece: Any) -> int:
    try:
        return int(np.count_nonzero(mask(piece)))
    except Exception:  # the rows of its metrics will tell
        return 0
