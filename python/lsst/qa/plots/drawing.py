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

"""What a plot is made of, whoever draws it."""

from __future__ import annotations

__all__ = ["KINDS", "Drawing", "Layer"]

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

KINDS = {
    "points": ("x", "y"),
    "cells": ("left", "right", "bottom", "top", "count", "alpha"),
    "line": ("x", "y"),
    "dashes": ("x", "y"),
    "bars": ("x", "y", "low", "high", "alpha"),
    "steps": ("left", "right", "bottom", "top"),
    "segments": ("x0", "y0", "x1", "y1"),
}
"""The kinds of layers, and the columns of each; points may have ``id``."""


class Layer(NamedTuple):
    """Marks of one kind.

    Attributes
    ----------
    kind : `str`
        One of `KINDS`.
    columns : `~collections.abc.Mapping` [`str`, `numpy.ndarray`]
        Where the marks are, without NaN.
    label : `str`
        What the legend calls them; not there if empty.
    tone : `str`
        "one", "two" and so on, "quiet", "ink", or "band:" with a band.
    """

    kind: str
    columns: Mapping[str, np.ndarray]
    label: str = ""
    tone: str = "one"


@dataclasses.dataclass(frozen=True)
class Drawing:
    """A plot as plain series.

    Attributes
    ----------
    across, up : `str`
        Names of the axes, with their unit.
    layers : `tuple` [`Layer`, ...]
        What is drawn, the lowest first.
    n : `int`
        Number of rows, stars or pairs that it shows.
    of : `str`
        What these are.
    log_across, log_up : `bool`
        Whether an axis is logarithmic.
    flip_across : `bool`
        Whether the axis runs to the left, as the right ascension does.
    equal : `bool`
        Whether both axes have one scale.
    notes : `tuple` [`str`, ...]
        What a reader should know, a sentence each.
    """

    across: str
    up: str
    layers: tuple[Layer, ...]
    n: int
    of: str = "sources"
    log_across: bool = False
    log_up: bool = False
    flip_across: bool = False
    equal: bool = False
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data.

        Returns
        -------
        data : `dict` [`str`, `typing.Any`]
            The attributes; layers as dictionaries of lists.
        """
        held = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        held["notes"] = list(self.notes)
        held["layers"] = [
            {
                **layer._asdict(),
                "columns": {name: np.asarray(column).tolist() for name, column in layer.columns.items()},
            }
            for layer in self.layers
        ]
        return held
