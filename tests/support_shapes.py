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

"""A visit of stars with shapes."""

from __future__ import annotations

__all__ = ["visit"]

from typing import Any

import numpy as np


def visit(number: int = 400) -> dict[str, np.ndarray]:
    """Make a visit of stars with shapes."""
    draw = np.random.default_rng(6)
    table: dict[str, Any] = {
        "sourceId": np.arange(number),
        "visit": np.full(number, 7),
        "band": np.full(number, "r"),
        "detector": np.arange(number) % 4,
        "ra": 150.0 + 0.4 * draw.random(number),
        "dec": 2.0 + 0.4 * draw.random(number),
        "psfFlux": np.full(number, 2e4),
        "psfFluxErr": np.full(number, 100.0),
        "extendedness": np.zeros(number),
        "psfFlux_flag": np.zeros(number, dtype=bool),
    }
    for name in ("detect_isPrimary", "detect_isDeblendedSource", "calib_psf_used"):
        table[name] = np.ones(number, dtype=bool)
    table |= {
        f"pixelFlags_{name}": np.zeros(number, dtype=bool) for name in ("bad", "cr", "edge", "saturated")
    }
    for axes, middle in (("xx", 4.0), ("yy", 4.2), ("xy", 0.1)):
        table[f"i{axes}PSF"] = middle + 0.05 * draw.standard_normal(number)
        table[f"i{axes}"] = table[f"i{axes}PSF"] + 0.1 * draw.standard_normal(number) + 0.05
    return table
