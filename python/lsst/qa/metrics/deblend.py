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

"""The deblender: how many blends there were, what became of them, and how many
peaks were lost.

Parents are a sample of a Poisson process: their counts have Poisson errors,
and totals of what they hold the compound Poisson ones.
"""

from __future__ import annotations

__all__ = ["BLENDS", "PARENTS", "PEAKS", "SKIPPED", "peak_dropout_fraction"]

from typing import Any

import numpy as np

from ..metric import Estimate, Metric, metric
from ..stats import count, fraction, mean
from ..stats.ratio import share, total

TOOLS = "analysis_tools c74f828, deblenderMetric"


def parents(parentObjectId: np.ndarray, sky_object: np.ndarray) -> np.ndarray:
    """Select what was detected as a whole, and is no sky object."""
    return (parentObjectId == 0.0) & ~sky_object


def blends(parentObjectId: np.ndarray, sky_object: np.ndarray, deblend_nChild: np.ndarray) -> np.ndarray:
    """Select the parents that were deblended into several objects."""
    return parents(parentObjectId, sky_object) & (deblend_nChild > 1.0)


def isolated(parentObjectId: np.ndarray, sky_object: np.ndarray, deblend_nChild: np.ndarray) -> np.ndarray:
    """Select the parents that were deblended into a single object."""
    return parents(parentObjectId, sky_object) & (deblend_nChild == 1.0)


def skipped(
    deblend_skipped: np.ndarray, deblend_failed: np.ndarray, deblend_skipped_isolatedParent: np.ndarray
) -> np.ndarray:
    """Tell which parents the deblender left alone that were blends."""
    return deblend_skipped & ~deblend_failed & ~deblend_skipped_isolatedParent


def number_of_parents(parentObjectId: np.ndarray) -> Estimate:
    return Estimate(*count(np.ones(len(parentObjectId), dtype=bool)))


def number_marked(flag: np.ndarray) -> Estimate:
    return Estimate(*count(flag))


def share_marked(flag: np.ndarray) -> Estimate:
    return Estimate(*fraction(flag))


def number_of_blends(deblend_nChild: np.ndarray) -> Estimate:
    return Estimate(*count(deblend_nChild > 1.0))


def number_of_isolated(deblend_nChild: np.ndarray) -> Estimate:
    return Estimate(*count(deblend_nChild == 1.0))


def number_skipped(
    deblend_skipped: np.ndarray, deblend_failed: np.ndarray, deblend_skipped_isolatedParent: np.ndarray
) -> Estimate:
    return Estimate(*count(skipped(deblend_skipped, deblend_failed, deblend_skipped_isolatedParent)))


def share_skipped(
    deblend_skipped: np.ndarray, deblend_failed: np.ndarray, deblend_skipped_isolatedParent: np.ndarray
) -> Estimate:
    return Estimate(*fraction(skipped(deblend_skipped, deblend_failed, deblend_skipped_isolatedParent)))


def number_skipped_for(
    reason: np.ndarray,
    deblend_skipped: np.ndarray,
    deblend_failed: np.ndarray,
    deblend_skipped_isolatedParent: np.ndarray,
) -> Estimate:
    left_alone = skipped(deblend_skipped, deblend_failed, deblend_skipped_isolatedParent)
    return Estimate(*count(reason & left_alone))


def peaks_skipped(
    deblend_nPeaks: np.ndarray,
    deblend_skipped: np.ndarray,
    deblend_failed: np.ndarray,
    deblend_skipped_isolatedParent: np.ndarray,
) -> Estimate:
    left_alone = skipped(deblend_skipped, deblend_failed, deblend_skipped_isolatedParent)
    return Estimate(*total(np.where(left_alone, deblend_nPeaks, 0.0)))


def sum_of(quantity: np.ndarray) -> Estimate:
    return Estimate(*total(quantity))


def lost(
    deblend_nPeaks: np.ndarray, deblend_nChild: np.ndarray, deblend_skipped_isolatedParent: np.ndarray
) -> np.ndarray:
    """Return the peaks of each parent that became no object."""
    return deblend_nPeaks - deblend_nChild - deblend_skipped_isolatedParent


def sum_lost(
    deblend_nPeaks: np.ndarray, deblend_nChild: np.ndarray, deblend_skipped_isolatedParent: np.ndarray
) -> Estimate:
    return Estimate(*total(lost(deblend_nPeaks, deblend_nChild, deblend_skipped_isolatedParent)))


def mean_of(quantity: np.ndarray) -> Estimate:
    return Estimate(*mean(quantity))


def _of_parents(name: str, function: Any, doc: str, formula: str, **changes: Any) -> Metric:
    """Declare a metric of the parents."""
    given = {"rows": parents, "unit": "", "reference": TOOLS, **changes}
    return Metric(name=name, function=function, table="object_parent", doc=doc, formula=formula, **given)


PARENTS = (
    _of_parents(
        "n_parents", number_of_parents, "Number of detections before deblending.", "N, Poisson error"
    ),
    *(
        _of_parents(
            f"n_deblend_{name}",
            number_marked,
            f"Number of detections {words}.",
            f"N({flag}), Poisson error",
            inputs={"flag": flag},
        )
        for name, flag, words in (
            ("failed", "deblend_failed", "that the deblender failed on"),
            ("incomplete", "deblend_incompleteData", "deblended with data lacking in some bands"),
            ("isolated_skipped", "deblend_skipped_isolatedParent", "of a single peak, not deblended at all"),
        )
    ),
    *(
        _of_parents(
            f"deblend_{name}_fraction",
            share_marked,
            f"Percentage of detections {words}.",
            f"100 mean({flag}), binomial error",
            unit="%",
            inputs={"flag": flag},
        )
        for name, flag, words in (
            ("failed", "deblend_failed", "that the deblender failed on"),
            ("incomplete", "deblend_incompleteData", "deblended with data lacking in some bands"),
        )
    ),
)
PEAKS = (
    _of_parents(
        "n_detected_peaks",
        sum_of,
        "Number of peaks of all detections.",
        "sum(nPeaks), compound Poisson error",
        inputs={"quantity": "deblend_nPeaks"},
    ),
    _of_parents(
        "n_deblended_children",
        sum_of,
        "Number of objects that the deblender made of the detections.",
        "sum(nChild), compound Poisson error",
        inputs={"quantity": "deblend_nChild"},
    ),
    _of_parents(
        "n_peak_dropouts",
        sum_lost,
        "Number of peaks that became no object.",
        "sum(nPeaks - nChild - isolated and skipped), compound Poisson error",
    ),
)


@metric("peak_dropout_fraction", table="object_parent", unit="%", rows=parents, reference=TOOLS)
def peak_dropout_fraction(
    deblend_nPeaks: np.ndarray, deblend_nChild: np.ndarray, deblend_skipped_isolatedParent: np.ndarray
) -> Estimate:
    """Percentage of peaks that became no object.

    100 sum(nPeaks - nChild - isolated and skipped) / sum(nPeaks), error over
    parents
    """
    dropouts = lost(deblend_nPeaks, deblend_nChild, deblend_skipped_isolatedParent)
    return Estimate(*share(dropouts, deblend_nPeaks))


SKIPPED = (
    _of_parents(
        "n_skipped_blends",
        number_skipped,
        "Number of blends that the deblender left alone.",
        "N(skipped, not failed, not isolated), Poisson error",
    ),
    _of_parents(
        "deblend_skipped_fraction",
        share_skipped,
        "Percentage of detections that are blends which the deblender left alone.",
        "100 mean(skipped, not failed, not isolated), binomial error",
        unit="%",
    ),
    *(
        _of_parents(
            f"n_skipped_{name}",
            number_skipped_for,
            f"Number of blends that the deblender left alone as {words}.",
            f"N(skipped, not failed, not isolated, {flag}), Poisson error",
            inputs={"reason": flag},
        )
        for name, flag, words in (
            ("too_big", "deblend_skipped_parentTooBig", "too big"),
            ("too_many_peaks", "deblend_skipped_tooManyPeaks", "having too many peaks"),
            ("masked", "deblend_skipped_masked", "too much of them is masked"),
        )
    ),
    _of_parents(
        "n_skipped_peaks",
        peaks_skipped,
        "Number of peaks in blends that the deblender left alone.",
        "sum(nPeaks), compound Poisson error",
    ),
)
BLENDS = (
    _of_parents(
        "n_blends",
        number_of_blends,
        "Number of detections that were deblended into several objects.",
        "N(nChild > 1), Poisson error",
    ),
    _of_parents(
        "n_isolated",
        number_of_isolated,
        "Number of detections that were deblended into a single object.",
        "N(nChild = 1), Poisson error",
    ),
    *(
        _of_parents(
            f"{kind}_{name}_mean",
            mean_of,
            f"Mean {words} of the deblender's models of detections of {many}.",
            f"mean({column}), {condition}",
            rows=rows,
            inputs={"quantity": column},
        )
        for kind, rows, many, condition in (
            ("blend", blends, "several objects", "nChild > 1"),
            ("isolated", isolated, "a single object", "nChild = 1"),
        )
        for name, column, words in (
            ("iterations", "deblend_iterations", "number of iterations"),
            ("chi2", "deblend_chi2", "chi^2"),
        )
    ),
)
