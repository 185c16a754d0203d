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

"""Coadds: how many images went into them, where and how evenly, and how many
of those that could have did.

Neighbouring pixels and objects share their images: errors are over patches,
or over visits, not over these.
"""

from __future__ import annotations

__all__ = ["CHOICES", "DEPTH", "INPUTS", "INPUT_COUNT"]

from collections.abc import Callable
from typing import Any

import numpy as np

from ..columns.coadds import PERCENTILES, THRESHOLDS
from ..metric import Estimate, Metric
from ..stats import MAD_TO_SIGMA, fraction, mean, median, stdev
from ..stats.ratio import by_unit, ratio
from ..stats.tally import Tally, tally

TOOLS = "analysis_tools c74f828, coaddInputCount"


def detected_objects(
    psf_snr: np.ndarray,
    detect_isPrimary: np.ndarray,
    psfFlux_flag: np.ndarray,
    pixelFlags_saturatedCenter: np.ndarray,
    *,
    snr_min: float = 5.0,
) -> np.ndarray:
    """Select good primary objects that a band shows."""
    return detect_isPrimary & ~psfFlux_flag & ~pixelFlags_saturatedCenter & (psf_snr > snr_min)


def inputs_of_patches(inputCount: np.ndarray, patch: np.ndarray) -> Tally:
    """Count objects by their patch and number of inputs."""
    return tally(inputCount, patch)


def median_inputs(inputs: Tally) -> Estimate:
    return Estimate(*inputs.quantile(0.5))


def mean_inputs(inputs: Tally) -> Estimate:
    objects = inputs.counts.sum(axis=1)
    there = objects > 0
    value, error, _ = ratio((inputs.counts @ inputs.values)[there], objects[there])
    return Estimate(value, error, int(objects.sum()))


def scatter_of_inputs(inputs: Tally) -> Estimate:
    middle, _, n = inputs.quantile(0.5)
    if not n:
        return Estimate(np.nan, np.nan, 0)
    value, error, n = inputs.distances(middle).quantile(0.5)
    return Estimate(MAD_TO_SIGMA * value, MAD_TO_SIGMA * error, n)


INPUT_COUNT = tuple(
    Metric(
        name=f"coadd_input_count_{name}",
        function=function,
        table="object",
        unit="",
        doc=f"{words} over detected objects of the number of images of their coadd.",
        formula=f"{formula}, S/N > 5, error over patches",
        reference=TOOLS,
        rows=detected_objects,
        shared=inputs_of_patches,
    )
    for name, function, words, formula in (
        ("median", median_inputs, "Median", "median(inputCount)"),
        ("mean", mean_inputs, "Mean", "mean(inputCount)"),
        ("sigma_mad", scatter_of_inputs, "Robust scatter", "1.4826 MAD(inputCount)"),
    )
)


def median_of_patches(quantity: np.ndarray) -> Estimate:
    return Estimate(*median(quantity))


def mean_of_patches(quantity: np.ndarray) -> Estimate:
    return Estimate(*mean(quantity))


def stdev_of_patches(quantity: np.ndarray) -> Estimate:
    return Estimate(*stdev(quantity))


_STATISTICS: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("median", "Median", median_of_patches),
    ("mean", "Mean", mean_of_patches),
    ("stdev", "Standard deviation", stdev_of_patches),
)
_DEPTHS = (
    *(
        (f"depth_above_threshold_{n}", "%", f"the percentage of a patch's pixels with {n} images or more")
        for n in THRESHOLDS
    ),
    *(
        (
            f"depth_{percent}_percentile",
            "",
            f"percentile {percent} of the number of images of a patch's pixels",
        )
        for percent in PERCENTILES
    ),
    ("chip_gap_percent", "%", "the percentage of a patch's pixels that no image was offered for"),
)
DEPTH = tuple(
    Metric(
        name=f"{column}_{name}",
        function=function,
        table="coadd_depth",
        unit=unit,
        doc=f"{word} over patches of {words}.",
        formula=f"{name} over patches, error over patches",
        reference="analysis_tools c74f828, CoaddQualityCheck",
        inputs={"quantity": column},
    )
    for column, unit, words in _DEPTHS
    for name, word, function in _STATISTICS
)


def _images(visit: np.ndarray, detector: np.ndarray) -> np.ndarray:
    """Number the images."""
    _, visits = np.unique(visit, return_inverse=True)
    _, detectors = np.unique(detector, return_inverse=True)
    return visits * (int(detectors.max(initial=0)) + 1) + detectors


def _number(keys: np.ndarray) -> Estimate:
    if not len(keys):
        return Estimate(np.nan, np.nan, 0)
    number = len(np.unique(keys))
    return Estimate(float(number), float(np.sqrt(number)), len(keys))


def number_of_visits(visit: np.ndarray) -> Estimate:
    return _number(visit)


def number_of_images(visit: np.ndarray, detector: np.ndarray) -> Estimate:
    return _number(_images(visit, detector))


def images_per_patch(patch: np.ndarray) -> Estimate:
    return Estimate(*median(by_unit(patch, np.ones(len(patch)))[0]))


def visits_per_patch(patch: np.ndarray, visit: np.ndarray) -> Estimate:
    _, patches = np.unique(patch, return_inverse=True)
    _, visits = np.unique(visit, return_inverse=True)
    distinct = np.unique(patches * (int(visits.max(initial=0)) + 1) + visits)
    return images_per_patch(distinct // (int(visits.max(initial=0)) + 1))


def effective_images(patch: np.ndarray, weight: np.ndarray) -> Estimate:
    known = np.isfinite(weight) & (weight > 0.0)
    sums, squares = by_unit(patch[known], weight[known], weight[known] ** 2)
    return Estimate(*median(sums**2 / squares))


def good_pixels(goodpix: np.ndarray, visit: np.ndarray) -> Estimate:
    return Estimate(*median(goodpix, visit))


def _of_inputs(name: str, function: Any, doc: str, formula: str, **changes: Any) -> Metric:
    """Declare a metric of the images of coadds."""
    given = {"unit": "", "reference": "drp_tasks, MakeCoaddInputSummaryTract", **changes}
    return Metric(name=name, function=function, table="coadd_input", doc=doc, formula=formula, **given)


INPUTS = (
    _of_inputs(
        "coadd_n_visits",
        number_of_visits,
        "Number of visits that went into the coadds.",
        "N(visits), Poisson error",
    ),
    _of_inputs(
        "coadd_n_images",
        number_of_images,
        "Number of detectors' images that went into the coadds.",
        "N(visit, detector), Poisson error",
    ),
    _of_inputs(
        "coadd_images_per_patch",
        images_per_patch,
        "Median over patches of the number of detectors' images in their coadd.",
        "median over patches N(visit, detector)",
    ),
    _of_inputs(
        "coadd_visits_per_patch",
        visits_per_patch,
        "Median over patches of the number of visits in their coadd.",
        "median over patches N(visits)",
    ),
    _of_inputs(
        "coadd_effective_images",
        effective_images,
        "Median over patches of the number of images of equal weight that would be as good.",
        "median over patches (sum w)^2 / sum w^2",
        reference="Kish 1965, effective sample size",
    ),
    _of_inputs(
        "coadd_good_pixels",
        good_pixels,
        "Median number of pixels that an image adds to a patch.",
        "median(goodpix), error over visits",
        unit="pixel",
    ),
)


def overlapping(patchOverlap: np.ndarray) -> np.ndarray:
    """Select the images that overlap the patch as they were calibrated."""
    return patchOverlap


def share_of_images(inCoadd: np.ndarray, visit: np.ndarray) -> Estimate:
    return Estimate(*fraction(inCoadd, visit))


def share_calibrated(visitSummaryRecord: np.ndarray, visit: np.ndarray, detector: np.ndarray) -> Estimate:
    # An image has a row for each patch that it overlaps.
    images, number = np.unique(np.stack([visit, detector]), axis=1, return_inverse=True)
    calibrated = np.bincount(number.ravel(), visitSummaryRecord, images.shape[1]) > 0.0
    return Estimate(*fraction(calibrated, images[0]))


CHOICES = tuple(
    Metric(
        name=name,
        function=function,
        table="coadd_choice",
        unit="%",
        doc=doc,
        formula=formula,
        reference="analysis_tools c74f828, CoaddInputFraction",
        rows=rows,
    )
    for name, function, rows, doc, formula in (
        (
            "coadd_input_fraction",
            share_of_images,
            overlapping,
            "Percentage of the images overlapping a patch that became part of its coadd.",
            "100 mean(inCoadd), error over visits",
        ),
        (
            "coadd_calibrated_fraction",
            share_calibrated,
            None,
            "Percentage of the images of the visits that overlap a tract which were calibrated.",
            "100 mean(visitSummaryRecord) over images, error over visits",
        ),
    )
)
