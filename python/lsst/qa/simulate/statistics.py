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

"""True values of the statistics that visits and coadds have in common."""

from __future__ import annotations

__all__ = ["Values", "mean", "psf_residuals", "sky_statistics"]

from collections.abc import Mapping

import numpy as np

from .expected import SHAPE
from .mixtures import normal_quantile, normal_sigma_mad

Values = dict[str, tuple[float, str]]
"""Value and unit by name of the metric."""


def psf_residuals(
    shape: np.ndarray, model: np.ndarray, snr: np.ndarray, least: Mapping[str, float]
) -> Values:
    """Return median and scatter of the differences between stars and PSF
    model.

    Parameters
    ----------
    shape, model : `numpy.ndarray`, (3, n)
        Distortion e1, e2 and determinant radius of the stars without noise,
        and of the PSF model.
    snr : `numpy.ndarray`, (n,)
        S/N of the stars.
    least : `~collections.abc.Mapping` [`str`, `float`]
        S/N above which a star counts, by suffix of the metrics' names.

    Returns
    -------
    values : `dict` [`str`, `tuple` [`float`, `str`]]
        NaN where there is no star.
    """
    values = {}
    for suffix, limit in least.items():
        bright = snr > limit
        noise, ratio = SHAPE / snr[bright], shape[2, bright] / model[2, bright]
        for name, difference, sigma in (
            ("e1", (shape[0] - model[0])[bright], noise),
            ("e2", (shape[1] - model[1])[bright], noise),
            ("size", ratio - 1.0, 0.5 * ratio * noise),
        ):
            values[f"{name}_residual_median{suffix}"] = normal_quantile(difference, sigma), ""
            values[f"{name}_residual_scatter{suffix}"] = normal_sigma_mad(difference, sigma), ""
    return values


def sky_statistics(flux: np.ndarray, error: np.ndarray) -> Values:
    """Return the statistics of empty apertures.

    Parameters
    ----------
    flux, error : `numpy.ndarray`, (n,)
        Mean and standard deviation of the flux in each, in nJy.

    Returns
    -------
    values : `dict` [`str`, `tuple` [`float`, `str`]]
        NaN where there is no aperture.
    """
    centre = mean(flux)
    values = {
        "sky_flux_median": (normal_quantile(flux, error), "nJy"),
        "sky_flux_mean": (centre, "nJy"),
        "sky_flux_stdev": (float(np.sqrt(mean(error**2 + (flux - centre) ** 2))), "nJy"),
        "sky_flux_sigma_mad": (normal_sigma_mad(flux, error), "nJy"),
    }
    # Missing data do not bias the sky, so a selection that lets them in has
    # the same true value.
    return values | {f"sky_flux_{name}.faro": values[f"sky_flux_{name}"] for name in ("mean", "stdev")}


def mean(values: np.ndarray) -> float:
    """Return a mean.

    Parameters
    ----------
    values : `numpy.ndarray`, (n,)
        Values.

    Returns
    -------
    mean : `float`
        NaN of nothing.
    """
    return float(np.mean(values)) if len(values) else np.nan
