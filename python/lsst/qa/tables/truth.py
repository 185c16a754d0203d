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

"""A table of objects laid beside a catalogue of what is truly there."""

from __future__ import annotations

__all__ = ["TruthColumns", "TruthPairs", "renamed"]

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..columns import TABLES
from ..errors import InputError
from ..resolution import resolve
from ..stats.matching import close_pairs, mutual_nearest
from .readable import Readable
from .shards import read_columns

KIND = "truth_match"


class TruthColumns(NamedTuple):
    """How a catalogue of truth names its columns.

    Attributes
    ----------
    ra, dec : `str`
        Positions.
    star : `str`
        1 or true for a star, 0 or false for anything else, or the kind in
        words, as source injection has it; empty where classes are not told.
    light : `dict` [`str`, `str`]
        Magnitude, or flux in nJy, by band.
    fluxes : `bool`
        Whether it is the flux.
    primary : `str`
        Flag of what counts; empty where all does.
    """

    ra: str
    dec: str
    star: str
    light: Mapping[str, str]
    fluxes: bool
    primary: str = ""


class TruthPairs:
    """Objects with their true sources: first all objects, those without one
    too, then what was not detected.

    Each primary object is paired with the nearest true source if that is
    nearest to no other. The catalogue of truth is held in memory.

    Parameters
    ----------
    objects : `Readable`
        Objects of a tract.
    truth : `Readable`
        What is truly there.
    columns : `TruthColumns`
        How it is named.
    radius : `float`
        Largest separation in arcseconds.

    Raises
    ------
    InputError
        Raised if a table lacks its positions, or the truth what it is said
        to have.
    """

    def __init__(self, objects: Readable, truth: Readable, columns: TruthColumns, radius: float):
        self._objects = objects
        self.name = f"{objects.name} with {truth.name}"
        self._truth = _read_truth(truth, columns)
        self._light = "ref_flux" if columns.fluxes else "ref_mag"
        ra, dec, primary = _places(objects)
        first, second, angle = close_pairs(
            np.where(primary, ra, np.nan),
            dec,
            self._truth["ref_ra"],
            self._truth["ref_dec"],
            np.radians(radius / 3600.0),
        )
        kept = mutual_nearest(first, second, angle)
        self._partner = np.full(len(ra), -1)
        self._partner[first[kept]] = second[kept]
        self._distance = np.full(len(ra), np.nan)
        self._distance[first[kept]] = np.degrees(angle[kept]) * 3600.0
        self._missed = np.setdiff1d(np.arange(len(self._truth["ref_ra"])), second[kept])
        # Without any object there is nothing to tell of its bands.
        self.n_rows = len(ra) + len(self._missed) if len(ra) else 0
        self.n_matched = int(np.count_nonzero(kept))
        self.texts = frozenset(objects.texts)
        self.units = {
            **objects.units,
            **{name: "" for name in self._truth},
            "ref_ra": "rad",
            "ref_dec": "rad",
            "match_distance": "arcsec",
        }

    def pieces(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Read objects, then what was not detected.

        Parameters
        ----------
        names : `~collections.abc.Sequence` [`str`]
            Columns to read.

        Yields
        ------
        piece : `dict` [`str`, `numpy.ndarray`]
            The columns of the next rows; what a row does not have is NaN,
            a flag of it false, an id of it 0.
        """
        own = [name for name in names if name in self._objects.units]
        read = own or [next(iter(self._objects.units))]
        kinds: dict[str, Any] = {}
        done = 0
        for piece in self._objects.pieces(read):
            rows = len(piece[read[0]])
            here = slice(done, done + rows)
            made = {name: piece[name] for name in own}
            kinds = {name: values[:0] for name, values in made.items()}
            yield {**made, **self._of(names, self._partner[here], self._distance[here])}
            done += rows
        missed = len(self._missed)
        if done and missed:
            blank = {name: _blank(values, missed) for name, values in kinds.items()}
            yield {**blank, **self._of(names, self._missed, np.full(missed, np.nan))}

    def _of(self, names: Sequence[str], place: np.ndarray, distance: np.ndarray) -> dict[str, np.ndarray]:
        """Return the columns of true sources, of some rows."""
        there = place >= 0
        found: dict[str, np.ndarray] = {}
        for name in names:
            if name == "match_distance":
                found[name] = distance
            elif name in self._truth:
                # A catalogue of nothing has no row to fill in with.
                values = self._truth[name]
                known = (
                    values[np.where(there, place, 0)] if len(values) else np.zeros(len(place), values.dtype)
                )
                found[name] = np.where(there, known, False if values.dtype.kind == "b" else np.nan)
        return found


def renamed(table: Readable, names: Mapping[str, str]) -> Readable:
    """Give columns other names.

    Parameters
    ----------
    table : `Readable`
        A table.
    names : `~collections.abc.Mapping` [`str`, `str`]
        The new name of each column that is to have one; those that the
        table does not have are ignored.

    Returns
    -------
    table : `Readable`
        The same table.
    """
    known = {new: old for old, new in names.items() if old in table.units and new not in table.units}
    return _Renamed(table, known) if known else table


class _Renamed:
    def __init__(self, table: Readable, names: Mapping[str, str]):
        self.name, self.n_rows = table.name, table.n_rows
        back = {old: new for new, old in names.items()}
        self.units = {back.get(name, name): unit for name, unit in table.units.items()}
        self.texts = frozenset(back.get(name, name) for name in table.texts)
        self._table, self._names = table, names

    def pieces(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        for piece in self._table.pieces([self._names.get(name, name) for name in names]):
            yield {name: piece[self._names.get(name, name)] for name in names}


def _read_truth(table: Readable, columns: TruthColumns) -> dict[str, np.ndarray]:
    """Read a catalogue of truth into columns by the names of metrics."""
    light = "ref_flux" if columns.fluxes else "ref_mag"
    wanted = {"ref_ra": columns.ra, "ref_dec": columns.dec}
    # Injected sources have their kind in words.
    star = "ref_source_type" if columns.star in table.texts else "ref_star"
    wanted |= {star: columns.star} if columns.star else {}
    wanted |= {"ref_isPrimary": columns.primary} if columns.primary else {}
    wanted |= {f"{band}_{light}": name for band, name in columns.light.items() if name in table.units}
    if lost := sorted(set(wanted.values()) - set(table.units)):
        raise InputError(
            f"{table.name} has no {', '.join(lost)}; it has {', '.join(sorted(table.units)) or 'no column'}."
        )
    as_named = renamed(table, {old: new for new, old in wanted.items()})
    kind = TABLES[KIND]
    names = ["ref_star" if name == "ref_source_type" else name for name in wanted]
    plans = [resolve(kind, as_named.units, name) for name in names]
    found = dict(zip(names, read_columns(as_named, [plan for plan in plans if plan is not None])))
    found.setdefault("ref_isPrimary", np.ones(len(found["ref_ra"]), dtype=bool))
    return found


def _places(table: Readable) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read where objects are, and which of them are primary."""
    kind = TABLES["object"]
    plans = {name: resolve(kind, table.units, name) for name in ("ra", "dec", "detect_isPrimary")}
    if lost := [name for name in ("ra", "dec") if plans[name] is None]:
        raise InputError(f"{table.name} has no {' and '.join(lost)}: it cannot be matched.")
    found = read_columns(table, [plan for plan in plans.values() if plan is not None])
    primary = found[2].astype(bool) if len(found) > 2 else np.ones(len(found[0]), dtype=bool)
    return found[0], found[1], primary


def _blank(values: Any, rows: int) -> Any:
    """Return what stands for values that are not there."""
    if not isinstance(values, np.ndarray):
        return type(values)(np.zeros(rows, dtype=np.int32), ("", *values.values))
    if values.dtype.kind == "f":
        return np.full(rows, np.nan, dtype=values.dtype)
    return np.zeros(rows, dtype=bool if values.dtype.kind == "O" else values.dtype)
