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

"""Rho statistics: how errors of the PSF model go together over the field."""

from __future__ import annotations

__all__ = ["PLOT"]

import numpy as np

from ..metrics.rho import correlations
from ..metrics.shape import coadd_stars, psf_stars
from ..stats.correlation import log_bins
from .declared import Plot, Way
from .drawing import Drawing, Layer

_TONES = ("one", "two", "three", "four", "five")
_LOW, _HIGH, _BINS = 0.5, 100.0, 12
_MOST_STARS = 30_000


def rho_statistics(
    ra: np.ndarray,
    dec: np.ndarray,
    ixx: np.ndarray,
    iyy: np.ndarray,
    ixy: np.ndarray,
    ixxPSF: np.ndarray,
    iyyPSF: np.ndarray,
    ixyPSF: np.ndarray,
) -> Drawing:
    """Draw the size of rho 1 to 5 by separation."""
    every = max(1, -(-len(ra) // _MOST_STARS))
    columns = [column[::every] for column in (ra, dec, ixx, iyy, ixy, ixxPSF, iyyPSF, ixyPSF)]
    found = correlations(*columns, low=_LOW, high=_HIGH, bins=_BINS)
    edges = log_bins(_LOW, _HIGH, _BINS)
    middle = np.sqrt(edges[1:] * edges[:-1])
    layers: list[Layer] = []
    for place, one in enumerate(found[1:]):
        values = one.values
        errors = np.array([one.error(unit) for unit in np.eye(_BINS)])
        known = np.isfinite(values) & (values != 0.0)
        # Beside each other, so that bars do not hide bars.
        x = middle[known] * 1.03 ** (place - 2)
        size, error = np.abs(values[known]), np.nan_to_num(errors[known])
        columns_of = {
            "x": x,
            "y": size,
            # A logarithm has no end below zero.
            "low": np.maximum(size - error, 0.05 * size),
            "high": size + error,
            "alpha": np.where(values[known] > 0.0, 1.0, 0.0),
        }
        if len(x):
            layers.append(Layer("line", {"x": x, "y": size}, "", _TONES[place]))
            layers.append(Layer("bars", columns_of, f"ρ{place + 1}", _TONES[place]))
    sampled = (f"Pairs of one star in {every}.",) if every > 1 else ()
    return Drawing(
        across="separation (arcmin)",
        up="size of the correlation",
        layers=tuple(layers),
        n=len(columns[0]),
        of="stars",
        log_across=True,
        log_up=True,
        notes=("Hollow marks are negative.", *sampled),
    )


PLOT = Plot(
    "rho_statistics",
    "Rho statistics",
    "Correlations, by separation, of the residual ellipticity with itself (ρ1), of the ellipticity with it"
    " (ρ2), and of both with the ellipticity times the residual size (ρ3, ρ4, ρ5), as Jarvis et al. (2016)"
    " define them. They should be small and fall off.",
    rho_statistics,
    (Way("source", psf_stars), Way("object", coadd_stars)),
)
