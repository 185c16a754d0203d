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

"""Standard plots of the tables that metrics are made of: a declared function
of columns each, which draws nothing and returns what is to be drawn.
"""

from __future__ import annotations

__all__ = ["Drawing", "draw", "figure_of", "find_plot", "list_plots", "picture"]

from typing import TYPE_CHECKING, Any

from .drawing import Drawing
from .picture import figure_of, picture

if TYPE_CHECKING:
    from .catalogue import draw, find_plot, list_plots


def __getattr__(name: str) -> Any:
    # What reads tables is imported when it is used: the rest is light.
    if name in ("draw", "find_plot", "list_plots"):
        from . import catalogue

        return getattr(catalogue, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
