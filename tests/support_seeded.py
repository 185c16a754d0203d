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

"""Small tables of every kind, made from a seed."""

from __future__ import annotations

__all__ = ["in_bands", "make_table"]

import numpy as np
from support import Columns, taken
from support_reference import object_pairs, source_pairs
from support_seeded_coadds import COADD_STORIES
from support_seeded_execution import EXECUTION_STORIES
from support_truth import truth_matches

from lsst.qa.columns import BAND_PREFIX, TABLES, Column

NEVER = {"pixelFlags_nodata", "pixelFlags_suspect"}
"""Flags that no row has, so that fractions of zero are tried as well."""


def make_table(kind: str, seed: int = 1) -> Columns:
    """Make a table that every metric of its kind finds something in.

    Parameters
    ----------
    kind : `str`
        Kind of table.
    seed : `int`, optional
        Other seeds, other numbers.

    Returns
    -------
    columns : `dict` [`str`, `numpy.ndarray`]
        Columns by their own names, in no order of rows; those that are
        computed from others are left out.
    """
    rng = np.random.default_rng(seed)
    made = {
        "matched": _matched,
        "source": _source,
        "object": _object,
        "visit_summary": _summary,
        "visit_values": _visit_values,
        **COADD_STORIES,
        **EXECUTION_STORIES,
        "source_reference": source_pairs,
        "object_reference": object_pairs,
        "truth_match": truth_matches,
    }[kind](rng)
    rows = len(next(iter(made.values())))
    for name, column in TABLES[kind].columns.items():
        bands = ("g", "r") if name.startswith(BAND_PREFIX) else ("",)
        for band in bands:
            full = name.replace(BAND_PREFIX, f"{band}_")
            if full not in made and not column.derived and column.kind in ("real", "flag"):
                made[full] = _filling(column, rows, rng)
    return taken(made, rng.permutation(rows))


def in_bands(table: Columns, bands: str) -> Columns:
    """Return the columns of some bands, and those without a band.

    Parameters
    ----------
    table : `dict` [`str`, `numpy.ndarray`]
        A table of objects.
    bands : `str`
        The bands, as in "gr".

    Returns
    -------
    columns : `dict` [`str`, `numpy.ndarray`]
        These columns.
    """
    return {name: values for name, values in table.items() if name[1:2] != "_" or name[0] in bands}


def _filling(column: Column, rows: int, rng: np.random.Generator) -> np.ndarray:
    """Make up a column that no story below tells."""
    if column.kind == "real":
        return rng.lognormal(0.0, 0.3, rows)
    if column.name.replace(BAND_PREFIX, "") in NEVER:
        return np.zeros(rows, dtype=bool)
    return rng.random(rows) < (0.95 if column.applied else 0.04)


def _shapes(rng: np.random.Generator, rows: int, prefix: str = "") -> Columns:
    """Moments of a PSF, and of stars that differ from it."""
    psf = {"ixxPSF": rng.normal(4.0, 0.1, rows), "iyyPSF": rng.normal(4.1, 0.1, rows)}
    psf["ixyPSF"] = rng.normal(0.1, 0.05, rows)
    own = {name[:3]: values + rng.normal(0.01, 0.05, rows) for name, values in psf.items()}
    return {prefix + name: values for name, values in {**psf, **own}.items()}


def _field(rng: np.random.Generator, rows: int, width: float) -> Columns:
    """Positions all over a field of so many degrees, across RA 0."""
    return {
        "ra": rng.uniform(-width, width, rows) / 2.0 % 360.0,
        "dec": -20.0 + rng.uniform(-width, width, rows) / 2.0,
    }


def _matched(rng: np.random.Generator) -> Columns:
    """Stars and galaxies of all S/N, in fields 20 and 200 arcmin apart."""
    bright, each, visits = 36, 12, 6
    snr = np.concatenate([np.geomspace(300.0, 3000.0, bright), np.repeat([7.0, 15.0, 30.0, 60.0], 2 * each)])
    galaxy = np.concatenate([np.zeros(bright), np.tile(np.repeat([0.0, 1.0], each), 4)])
    groups = len(snr)
    east = np.radians(np.array([0.0, 20.0, 200.0]) / 60.0)[np.arange(groups) % 3]
    ra = np.radians(150.0) + east + np.radians(rng.uniform(0.0, 0.1, groups))
    dec = np.radians(rng.uniform(2.0, 2.1, groups))
    star = np.repeat(np.arange(groups), visits)
    rows = len(star)
    jitter = np.radians(rng.normal(0.0, 10e-3, (2, rows)) / 3600.0)
    error = np.full(rows, 40.0)
    flux = (snr * 40.0)[star] * (1.0 + rng.normal(0.0, 1.0, rows) / np.maximum(snr[star], 150.0))
    return {
        "star": star + 1_000_000,
        "sourceId": np.arange(rows) + 5_000_000,
        "visit": np.tile(np.arange(visits), groups) + 2024_11_09_00001,
        "detector": rng.integers(0, 4, rows),
        "band": np.full(rows, "i"),
        "mjd": np.tile(np.repeat([60300.0, 60665.0], visits // 2), groups),
        "filt": np.tile([3, 4], rows // 2),  # for what is measured across bands, r and i
        "ra": np.degrees(ra[star] + jitter[0]),
        "dec": np.degrees(dec[star] + jitter[1]),
        "psfFlux": flux,
        "psfFluxErr": error,
        "gaussianFlux": flux * 1.02,
        "extendedness": galaxy[star],
        "detect_isPrimary": np.ones(rows, dtype=bool),
        **{f"pixelFlags_{name}": rng.random(rows) < 0.002 for name in ("bad", "cr", "edge", "saturated")},
        **_shapes(rng, rows),
    }


def _source(rng: np.random.Generator) -> Columns:
    """Two visits, in two bands: stars, galaxies and sky."""
    rows = 600
    sky = rng.random(rows) < 0.2
    flux = np.where(sky, rng.normal(0.0, 60.0, rows), 40.0 * rng.lognormal(6.0, 1.0, rows))
    flux = np.where(rng.random(rows) < 0.06, rng.normal(200.0, 2.0, rows), flux)  # stars at S/N 5
    visit = rng.integers(0, 2, rows)
    return {
        **_field(rng, rows, 0.3),
        "sourceId": np.arange(rows) + 7_000_000,
        "visit": visit + 2024_11_09_00001,
        "detector": rng.integers(0, 4, rows),
        "band": np.array(["g", "r"])[visit],
        "psfFlux": np.where(rng.random(rows) < 0.03, np.nan, flux),
        "psfFluxErr": np.full(rows, 40.0),
        "gaussianFlux": flux * (1.02 + 0.01 * np.sin(np.arange(rows))),
        "ap09Flux": flux + rng.normal(5.0, 30.0, rows),
        "extendedness": (rng.random(rows) < 0.3) * 1.0,
        "sky_source": sky,
        **_shapes(rng, rows),
    }


def _object(rng: np.random.Generator) -> Columns:
    """Objects and sky objects of one tract, in two bands, and in two more as
    far as colours go: along the stellar locus.
    """
    rows = 300
    sky = rng.random(rows) < 0.15
    red = rng.random(rows) < 0.6
    g_r = np.where(red, 1.27, rng.uniform(0.3, 1.0, rows)) + rng.normal(0.0, 0.02, rows)
    r_i = np.where(red, rng.uniform(0.85, 1.55, rows), 0.483 * g_r - 0.042) + rng.normal(0.0, 0.02, rows)
    i_z = 0.385 * r_i + 0.064 + rng.normal(0.0, 0.02, rows)
    faint = rng.random(rows) < 0.06
    r_flux = 5.0 * rng.lognormal(7.5, 1.0, rows)
    fluxes = dict(zip("griz", r_flux * 10.0 ** (0.4 * np.array([-g_r, 0.0 * g_r, r_i, r_i + i_z]))))
    made: Columns = {
        **_field(rng, rows, 0.5),
        "objectId": np.arange(rows) + 9_000_000,
        "tract": np.full(rows, 9813),
        "patch": rng.integers(0, 4, rows),
        "sky_object": sky,
        "ebv": rng.normal(0.03, 0.005, rows),
    }
    for band in "griz":
        flux = np.where(sky, rng.normal(0.0, 10.0, rows), fluxes[band])
        flux = np.where(faint, rng.normal(25.0, 0.3, rows), flux)  # stars at S/N 5
        made |= {
            f"{band}_psfFlux": np.where(rng.random(rows) < 0.03, np.nan, flux),
            f"{band}_psfFluxErr": np.full(rows, 5.0),
            f"{band}_cModelFlux": flux * (1.01 + 0.005 * np.sin(np.arange(rows))),
            f"{band}_cModelFluxErr": np.full(rows, 5.0),
            f"{band}_extendedness": (rng.random(rows) < 0.1) * 1.0,
            f"{band}_psfFlux_flag": rng.random(rows) < 0.04,
            f"{band}_pixelFlags_saturatedCenter": rng.random(rows) < 0.04,
        }
        if band in "iz":
            continue
        made |= {
            f"{band}_ap09Flux": flux + rng.normal(1.0, 5.0, rows),
            **_shapes(rng, rows, f"{band}_"),
        }
    return made


def _visit_values(rng: np.random.Generator) -> Columns:
    """Sixty visits, whose residual shapes go together in some."""
    rows = 60
    return {
        "visit": np.arange(rows) + 2024_11_09_00001,
        "band": np.tile(["g", "r"], rows // 2),
        "physical_filter": np.tile(["g_01", "r_03"], rows // 2),
        "TE3": rng.normal(0.0, 4e-5, rows),
        "TE4": rng.normal(0.0, 1e-7, rows),
        **{f"TE3.{part}": rng.normal(0.0, 3e-5, rows) for part in ("E1", "E2", "Ex")},
        **{f"TE4.{part}": rng.normal(0.0, 1e-7, rows) for part in ("E1", "E2", "Ex")},
        "m5": rng.normal(24.6, 0.3, rows),
        "seeing": rng.normal(0.7, 0.1, rows),
    }


def _summary(rng: np.random.Generator) -> Columns:
    """Two visits of twenty detectors."""
    detectors = 20
    visit = np.repeat([0, 1], detectors)
    rows = len(visit)
    return {
        "visit": visit + 2024_11_09_00001,
        "detector": np.tile(np.arange(detectors), 2),
        "band": np.array(["g", "r"])[visit],
        "physical_filter": np.array(["g_01", "r_03"])[visit],
        "expMidptMJD": 60623.25 + visit / 1440.0,
        "pixelScale": rng.normal(0.2, 1e-4, rows),
        "seeing": rng.normal(0.9, 0.05, rows),
    }
