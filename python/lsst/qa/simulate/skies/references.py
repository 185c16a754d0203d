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

"""Skies of detections beside reference stars: offsets of positions and of
magnitudes.
"""

from __future__ import annotations

__all__ = ["REFERENCES"]

import functools

import numpy as np

from .population import Columns, Population, Truths, by_metric, scatter

_ROWS = 1500
_BRIGHTEST, _FAINTEST = 16.0, 23.0
_FAINTEST_SNR = 40.0
_EAST, _NORTH = 12.0, -5.0  # mas
_OFFSET, _SLOPE = 6.0, 2.0  # mmag at 20 mag, and mmag per mag
_CHANCE = 0.1
_MAS = 3.6e6


def _story(rng: np.random.Generator, n: int) -> Columns:
    """Draw pairs: stars, some of which are not each other's nearest, and then
    farther away.
    """
    mag = rng.uniform(_BRIGHTEST, _FAINTEST, n)
    nearest = rng.random(n) >= _CHANCE
    far = np.where(nearest, 1.0, 4.0)
    # Errors are skewed: positions by unresolved companions, magnitudes by
    # variable stars.
    east = _EAST + far * (20.0 * rng.standard_normal(n) + 10.0 * rng.standard_exponential(n))
    north = _NORTH + far * 20.0 * rng.standard_normal(n)
    away = (
        _OFFSET
        + _SLOPE * (mag - 20.0)
        + far * (8.0 * rng.standard_normal(n) - 5.0 * rng.standard_exponential(n))
    )
    return {
        "mag": mag,
        "snr": _FAINTEST_SNR * 10.0 ** (0.2 * (_FAINTEST - mag)),
        "nearest": nearest,
        "east": east,
        "north": north,
        "away": away,
        "good": rng.random(n) >= _CHANCE,
        "compact": rng.random(n) >= _CHANCE,
    }


def _draw(kind: str, rng: np.random.Generator) -> Columns:
    rows = int(rng.poisson(_ROWS))
    story = _story(rng, rows)
    ra, dec = 10.0 + rng.uniform(-0.2, 0.2, rows), rng.uniform(-0.2, 0.2, rows)
    flux = 10.0 ** (-0.4 * (story["mag"] - 31.4))
    reference = {
        # On the equator, a plane is as good as the sphere.
        "ref_ra": np.radians(ra - story["east"] / _MAS),
        "ref_dec": np.radians(dec - story["north"] / _MAS),
        "ref_flux": 10.0 ** (-0.4 * (story["mag"] - 1e-3 * story["away"] - 31.4)),
    }
    own = {
        "psfFlux": flux,
        "psfFluxErr": flux / story["snr"],
        "extendedness": 1.0 - story["compact"],
        "psfFlux_flag": ~story["good"],
        "pixelFlags_saturatedCenter": np.zeros(rows, dtype=bool),
    }
    places = {
        "ra": ra,
        "dec": dec,
        "detect_isPrimary": np.ones(rows, dtype=bool),
        "nearest": story["nearest"],
    }
    number = np.arange(rows) + 1
    if kind == "source_reference":
        named = {f"{name.removeprefix('ref_')}_ref": values for name, values in reference.items()}
        named = {name: np.degrees(v) if name in ("ra_ref", "dec_ref") else v for name, v in named.items()}
        keys = {"sourceId": number, "visit": np.ones(rows, np.int64), "band": np.full(rows, "r")}
        return {**keys, "id_ref": number, **places, **own, **named}
    degrees = {name: np.degrees(reference[name]) for name in ("ref_ra", "ref_dec")}
    return {
        "objectId": number,
        "tract": np.zeros(rows, np.int64),
        "patch": np.arange(rows) % 9,
        "id_ref": number,
        **places,
        "ra_ref": degrees["ref_ra"],
        "dec_ref": degrees["ref_dec"],
        "r_flux_ref": reference["ref_flux"],
        **{f"r_{name}": values for name, values in own.items()},
    }


def _truths(kind: str) -> Truths:
    """Integrate over pairs."""
    story = _story(np.random.default_rng(12), 6_000_000)
    usable = story["good"] & story["compact"]
    astrometry = usable & (story["mag"] >= 17.0) & (story["mag"] < 21.5)
    found: dict[str, float] = {}
    for suffix, kept in (("", story["nearest"] & (story["snr"] >= 50.0)), (".analysis_tools", True)):
        rows = astrometry & kept
        apart = np.hypot(story["east"], story["north"])
        for name, values in (("RA", story["east"]), ("Dec", story["north"]), ("tot", apart)):
            found[f"AA1_{name}{suffix}"] = np.median(values[rows])
            found[f"AA1_{name}_scatter{suffix}"] = scatter(values[rows])
    found["AA1"] = max(abs(found["AA1_RA"]), abs(found["AA1_Dec"]))
    for suffix, kept in (("", story["nearest"]), (".analysis_tools", True)):
        rows = usable & kept & (story["snr"] > 200.0)
        away = story["away"][rows]
        against = story["mag"][rows] - 1e-3 * away
        slope = np.cov(against, away)[0, 1] / np.var(against)
        for name, value in (
            ("ref_photom_offset", np.median(away)),
            ("ref_photom_mean", away.mean()),
            ("ref_photom_stdev", away.std()),
            ("ref_photom_sigma_mad", scatter(away)),
            ("ref_photom_rms", np.sqrt(np.mean(away**2))),
            ("n_ref_photom_stars", rows.mean() * _ROWS),
            ("ref_photom_gradient", slope),
        ):
            found[f"{name}{suffix}"] = value
    return by_metric({("coadd_" if kind[0] == "o" else "") + name: value for name, value in found.items()})


REFERENCES = tuple(
    Population(
        name=f"{kind.partition('_')[0]}s beside reference stars",
        kind=kind,
        doc="Number of pairs (Poisson), magnitudes, offsets, flags.",
        draw=functools.partial(_draw, kind),
        truths=functools.partial(_truths, kind),
    )
    for kind in ("source_reference", "object_reference")
)
"""Skies of a visit's, and of a coadd's, pairs."""
