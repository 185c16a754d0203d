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

"""Small tables about coadds and difference images, made from a seed."""

from __future__ import annotations

__all__ = ["COADD_STORIES"]

from collections.abc import Callable

import numpy as np
from support import Columns, taken

from lsst.qa.columns.coadds import PLANES


def _dia_source(rng: np.random.Generator) -> Columns:
    """Two visits, in two bands; most sources have an object."""
    rows = 400
    visit = rng.integers(0, 2, rows)
    return {
        "diaSourceId": np.arange(rows) + 3_000_000,
        "visit": visit + 2024_11_09_00001,
        "detector": rng.integers(0, 4, rows),
        "band": np.array(["g", "r"])[visit],
        "diaObjectId": np.where(rng.random(rows) < 0.8, np.arange(rows) + 1, 0),
        "ssObjectId": np.where(rng.random(rows) < 0.1, np.arange(rows) + 1, 0),
        "reliability": rng.beta(0.5, 0.5, rows),
    }


def _dia_fake(rng: np.random.Generator) -> Columns:
    """Fakes in two visits, the bright ones found."""
    rows = 400
    visit = rng.integers(0, 2, rows)
    mag = rng.uniform(18.0, 28.0, rows)
    found = rng.random(rows) < 1.0 / (1.0 + np.exp(2.0 * (mag - 24.0)))
    return {
        "injection_id": np.arange(rows) + 4_000_000,
        "visit": visit + 2024_11_09_00001,
        "detector": rng.integers(0, 4, rows),
        "band": np.array(["g", "r"])[visit],
        "mag": mag,
        "snr": 5.0 * 10.0 ** (-0.4 * (mag - 24.0)),
        "diaSourceId": np.where(found, np.arange(rows) + 1, 0),
        "dist_diaSrc": np.where(found, rng.rayleigh(0.05, rows), -1.0),
    }


def _object_parent(rng: np.random.Generator) -> Columns:
    """Isolated objects and blends, some with peaks that became nothing."""
    rows = 300
    peaks = rng.geometric(0.5, rows)
    return {
        "objectId": np.arange(rows) + 5_000_000,
        "parentObjectId": np.where(rng.random(rows) < 0.1, 5_000_001, 0),
        "tract": np.full(rows, 9813),
        "patch": rng.integers(0, 9, rows),
        "deblend_nPeaks": peaks,
        "deblend_nChild": np.maximum(peaks - (rng.random(rows) < 0.1), 1),
    }


def _patches(rng: np.random.Generator, each: int) -> Columns:
    """Nine patches in two bands, so many rows for each."""
    patch, band, _ = (part.ravel() for part in np.indices((9, 2, each)))
    return {"tract": np.full(len(patch), 9813), "patch": patch, "band": np.array(["g", "r"])[band]}


def _coadd_depth(rng: np.random.Generator) -> Columns:
    """Depths of nine patches."""
    return _patches(rng, 1)


def _coadd_images(rng: np.random.Generator) -> Columns:
    """Images of nine patches, of eight visits."""
    whole = _patches(rng, 40)
    # A patch has fewer images the higher its number: no two have as many.
    table = taken(whole, rng.random(len(whole["patch"])) < 1.0 / (2.0 + whole["patch"]))
    rows = len(table["patch"])
    visit = rng.integers(0, 8, rows) + 2024_11_09_00001
    return {**table, "visit": visit, "detector": rng.integers(0, 9, rows)}


def _image_mask(rng: np.random.Generator) -> Columns:
    """Masks of nine patches, with a plane that no pixel has."""
    table = _patches(rng, 1)
    rows = len(table["patch"])
    valid = rng.integers(7_000, 10_000, rows).astype(float)
    table |= {f"n_{plane}": rng.binomial(5_000, 0.02, rows).astype(float) for plane in PLANES}
    return table | {
        "n_pixels": np.full(rows, 10_000.0),
        "n_valid": valid,
        "n_NO_DATA": 10_000.0 - valid,
        "n_SUSPECT": np.zeros(rows),
    }


COADD_STORIES: dict[str, Callable[[np.random.Generator], Columns]] = {
    "dia_source": _dia_source,
    "dia_fake": _dia_fake,
    "object_parent": _object_parent,
    "coadd_depth": _coadd_depth,
    "coadd_input": _coadd_images,
    "coadd_choice": _coadd_images,
    "image_mask": _image_mask,
}
