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

"""Tables that are no input of a metric by themselves, and what is."""

from __future__ import annotations

__all__ = ["STRANGERS", "Stranger", "stranger_among"]

from collections.abc import Collection
from typing import NamedTuple


class Stranger(NamedTuple):
    """A kind of table that nothing is measured in.

    Attributes
    ----------
    what : `str`
        What it is.
    instead : `str`
        What to do with it.
    signatures : `tuple` [`frozenset` [`str`], ...]
        Columns that tell it, in one release or another.
    """

    what: str
    instead: str
    signatures: tuple[frozenset[str], ...]


STRANGERS = (
    Stranger(
        "a reference catalogue",
        "sources and objects are measured against it, by pipelines/reference.yaml",
        (
            frozenset({"id", "coord_ra", "coord_dec", "pm_ra", "pm_dec"}),
            frozenset({"id", "coord_ra", "coord_dec", "r_flux", "r_fluxErr"}),
        ),
    ),
    Stranger(
        "forced photometry",
        "metrics are of the tables of sources and of objects",
        (frozenset({"forcedSourceId"}), frozenset({"objectId", "base_TransformedCentroid_x"})),
    ),
    Stranger(
        "objects of difference images",
        "metrics are of their sources",
        (frozenset({"diaObjectId", "nDiaSources"}),),
    ),
)


def stranger_among(names: Collection[str]) -> Stranger | None:
    """Tell whether columns are those of a table that nothing is measured in.

    Parameters
    ----------
    names : `~collections.abc.Collection` [`str`]
        Columns of a table.

    Returns
    -------
    stranger : `Stranger` or `None`
        What the table is, `None` if it is none of `STRANGERS`.
    """
    there = set(names)
    return next((one for one in STRANGERS if any(signature <= there for signature in one.signatures)), None)
