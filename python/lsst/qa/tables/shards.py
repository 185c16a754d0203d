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

"""Reference catalogues: shards of stars, and where these are at a time."""

from __future__ import annotations

__all__ = ["Catalogue", "Stars", "read_columns", "read_shard", "stars_of"]

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np

from ..columns import TABLES
from ..errors import InputError
from ..resolution import Plan, resolve
from ..stats.motion import moved
from .readable import Readable

_RADIANS = ("", "rad", "rad/year", "rad/yr", "rad / yr")
"""Units of angles, and of angles a year, that need no conversion; afw's
catalogues hold radians, and do not always say so.
"""
_FIRST_DAY, _LAST_DAY = 15020.0, 88069.0
"""MJD of 1900 and of 2100: an epoch that is not between is no MJD."""


class Catalogue(NamedTuple):
    """A reference catalogue, and what it is used for.

    Attributes
    ----------
    shards : `~collections.abc.Sequence` [`~collections.abc.Callable`]
        What opens each shard.
    places : `bool`
        Whether its positions are compared.
    fluxes : `dict` [`str`, `str`]
        Its column of fluxes, by band; none for a catalogue whose
        magnitudes are not compared.
    """

    shards: Sequence[Callable[[], AbstractContextManager[Readable]]]
    places: bool
    fluxes: Mapping[str, str]


@dataclasses.dataclass(frozen=True, eq=False)
class Stars:
    """Stars of a reference catalogue.

    Attributes
    ----------
    number : `numpy.ndarray` of `int`, (n,)
        Their ids.
    ra, dec : `numpy.ndarray`, (n,)
        Where they are seen at the time of the detections, in radians.
    listed : `numpy.ndarray`, (6, n)
        Right ascension, declination, proper motion, parallax (radians and
        years) and epoch (MJD) as listed; the last is NaN for one that is
        not known to move.
    flux : `dict` [`str`, `numpy.ndarray`]
        Fluxes in nJy by band.
    """

    number: np.ndarray
    ra: np.ndarray
    dec: np.ndarray
    listed: np.ndarray
    flux: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.number)

    def take(self, rows: np.ndarray) -> Stars:
        """Return some of the stars.

        Parameters
        ----------
        rows : `numpy.ndarray`
            Which.

        Returns
        -------
        stars : `Stars`
            These.
        """
        flux = {band: values[rows] for band, values in self.flux.items()}
        return Stars(self.number[rows], self.ra[rows], self.dec[rows], self.listed[:, rows], flux)

    def nowhere(self) -> Stars:
        """Return the same stars without their positions.

        Returns
        -------
        stars : `Stars`
            NaN instead.
        """
        lost = np.full(len(self), np.nan)
        return dataclasses.replace(self, ra=lost, dec=lost, listed=np.full_like(self.listed, np.nan))

    def seen(self, mjd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where the stars are seen at other times.

        Parameters
        ----------
        mjd : `numpy.ndarray`, (n,)
            Times, MJD (TAI); NaN for the time of the detections.

        Returns
        -------
        ra, dec : `numpy.ndarray`, (n,)
            Radians.
        """
        place = _moved(self.listed, mjd)
        known = np.isfinite(mjd)
        return np.where(known, place[0], self.ra), np.where(known, place[1], self.dec)


def read_columns(table: Readable, plans: Sequence[Plan]) -> list[np.ndarray]:
    """Read whole columns.

    Parameters
    ----------
    table : `Readable`
        The table.
    plans : `~collections.abc.Sequence` [`Plan`]
        How each is obtained.

    Returns
    -------
    columns : `list` [`numpy.ndarray`]
        One per plan.
    """
    leaves = {leaf for plan in plans for leaf in plan.reads}
    parts = []
    for piece in table.pieces(sorted({leaf.physical for leaf in leaves})):
        raw = {leaf: leaf.cast(piece[leaf.physical]) for leaf in leaves}
        parts.append([plan.compute(raw) for plan in plans])
    return [np.concatenate(column) for column in zip(*parts)] if parts else [np.zeros(0, int) for _ in plans]


def read_shard(table: Readable, fluxes: Mapping[str, str], mjd: float) -> Stars:
    """Read a shard.

    Parameters
    ----------
    table : `Readable`
        The shard: ``id``, ``coord_ra`` and ``coord_dec`` or ``ra`` and
        ``dec``; where stars move, ``epoch`` (MJD), ``pm_ra``, ``pm_dec`` and
        ``parallax``.
    fluxes : `~collections.abc.Mapping` [`str`, `str`]
        Columns of fluxes, by band.
    mjd : `float`
        Time at which the stars are wanted, MJD (TAI).

    Returns
    -------
    stars : `Stars`
        All that have a position.

    Raises
    ------
    InputError
        Raised if a column is absent.
    """
    plans = {name: resolve(TABLES["source"], table.units, name) for name in ("sourceId", "ra", "dec")}
    lost = [name for name, plan in (("id", plans["sourceId"]), *plans.items()) if plan is None]
    lost += [column for column in fluxes.values() if column not in table.units]
    if lost:
        raise InputError(
            f"{table.name} is no reference catalogue with {', '.join(sorted(set(lost) - {'sourceId'}))}:"
            f" it has {', '.join(sorted(table.units))}."
        )
    number, ra, dec = read_columns(table, [plan for plan in plans.values() if plan is not None])
    motion = [_motion(table, name, len(ra)) for name in ("pm_ra", "pm_dec", "parallax")]
    listed = np.stack([ra, dec, *motion, _epoch(table, len(ra))])
    flux = {band: _scaled(table, column, "nJy") for band, column in fluxes.items()}
    seen = _moved(listed, np.full(len(ra), mjd))
    stars = Stars(number, *seen, listed, flux)
    return stars.take(np.flatnonzero(np.isfinite(ra) & np.isfinite(dec)))


def stars_of(parts: Sequence[Stars]) -> Stars:
    """Put stars together.

    Parameters
    ----------
    parts : `~collections.abc.Sequence` [`Stars`]
        Stars of one catalogue or of several; a band that a part lacks is NaN
        there.

    Returns
    -------
    stars : `Stars`
        All of them.
    """
    if not parts:
        nothing = np.zeros(0)
        return Stars(np.zeros(0, dtype=np.int64), nothing, nothing, np.zeros((6, 0)), {})
    bands = sorted({band for part in parts for band in part.flux})
    return Stars(
        np.concatenate([part.number for part in parts]),
        np.concatenate([part.ra for part in parts]),
        np.concatenate([part.dec for part in parts]),
        np.concatenate([part.listed for part in parts], axis=1),
        {
            band: np.concatenate([part.flux.get(band, np.full(len(part), np.nan)) for part in parts])
            for band in bands
        },
    )


def _moved(listed: np.ndarray, mjd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ra, dec, pm_ra, pm_dec, parallax, epoch = listed
    return moved(ra, dec, pm_ra, pm_dec, parallax, epoch, mjd)


def _motion(table: Readable, name: str, rows: int) -> np.ndarray:
    """Read an angle, or an angle a year, in radians; NaN where not there."""
    if name not in table.units:
        return np.full(rows, np.nan)
    return _scaled(table, name, "rad" if name == "parallax" else "rad / yr")


def _scaled(table: Readable, name: str, wanted: str) -> np.ndarray:
    """Read a column in a unit; one that states none is in it."""
    stated, factor = table.units[name], 1.0
    if stated not in (*_RADIANS, wanted):
        from astropy import units  # only for a catalogue in units of its own

        try:
            factor = float(units.Unit(stated).to(units.Unit(wanted)))
        except (ValueError, units.UnitConversionError):
            raise InputError(
                f"Column {name!r} of {table.name} is in {stated!r}, which does not convert to {wanted!r}."
            ) from None
    parts = [np.asarray(piece[name], dtype=np.float64) for piece in table.pieces([name])]
    return factor * np.concatenate(parts) if parts else np.zeros(0)


def _epoch(table: Readable, rows: int) -> np.ndarray:
    """Read the epochs; NaN where none is stated, or it is no MJD."""
    if "epoch" not in table.units:
        return np.full(rows, np.nan)
    parts = [np.asarray(piece["epoch"], dtype=np.float64) for piece in table.pieces(["epoch"])]
    epoch = np.concatenate(parts) if parts else np.zeros(0)
    return np.where((epoch > _FIRST_DAY) & (epoch < _LAST_DAY), epoch, np.nan)
