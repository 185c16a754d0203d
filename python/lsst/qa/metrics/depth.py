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

"""Depth and image quality over the field: how faint a source can be, how even
that is, and how round and how even the PSF is.
"""

from __future__ import annotations

__all__ = [
    "COADD",
    "DF2",
    "EF1",
    "FIDUCIAL_DEPTH",
    "HSC_COADD",
    "SE1",
    "SE2",
    "SF1",
    "SX",
    "Z2",
    "effective_time_of_depth",
    "five_sigma_depth",
    "five_sigma_depth_mean",
    "m5_smtn002",
    "surface_brightness_limit",
]

import numpy as np

from ..metric import Estimate, metric, srd
from ..stats import fraction, fraction_beyond, mean, median, quantile, quantile_range
from ..stats.noise import clipped_stdev, limiting_counts
from .cameras import camera_of
from .shape import psf_stars
from .sky import OF_OBJECTS, OF_SOURCES, sky_sources

AB_NANOJANSKY = 31.4
MAG_PER_LN = 2.5 / np.log(10.0)

FIDUCIAL_DEPTH = {"u": 23.70, "g": 24.97, "r": 24.52, "i": 24.13, "z": 23.56, "y": 22.55}
"""Depth of 30 s under fiducial conditions: of SMTN-002, for LSSTCam."""


def stars_at_five_sigma(
    psf_snr: np.ndarray,
    extendedness: np.ndarray,
    detect_isPrimary: np.ndarray,
    *,
    low: float = 4.75,
    high: float = 5.25,
) -> np.ndarray:
    """Select primary, compact sources about as faint as can be measured."""
    return detect_isPrimary & (extendedness < 0.5) & (psf_snr > low) & (psf_snr < high)


@metric(
    "five_sigma_depth",
    table="source",
    unit="mag",
    rows=stars_at_five_sigma,
    reference="analysis_tools c74f828, FiveSigmaPointSourceDepthMetric",
)
def five_sigma_depth(psf_mag: np.ndarray) -> Estimate:
    """Median PSF magnitude of stars with S/N of about 5.

    median(m), 4.75 < S/N < 5.25
    """
    return Estimate(*median(psf_mag))


@metric(
    "five_sigma_depth_mean",
    table="source",
    unit="mag",
    rows=stars_at_five_sigma,
    reference="analysis_tools c74f828, FiveSigmaPointSourceDepthMetric",
)
def five_sigma_depth_mean(psf_mag: np.ndarray) -> Estimate:
    """Mean PSF magnitude of stars with S/N of about 5.

    mean(m), 4.75 < S/N < 5.25
    """
    return Estimate(*mean(psf_mag))


@metric(
    "surface_brightness_limit",
    table="source",
    unit="mag / arcsec2",
    rows=sky_sources,
    inputs=OF_SOURCES,
    reference="analysis_tools c74f828, LimitingSurfaceBrightness",
)
def surface_brightness_limit(
    ap09Flux: np.ndarray,
    instrument: str | None,
    *,
    camera: str | None = None,
    radius: float = 9.0,
    sigmas: float = 3.0,
    side: float = 10.0,
) -> Estimate:
    """Surface brightness that is 3 sigma above the sky over 10 by 10 arcsec.

    31.4 - 2.5 log10(3 sigma / (10 arcsec times the pixel scale)), sigma of a
    pixel from the flux of sky sources in apertures of 9 pixels; the pixel
    scale is the instrument's, LSSTCam's where that is not known
    """
    value, error, n = clipped_stdev(ap09Flux / (np.pi * radius**2) ** 0.5, 3.0)
    if not value > 0.0:
        return Estimate(np.nan, np.nan, n)
    pixel_scale = camera_of(instrument, camera).pixel_scale
    limit = AB_NANOJANSKY - 2.5 * np.log10(sigmas * value / (side * pixel_scale))
    return Estimate(float(limit), float(MAG_PER_LN * error / value), n)


COADD = tuple(
    m.variant(
        f"coadd_{m.name}",
        table="object",
        inputs=OF_OBJECTS if m is surface_brightness_limit else {},
        doc=m.doc.replace("stars", "stars on coadds").replace("the sky", "the sky of coadds"),
        formula=m.formula.replace("sky sources", "sky objects"),
    )
    for m in (five_sigma_depth, five_sigma_depth_mean, surface_brightness_limit)
)
# A tract's data ID names no instrument.
HSC_COADD = COADD[-1].variant(
    ".HSC",
    camera="HSC",
    doc=f"{COADD[-1].doc[:-1]}, of HSC.",
    formula=COADD[-1].formula.replace("the instrument's, LSSTCam's where that is not known", "HSC's, 0.168"),
)


@metric("m5_smtn002", table="visit_summary", unit="mag", reference="SMTN-002; LSE-40")
def m5_smtn002(
    skyBg: np.ndarray,
    psfArea: np.ndarray,
    zeroPoint: np.ndarray,
    instrument: str | None,
    *,
    gain: float | None = None,
    read_noise: float | None = None,
) -> Estimate:
    """Magnitude of a point source at S/N 5, from sky level, PSF, gain and read
    noise: the instrument's, LSSTCam's where that is not known, in counts.

    zero point - 2.5 log10(C), C = S^2 / 2g + sqrt(S^4 / 4g^2 + S^2 (B / g +
    s^2) A), S = 5
    """
    camera = camera_of(instrument)
    gain = camera.gain if gain is None else gain
    read_noise = camera.read_noise if read_noise is None else read_noise
    with np.errstate(divide="ignore", invalid="ignore"):
        counts = limiting_counts(5.0, skyBg, psfArea, gain, read_noise)
        return Estimate(*median(zeroPoint - 2.5 * np.log10(counts)))


@metric("effective_time_of_depth", table="visit_summary", unit="s", reference="SMTN-002")
def effective_time_of_depth(magLim: np.ndarray, band: str | None) -> Estimate:
    """Exposure time that fiducial conditions would take for the depth that the
    summary states.

    30 s 10^(0.8 (m5 - fiducial m5)), median over detectors
    """
    fiducial = FIDUCIAL_DEPTH.get(band or "", np.nan)
    with np.errstate(over="ignore"):
        return Estimate(*median(30.0 * 10.0 ** (0.8 * (magLim - fiducial))))


@metric(
    "DF2",
    table="visit_summary",
    unit="%",
    specs=srd(20.0, 15.0, 10.0),
    reference="LPM-17, depth over the field of view",
)
def DF2(magLim: np.ndarray, *, limit: float = 0.2) -> Estimate:
    """Percentage of the field whose depth is brighter than the visit's median
    by more than Z2's design value.

    100 mean(median(m5) - m5 > 0.2 mag), over detectors
    """
    return Estimate(*fraction_beyond(-magLim, limit))


@metric(
    "Z2",
    table="visit_summary",
    unit="mag",
    specs=srd(0.4, 0.2, 0.2),
    reference="LPM-17, depth over the field of view",
)
def Z2(magLim: np.ndarray, *, outliers: float = 15.0) -> Estimate:
    """By how much the depth may be brighter than the visit's median in all but
    DF2's design percentage of the field.

    quantile(median(m5) - m5, 1 - 15 %), over detectors, median-unbiased
    """
    return Estimate(*quantile_range(-magLim, 1.0 - outliers / 100.0, 0.5, unbiased=True))


def logarithms(values: np.ndarray) -> np.ndarray:
    """Return the logarithms of finite, positive values."""
    return np.log(values[np.isfinite(values) & (values > 0.0)])


@metric(
    "SF1",
    table="visit_summary",
    unit="%",
    specs=srd(10.0, 10.0, 5.0),
    reference="LPM-17, image quality over the field of view",
)
def SF1(seeing: np.ndarray, *, limit: float = 1.1) -> Estimate:
    """Percentage of the field where the PSF is wider than SX's design value
    times the visit's median.

    100 mean(FWHM > 1.1 median(FWHM)), over detectors
    """
    return Estimate(*fraction_beyond(logarithms(seeing), float(np.log(limit))))


@metric(
    "SX",
    table="visit_summary",
    unit="",
    specs=srd(1.2, 1.1, 1.1),
    reference="LPM-17, image quality over the field of view",
)
def SX(seeing: np.ndarray, *, outliers: float = 10.0) -> Estimate:
    """Width of the PSF, over the visit's median, that all but SF1's design
    percentage of the field keeps within.

    quantile(FWHM / median(FWHM), 1 - 10 %), over detectors,
    median-unbiased
    """
    value, error, n = quantile_range(logarithms(seeing), 1.0 - outliers / 100.0, 0.5, unbiased=True)
    ratio = float(np.exp(value))
    return Estimate(ratio, ratio * error, n)


def psf_ellipticity(psf_e1: np.ndarray, psf_e2: np.ndarray) -> np.ndarray:
    """Return the finite sizes of the PSF's ellipticity, as distortion."""
    size = np.hypot(psf_e1, psf_e2)
    return size[np.isfinite(size)]


@metric(
    "SE1",
    table="source",
    unit="",
    rows=psf_stars,
    specs=srd(0.05, 0.04, 0.03),
    reference="LPM-17, PSF ellipticity",
)
def SE1(psf_e1: np.ndarray, psf_e2: np.ndarray) -> Estimate:
    """Median ellipticity of the PSF over the field, where there are stars.

    median |e_PSF|, distortion, S/N > 50
    """
    return Estimate(*median(psf_ellipticity(psf_e1, psf_e2)))


@metric(
    "EF1",
    table="source",
    unit="%",
    rows=psf_stars,
    specs=srd(10.0, 5.0, 5.0),
    reference="LPM-17, PSF ellipticity",
)
def EF1(psf_e1: np.ndarray, psf_e2: np.ndarray, *, limit: float = 0.07) -> Estimate:
    """Percentage of the field where the PSF's ellipticity exceeds SE2's design
    value.

    100 mean(|e_PSF| > 0.07), distortion, S/N > 50
    """
    return Estimate(*fraction(psf_ellipticity(psf_e1, psf_e2) > limit))


@metric(
    "SE2",
    table="source",
    unit="",
    rows=psf_stars,
    specs=srd(0.1, 0.07, 0.05),
    reference="LPM-17, PSF ellipticity",
)
def SE2(psf_e1: np.ndarray, psf_e2: np.ndarray, *, outliers: float = 5.0) -> Estimate:
    """Ellipticity that the PSF keeps within over all but EF1's design
    percentage of the field.

    quantile(|e_PSF|, 1 - 5 %), distortion, S/N > 50
    """
    return Estimate(*quantile(psf_ellipticity(psf_e1, psf_e2), 1.0 - outliers / 100.0))
