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

"""Residual correlations of the PSF: what is left of stars' shapes after the
model's are taken away, and how alike it is from star to star.

Separations are in arcminutes. The error of a correlation says how it would
differ with other stars in the same field, not under another atmosphere.
"""

from __future__ import annotations

__all__ = ["COMPONENTS", "FARO", "PIPE_TASKS", "TE", "TE_SPECS"]

from typing import Any

import numpy as np

from ..metric import Estimate, Metric, srd
from ..stats import median
from ..stats.correlation import Correlation, correlate, log_bins
from .shape import coadd_stars, psf_stars

ARCMIN = np.radians(1.0 / 60.0)
REFERENCE = "LPM-17 table 27"
ROW_BYTES = 512


def deblended_stars(
    psf_snr: np.ndarray,
    extendedness: np.ndarray,
    detect_isDeblendedSource: np.ndarray,
    *,
    snr_min: float = 50.0,
) -> np.ndarray:
    """Select compact deblended sources of sufficient S/N, as faro does."""
    return detect_isDeblendedSource & (extendedness < 0.5) & (psf_snr > snr_min)


def psf_model_stars(calib_psf_used: np.ndarray, psf_snr: np.ndarray, psfFlux_flag: np.ndarray) -> np.ndarray:
    """Select the stars that the PSF model was made from, as pipe_tasks
    does.
    """
    return calib_psf_used & ~psfFlux_flag & (psf_snr >= 50.0) & (psf_snr <= 1000.0)


def residuals(e1: np.ndarray, e2: np.ndarray, psf_e1: np.ndarray, psf_e2: np.ndarray) -> np.ndarray:
    """Return the complex residual ellipticity, NaN where it is not finite."""
    with np.errstate(invalid="ignore"):
        first, second = e1 - psf_e1, e2 - psf_e2
    known = np.isfinite(first) & np.isfinite(second)
    return np.where(known, first, np.nan) + 1j * np.where(known, second, np.nan)


def one_bin(correlation: Correlation) -> Estimate:
    """Return the value of a correlation function of a single bin."""
    value, pairs = float(correlation.values[0]), int(correlation.counts[0])
    return Estimate(value, correlation.error(np.ones(1)), pairs)


def parts_of(residual: np.ndarray, component: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the two fields whose product a component of the correlation
    is.
    """
    pairs = {
        "xi": (residual, residual),
        "E1": (residual.real, residual.real),
        "E2": (residual.imag, residual.imag),
        "Ex": (residual.real, residual.imag),
    }
    return pairs[component]


def residual_correlation(
    ra: np.ndarray,
    dec: np.ndarray,
    e1: np.ndarray,
    e2: np.ndarray,
    psf_e1: np.ndarray,
    psf_e2: np.ndarray,
    *,
    low: float = 0.0,
    high: float = 1.0,
    component: str = "xi",
) -> Estimate:
    """Return the mean over pairs of the product of residual ellipticities, or
    of components of them.
    """
    fields = parts_of(residuals(e1, e2, psf_e1, psf_e2), component)
    return one_bin(correlate(ra, dec, fields, [(0, 1)], np.array([low, high]) * ARCMIN)[0])


def _limits(minimum: float, design: float, stretch: float) -> tuple[Any, ...]:
    """Declare thresholds on the size of a signed value."""
    return srd(minimum, design, stretch, bands="ri") + srd(-minimum, -design, -stretch, bands="ri", op=">=")


TE_SPECS = {
    "TE1": _limits(3e-5, 2e-5, 1e-5),
    "TE2": _limits(3e-7, 1e-7, 5e-8),
    "TE3": _limits(6e-5, 4e-5, 2e-5),
    "TE4": _limits(5e-7, 2e-7, 1e-7),
}


def _te(name: str) -> Metric:
    """Declare one of the four: near or far pairs, of a coadd or a visit."""
    near, coadd = name in ("TE1", "TE3"), name in ("TE1", "TE2")
    return Metric(
        name=name,
        function=residual_correlation,
        table="object" if coadd else "source",
        unit="",
        doc=f"Mean over pairs of stars of a {'coadd' if coadd else 'visit'},"
        f" {'less than 1' if near else '5 to 100'} arcmin apart, of the product of their residual"
        " ellipticities.",
        formula="xi+ = mean_pairs Re(de_i de_j*), de = e - e_PSF, distortion, carried along great circles;"
        f" {'theta < 1' if near else '5 <= theta < 100'} arcmin",
        reference=REFERENCE,
        rows=coadd_stars if coadd else psf_stars,
        specs=TE_SPECS[name],
        constants={} if near else {"low": 5.0, "high": 100.0},
        bytes_per_row=ROW_BYTES,
        in_detail=False,
    )


TE = tuple(_te(name) for name in TE_SPECS)
COMPONENTS = tuple(
    m.variant(
        f".{component}",
        component=component,
        doc=f"{m.doc[:-1]}: {words}.",
        formula=m.formula.replace(
            "xi+ = mean_pairs Re(de_i de_j*)", f"{component} = mean_pairs {product}"
        ).replace(", carried along great circles", ""),
    )
    for m in TE
    for component, words, product in (
        ("E1", "of the first components", "de1_i de1_j"),
        ("E2", "of the second components", "de2_i de2_j"),
        ("Ex", "of the first component of one and the second of the other", "de1_i de2_j"),
    )
)


def mean_size_of_bins(
    ra: np.ndarray,
    dec: np.ndarray,
    e1: np.ndarray,
    e2: np.ndarray,
    psf_e1: np.ndarray,
    psf_e2: np.ndarray,
    *,
    low: float = 0.25,
    high: float = 1.0,
    bins: int = 10,
    at_least: int = 50,
) -> Estimate:
    if len(ra) < at_least:
        return Estimate(np.nan, np.nan, len(ra))
    # TreeCorr, which faro leaves this to, keeps fields in single precision.
    residual = residuals(e1, e2, psf_e1, psf_e2).astype(np.complex64).astype(complex)
    (found,) = correlate(ra, dec, [residual], [(0, 0)], log_bins(low, high, bins) * ARCMIN)
    if not found.counts.any():
        return Estimate(np.nan, np.nan, 0)
    values = np.where(found.counts > 0, found.values, 0.0)  # an empty bin counts as zero there
    return Estimate(
        float(np.abs(values).mean()), found.error(np.sign(values) / bins), int(found.counts.sum())
    )


def _faro(m: Metric, low: float, high: float, name: str = ".faro", **changes: Any) -> Metric:
    """Declare a metric of this family as faro computes it."""
    limits = tuple(spec for spec in m.specs if spec.op == "<=")
    return m.variant(
        name,
        function=mean_size_of_bins,
        rows=deblended_stars,
        constants={"low": low, "high": high},
        specs=limits,
        doc=f"{m.name} as faro computes it: the size of xi+, averaged over ten bins of {low:g} to {high:g}"
        " arcmin; undefined for fewer than 50 stars.",
        formula=f"mean_bins |xi+|, {low:g} to {high:g} arcmin",
        reference="faro aff3cf7, calculateTEx",
        **changes,
    )


FARO = (
    *(
        _faro(m, low, high)
        for m, (low, high) in zip(TE, ((0.25, 1.0), (5.0, 20.0), (0.25, 5.0), (5.0, 20.0)))
    ),
    _faro(TE[0], 0.25, 1.0, ".faro_source", table="source"),
)


def by_detector(
    ra: np.ndarray,
    dec: np.ndarray,
    e1: np.ndarray,
    e2: np.ndarray,
    psf_e1: np.ndarray,
    psf_e2: np.ndarray,
    detector: np.ndarray,
    *,
    low: float = 0.0,
    high: float = 5.0,
    component: str = "E1",
) -> Estimate:
    columns = (ra, dec, e1, e2, psf_e1, psf_e2)
    values = [
        residual_correlation(
            *(column[detector == one] for column in columns), low=low, high=high, component=component
        ).value
        for one in np.unique(detector)
    ]
    return Estimate(*median(np.array(values)))


PIPE_TASKS = tuple(
    m.variant(
        f".pipe_tasks_{component.lower()}",
        table="source",
        rows=psf_model_stars,
        function=by_detector if split else residual_correlation,
        constants={"low": low, "high": high, "component": component},
        doc=f"{m.name} as pipe_tasks computes it: {component} of stars used for the PSF, {low:g} to {high:g}"
        f" arcmin{', median over detectors' if split else ''}.",
        formula=f"{component} = mean_pairs {product}, {low:g} <= theta < {high:g} arcmin",
        reference="pipe_tasks 5b638a4, ComputeExPsfTask",
    )
    for m, low, high, split in (
        (TE[0], 0.0, 1.0, False),
        (TE[1], 5.0, 100.0, False),
        (TE[2], 0.0, 5.0, True),
        (TE[3], 5.0, 20.0, True),
    )
    for component, product in (("E1", "de1_i de1_j"), ("E2", "de2_i de2_j"), ("Ex", "de1_i de2_j"))
)
