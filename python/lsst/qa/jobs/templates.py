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

"""Texts with places for values, written as ``{name}``."""

from __future__ import annotations

__all__ = ["fields_of", "filled"]

import string
from collections.abc import Mapping


def fields_of(text: str) -> set[str]:
    """List the names in a text.

    Parameters
    ----------
    text : `str`
        Text with names between braces; braces that are meant as such are
        doubled.

    Returns
    -------
    names : `set` [`str`]
        The names.

    Raises
    ------
    ValueError
        Raised if there is a single brace, or something else than a name
        between braces.
    """
    names = set()
    for _, name, form, conversion in string.Formatter().parse(text):
        if name is None:
            continue
        if not name.isidentifier() or form or conversion:
            raise ValueError(f"only a name may stand between braces, not {name!r}")
        names.add(name)
    return names


def filled(text: str, values: Mapping[str, str]) -> str:
    """Put values into a text.

    Parameters
    ----------
    text : `str`
        As for `fields_of`.
    values : `~collections.abc.Mapping` [`str`, `str`]
        By name.

    Returns
    -------
    text : `str`
        With the values; braces in them mean nothing.
    """
    parts = string.Formatter().parse(text)
    return "".join(literal + (values[name] if name is not None else "") for literal, name, _, _ in parts)
