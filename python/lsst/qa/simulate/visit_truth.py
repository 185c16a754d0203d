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

"""True values of the metrics of a visit."""

from __future__ import annotations

__all__ = ["summary_values", "visit_values"]

import numpy as np

from .expected import expected_rows, unresolved
from .flags import flag_probabilities
from .sky import BLEND, SKY
from .statistics import Values, mean, psf_residuals, sky_statistics
from .summary import visit_summary
from .survey import Survey
from .visits import FWHM

_SHAPE_SNR = {"": 50.0, ".lowSN": 100.0, ".highSN": 500.0}

_SUMMARY = {
    "psf_sigma": ("psfSigma", "pixel", 1.0),
    "psf_area": ("psfArea", "pixel2", 1.0),
    "sky_background": ("skyBg", "adu", 1.0),
    "sky_noise": ("skyNoise", "adu", 1.0),
    "zero_point": ("zeroPoint", "mag", 1.0),
    "m5": ("magLim", "mag", 1.0),
    "effective_time": ("effTime", "s", 1.0),
    "astrom_offset_mean": ("astromOffsetMean", "mas", 1000.0),
    "astrom_offset_std": ("astromOffsetStd", "mas", 1000.0),
    "n_psf_stars": ("nPsfStar", "", 1.0),
    "psf_star_e1_median": ("psfStarDeltaE1Median", "", 1.0),
    "psf_star_e1_scatter": ("psfStarDeltaE1Scatter", "", 1.0),
    "psf_star_e2_median": ("psfStarDeltaE2Median", "", 1.0),
    "psf_star_e2_scatter": ("psfStarDeltaE2Scatter", "", 1.0),
    "psf_star_size_median": ("psfStarDeltaSizeMedian", "pixel", 1.0),
    "psf_star_size_scatter": ("psfStarDeltaSizeScatter", "pixel", 1.0),
    "psf_star_scaled_size_scatter": ("psfStarScaledDeltaSizeScatter", "", 1.0),
}
"""Column, unit of the metric, and factor to it."""


def visit_values(survey: Survey, visit_id: int) -> Values:
    """Return the true values of the metrics of a visit's sources.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    visit_id : `int`
        Visit.

    Returns
    -------
    values : `dict` [`str`, `tuple` [`float`, `str`]]
        Numbers of rows, of primary ones and of stars, exact; the percentage
        of rows that has each flag; PSF residuals of unresolved, unsaturated
        sources of S/N above 50; and sky sources.
    """
    _, rows = expected_rows(survey, visit_id)
    primary = (rows.kind != SKY) & (rows.kind != BLEND)
    compact = unresolved(rows.extension) & primary
    chances = flag_probabilities(rows)
    usable = rows.take(compact & ~rows.saturated)
    sky = rows.take(rows.kind == SKY)
    return {
        "n_sources": (float(len(primary)), ""),
        "n_primary": (float(primary.sum()), ""),
        "n_stars": (float(compact.sum()), ""),
        "psf_flux_finite_fraction": (100.0 * mean(1.0 - chances["psfFlux_flag"][primary]), "%"),
        **{f"flag_fraction.{name}": (100.0 * mean(chance), "%") for name, chance in chances.items()},
        **psf_residuals(usable.shape, usable.model, usable.snr, _SHAPE_SNR),
        **sky_statistics(sky.flux[1], sky.error[1]),
    }


def summary_values(survey: Survey, visit_id: int) -> dict[str, tuple[np.ndarray, str]]:
    """Return the true values of the metrics of a visit's summary.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    visit_id : `int`
        Visit.

    Returns
    -------
    values : `dict` [`str`, `tuple` [`numpy.ndarray`, `str`]]
        By detector, exact; the visit's own is their median.
    """
    table = visit_summary(survey, visit_id)
    seeing = FWHM * table["psfSigma"] * table["pixelScale"]
    depth = table["zeroPoint"] - 2.5 * np.log10(5.0 * table["skyNoise"] * np.sqrt(table["psfArea"]))
    values = {name: (factor * table[column], unit) for name, (column, unit, factor) in _SUMMARY.items()}
    return {"seeing": (seeing, "arcsec"), "m5_background": (depth, "mag"), **values}
