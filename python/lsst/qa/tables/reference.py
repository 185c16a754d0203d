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

"""A table matched to a reference catalogue that comes in shards.

One shard is in memory at a time, and of it only the stars that have a
partner are kept.
"""

from __future__ import annotations

__all__ = ["ReferencePairs"]

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..columns import TABLES, Table
from ..errors import InputError
from ..resolution import resolve
from ..stats.matching import close_pairs, mutual_nearest
from .readable import Readable
from .reading import bands_of
from .shards import Catalogue, Stars, read_columns, read_shard, stars_of

SUFFIX, REF = "_target", "_ref"


class ReferencePairs:
    """Pairs of a detection and a reference star close to it.

    Parameters
    ----------
    detections : `Readable`
        Sources of a visit or objects of a tract.
    kind : `str`
        "source" or "object".
    catalogues : `~collections.abc.Sequence` [`Catalogue`]
        Reference catalogues; each is matched by itself.
    radius : `float`
        Largest separation in arcseconds.
    mjd : `float`
        Time of the detections, MJD (TAI); NaN where it is not known.
        Objects with an epoch of their own in a band are compared at that.
    log : `logging.Logger`
        Told how many stars were found.

    Raises
    ------
    InputError
        Raised if a table lacks its positions.
    """

    def __init__(
        self,
        detections: Readable,
        kind: str,
        catalogues: Sequence[Catalogue],
        radius: float,
        mjd: float,
        log: logging.Logger | logging.LoggerAdapter,
    ):
        self._detections, table = detections, TABLES[kind]
        self._key = f"{kind}Id"
        self.name = f"{detections.name} with reference stars"
        ra, dec, ids = _places(detections, table, self._key)
        self._bands = bands_of(detections, table)
        self._epochs = {b: f"{b}_epoch" for b in self._bands if f"{b}_epoch" in detections.units}
        mjd = _epoch_of(detections, self._epochs) if self._epochs else mjd
        catalogues = [_available(catalogue, log) for catalogue in catalogues]
        parts = [
            _matched(ra, dec, ids, catalogue, np.radians(radius / 3600.0), mjd) for catalogue in catalogues
        ]
        self._stars = stars_of([stars for stars, *_ in parts])
        offsets = np.cumsum([0, *(len(stars) for stars, *_ in parts)])
        row, star, nearest = (
            np.concatenate(columns)
            for columns in zip(
                *((rows, own + offset, flag) for (_, rows, own, flag), offset in zip(parts, offsets))
            )
        )
        order = np.argsort(row, kind="stable")
        self._row, self._star, self._nearest = row[order], star[order], nearest[order]
        self._mjd, self.n_rows = mjd, len(row)
        log.info(
            "%d of %d rows have a reference star within %g arcsec, %d pairs in all.",
            len(np.unique(row)),
            detections.n_rows,
            radius,
            self.n_rows,
        )
        self.texts = frozenset(name + SUFFIX for name in detections.texts)
        self._lights = sorted(self._stars.flux)
        self.units = {
            **{name + SUFFIX: unit for name, unit in detections.units.items()},
            **{f"{band}_{axis}{REF}": "rad" for band in self._epochs for axis in ("ra", "dec")},
            **{_flux(band): "nJy" for band in self._lights},
            f"ra{REF}": "rad",
            f"dec{REF}": "rad",
            f"id{REF}": "",
            "nearest": "",
        }

    def pieces(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Read the pairs of some rows after the other.

        Parameters
        ----------
        names : `~collections.abc.Sequence` [`str`]
            Columns to read.

        Yields
        ------
        piece : `dict` [`str`, `numpy.ndarray`]
            The columns of the next pairs.
        """
        moving = [band for band in self._epochs if {f"{band}_ra{REF}", f"{band}_dec{REF}"} & {*names}]
        own = [name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)]
        read = sorted({*own, *(self._epochs[band] for band in moving)}) or [self._key]
        done = 0
        for piece in self._detections.pieces(read):
            rows = len(piece[read[0]])
            begin, end = np.searchsorted(self._row, [done, done + rows])
            at, stars = self._row[begin:end] - done, self._stars.take(self._star[begin:end])
            made = {name + SUFFIX: piece[name][at] for name in own}
            made |= {f"ra{REF}": stars.ra, f"dec{REF}": stars.dec, f"id{REF}": stars.number}
            made |= {_flux(band): stars.flux[band] for band in self._lights}
            made["nearest"] = self._nearest[begin:end]
            for band in moving:
                epoch = np.asarray(piece[self._epochs[band]][at], dtype=np.float64)
                made[f"{band}_ra{REF}"], made[f"{band}_dec{REF}"] = stars.seen(epoch)
            yield {name: made[name] for name in names}
            done += rows


def _flux(band: str) -> str:
    return f"{band}_flux{REF}" if band else f"flux{REF}"


def _places(table: Readable, kind: Table, key: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read where detections are, and their ids."""
    plans = [resolve(kind, table.units, name) for name in ("ra", "dec", key)]
    if not all(plans):
        raise InputError(
            f"{table.name} has no ra, dec and {key}, only {', '.join(sorted(table.units))}: it cannot be"
            " matched."
        )
    found = read_columns(table, [plan for plan in plans if plan is not None])
    return found[0], found[1], found[2]


def _available(catalogue: Catalogue, log: logging.Logger | logging.LoggerAdapter) -> Catalogue:
    """Leave out the fluxes that a catalogue does not have: what needs them
    will say so.
    """
    for opened in catalogue.shards[:1]:
        with opened() as table:
            there = {band: name for band, name in catalogue.fluxes.items() if name in table.units}
            if lost := sorted(set(catalogue.fluxes.values()) - set(there.values())):
                log.warning("%s has no %s: magnitudes are not compared there.", table.name, ", ".join(lost))
            return catalogue._replace(fluxes=there)
    return catalogue


def _epoch_of(table: Readable, epochs: Mapping[str, str]) -> float:
    """Return the middle one of the objects' epochs in all bands."""
    parts = [
        np.asarray(piece[name], dtype=np.float64)
        for piece in table.pieces(sorted(epochs.values()))
        for name in epochs.values()
    ]
    known = np.concatenate([part[np.isfinite(part)] for part in parts] or [np.zeros(0)])
    return float(np.median(known)) if len(known) else float("nan")


def _matched(
    ra: np.ndarray, dec: np.ndarray, ids: np.ndarray, catalogue: Catalogue, radius: float, mjd: float
) -> tuple[Stars, np.ndarray, np.ndarray, np.ndarray]:
    """Match detections to a catalogue shard by shard.

    Returns the stars with a partner, and of each pair the row, the place
    among these stars, and whether it is the nearest.
    """
    found, rows, stars, angles, known = [], [], [], [], 0
    for opened in catalogue.shards:
        with opened() as table:
            shard = read_shard(table, catalogue.fluxes, mjd)
        row, star, angle = close_pairs(ra, dec, shard.ra, shard.dec, radius)
        used, place = np.unique(star, return_inverse=True)
        found.append(shard.take(used))
        rows.append(row)
        stars.append(place + known)
        angles.append(angle)
        known += len(used)
    whole = stars_of(found)
    row, star, angle = (
        np.concatenate([np.zeros(0, kind), *parts])
        for parts, kind in ((rows, np.int64), (stars, np.int64), (angles, np.float64))
    )
    nearest = mutual_nearest(ids[row], whole.number[star], angle)
    return whole if catalogue.places else whole.nowhere(), row, star, nearest
