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

"""Skies of coadds: patches, visits and images are what varies, and what is in
them goes together.
"""

from __future__ import annotations

__all__ = ["COADDS"]

import numpy as np

from ...columns.coadds import PERCENTILES, PLANES, THRESHOLDS
from .population import SIGMA_MAD, Columns, Population, Truths, by_metric

_PATCHES = 100
_SHAPE = 16.0
"""Of the gamma distribution of depths, whose mean is 5 times it."""

_DEPTHS = {
    **{f"depth_above_threshold_{n}": 1.0 for n in THRESHOLDS},
    **{f"depth_{percent}_percentile": 1.0 for percent in PERCENTILES},
    "chip_gap_percent": 0.05,
}
"""Columns, and how their values compare with those of depths."""


def _depths(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.gamma(_SHAPE, 5.0, n)


def _draw_depths(rng: np.random.Generator) -> Columns:
    patch = {"patch": np.arange(_PATCHES), "band": np.full(_PATCHES, "r")}
    return {**patch, **{name: scale * _depths(rng, _PATCHES) for name, scale in _DEPTHS.items()}}


def _median_depth() -> float:
    from scipy.special import gammaincinv

    return 5.0 * float(gammaincinv(_SHAPE, 0.5))


def _true_depths() -> Truths:
    middle = _median_depth()
    statistics = {"median": middle, "mean": 5.0 * _SHAPE, "stdev": 5.0 * np.sqrt(_SHAPE)}
    return by_metric(
        {
            f"{name}_{what}": scale * value
            for name, scale in _DEPTHS.items()
            for what, value in statistics.items()
        }
    )


_OBJECTS = 30  # of each patch


def _draw_objects(rng: np.random.Generator) -> Columns:
    """Objects of a patch share its images."""
    n = _PATCHES * _OBJECTS
    return {
        "objectId": np.arange(n),
        "patch": np.repeat(np.arange(_PATCHES), _OBJECTS),
        "detect_isPrimary": np.ones(n, dtype=bool),
        "r_psfFlux": np.full(n, 100.0),
        "r_psfFluxErr": np.ones(n),
        "r_psfFlux_flag": np.zeros(n, dtype=bool),
        "r_pixelFlags_saturatedCenter": np.zeros(n, dtype=bool),
        "r_inputCount": np.repeat(_depths(rng, _PATCHES), _OBJECTS),
    }


def _true_objects() -> Truths:
    from scipy.optimize import brentq
    from scipy.special import gammainc

    middle = _median_depth()

    def within(far: float) -> float:
        return float(gammainc(_SHAPE, (middle + far) / 5.0) - gammainc(_SHAPE, (middle - far) / 5.0))

    values = {
        "coadd_input_count_median": middle,
        "coadd_input_count_mean": 5.0 * _SHAPE,
        "coadd_input_count_sigma_mad": SIGMA_MAD * brentq(lambda far: within(far) - 0.5, 0.0, middle),
    }
    return by_metric(values)


_VISITS, _EACH = 250, 30
_OF_VISIT, _OF_IMAGE = 0.3, 0.1
_CHOSEN = (8.0, 2.0)
"""Of the beta distribution of how likely a visit's images are chosen."""


def _draw_images(rng: np.random.Generator) -> Columns:
    """Images of a visit are alike."""
    visit = np.repeat(np.arange(_VISITS), _EACH)
    n = len(visit)
    spread = rng.normal(0.0, _OF_VISIT, _VISITS)[visit] + rng.normal(0.0, _OF_IMAGE, n)
    return {
        "patch": rng.integers(0, _PATCHES, n),
        "visit": visit,
        "detector": np.tile(np.arange(_EACH), _VISITS),
        "band": np.full(n, "r"),
        "weight": np.ones(n),
        "goodpix": 1e6 * np.exp(spread),
    }


def _true_images() -> Truths:
    return by_metric({"coadd_good_pixels": 1e6})


def _draw_choices(rng: np.random.Generator) -> Columns:
    images = _draw_images(rng)
    visit = images["visit"]
    chosen, calibrated = (rng.random(len(visit)) < rng.beta(*_CHOSEN, _VISITS)[visit] for _ in range(2))
    return {
        **{name: images[name] for name in ("patch", "visit", "detector", "band")},
        "patchOverlap": rng.random(len(visit)) < 0.7,
        "inCoadd": chosen,
        "visitSummaryRecord": calibrated,
    }


def _true_choices() -> Truths:
    share = 100.0 * _CHOSEN[0] / sum(_CHOSEN)
    return by_metric({"coadd_input_fraction": share, "coadd_calibrated_fraction": share})


_PIXELS = 20_000
_MASKED, _EMPTY = (3.0, 60.0), (2.0, 10.0)
"""Of the beta distributions of the share of an image that has a plane, and of
that without data."""


def _draw_masks(rng: np.random.Generator) -> Columns:
    """Pixels of an image go together."""
    empty = rng.binomial(_PIXELS, rng.beta(*_EMPTY, _PATCHES))
    valid = _PIXELS - empty
    planes = {f"n_{name}": rng.binomial(valid, rng.beta(*_MASKED, _PATCHES)) for name in PLANES}
    return {
        "patch": np.arange(_PATCHES),
        "band": np.full(_PATCHES, "r"),
        "n_pixels": np.full(_PATCHES, _PIXELS),
        "n_valid": valid,
        **planes,
        "n_NO_DATA": empty,
    }


def _true_masks() -> Truths:
    masked, empty = (100.0 * beta[0] / sum(beta) for beta in (_MASKED, _EMPTY))
    return by_metric({f"mask_fraction.{name}": empty if name == "NO_DATA" else masked for name in PLANES})


COADDS: tuple[Population, ...] = (
    Population(
        "depths of patches",
        "coadd_depth",
        "The depths of patches are drawn anew.",
        _draw_depths,
        _true_depths,
    ),
    Population(
        "objects of patches",
        "object",
        "The number of images of each patch is drawn anew; its objects share it.",
        _draw_objects,
        _true_objects,
    ),
    Population(
        "images of coadds",
        "coadd_input",
        "How good each visit is, and how good its images are, is drawn anew.",
        _draw_images,
        _true_images,
    ),
    Population(
        "images that may be in coadds",
        "coadd_choice",
        "How likely a visit's images are chosen, and which are, is drawn anew.",
        _draw_choices,
        _true_choices,
    ),
    Population(
        "masks of images",
        "image_mask",
        "The share of each image that has a plane is drawn anew.",
        _draw_masks,
        _true_masks,
    ),
)
