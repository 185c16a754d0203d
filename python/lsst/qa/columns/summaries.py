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

"""The table whose row is a detector in a visit."""

from __future__ import annotations

__all__ = ["VISIT_SUMMARY"]

import dataclasses

from . import derived
from .kinds import OBS_MJD, Column, Derived, Table
from .shared import (
    VISIT,
    named,
    real,
)

_SUMMARY_COLUMNS = named(
    dataclasses.replace(VISIT, derived=(Derived(derived.rubin_visit, ("ccdVisitId",)),)),
    # afw's exposure catalogues have another column of that name, which points
    # into their archive.
    Column(
        "detector",
        "int",
        aliases=("detectorId", "detector"),
        derived=(Derived(derived.rubin_detector, ("ccdVisitId",)),),
    ),
    Column("ccdVisitId", "int"),
    Column("band", "text"),
    Column("physical_filter", "text"),
    real(OBS_MJD, "d"),
    real("psfSigma", "pixel"),
    real("psfArea", "pixel2"),
    real(
        "pixelScale",
        "arcsec/pixel",
        derived=(
            Derived(derived.pixel_scale, derived.CORNERS),
            Derived(derived.pixel_scale, derived.AFW_CORNERS),
        ),
    ),
    *(Column(name, "real") for name in (*derived.CORNERS, *derived.AFW_CORNERS)),
    real("seeing", "arcsec", derived=(Derived(derived.seeing, ("psfSigma", "pixelScale")),)),
    real("skyBg", "adu"),
    real("skyNoise", "adu"),
    real("meanVar", "adu2"),
    real("zeroPoint", "mag"),
    real("magLim", "mag"),
    real("effTime", "s"),
    real("astromOffsetMean", "arcsec"),
    real("astromOffsetStd", "arcsec"),
    real("nPsfStar", ""),
    *(
        real(f"psfStarDelta{what}{statistic}", "pixel" if what == "Size" else "")
        for what in ("E1", "E2", "Size")
        for statistic in ("Median", "Scatter")
    ),
    real("psfStarScaledDeltaSizeScatter", ""),
)

VISIT_SUMMARY = Table(
    "visit_summary",
    "A detector in a visit.",
    _SUMMARY_COLUMNS,
    split=("visit", "band", "physical_filter"),
    time=OBS_MJD,
    signature=("detector", "zeroPoint", "skyNoise"),
)
