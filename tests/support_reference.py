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

"""Tables of pairs of detections and reference stars, and shards of stars."""

from __future__ import annotations

__all__ = ["as_matched", "object_pairs", "source_pairs"]

import numpy as np
from support import Columns

MAS = 1.0 / 3.6e6
"""Degrees."""


def source_pairs(rng: np.random.Generator) -> Columns:
    """Pairs of two visits in two bands; some sources have two partners.

    Parameters
    ----------
    rng : `numpy.random.Generator`
        Random numbers.

    Returns
    -------
    columns : `dict` [`str`, `numpy.ndarray`]
        Columns by their own names.
    """
    rows, twice = 400, 40
    visit = rng.integers(0, 2, rows)
    made = {
        **_places(rng, rows),
        "sourceId": np.arange(rows) + 7_000_000,
        "visit": visit + 2024_11_09_00001,
        "detector": rng.integers(0, 4, rows),
        "band": np.array(["g", "r"])[visit],
        **_light(rng, rows, ""),
    }
    return _with_strangers(rng, made, twice)


def object_pairs(rng: np.random.Generator) -> Columns:
    """Pairs of a tract of nine patches, in two bands.

    Parameters
    ----------
    rng : `numpy.random.Generator`
        Random numbers.

    Returns
    -------
    columns : `dict` [`str`, `numpy.ndarray`]
        Columns by their own names.
    """
    rows, twice = 500, 40
    patch = rng.integers(0, 9, rows)
    made = {
        **_places(rng, rows),
        "objectId": np.arange(rows) + 9_000_000,
        "tract": np.full(rows, 9813),
        "patch": patch,
    }
    zero = 0.02 * rng.normal(size=(2, 9))
    for band, own in zip("gr", zero):
        made |= _light(rng, rows, f"{band}_")
        made[f"{band}_ref_flux"] *= 10.0 ** (-0.4 * own[patch])
    made = _with_strangers(rng, made, twice)
    return made | {f"{band}_{name}": made[name] for band in "gr" for name in ("ref_ra", "ref_dec")}


def as_matched(table: Columns) -> Columns:
    """Name the columns of pairs as a match of two catalogues does.

    Parameters
    ----------
    table : `dict` [`str`, `numpy.ndarray`]
        Pairs.

    Returns
    -------
    match : `dict` [`str`, `numpy.ndarray`]
        The same with _target and _ref at the end of names, magnitudes instead
        of reference fluxes, and without what tells the nearest.
    """
    match = {}
    for name, values in table.items():
        bare, band = (name[2:], name[:2]) if name[1:2] == "_" else (name, "")
        if bare == "ref_flux":
            match[f"{band}mag_ref"] = 31.4 - 2.5 * np.log10(values)
        elif bare.startswith("ref_"):
            match[f"{band}{bare[4:]}_ref"] = values
        elif name != "nearest":
            match[f"{name}_target"] = values
    return match


def _places(rng: np.random.Generator, rows: int) -> Columns:
    """Stars around RA 0, at 0.6 degrees from each other at most, and where a
    catalogue has them.
    """
    ra, dec = rng.uniform(-0.3, 0.3, rows), -20.0 + rng.uniform(-0.3, 0.3, rows)
    east, north = MAS * rng.normal((3.0, -8.0), 10.0, (rows, 2)).T
    return {
        "ra": ra % 360.0,
        "dec": dec,
        "ref_ra": (ra - east / np.cos(np.radians(dec))) % 360.0,
        "ref_dec": dec - north,
        "ref_id": np.arange(rows) + 3_000_000,
        "nearest": np.ones(rows, dtype=bool),
    }


def _light(rng: np.random.Generator, rows: int, band: str) -> Columns:
    flux = 10.0 ** (-0.4 * (rng.uniform(16.8, 21.7, rows) - 31.4))
    error = np.full(rows, 10.0)
    return {
        f"{band}psfFlux": np.where(rng.random(rows) < 0.03, np.nan, flux * rng.normal(1.01, 0.01, rows)),
        f"{band}psfFluxErr": error,
        f"{band}ref_flux": flux * rng.normal(1.0, 0.005, rows),
        f"{band}extendedness": (rng.random(rows) < 0.2) * 1.0,
    }


def _with_strangers(rng: np.random.Generator, made: Columns, twice: int) -> Columns:
    """Pair some detections with another star as well, farther away."""
    again = {name: values[:twice].copy() for name, values in made.items()}
    again["ref_dec"] += 600.0 * MAS
    again["ref_id"] += 1_000_000
    again["nearest"] = np.zeros(twice, dtype=bool)
    return {name: np.concatenate([made[name], again[name]]) for name in made}
