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

"""Tables for the tests, as small as a test wants them."""

from __future__ import annotations

__all__ = ["VISITS", "objects", "presources", "sources", "stars", "summary"]

from collections.abc import Sequence

import numpy as np
from astropy import units as u
from astropy.table import Table

VISITS = {11: "r", 12: "r", 13: "r", 21: "i", 99: "r"}
"""Visits and their bands; all but 99 overlap tract 0, none does tract 1."""

FIRST_ID = 1 << 62
"""Ids of sources begin here, where a float holds every 1024th only."""


def sources(visit: int, magnitudes: Sequence[float] = (), *, extra: int = 2) -> Table:
    """Make the source table of a visit.

    Parameters
    ----------
    visit : `int`
        One of `VISITS`.
    magnitudes : `~collections.abc.Sequence` [`float`], optional
        Magnitude of each star in this visit.
    extra : `int`, optional
        Number of sources beside them: not primary, and of no flux.

    Returns
    -------
    table : `astropy.table.Table`
        Ids of one visit are neighbours; even ones are of detector 0, odd
        ones of detector 1.
    """
    n = len(magnitudes) + extra
    primary = np.arange(n) < len(magnitudes)
    flux = np.full(n, np.nan)
    flux[primary] = 10.0 ** (-0.4 * (np.array(magnitudes) - 31.4))
    return Table(
        {
            "sourceId": FIRST_ID + 1000 * visit + np.arange(n),
            "visit": np.full(n, visit),
            "detector": (np.arange(n) % 2).astype(np.int16),
            "band": np.full(n, VISITS[visit]),
            "physical_filter": np.full(n, f"{VISITS[visit]}_01"),
            "ra": 10.5 * u.deg + 0.001 * np.arange(n) * u.deg,
            "dec": np.full(n, 0.5) * u.deg,
            "psfFlux": flux * u.nJy,
            "psfFluxErr": flux / 1000.0 * u.nJy,
            "extendedness": np.zeros(n),
            "detect_isPrimary": primary,
        }
    )


def presources(visits: Sequence[int], n_stars: int) -> Table:
    """Make the table of stars' detections, which holds keys only.

    Parameters
    ----------
    visits : `~collections.abc.Sequence` [`int`]
        Visits that saw every star.
    n_stars : `int`
        Number of stars, the first ones of `sources`.

    Returns
    -------
    table : `astropy.table.Table`
        Keys, the last visit's first.
    """
    star, visit = np.meshgrid(np.arange(n_stars), np.array(visits)[::-1])
    return Table(
        {
            "sourceId": (FIRST_ID + 1000 * visit + star).ravel(),
            "obj_index": star.ravel().astype(np.int32),
            "visit": visit.ravel(),
            "band": np.array([VISITS[v] for v in visit.ravel().tolist()]),
        }
    )


def stars(n_stars: int) -> Table:
    """Make the table of stars.

    Parameters
    ----------
    n_stars : `int`
        Number of stars.

    Returns
    -------
    table : `astropy.table.Table`
        Their ids.
    """
    return Table({"isolated_star_id": FIRST_ID + 7 * np.arange(n_stars)})


def summary(visits: Sequence[int], zero_points: Sequence[float]) -> Table:
    """Make the summary of visits.

    Parameters
    ----------
    visits : `~collections.abc.Sequence` [`int`]
        Visits.
    zero_points : `~collections.abc.Sequence` [`float`]
        Zero point of each detector, the same in all visits.

    Returns
    -------
    table : `astropy.table.Table`
        A row per visit and detector.
    """
    visit, detector = (
        part.ravel() for part in np.meshgrid(visits, np.arange(len(zero_points)), indexing="ij")
    )
    bands = [VISITS[v] for v in visit.tolist()]
    return Table(
        {
            "visit": visit,
            "detector": detector,
            "band": bands,
            "physical_filter": [f"{band}_01" for band in bands],
            "zeroPoint": np.array(zero_points)[detector] * u.mag,
            "skyNoise": np.full(len(visit), 20.0),
        }
    )


def objects(flags: dict[str, Sequence[bool]]) -> Table:
    """Make the object table of a tract.

    Parameters
    ----------
    flags : `dict` [`str`, `~collections.abc.Sequence` [`bool`]]
        For each band, which objects have a bad flux.

    Returns
    -------
    table : `astropy.table.Table`
        A row per object, in two patches.
    """
    n = len(next(iter(flags.values())))
    own = {f"{band}_psfFlux_flag": np.array(values) for band, values in flags.items()}
    return Table({"objectId": FIRST_ID + np.arange(n), "patch": np.arange(n) % 2, **own})
