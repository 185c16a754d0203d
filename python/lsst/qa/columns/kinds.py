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

"""What a column and a table are, as metrics know them."""

from __future__ import annotations

__all__ = ["ANY_BAND", "BANDS", "BAND_PREFIX", "OBS_MJD", "Column", "Derived", "Table"]

import dataclasses
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

BANDS = "ugrizy"
BAND_PREFIX = "{band}_"
ANY_BAND = "*"
OBS_MJD = "expMidptMJD"
"""Column of the middle of an exposure, an MJD (TAI) that a visit's rows share.
"""


class Derived(NamedTuple):
    """A way to compute a column from others of the same table."""

    function: Callable[..., np.ndarray]
    inputs: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Column:
    """A column as metrics know it.

    Attributes
    ----------
    name : `str`
        Its name, also the parameter's name in a metric.
    kind : `str`
        "real" (float64), "int" (int64), "flag" (bool) or "text".
    unit : `str`
        Unit that its values are handed over in.
    aliases : `tuple` [`str`, ...]
        Names in other releases, first match wins, after its own name unless
        that stands among them.
    derived : `tuple` [`Derived`, ...]
        Ways to compute it where it is absent.
    applied : `bool` or `None`
        For a quality column, the value of a good row: also what is assumed
        where a caller declares the cut to be applied already.
    stated : `str` or `None`
        Unit of a column that does not state its own, if not ``unit``.
    """

    name: str
    kind: str = "real"
    unit: str = ""
    aliases: tuple[str, ...] = ()
    derived: tuple[Derived, ...] = ()
    applied: bool | None = None
    stated: str | None = None


@dataclasses.dataclass(frozen=True)
class Table:
    """A kind of input table.

    Attributes
    ----------
    name : `str`
        Name of the kind.
    doc : `str`
        What a row is.
    columns : `dict` [`str`, `Column`]
        What metrics may ask for.
    split : `tuple` [`str`, ...]
        Columns whose values are measured apart from each other.
    time : `str`
        Column of the time that rows measured together share, "" for none.
    signature : `tuple` [`str`, ...]
        Columns that tell this kind of table.
    without : `tuple` [`str`, ...]
        Columns that this kind of table does not have.
    group : `str`
        Column that numbers the groups, "" where there are none.
    by_band : `bool`
        Whether columns carry the band as a prefix.
    """

    name: str
    doc: str
    columns: Mapping[str, Column]
    split: tuple[str, ...]
    signature: tuple[str, ...]
    without: tuple[str, ...] = ()
    group: str = ""
    time: str = ""
    by_band: bool = False

    def column(self, name: str) -> tuple[Column, str | None] | None:
        """Look a metric's column up.

        Parameters
        ----------
        name : `str`
            A column's name, without its band where it is any band's, with
            it where it is that band's.

        Returns
        -------
        found : `tuple` [`Column`, `str` or `None`] or `None`
            The column, and its band: `ANY_BAND` for any, `None` for a
            column that has no band; `None` alone for a name that is
            not known.
        """
        if name in self.columns:
            return self.columns[name], None
        if not self.by_band:
            return None
        if found := self.columns.get(BAND_PREFIX + name):
            return found, ANY_BAND
        if name[:1] in BANDS and (found := self.columns.get(BAND_PREFIX + name[2:])) and name[1:2] == "_":
            return found, name[0]
        return None
