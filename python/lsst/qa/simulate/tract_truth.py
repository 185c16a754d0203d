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

"""True values of the metrics of a tract: of its coadds, and of its stars'
repeated visits.
"""

from __future__ import annotations

__all__ = ["coadd_values", "repeat_values"]

import numpy as np

from .coadd import Coadd, observed
from .expected import unresolved
from .mixtures import deviation_quantile, deviations, median_rms, outside, resampled_deviations
from .objects import detected_pieces, object_flags
from .repeats import common_pairs, repeats
from .sky import BLEND, SKY, Sky
from .statistics import Values, mean, psf_residuals, sky_statistics
from .survey import BANDS, Stream, Survey, generator

_PHOTOMETRY_SNR = 200.0
_ASTROMETRY_SNR = 50.0
_ASTROMETRY_MAGS = (17.0, 21.5)
_SHAPE_SNR = {"": 100.0, ".lowSN": 500.0, ".highSN": 2700.0}
_DETECTED_SNR = 5.0
_FEWEST = 3
_PA2 = {"u": 22.5, "z": 22.5, "y": 22.5}
_SEPARATIONS = {"1": (5.0, 20.0), "2": (20.0, 20.0), "3": (200.0, 30.0)}
"""By the last digit of the metric: distance in arcmin, limit of AF in mas."""

_OUTLIERS = 0.10
_MOST_PAIRS = 8000
_DEVIATIONS = 1_000_000


class _Tally:
    """What is kept of a band's objects, seen piece by piece."""

    def __init__(self) -> None:
        self.objects = self.primary = 0
        self._compact = self._finite = 0
        self._flags: dict[str, float] = {}
        self._stars = [np.zeros((7, 0))]
        self._sky = [np.zeros((2, 0))]
        self._inputs = [np.zeros(0, dtype=np.int32)]

    def add(self, survey: Survey, drawn: Sky, seen: Coadd) -> None:
        primary = (drawn.kind != SKY) & (drawn.kind != BLEND)
        compact = unresolved(seen.extension) & (seen.snr >= 1.0) & primary
        self.objects += len(primary)
        self.primary += int(primary.sum())
        self._compact += int(compact.sum())
        self._finite += int((primary & (seen.inputs > 0)).sum())
        for name, chance in object_flags(survey, drawn, seen).items():
            self._flags[name] = self._flags.get(name, 0.0) + float(chance.sum())
        bright = compact & ~seen.saturated_centre & (seen.snr > _SHAPE_SNR[""])
        self._stars.append(np.vstack([seen.shape, seen.model, seen.snr])[:, bright])
        detected = primary & ~seen.saturated_centre & (seen.snr > _DETECTED_SNR)
        self._inputs.append(seen.inputs[detected & (seen.inputs > 0)])
        empty = (drawn.kind == SKY) & (seen.inputs > 0)
        self._sky.append(np.stack([seen.flux[1], seen.error[1]])[:, empty])

    def values(self) -> Values:
        stars, sky, inputs = np.hstack(self._stars), np.hstack(self._sky), np.concatenate(self._inputs)
        values: Values = {
            "n_stars": (float(self._compact), ""),
            "psf_flux_finite_fraction": (100.0 * self._finite / (self.primary or np.nan), "%"),
            **psf_residuals(stars[:3], stars[3:6], stars[6], _SHAPE_SNR),
            **sky_statistics(*sky),
            "input_count_median": (float(np.median(inputs)) if len(inputs) else np.nan, ""),
            "input_count_mean": (mean(inputs), ""),
        }
        for name, total in self._flags.items():
            values[f"flag_fraction.{name}"] = 100.0 * total / (self.objects or np.nan), "%"
        return {f"coadd_{name}": value for name, value in values.items()}


def coadd_values(survey: Survey, tract: int) -> dict[str | None, Values]:
    """Return the true values of the metrics of a tract's objects.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`
        Tract.

    Returns
    -------
    values : `dict` [`str` or `None`, `dict` [`str`, `tuple` [`float`, `str`]]]
        By band: the number of stars, exact; percentages that have each flag;
        PSF residuals of unresolved, unsaturated objects of S/N above 100;
        and sky objects. Under `None`, numbers that no band changes.
    """
    tallies = {band: _Tally() for band in survey.filters}
    for drawn, coadds in detected_pieces(survey, tract):
        for band, seen in coadds.items():
            tallies[band].add(survey, drawn, seen)
    values: dict[str | None, Values] = {band: tally.values() for band, tally in tallies.items()}
    any_band = tallies[survey.filters[0]]
    values[None] = {
        "coadd_n_objects": (float(any_band.objects), ""),
        "coadd_n_primary": (float(any_band.primary), ""),
    }
    return values


def repeat_values(survey: Survey, tract: int, band: str) -> Values:
    """Return the true repeatability of a tract's stars in a band.

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
        PA1, PF1, PA2, AM, AD and AF by the definitions of LPM-17, for the
        conditions that the visits had; only the noise of the stars is
        averaged over. Left out is that chance (a cosmic ray, a bad pixel)
        takes a visit from a star now and then.
    """
    return {**_photometry(survey, tract, band), **_astrometry(survey, tract, band)}


def _photometry(survey: Survey, tract: int, band: str) -> Values:
    """Return PA1, PF1 and PA2: stars of median S/N >= 200 with at least 3
    visits.
    """
    limit = max(visit.m5 for visit in observed(survey, tract, band)) - 2.5 * np.log10(_PHOTOMETRY_SNR / 5.0)
    seen = repeats(survey, tract, band, limit)
    seen = seen.take((seen.present.sum(axis=1) >= _FEWEST) & (seen.median_snr() >= _PHOTOMETRY_SNR))
    shift, sigma = deviations(seen.shift, seen.sigma, seen.present)
    return {
        "PA1": (median_rms(seen.shift, seen.sigma, seen.present), "mmag"),
        "PF1": (100.0 * outside(shift, sigma, _PA2.get(band, 15.0)), "%"),
        "PA2": (deviation_quantile(shift, sigma, 1.0 - _OUTLIERS), "mmag"),
    }


def _astrometry(survey: Survey, tract: int, band: str) -> Values:
    """Return AM, AD and AF: pairs of stars of 17 <= mag < 21.5 and median S/N
    >= 50.
    """
    seen = repeats(survey, tract, band, _ASTROMETRY_MAGS[1])
    seen = seen.take((seen.mag >= _ASTROMETRY_MAGS[0]) & (seen.median_snr() >= _ASTROMETRY_SNR))
    rng = generator(survey, Stream.TRUTH, tract, BANDS.index(band))
    values: Values = {}
    for digit, (distance, limit) in _SEPARATIONS.items():
        pairs = common_pairs(seen, distance - 1.0, distance + 1.0, _MOST_PAIRS, rng)
        values[f"AM{digit}"] = median_rms(*pairs), "mas"
        often = pairs.present.sum(axis=1) >= _FEWEST
        draws = _DEVIATIONS // max(int(pairs.present[often].sum()), 1) + 1 if often.any() else 0
        sample = resampled_deviations(rng, pairs.mean[often], pairs.sigma[often], pairs.present[often], draws)
        values[f"AD{digit}"] = float(np.quantile(sample, 1.0 - _OUTLIERS)) if len(sample) else np.nan, "mas"
        values[f"AF{digit}"] = 100.0 * mean(sample > limit), "%"
    return values
