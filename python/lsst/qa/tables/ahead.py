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

"""Reading on while what was read is worked on."""

from __future__ import annotations

__all__ = ["ahead"]

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

_T = TypeVar("_T")

_END: Any = object()


def ahead(items: Generator[_T, None, None]) -> Generator[_T, None, None]:
    """Get the next item in a thread of its own while one is worked on.

    Parameters
    ----------
    items : `~collections.abc.Generator`
        What to get; one item is waiting at most.

    Yields
    ------
    item : `typing.Any`
        The items, in their order; what getting one raises is raised here.
    """
    try:
        with ThreadPoolExecutor(1, "lsst-qa-ahead") as thread:
            coming = thread.submit(next, items, _END)
            while (item := coming.result()) is not _END:
                coming = thread.submit(next, items, _END)
                yield item
                del item  # not to be held while the next one is waited for
    finally:
        items.close()
