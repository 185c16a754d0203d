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
"""Memory of a server that runs for months: what is free goes back."""

from __future__ import annotations

__all__ = ["give_back", "keep_low", "resident"]

import ctypes
import gc
import os
import sys
import threading
import time
from pathlib import Path

_ARENAS, _M_ARENA_MAX = 1, -8  # as glibc names the option
_SECONDS = 1.0
_GROWTH = 4 << 20


def resident() -> int:
    """Return the memory that the process holds.

    Returns
    -------
    size : `int`
        In bytes; 0 where the system does not tell.
    """
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def give_back() -> None:
    """Give the system what nothing needs any more: figures, whose parts know
    each other, what Arrow keeps for the next table, and what lies between.
    """
    gc.collect()
    if (arrow := sys.modules.get("pyarrow")) is not None:
        arrow.default_memory_pool().release_unused()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


def keep_low() -> None:
    """Give back from now on whenever the process has grown."""
    if option := getattr(ctypes.CDLL(None), "mallopt", None):
        # Each thread would keep free memory of its own.
        option(_M_ARENA_MAX, _ARENAS)
    threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    held = resident()
    while held:
        time.sleep(_SECONDS)
        if resident() > held + _GROWTH:
            give_back()
            held = resident()
        held = min(held, resident())
