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

"""Which images overlap a tract's patches, and which became part of coadds."""

from __future__ import annotations

__all__ = ["Patch", "choice_table", "images_of"]

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import numpy as np

from lsst.sphgeom import DISJOINT, ConvexPolygon, LonLat, Region, UnitVector3d

from ..columns import TABLES, Table
from ..columns.derived import AFW_CORNERS, CORNERS
from ..errors import MissingColumnError
from ..resolution import resolve
from .readable import InMemory, Readable, from_columns

NOWHERE = -1
"""Stands for the patch of an image that overlaps none."""

_BOX = 4
"""How many of the columns of corners are pixel bounds, at their end."""


class Patch(NamedTuple):
    """A patch that has a coadd in a band.

    Attributes
    ----------
    number : `int`
        Its number in the tract.
    band : `str`
        The band.
    region : `lsst.sphgeom.Region`
        Its place on the sky.
    """

    number: int
    band: str
    region: Region


class Image(NamedTuple):
    """A detector's image in a visit.

    Attributes
    ----------
    visit, detector : `int`
        Which it is.
    band : `str`
        Its band.
    region : `lsst.sphgeom.ConvexPolygon` or `None`
        Its place on the sky, `None` if it was not calibrated.
    """

    visit: int
    detector: int
    band: str
    region: ConvexPolygon | None


def images_of(table: Readable, visit: int, band: str) -> Iterator[Image]:
    """List the images in the summary of a visit.

    Parameters
    ----------
    table : `Readable`
        A row for each detector.
    visit : `int`
        The visit.
    band : `str`
        Its band.

    Yields
    ------
    image : `Image`
        The next one. One without finite corners, or without a zero point,
        was not calibrated.

    Raises
    ------
    MissingColumnError
        Raised if the summary has no corners or no zero points.
    """
    ways = [names[:-_BOX] for names in (CORNERS, AFW_CORNERS)]
    kind = TABLES["visit_summary"]
    corners = next((way for way in ways if all(resolve(kind, table.units, name) for name in way)), ways[0])
    for columns in _columns(table, kind, ("detector", "zeroPoint", *corners)):
        places = np.stack([columns[name] for name in corners], axis=1)
        good = np.isfinite(places).all(axis=1) & np.isfinite(columns["zeroPoint"])
        for detector, place, calibrated in zip(columns["detector"].tolist(), places.tolist(), good.tolist()):
            yield Image(visit, detector, band, _polygon(place) if calibrated else None)


def _columns(table: Readable, kind: Table, names: Sequence[str]) -> Iterator[dict[str, np.ndarray]]:
    """Read columns as they are known here, some rows at a time."""
    plans = {name: plan for name in names if (plan := resolve(kind, table.units, name)) is not None}
    if lacking := tuple(name for name in names if name not in plans):
        raise MissingColumnError(
            f"{table.name} lacks {', '.join(lacking)}, without which nothing tells which images overlap a"
            " patch and which are in its coadd.",
            lacking,
        )
    leaves = frozenset().union(*(plan.reads for plan in plans.values()))
    for read in table.pieces(sorted({leaf.physical for leaf in leaves})):
        raw: dict[Any, Any] = {leaf: leaf.cast(read[leaf.physical]) for leaf in leaves}
        yield {name: plan.compute(raw) for name, plan in plans.items()}


def _polygon(place: Sequence[float]) -> ConvexPolygon:
    vertices = [UnitVector3d(LonLat.fromDegrees(*place[i : i + 2])) for i in range(0, len(place), 2)]
    return ConvexPolygon.convexHull(vertices)


def _chosen(opened: Iterable[Callable[[], AbstractContextManager[Readable]]]) -> set[tuple[int, ...]]:
    """Return the patches, visits and detectors of what is in coadds."""
    found: set[tuple[int, ...]] = set()
    for one in opened:
        with one() as table:
            if table.n_rows:
                names = ("patch", "visit", "detector")
                for columns in _columns(table, TABLES["coadd_input"], names):
                    found.update(zip(*(columns[name].tolist() for name in names)))
    return found


def choice_table(
    images: Iterable[Image],
    patches: Sequence[Patch],
    inputs: Iterable[Callable[[], AbstractContextManager[Readable]]],
    name: str,
) -> InMemory:
    """Tell which images overlap patches, and which are in their coadds.

    Parameters
    ----------
    images : `~collections.abc.Iterable` [`Image`]
        Images of visits that overlap the tract.
    patches : `~collections.abc.Sequence` [`Patch`]
        Patches that have a coadd.
    inputs : `~collections.abc.Iterable` [`~collections.abc.Callable`]
        Open the tables of the images that are in coadds.
    name : `str`
        What to call the table in messages.

    Returns
    -------
    table : `InMemory`
        Of the kind "coadd_choice": a row for each image and patch of its
        band that it overlaps, or one with the patch -1 if it overlaps none.
    """
    chosen = _chosen(inputs)
    rows: list[tuple[int, int, int, str, bool, bool, bool]] = []
    for image in images:
        region = image.region
        over = (
            []
            if region is None
            else [p for p in patches if p.band == image.band and not p.region.relate(region) & DISJOINT]
        )
        numbers = [patch.number for patch in over] or [NOWHERE]
        for number in numbers:
            there = (number, image.visit, image.detector)
            rows.append((*there, image.band, region is not None, number != NOWHERE, there in chosen))
    names = ("patch", "visit", "detector", "band", "visitSummaryRecord", "patchOverlap", "inCoadd")
    columns = zip(*rows) if rows else ((),) * len(names)
    return from_columns({key: np.array(values) for key, values in zip(names, columns)}, name)
