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

"""What was deblended in a tract: each detection, and what became of it."""

from __future__ import annotations

__all__ = ["blend_values", "deblended", "expected_blends", "parent_pieces"]

from collections.abc import Iterator

import numpy as np

from .objects import detected_pieces, patch_of
from .sky import BLEND, SKY, Sky, object_id
from .statistics import Values
from .survey import Stream, Survey, generator

_ISOLATED_DEBLENDED = 0.25  # the others are left as they are
_MORE_PEAKS = 0.8  # of a blend beyond two, in the mean
_SKIPPED, _FAILED = 0.06, 0.03  # of the blends
_TOO_BIG = 0.5  # of those left alone; the others have too many peaks
_KEPT = 0.96  # of the peaks
_INCOMPLETE = 0.05
_ITERATIONS = {1: 9.0, 2: 21.0}
"""Iterations in the mean, of isolated detections and of blends."""

_CHI2_SCATTER = 0.2


def parent_pieces(survey: Survey, tract: int) -> Iterator[dict[str, np.ndarray]]:
    """Make a tract's table of what was deblended, piece by piece.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`
        Tract.

    Yields
    ------
    columns : `dict` [`str`, `numpy.ndarray`]
        Columns by their names in the production table; the parts of blends
        have no row.
    """
    for number, (drawn, _) in enumerate(detected_pieces(survey, tract)):
        parents = drawn.take(_whole(drawn))
        rng = generator(survey, Stream.PARENTS, tract, number)
        yield {
            "objectId": object_id(tract, parents.number),
            "parentObjectId": np.zeros(len(parents.x), dtype=np.int64),
            "tract": np.full(len(parents.x), tract),
            "patch": patch_of(survey, parents),
            "sky_object": parents.kind == SKY,
            **deblended(rng, parents.kind == BLEND),
        }


def _whole(drawn: Sky) -> np.ndarray:
    """Tell which objects are not part of a blend that is there."""
    return ~np.isin(drawn.parent, drawn.number[drawn.kind == BLEND])


def deblended(rng: np.random.Generator, blend: np.ndarray) -> dict[str, np.ndarray]:
    """Deblend detections.

    Parameters
    ----------
    rng : `numpy.random.Generator`
        Source of random numbers.
    blend : `numpy.ndarray` of `bool`, (n,)
        Which of them are blends.

    Returns
    -------
    columns : `dict` [`str`, `numpy.ndarray`]
        What the deblender says of each.
    """
    n = len(blend)
    peaks = np.where(blend, 2 + rng.poisson(_MORE_PEAKS, n), 1)
    fate, kind, incomplete = rng.random((3, n))
    skipped = blend & (fate < _SKIPPED)
    failed = blend & ~skipped & (fate < _SKIPPED + _FAILED)
    alone = ~blend & (fate >= _ISOLATED_DEBLENDED)
    done = ~(skipped | failed | alone)
    children = np.where(blend, rng.binomial(peaks, _KEPT), 1)
    iterations = 1 + rng.poisson(np.where(blend, _ITERATIONS[2], _ITERATIONS[1]) - 1.0)
    chi2 = rng.lognormal(0.0, _CHI2_SCATTER, n)
    return {
        "deblend_nPeaks": peaks.astype(np.int32),
        "deblend_nChild": np.where(done, children, 0).astype(np.int32),
        "deblend_iterations": np.where(done, iterations, 0).astype(np.int32),
        "deblend_chi2": np.where(done, chi2, np.nan),
        "deblend_failed": failed,
        "deblend_incompleteData": incomplete < _INCOMPLETE,
        "deblend_skipped": skipped | alone,
        "deblend_skipped_isolatedParent": alone,
        "deblend_skipped_parentTooBig": skipped & (kind < _TOO_BIG),
        "deblend_skipped_tooManyPeaks": skipped & (kind >= _TOO_BIG),
        "deblend_skipped_masked": np.zeros(n, dtype=bool),
    }


def blend_values(survey: Survey, tract: int) -> Values:
    """Return the true values of the metrics of a tract's deblender.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`
        Tract.

    Returns
    -------
    values : `dict` [`str`, `tuple` [`float`, `str`]]
        What is expected for the detections that there are.
    """
    blends = singles = 0
    for drawn, _ in detected_pieces(survey, tract):
        whole = _whole(drawn) & (drawn.kind != SKY)
        blends += int(np.count_nonzero(whole & (drawn.kind == BLEND)))
        singles += int(np.count_nonzero(whole & (drawn.kind != BLEND)))
    return expected_blends(singles, blends)


def expected_blends(singles: float, blends: float) -> Values:
    """Return what is expected of a number of detections.

    Parameters
    ----------
    singles, blends : `float`
        Number of detections that are no blends, and of those that are.

    Returns
    -------
    values : `dict` [`str`, `tuple` [`float`, `str`]]
        By metric.
    """
    parents, peaks = blends + singles, singles + (2.0 + _MORE_PEAKS) * blends
    done = 1.0 - _SKIPPED - _FAILED
    none, one = _few_children()
    of_one = {1: _ISOLATED_DEBLENDED * singles, 2: done * one * blends}
    children = of_one[1] + done * _KEPT * (2.0 + _MORE_PEAKS) * blends
    lost = (2.0 + _MORE_PEAKS) * blends * (1.0 - done * _KEPT)
    counts = {
        "n_parents": float(parents),
        "n_deblend_failed": _FAILED * blends,
        "n_deblend_incomplete": _INCOMPLETE * parents,
        "n_deblend_isolated_skipped": (1.0 - _ISOLATED_DEBLENDED) * singles,
        "n_detected_peaks": peaks,
        "n_deblended_children": children,
        "n_peak_dropouts": lost,
        "n_skipped_blends": _SKIPPED * blends,
        "n_skipped_too_big": _SKIPPED * _TOO_BIG * blends,
        "n_skipped_too_many_peaks": _SKIPPED * (1.0 - _TOO_BIG) * blends,
        "n_skipped_masked": 0.0,
        "n_skipped_peaks": _SKIPPED * (2.0 + _MORE_PEAKS) * blends,
        "n_blends": done * (1.0 - none - one) * blends,
        "n_isolated": of_one[1] + of_one[2],
    }
    many = parents or np.nan
    shares = {
        "deblend_failed_fraction": counts["n_deblend_failed"] / many,
        "deblend_incomplete_fraction": _INCOMPLETE if parents else np.nan,
        "deblend_skipped_fraction": counts["n_skipped_blends"] / many,
        "peak_dropout_fraction": lost / (peaks or np.nan),
    }
    chi2 = float(np.exp(0.5 * _CHI2_SCATTER**2))
    isolated = counts["n_isolated"] or np.nan
    means = {
        "blend_iterations_mean": _ITERATIONS[2] if blends else np.nan,
        "blend_chi2_mean": chi2 if blends else np.nan,
        "isolated_iterations_mean": sum(_ITERATIONS[i] * of_one[i] for i in (1, 2)) / isolated,
        "isolated_chi2_mean": chi2 if counts["n_isolated"] else np.nan,
    }
    return {
        **{name: (value, "") for name, value in {**counts, **means}.items()},
        **{name: (100.0 * value, "%") for name, value in shares.items()},
    }


def _few_children() -> tuple[float, float]:
    """Return how likely a blend keeps none of its peaks, and one of them."""
    none = one = 0.0
    chance = float(np.exp(-_MORE_PEAKS))
    for more in range(60):
        n = 2 + more
        none += chance * (1.0 - _KEPT) ** n
        one += chance * n * _KEPT * (1.0 - _KEPT) ** (n - 1)
        chance *= _MORE_PEAKS / (more + 1)
    return none, one
