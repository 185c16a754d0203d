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

"""Where tracts, patches, visits and detectors are."""

from __future__ import annotations

__all__ = ["Places", "Region", "keep_regions", "lacking", "outline_of", "regions", "regions_of"]

import dataclasses
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from .database import insert, tables, writing

if TYPE_CHECKING:
    import pyarrow as pa

    from lsst.daf.butler import Butler

_PART = 500


class Region(NamedTuple):
    """A region of the sky, or of a camera.

    Attributes
    ----------
    kind : `str`
        "tract", "patch", "visit" or "detector".
    outline : `tuple` [`tuple` [`float`, `float`], ...]
        Corners in degrees: right ascension and declination, or of a
        detector where it is in its camera.
    instrument, visit, detector, skymap, tract, patch, name
        What it is the region of; `None` where that does not apply.
    """

    kind: str
    outline: tuple[tuple[float, float], ...]
    instrument: str | None = None
    visit: int | None = None
    detector: int | None = None
    skymap: str | None = None
    tract: int | None = None
    patch: int | None = None
    name: str | None = None

    @property
    def place(self) -> str:
        """Words that name nothing else."""
        parts = (self.kind, self.instrument, self.visit, self.detector, self.skymap, self.tract, self.patch)
        return " ".join(str(part) for part in parts if part is not None)


@dataclasses.dataclass(frozen=True)
class Places:
    """Data IDs whose regions are of interest.

    Attributes
    ----------
    visits : `set` [`tuple` [`str`, `int`]]
        Instruments and visits.
    tracts : `set` [`tuple` [`str`, `int`]]
        Sky maps and tracts.
    """

    visits: set[tuple[str, int]] = dataclasses.field(default_factory=set)
    tracts: set[tuple[str, int]] = dataclasses.field(default_factory=set)

    def add(self, rows: pa.Table) -> None:
        """Take the data IDs of some rows of results.

        Parameters
        ----------
        rows : `pyarrow.Table`
            With `lsst.qa.results.SCHEMA`.
        """
        for held, names in ((self.visits, ("instrument", "visit")), (self.tracts, ("skymap", "tract"))):
            for row in rows.select(names).group_by(list(names)).aggregate([]).to_pylist():
                if None not in row.values():
                    held.add(tuple(row.values()))


def outline_of(region: Any) -> tuple[tuple[float, float], ...]:
    """Return the corners of a region of the middleware.

    Parameters
    ----------
    region : `lsst.sphgeom.Region`
        A polygon, or anything with a bounding box.

    Returns
    -------
    outline : `tuple` [`tuple` [`float`, `float`], ...]
        Right ascension and declination in degrees.
    """
    from lsst.sphgeom import ConvexPolygon, LonLat

    if isinstance(region, ConvexPolygon):
        corners = [LonLat(vertex) for vertex in region.getVertices()]
        return tuple((corner.getLon().asDegrees(), corner.getLat().asDegrees()) for corner in corners)
    box = region.getBoundingBox()
    lon, lat = box.getLon(), box.getLat()
    west, east = lon.getA().asDegrees(), lon.getB().asDegrees()
    south, north = lat.getA().asDegrees(), lat.getB().asDegrees()
    return ((west, south), (east, south), (east, north), (west, north))


def regions_of(butler: Butler, places: Places, cameras: Iterable[str] = ()) -> Iterator[Region]:
    """Find regions in the dimension records of a repository.

    Parameters
    ----------
    butler : `lsst.daf.butler.Butler`
        The repository.
    places : `Places`
        Visits and tracts; of these the patches as well.
    cameras : `~collections.abc.Iterable` [`str`], optional
        Instruments whose detectors are wanted, as one of the visits shows
        them.

    Yields
    ------
    region : `Region`
        Those that are known.
    """
    for skymap, tracts in _grouped(places.tracts):
        for kind in ("tract", "patch"):
            for record in _records(butler, kind, "skymap", skymap, "tract", tracts):
                found = record.dataId.mapping
                yield Region(
                    kind, outline_of(record.region), **{k: found[k] for k in ("skymap", "tract", kind)}
                )
    for instrument, visits in _grouped(places.visits):
        for record in _records(butler, "visit", "instrument", instrument, "visit", visits):
            yield Region("visit", outline_of(record.region), instrument, record.id)
        if instrument in cameras:
            yield from _camera(butler, instrument, visits)


def _grouped(pairs: set[tuple[str, int]]) -> Iterator[tuple[str, list[int]]]:
    owners: dict[str, list[int]] = {}
    for owner, number in sorted(pairs):
        owners.setdefault(owner, []).append(number)
    yield from owners.items()


def _records(
    butler: Butler, kind: str, owner: str, name: str, dimension: str, numbers: Sequence[int]
) -> Iterator[Any]:
    """Read dimension records that have a region, some at a time."""
    spans = _spans(numbers)
    for start in range(0, len(spans), _PART):
        part = spans[start : start + _PART]
        alone = [first for first, last in part if first == last]
        # The visits of a night follow each other; a range takes the time of
        # a single one.
        ranges = ", ".join(f"{first}..{last}" for first, last in part if first != last)
        asked = [f"{dimension} IN (:alone)"] * bool(alone) + [f"{dimension} IN ({ranges})"] * bool(ranges)
        with butler.query() as query:
            found = query.where(" OR ".join(asked), {owner: name}, bind={"alone": alone})
            factory = query.expression_factory
            outlined = found.where(factory.not_(getattr(factory, kind).region.is_null))
            yield from outlined.dimension_records(kind)


def _spans(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Put together sorted numbers that follow each other: first and last."""
    spans: list[tuple[int, int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return spans


def _camera(butler: Butler, instrument: str, visits: Sequence[int]) -> Iterator[Region]:
    """Take the layout of a camera from the visit that shows most of it."""
    best: list[Any] = []
    for visit in visits[:20]:
        found = list(_records(butler, "visit_detector_region", "instrument", instrument, "visit", [visit]))
        if len(found) > len(best):
            best = found
    if not best:
        return
    names = {}
    with butler.query() as query:
        for record in query.where({"instrument": instrument}).dimension_records("detector"):
            names[record.id] = record.full_name
    outlines = {record.detector: outline_of(record.region) for record in best}
    for detector, outline in _flattened(outlines).items():
        yield Region("detector", outline, instrument, detector=detector, name=names.get(detector))


def _flattened(
    outlines: dict[int, tuple[tuple[float, float], ...]],
) -> dict[int, tuple[tuple[float, float], ...]]:
    """Project corners on the plane that touches the sky in their middle."""
    units = {
        key: [
            (
                math.cos(math.radians(dec)) * math.cos(math.radians(ra)),
                math.cos(math.radians(dec)) * math.sin(math.radians(ra)),
                math.sin(math.radians(dec)),
            )
            for ra, dec in corners
        ]
        for key, corners in outlines.items()
    }
    total = [sum(unit[axis] for corners in units.values() for unit in corners) for axis in range(3)]
    ra, dec = math.atan2(total[1], total[0]), math.atan2(total[2], math.hypot(total[0], total[1]))
    flat: dict[int, tuple[tuple[float, float], ...]] = {}
    for key, corners in units.items():
        points = []
        for x, y, z in corners:
            depth = math.cos(dec) * (x * math.cos(ra) + y * math.sin(ra)) + z * math.sin(dec)
            east = y * math.cos(ra) - x * math.sin(ra)
            north = z * math.cos(dec) - math.sin(dec) * (x * math.cos(ra) + y * math.sin(ra))
            points.append((math.degrees(east / depth), math.degrees(north / depth)))
        flat[key] = tuple(points)
    return flat


def lacking(engine: sa.Engine, places: Places) -> tuple[Places, set[str]]:
    """Tell whose regions are not in the database.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    places : `Places`
        What is asked for.

    Returns
    -------
    places : `Places`
        Those without a region.
    cameras : `set` [`str`]
        Instruments whose detectors have none.
    """
    r = tables().region.c
    with engine.connect() as connection:
        visits = connection.execute(sa.select(r.instrument, r.visit).where(r.kind == "visit"))
        known_visits = {tuple(row) for row in visits}
        known_tracts = {
            tuple(row) for row in connection.execute(sa.select(r.skymap, r.tract).where(r.kind == "tract"))
        }
        cameras = connection.execute(sa.select(r.instrument).where(r.kind == "detector").distinct()).scalars()
        known_cameras = set(cameras)
    instruments = {instrument for instrument, _ in places.visits}
    return Places(places.visits - known_visits, places.tracts - known_tracts), instruments - known_cameras


def keep_regions(engine: sa.Engine, found: Iterable[Region]) -> int:
    """Write regions, those that are there already left as they are.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    found : `~collections.abc.Iterable` [`Region`]
        The regions.

    Returns
    -------
    number : `int`
        How many were given.
    """
    rows = [
        {**one._asdict(), "place": one.place, "outline": json.dumps(_rounded(one.outline))} for one in found
    ]
    if rows:
        with writing(engine) as connection:
            connection.execute(insert(connection, tables().region).on_conflict_do_nothing(), rows)
    return len(rows)


def _rounded(outline: Iterable[Sequence[float]]) -> list[list[float]]:
    """Keep a hundredth of an arcsecond."""
    return [[round(number, 6) for number in corner] for corner in outline]


def regions(engine: sa.Engine, kind: str, **owner: Any) -> list[Region]:
    """List regions of a kind.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    kind : `str`
        "tract", "patch", "visit" or "detector".
    **owner
        Instrument, skymap or tract that they are of.

    Returns
    -------
    regions : `list` [`Region`]
        In no order.
    """
    table = tables().region
    names = [name for name in Region._fields if name not in ("kind", "outline")]
    chosen = sa.select(table.c.kind, table.c.outline, *(table.c[name] for name in names)).where(
        table.c.kind == kind
    )
    for name, value in owner.items():
        if value is not None:
            chosen = chosen.where(table.c[name] == value)
    with engine.connect() as connection:
        rows = connection.execute(chosen).all()
    return [Region(row[0], tuple(map(tuple, json.loads(row[1]))), *row[2:]) for row in rows]
