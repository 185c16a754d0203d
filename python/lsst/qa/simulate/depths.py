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

"""How deep the coadds of a tract are, and which images they are made of, on a
grid of points.
"""

from __future__ import annotations

__all__ = ["coadd_depths", "coadd_inputs", "depth_values"]

import functools

import numpy as np

from .camera import DETECTORS, to_pixels
from .coadd import observed
from .objects import PATCHES
from .statistics import Values
from .survey import Survey

_GRID = 48
"""Points along a side of a patch."""

_THRESHOLDS, _PERCENTILES = (1, 2, 3, 5, 12), (5, 10, 25, 50, 75, 90, 95)


@functools.lru_cache(maxsize=8)
def _seen(survey: Survey, tract: int, band: str) -> np.ndarray:
    """Return the detector that each visit has at each point, -1 for none:
    visit, patch, point.
    """
    side = 3600.0 * survey.tract_size
    at = (np.arange(PATCHES * _GRID) + 0.5) / (PATCHES * _GRID) * side - 0.5 * side
    x, y = np.meshgrid(at, at)
    patch = np.repeat(np.arange(PATCHES), _GRID)
    order = np.argsort((PATCHES * patch[:, None] + patch[None, :]).ravel(), kind="stable")
    visits = observed(survey, tract, band)
    found = [to_pixels(x.ravel()[order], y.ravel()[order], visit.placing)[0] for visit in visits]
    return np.stack(found).reshape(len(visits), PATCHES**2, _GRID**2)


def coadd_depths(survey: Survey, tract: int) -> dict[str, np.ndarray]:
    """Make the table of how many images went into a tract's pixels.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`
        Tract.

    Returns
    -------
    columns : `dict` [`str`, `numpy.ndarray`]
        Columns by their names in the production table, a row for each patch
        and band.
    """
    tables = []
    for band in survey.filters:
        depth = np.count_nonzero(_seen(survey, tract, band) >= 0, axis=0)
        table = {
            "patch": np.arange(PATCHES**2),
            "band": np.full(PATCHES**2, band),
            "mean": depth.mean(axis=1),
            "median": np.median(depth, axis=1),
            "stdevs": depth.std(axis=1),
        }
        table |= {f"depth_above_threshold_{n}": 100.0 * np.mean(depth >= n, axis=1) for n in _THRESHOLDS}
        table |= {f"depth_{p}_percentile": np.percentile(depth, p, axis=1) for p in _PERCENTILES}
        tables.append(table)
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def coadd_inputs(survey: Survey, tract: int, band: str) -> dict[str, np.ndarray]:
    """Make the table of the images that went into a tract's coadds.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`
        Tract.
    band : `str`
        Band.

    Returns
    -------
    columns : `dict` [`str`, `numpy.ndarray`]
        Columns by their names in the production table, a row for each patch
        and image that overlaps it.
    """
    visits, seen = observed(survey, tract, band), _seen(survey, tract, band)
    points = np.stack([np.count_nonzero(seen == d, axis=2) for d in range(DETECTORS)])
    detector, visit, patch = np.nonzero(points)
    pixels = (3600.0 * survey.tract_size / PATCHES / survey.pixel_scale) ** 2
    return {
        "tract": np.full(len(patch), tract, dtype=np.int32),
        "patch": patch.astype(np.int32),
        "visit": np.array([each.id for each in visits])[visit],
        "detector": detector.astype(np.int32),
        "weight": np.array([each.flux5**-2.0 for each in visits])[visit],
        "goodpix": np.round(points[detector, visit, patch] / _GRID**2 * pixels).astype(np.int32),
        "band": np.full(len(patch), band),
    }


def depth_values(survey: Survey, tract: int, band: str) -> Values:
    """Return the true values of the metrics of a tract's depth and inputs.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`
        Tract.
    band : `str`
        Band.

    Returns
    -------
    values : `dict` [`str`, `tuple` [`float`, `str`]]
        Exact for the visits that there are.
    """
    table = coadd_depths(survey, tract)
    own = table["band"] == band
    values: Values = {}
    for name in table:
        if name.startswith("depth_"):
            unit, column = "%" if "above" in name else "", table[name][own]
            values[f"{name}_median"] = float(np.median(column)), unit
            values[f"{name}_mean"] = float(column.mean()), unit
            values[f"{name}_stdev"] = float(column.std(ddof=1)), unit
    return {**values, **_input_values(survey, tract, band)}


def _input_values(survey: Survey, tract: int, band: str) -> Values:
    inputs = coadd_inputs(survey, tract, band)
    rows = list(zip(inputs["patch"], inputs["visit"], inputs["detector"], inputs["weight"]))
    patches = {patch: [row for row in rows if row[0] == patch] for patch in {row[0] for row in rows}}
    effective = [
        sum(row[3] for row in own) ** 2 / sum(row[3] ** 2 for row in own) for own in patches.values()
    ]
    return {
        "coadd_n_visits": (float(len({row[1] for row in rows})), ""),
        "coadd_n_images": (float(len({row[1:3] for row in rows})), ""),
        "coadd_images_per_patch": (float(np.median([len(own) for own in patches.values()])), ""),
        "coadd_visits_per_patch": (
            float(np.median([len({row[1] for row in own}) for own in patches.values()])),
            "",
        ),
        "coadd_effective_images": (float(np.median(effective)), ""),
        "coadd_good_pixels": (float(np.median(inputs["goodpix"])), "pixel"),
    }
