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

"""Masks: which part of the images has each plane set."""

from __future__ import annotations

__all__ = ["FRACTIONS"]

import numpy as np

from ..columns.coadds import PLANES
from ..metric import Estimate, Metric
from ..stats.ratio import share


def share_of_pixels(marked: np.ndarray, among: np.ndarray) -> Estimate:
    return Estimate(*share(marked, among))


FRACTIONS = tuple(
    Metric(
        name=f"mask_fraction.{plane}",
        function=share_of_pixels,
        table="image_mask",
        unit="%",
        doc=f"Percentage of {among} that have the mask plane {plane}.",
        formula=f"100 sum N({plane}{condition}) / sum N({of}), error over images",
        reference="analysis_tools c74f828, mask fractions weighted by valid data",
        inputs={"marked": f"n_{plane}", "among": column},
    )
    for plane in PLANES
    for among, condition, of, column in (
        ("pixels", "", "pixels", "n_pixels")
        if plane == "NO_DATA"
        else ("pixels with data", ", not NO_DATA", "not NO_DATA", "n_valid"),
    )
)
