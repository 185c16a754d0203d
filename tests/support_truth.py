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

"""A small table of objects beside the truth, for the tests."""

from __future__ import annotations

__all__ = ["truth_matches"]

import numpy as np

BANDS = "ugrizy"


def truth_matches(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Make matches of stars and galaxies, detected or not, and detections of
    nothing.

    Parameters
    ----------
    rng : `numpy.random.Generator`
        Source of random numbers.

    Returns
    -------
    columns : `dict` [`str`, `numpy.ndarray`]
        A row per true source or detection.
    """
    rows = 1200
    star = rng.random(rows) < 0.5
    mag = rng.uniform(20.0, 26.0, rows)
    false = rng.random(rows) < 0.1
    detected = false | (rng.random(rows) < 1.0 / (1.0 + np.exp((mag - 24.5) / 0.4)))
    both = detected & ~false
    ra, dec = 150.0 + rng.uniform(0.0, 0.2, rows), 2.0 + rng.uniform(0.0, 0.2, rows)
    shift = rng.normal(0.0, 20e-3 / 3600.0, (2, rows))
    compact = np.where(rng.random(rows) < 0.9, star, ~star)

    def known(mask: np.ndarray, values: np.ndarray) -> np.ndarray:
        return np.where(mask, values, np.nan)

    found = {
        "objectId": np.arange(rows) + 3_000_000,
        "match_distance": known(both, np.hypot(*shift)),
        "ra": known(detected, ra + shift[0]),
        "dec": known(detected, dec + shift[1]),
        "ref_ra": known(~false, ra),
        "ref_dec": known(~false, dec),
        "ref_star": known(~false, star * 1.0),
        "ref_isPrimary": ~false,
        "detect_isPrimary": detected,
    }
    for place, band in enumerate(BANDS):
        true = mag + 0.5 - 0.1 * place
        flux = 10.0 ** (-0.4 * (true - 31.4))
        error = np.full(rows, 60.0)
        found |= {
            f"{band}_ref_mag": known(~false, true),
            f"{band}_extendedness": known(detected, 1.0 - compact),
        }
        for name in ("psfFlux", "cModelFlux"):
            found[f"{band}_{name}"] = known(detected, flux + error * rng.standard_normal(rows))
            found[f"{band}_{name}Err"] = known(detected, error)
    return found
