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

"""Width of the stellar locus: how far stars' colours are from the line that
most of them follow.
"""

from __future__ import annotations

__all__ = ["ANALYSIS_TOOLS", "EXTINCTION", "FARO", "OF_CAMERA", "WIDTHS"]

import numpy as np

from ..metric import Estimate, Metric, Spec, metric
from ..stats import median, quantile_moves, rms_estimate, sigma_mad
from ..stats.line import IQR_TO_SIGMA, Line, clip_limit, least_squares, total_least_squares

MILLI = 1000.0
ROW_BYTES = 96

EXTINCTION = {
    "HSC": {"g": 3.240, "r": 2.276, "i": 1.633, "z": 1.263, "y": 1.075},
    "LSSTCam": {"u": 4.75721, "g": 3.66056, "r": 2.701367, "i": 2.053659, "z": 1.59009, "y": 1.3077049},
}
"""Extinction over E(B-V) in each band, by instrument: HSC's as obs_subaru has
them, LSSTCam's those of rubin_sim.
"""


def locus_stars(
    flux: np.ndarray,
    flux_error: np.ndarray,
    first_extendedness: np.ndarray,
    second_extendedness: np.ndarray,
    third_extendedness: np.ndarray,
    first_flag: np.ndarray,
    second_flag: np.ndarray,
    third_flag: np.ndarray,
    first_saturated: np.ndarray,
    second_saturated: np.ndarray,
    third_saturated: np.ndarray,
    detect_isPrimary: np.ndarray,
    *,
    snr_min: float = 300.0,
    mag_max: float = 22.5,
) -> np.ndarray:
    """Select bright primary objects that are compact and good in three bands,
    by the S/N and magnitude of the flux of one.
    """
    bad = first_flag | second_flag | third_flag | first_saturated | second_saturated | third_saturated
    good = detect_isPrimary & ~bad & (flux > 10.0 ** (0.4 * (31.4 - mag_max))) & (flux > snr_min * flux_error)
    for extendedness in (first_extendedness, second_extendedness, third_extendedness):
        good &= (extendedness >= 0.0) & (extendedness < 0.5)
    return good


def dereddened(
    first: np.ndarray,
    second: np.ndarray,
    third: np.ndarray,
    ebv: np.ndarray,
    extinction: str,
    bands: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the two colours without the dust between."""
    one, two, three = (EXTINCTION[extinction][band] for band in bands)
    with np.errstate(invalid="ignore"):
        return first - second - (one - two) * ebv, second - third - (two - three) * ebv


def distances(
    x: np.ndarray,
    y: np.ndarray,
    x_low: float,
    x_high: float,
    y_low: float,
    y_high: float,
    turning: bool,
    at_least: int = 7,
) -> np.ndarray:
    """Return the perpendicular distances, in mmag, of the stars that make the
    locus: within the ends of the line, and clipped at 3.5 and at 5 sigma.

    The ends are perpendicular to the line, or to what it was first if it is
    not ``turning``. No distances where fewer stars are left than ``at_least``.
    """
    kept = (x > x_low) & (x < x_high) & (y > y_low) & (y < y_high)
    line = total_least_squares(x[kept], y[kept]) if np.count_nonzero(kept) >= at_least else None
    across = line
    for sigmas in (3.5, 5.0):
        if line is None or across is None:
            return np.zeros(0)
        across = line if turning else across
        kept = _between(line, across, x, y, (x_low, y_low), (x_high, y_high))
        if np.count_nonzero(kept) < at_least:
            return np.zeros(0)
        away = MILLI * line.distance(x, y)
        kept &= np.abs(away) <= clip_limit(away[kept], sigmas)
        line = total_least_squares(x[kept], y[kept]) if np.count_nonzero(kept) >= at_least else None
    return MILLI * line.distance(x[kept], y[kept]) if line is not None else np.zeros(0)


def _between(
    line: Line,
    across: Line,
    x: np.ndarray,
    y: np.ndarray,
    low: tuple[float, float],
    high: tuple[float, float],
) -> np.ndarray:
    """Select the points between two ends of a line."""
    begin, end = (across.position(*(np.array(v) for v in line.crossing(*at))) for at in (low, high))
    position = across.position(x, y)
    return (position > begin) & (position < end)


def colours(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out what has not both colours."""
    known = np.isfinite(x) & np.isfinite(y)
    return x[known], y[known]


def middle(away: np.ndarray) -> Estimate:
    """Return the median distance from a line that was fitted to it.

    The mean distance is 0, so the error is that of the median less the mean.
    """
    value, error, n = median(away)
    if n < 2:
        return Estimate(value, np.nan, n)
    steps = np.sign(away - value) * error * np.sqrt(n) - (away - away.mean())
    return Estimate(value, float(np.sqrt(np.mean(steps**2) / n)), n)


def statistic(away: np.ndarray, what: str) -> Estimate:
    """Return the width of the locus, or where the middle of it is."""
    return Estimate(*sigma_mad(away)) if what == "width" else middle(away)


def locus(
    first: np.ndarray,
    second: np.ndarray,
    third: np.ndarray,
    ebv: np.ndarray,
    *,
    extinction: str = "LSSTCam",
    bands: str = "gri",
    what: str = "width",
    x_low: float = 0.28,
    x_high: float = 1.0,
    y_low: float = 0.02,
    y_high: float = 0.48,
) -> Estimate:
    """Measure the locus in colours without dust."""
    x, y = colours(*dereddened(first, second, third, ebv, extinction, bands))
    return statistic(distances(x, y, x_low, x_high, y_low, y_high, turning=True), what)


def observed_locus(
    first: np.ndarray,
    second: np.ndarray,
    third: np.ndarray,
    *,
    what: str = "width",
    x_low: float = 0.28,
    x_high: float = 1.0,
    y_low: float = 0.02,
    y_high: float = 0.48,
) -> Estimate:
    """Measure the locus in colours as they are, as analysis_tools does."""
    with np.errstate(invalid="ignore"):
        x, y = colours(first - second, second - third)
    return statistic(distances(x, y, x_low, x_high, y_low, y_high, turning=False), what)


def _inputs(bands: str, flux: str) -> dict[str, str]:
    """Name the columns of a locus in three bands; stars are judged by their
    flux in the band in the middle of gri, and in riz as well.
    """
    judged, kind = bands[1], "psf" if flux == "psfFlux" else "cmodel"
    named = {"flux": f"{judged}_{flux}", "flux_error": f"{judged}_{flux}Err"}
    for place, band in zip(("first", "second", "third"), bands):
        named[place] = f"{band}_{kind}_mag"
        named[f"{place}_extendedness"] = f"{band}_extendedness"
        named[f"{place}_flag"] = f"{band}_psfFlux_flag"
        named[f"{place}_saturated"] = f"{band}_pixelFlags_saturatedCenter"
    return named


LOCI: dict[str, tuple[str, str, dict[str, float]]] = {
    "wPerp": ("blue part", "gri", {}),
    "xPerp": ("red part", "gri", {"x_low": 1.05, "x_high": 1.55, "y_low": 0.78, "y_high": 1.62}),
    "yPerp": ("red part", "riz", {"x_low": 0.82, "x_high": 2.01, "y_low": 0.37, "y_high": 0.90}),
}
LIMITS = {
    ("wPerp", "width"): (Spec("minimum", 25.0, source="verify_metrics"),),
    ("xPerp", "width"): (Spec("minimum", 50.0, source="verify_metrics"),),
    ("yPerp", "width"): (Spec("design", 25.0, source="analysis_tools"),),
    **{
        (name, "median"): (
            Spec("design", most, source="analysis_tools"),
            Spec("design", -most, ">=", source="analysis_tools"),
        )
        for name, most in (("wPerp", 4.0), ("xPerp", 15.0), ("yPerp", 4.0))
    },
}
_WORDS = {
    "width": ("Scatter of stars across", "1.4826 MAD"),
    "median": ("Median distance of stars from the middle of", "median"),
}


def _declared(name: str, what: str, flux: str, observed: bool) -> Metric:
    """Declare the width or the median of a locus, in PSF or model magnitudes,
    without the dust or as analysis_tools has it.
    """
    (part, bands, box), (words, value) = LOCI[name], _WORDS[what]
    model = flux == "cModelFlux"
    variant = "_".join(["analysis_tools"] * observed + ["cmodel"] * model)
    own = {} if observed else {"bands": bands}
    return Metric(
        name=f"{name}{'_median' if what == 'median' else ''}{'.' if variant else ''}{variant}",
        function=observed_locus if observed else locus,
        table="object",
        unit="mmag",
        doc=f"{words} the {part} of their locus in {bands[1]}-{bands[2]} against {bands[0]}-{bands[1]},"
        f" {'model' if model else 'PSF'} magnitudes"
        f"{', as analysis_tools computes it: with the dust' if observed else ''}.",
        formula=f"{value}(perpendicular distance to the total least squares line), clipped at 5 sigma,"
        f" {'' if observed else 'dereddened, '}S/N > 300 and mag < 22.5 in {bands[1]}",
        reference="analysis_tools c74f828, StellarLocusFitAction; Ivezic et al. 2004, AN 325, 583",
        rows=locus_stars,
        specs=LIMITS.get((name, what), ()),
        constants={"what": what, **own, **box},
        inputs=_inputs(bands, flux),
        bytes_per_row=ROW_BYTES,
    )


WIDTHS, ANALYSIS_TOOLS = (
    tuple(
        _declared(name, what, flux, observed)
        for name in LOCI
        for what in _WORDS
        for flux in ("psfFlux", "cModelFlux")
    )
    for observed in (False, True)
)


OF_CAMERA = tuple(
    declared.variant(f".{camera}", extinction=camera, doc=f"{declared.doc[:-1]}; dust as {camera} sees it.")
    for declared in WIDTHS
    if "." not in declared.name
    for camera in EXTINCTION
    if camera != "LSSTCam"
)


def faro_stars(
    r_psf_mag: np.ndarray,
    g_extendedness: np.ndarray,
    r_extendedness: np.ndarray,
    i_extendedness: np.ndarray,
    g_psfFlux_flag: np.ndarray,
    r_psfFlux_flag: np.ndarray,
    i_psfFlux_flag: np.ndarray,
    detect_isPrimary: np.ndarray,
) -> np.ndarray:
    """Select compact primary objects with 17 < r < 23, as faro does."""
    good = detect_isPrimary & ~(g_psfFlux_flag | r_psfFlux_flag | i_psfFlux_flag)
    for extendedness in (g_extendedness, r_extendedness, i_extendedness):
        good &= extendedness < 0.5
    return good & (r_psf_mag > 17.0) & (r_psf_mag < 23.0)


@metric(
    "wPerp.faro",
    table="object",
    unit="mmag",
    rows=faro_stars,
    specs=LIMITS["wPerp", "width"],
    inputs={"first": "g_psf_mag", "second": "r_psf_mag", "third": "i_psf_mag"},
    reference="faro aff3cf7, stellarLocusResid",
    bytes_per_row=ROW_BYTES,
)
def FARO(
    first: np.ndarray, second: np.ndarray, third: np.ndarray, ebv: np.ndarray, *, extinction: str = "HSC"
) -> Estimate:
    """Root mean square of the second principal colour of the blue part of the
    stellar locus, as faro computes it.

    rms(P2), P2 = (-m g + (m + 1) r - i - b) / sqrt(m^2 + (m + 1)^2 + 1),
    -0.2 < P1 < 0.6, clipped at 3 sigma; m, b by least squares, dereddened
    """
    x, y = colours(*dereddened(first, second, third, ebv, extinction, "gri"))
    usable = (x > 0.3) & (x < 1.1) & (np.abs(y) < 1.0)
    kept = usable
    for last in (False, True):
        slope, intercept = least_squares(x[kept], y[kept])
        # Where the line runs; distances are of magnitudes, which the two
        # colours share one of.
        along = ((x - 0.3) + slope * (y - (0.3 * slope + intercept))) / np.hypot(1.0, slope)
        away = (slope * x - y + intercept) / -np.sqrt(slope**2 + (slope + 1.0) ** 2 + 1.0)
        part = away[(along > -0.2) & (along < 0.6)]
        if not len(part):
            return Estimate(np.nan, np.nan, 0)
        if not last:
            kept = usable & (np.abs(away) < clip_limit(part, 3.0))
    value, error, n = clipped_rms(part, 3.0)
    return Estimate(MILLI * value, MILLI * error, n)


def clipped_rms(values: np.ndarray, sigmas: float) -> tuple[float, float, int]:
    """Return the rms of what is within a limit that the quartiles set, and so
    move.
    """
    limit = clip_limit(values, sigmas)
    away = np.abs(values - np.median(values))
    within = away <= limit
    value, error, n = rms_estimate(values[within])
    if not (value > 0.0 and limit > 0.0):
        return value, error, n
    density = np.count_nonzero(np.abs(away - limit) < 0.15 * limit) / (0.3 * limit * n)
    gain = density * (limit**2 - value**2) / (2.0 * value) * sigmas * IQR_TO_SIGMA
    moved = np.where(within, values**2 - value**2, 0.0) / (2.0 * value) * len(values) / n
    moved += gain * (quantile_moves(values, 0.75) - quantile_moves(values, 0.25))
    return value, float(moved.std() / np.sqrt(len(values))), n
