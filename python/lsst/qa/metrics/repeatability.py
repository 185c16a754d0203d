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

"""Repeatability by brightness and by coordinate: how well magnitudes repeat at
low S/N, and how well a star's position does.
"""

from __future__ import annotations

__all__ = ["FARO", "POSITION", "REPEAT"]

from typing import Any

import numpy as np

from ..metric import Estimate, Metric, Spec, metric
from ..stats import Groups, median
from .astrometry import BYTES_PER_ROW, MAS, MOST_ROWS, astrometric_stars, good_detections
from .photometry import MILLI, compact_stars, enough

SNR_BINS = ((5.0, 10.0), (10.0, 20.0), (20.0, 40.0), (40.0, 80.0))


def in_snr_bin(
    stars: Groups,
    mag: np.ndarray,
    psf_mag: np.ndarray,
    psf_snr: np.ndarray,
    extendedness: np.ndarray,
    *,
    snr_low: float = 5.0,
    snr_high: float = 10.0,
    extended: float = 0.5,
    galaxies: bool = False,
    all_alike: bool = False,
    min_visits: int = 3,
    ddof: int = 1,
) -> dict[str, np.ndarray]:
    """Measure how the magnitudes scatter of what has its median S/N in a bin.

    It counts if all its magnitudes are finite and its median extendedness is
    on the side of ``extended`` that is asked for (every one of them with
    ``all_alike``). The bin holds both its ends.
    """
    # Of all stars, once for all bins.
    alike = stars.once(
        ("alike", extended, galaxies, all_alike),
        (mag, psf_mag, extendedness),
        lambda: (
            _of_kind(stars, extendedness, extended, galaxies, all_alike)
            & stars.finite(mag)
            & stars.finite(psf_mag)
            & (stars.counts > 1)
        ),
    )
    # Of one bin, once for all that is measured in it.
    inside = stars.once(
        ("inside", snr_low, snr_high),
        (psf_snr,),
        lambda: np.flatnonzero(
            stars.median_at_least(psf_snr, snr_low) & stars.median_below(psf_snr, _next(snr_high))
        ),
    )
    kept = inside[alike[inside]]
    counts = stars.counts[kept]
    return {
        "rms": MILLI * stars.rms(mag, ddof)[kept[counts >= min_visits]],
        "rows": np.array([int(counts.sum())]),
    }


def _of_kind(
    stars: Groups, extendedness: np.ndarray, extended: float, galaxies: bool, every: bool
) -> np.ndarray:
    """Tell what is compact, or not: in the median, or in every detection."""
    if not galaxies:
        return compact_stars(stars, extendedness, extended, every)
    if every:
        return stars.all(extendedness > extended)
    return stars.median_at_least(extendedness, _next(extended))


def _next(limit: float) -> float:
    """Return the next number, which turns "at most" into "below"."""
    return float(np.nextafter(limit, np.inf))


def repeatability(rms: np.ndarray, rows: np.ndarray, *, more_than: int = 0) -> Estimate:
    value, error, n = median(rms)
    return Estimate(value, error, n) if enough(rms, rows, more_than) else Estimate(np.nan, np.nan, n)


def _repeat(flux: str, kind: str, place: int) -> Metric:
    """Declare the repeatability of stars or galaxies in one bin of S/N."""
    low, high = SNR_BINS[place]
    what = "galaxies" if kind == "Gal" else "stars"
    return Metric(
        name=f"{flux}PhotRep{kind}{place + 1}",
        function=repeatability,
        table="matched",
        unit="mmag",
        doc=f"Median over {what} with a median S/N of {low:.0f} to {high:.0f} of the rms of their"
        f" {'PSF' if flux == 'psf' else 'Gaussian model'} magnitude about its mean.",
        formula=f"median_{what} sqrt(sum_v (m_v - mean m)^2 / (n - 1)), {low:.0f} <= S/N <= {high:.0f},"
        " n >= 3 visits",
        reference="SRD's PA1 (LPM-17) in the bins of faro aff3cf7, PhotRep",
        steps=(in_snr_bin,),
        specs=(Spec("minimum", (180.0 if kind == "Gal" else 120.0) / 2**place, source="verify_metrics"),),
        constants={"snr_low": low, "snr_high": high, "galaxies": kind == "Gal"},
        inputs={"mag": "psf_mag" if flux == "psf" else "gauss_mag"},
        bytes_per_row=0.25,  # 8 bytes per star of one bin among many
    )


REPEAT = tuple(
    _repeat(flux, kind, place)
    for flux, kind in (("psf", "Star"), ("model", "Star"), ("model", "Gal"))
    for place in range(len(SNR_BINS))
)
FARO = tuple(
    m.variant(
        ".faro",
        doc=f"{m.name} as faro computes it: the rms of the population (ddof=0), every detection on one side"
        " of extendedness 0.9; undefined for 10 stars or fewer.",
        formula=m.formula.replace("(n - 1)", "n"),
        reference="faro aff3cf7, PhotRep tasks",
        extended=0.9,
        all_alike=True,
        ddof=0,
        more_than=10,
    )
    for m in REPEAT
)


def ra_cos_dec_scatter(
    stars: Groups,
    ra: np.ndarray,
    dec: np.ndarray,
    psf_mag: np.ndarray,
    *,
    mag_min: float = 17.0,
    mag_max: float = 21.5,
) -> dict[str, np.ndarray]:
    """Measure the rms of each star's RA cos(Dec) and Dec, in mas, as
    analysis_tools does.
    """
    mag = stars.mean(psf_mag)
    chosen = (mag >= mag_min) & (mag < mag_max) & (stars.counts > 1)
    chosen &= stars.all(np.isfinite(ra) & np.isfinite(dec))
    rows, sample = stars.rows_of(chosen), stars.take(chosen)
    turned = np.mod(ra[rows], 2.0 * np.pi) * np.cos(dec[rows])
    return {"east": MAS * sample.rms(turned), "north": MAS * sample.rms(dec[rows])}


_POSITION: dict[str, Any] = {
    "table": "matched",
    "unit": "mas",
    "rows": good_detections,
    "steps": (astrometric_stars,),
    "most_rows": MOST_ROWS,
    "bytes_per_row": BYTES_PER_ROW,
    "specs": (Spec("design", 50.0, source="LSE-61"),),
    "reference": "LSE-61, dmL2AstroErr",
}


@metric("dmL2AstroErr_RA", **_POSITION)
def position_error_ra(east: np.ndarray) -> Estimate:
    """Median over stars of the rms, over visits, of their position along right
    ascension.

    median_stars sqrt(sum_v (x_v - mean x)^2 / (n - 1)), x to the east on the
    tangent plane, 17 <= mag < 21.5, S/N >= 50
    """
    return Estimate(*median(east))


@metric("dmL2AstroErr_Dec", **_POSITION)
def position_error_dec(north: np.ndarray) -> Estimate:
    """Median over stars of the rms, over visits, of their position along
    declination.

    median_stars sqrt(sum_v (y_v - mean y)^2 / (n - 1)), y to the north on the
    tangent plane, 17 <= mag < 21.5, S/N >= 50
    """
    return Estimate(*median(north))


POSITION = tuple(
    m.variant(
        ".analysis_tools",
        rows=None,
        steps=(ra_cos_dec_scatter,),
        constants={},
        doc=f"{m.name} as analysis_tools computes it: from RA cos(Dec), which takes in some of the scatter"
        " in Dec.",
        reference="analysis_tools c74f828, AstrometricRepeatability",
    )
    for m in (position_error_ra, position_error_dec)
)
