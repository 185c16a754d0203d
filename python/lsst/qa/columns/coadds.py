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

"""Tables about coadds: what was deblended, how deep they are, what went into
them, and what their masks say.
"""

from __future__ import annotations

__all__ = ["COADD_TABLES", "PERCENTILES", "PLANES", "THRESHOLDS"]

from .kinds import BANDS, Column, Table
from .shared import BAND, DETECTOR, VISIT, flag, named, real

TRACT, PATCH = Column("tract", "int"), Column("patch", "int")

OBJECT_PARENT = Table(
    "object_parent",
    "What was detected on the coadds of a tract before it was deblended.",
    named(
        Column("objectId", "int", "", ("id",)),
        real("parentObjectId", "", "parent"),
        TRACT,
        PATCH,
        flag("sky_object", "merge_peak_sky"),
        real("deblend_nPeaks", ""),
        real("deblend_nChild", ""),
        real("deblend_iterations", ""),
        real("deblend_chi2", ""),
        flag("deblend_failed"),
        flag("deblend_incompleteData"),
        flag("deblend_skipped"),
        flag("deblend_skipped_isolatedParent", "deblend_isolatedParent"),
        flag("deblend_skipped_parentTooBig", "deblend_parentTooBig"),
        flag("deblend_skipped_tooManyPeaks", "deblend_tooManyPeaks"),
        flag("deblend_skipped_masked", "deblend_masked"),
    ),
    split=("tract",),
    signature=("objectId", "deblend_nPeaks", "deblend_nChild"),
    # Catalogues of single images have numbers of children as well.
    without=("psf_inst_flux", "visit", *(f"{band}_psfFlux" for band in BANDS)),
)

THRESHOLDS = (1, 2, 3, 5, 12)
PERCENTILES = (5, 10, 25, 50, 75, 90, 95)
COADD_DEPTH = Table(
    "coadd_depth",
    "How many images went into the pixels of a patch, in a band.",
    named(
        TRACT,
        PATCH,
        BAND,
        *(real(f"depth_above_threshold_{threshold}", "%") for threshold in THRESHOLDS),
        *(real(f"depth_{percent}_percentile", "") for percent in PERCENTILES),
        real("depth_mean", "", "mean"),
        real("chip_gap_percent", "%"),
    ),
    split=("tract", "band"),
    signature=("patch", "depth_above_threshold_1"),
)

COADD_INPUT = Table(
    "coadd_input",
    "An image of a detector in a visit that is part of a patch's coadd.",
    named(TRACT, PATCH, VISIT, DETECTOR, BAND, real("weight", ""), real("goodpix", "pixel")),
    split=("tract", "band"),
    signature=("patch", "visit", "detector", "goodpix"),
)

COADD_CHOICE = Table(
    "coadd_choice",
    "An image that may have become part of a patch's coadd, and whether it did.",
    named(
        TRACT,
        PATCH,
        BAND,
        VISIT,
        DETECTOR,
        flag("visitSummaryRecord", applied=True),
        flag("patchOverlap", applied=True),
        flag("inCoadd", applied=True),
    ),
    split=("tract", "band"),
    signature=("visit", "detector", "patchOverlap", "inCoadd"),
)

PLANES = (
    "BAD",
    "CLIPPED",
    "CR",
    "CROSSTALK",
    "DETECTED",
    "DETECTED_NEGATIVE",
    "EDGE",
    "INEXACT_PSF",
    "INTRP",
    "NOT_DEBLENDED",
    "NO_DATA",
    "REJECTED",
    "SAT",
    "SENSOR_EDGE",
    "STREAK",
    "SUSPECT",
    "UNMASKEDNAN",
)
"""Planes of masks that are measured."""
IMAGE_MASK = Table(
    "image_mask",
    "The mask of an image, counted: its pixels, those with data, and those of these that have each plane.",
    named(
        TRACT,
        PATCH,
        VISIT,
        DETECTOR,
        BAND,
        real("n_pixels", "pixel"),
        real("n_valid", "pixel"),
        *(real(f"n_{plane}", "pixel") for plane in PLANES),
    ),
    split=("band",),
    signature=("n_pixels", "n_valid"),
)

COADD_TABLES = (OBJECT_PARENT, COADD_DEPTH, COADD_INPUT, COADD_CHOICE, IMAGE_MASK)
