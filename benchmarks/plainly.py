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

"""What the plain versions of the metrics share: which statistic, of which
column, of which rows.
"""

from __future__ import annotations

__all__ = ["BANDS", "BINS", "OBJECTS", "PLAIN", "SOURCES", "key"]

from typing import Any

BANDS = "ugrizy"

BINS = ((5.0, 10.0), (10.0, 20.0), (20.0, 40.0), (40.0, 80.0))
"""Of S/N, of psfPhotRepStar1 to 4."""

PLAIN = ["PA1", "PA2", "PF1", *(f"psfPhotRepStar{i + 1}" for i in range(len(BINS)))]
"""Metrics of matched stars that are written plainly."""

_RESIDUALS = tuple(
    (f"{shape}_residual_{name}", statistic, f"d_{shape}", "star")
    for shape in ("e1", "e2", "size")
    for name, statistic in (("median", "median"), ("scatter", "sigma_mad"))
)
_SKY = tuple(
    (f"sky_flux_{name}", name, "ap09Flux", "sky") for name in ("median", "mean", "stdev", "sigma_mad")
)
_COUNTS = (("n_primary", "sum", "detect_isPrimary", ""), ("n_stars", "sum", "compact", "detect_isPrimary"))
_FINITE = (("psf_flux_finite_fraction", "percent", "finite", "detect_isPrimary"),)

SOURCES = (
    *_RESIDUALS,
    *_SKY,
    ("n_sources", "rows", "sourceId", ""),
    *_COUNTS,
    *_FINITE,
    *(
        (f"flag_fraction.{name}", "percent", name, "")
        for name in (
            "psfFlux_flag",
            "centroid_flag",
            "pixelFlags_bad",
            "pixelFlags_cr",
            "pixelFlags_edge",
            "pixelFlags_interpolated",
            "pixelFlags_saturated",
            "pixelFlags_suspect",
        )
    ),
)
"""Name, statistic, column and selection (a column, "" for all rows)."""

OBJECTS = (
    *((f"coadd_{name}", *rest) for name, *rest in (*_RESIDUALS, *_SKY, _COUNTS[1], *_FINITE)),
    *(
        (f"coadd_flag_fraction.{name}", "percent", name, "")
        for name in ("psfFlux_flag", "pixelFlags_edge", "pixelFlags_nodata", "pixelFlags_saturatedCenter")
    ),
)
"""The same for a band of the table of objects."""

_SHAPES = ("ixx", "iyy", "ixy", "ixxPSF", "iyyPSF", "ixyPSF")
SOURCE_COLUMNS = (
    *("visit", "detector", "band", "sourceId", "psfFlux", "psfFluxErr", "ap09Flux", "extendedness"),
    *("detect_isPrimary", "sky_source", "psfFlux_flag", "centroid_flag"),
    *(
        f"pixelFlags_{name}"
        for name in ("bad", "cr", "edge", "interpolated", "nodata", "saturated", "suspect")
    ),
    *_SHAPES,
)
BAND_COLUMNS = (
    *("psfFlux", "psfFluxErr", "ap09Flux", "extendedness", "psfFlux_flag"),
    *("pixelFlags_edge", "pixelFlags_nodata", "pixelFlags_saturatedCenter"),
    *_SHAPES,
)
SHARED_COLUMNS = ("tract", "objectId", "detect_isPrimary", "sky_object")
MATCHED_COLUMNS = ("isolated_star_id", "band", "psfFlux", "psfFluxErr", "extendedness")


def key(metric: str, band: Any, place: Any = "") -> str:
    """Name a value as the results of the package are named."""
    return f"{metric} {band or ''} {place}".strip()
