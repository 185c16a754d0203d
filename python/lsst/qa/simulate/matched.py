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

"""Matched stars without a repository, of any number of rows: what benchmarks
run on.
"""

from __future__ import annotations

__all__ = ["matched_rows", "write_matched"]

import functools
import os
from collections.abc import Callable, Iterator

import numpy as np

from ..errors import SimulationError
from .cadence import visit_ids
from .expected import expected, unresolved
from .flags import UNIFORMS, draw_flags
from .populations import BLOCK, star_block
from .sky import Sky, object_id
from .sources import measured
from .survey import Stream, Survey, generator
from .visits import Visit, observe

_FLAGS = tuple(f"pixelFlags_{name}" for name in ("bad", "cr", "edge", "saturated"))
_DEVIATES = 4


def matched_rows(survey: Survey, band: str, start: int, stop: int, tract: int = 0) -> dict[str, np.ndarray]:
    """Make the detections of some stars in all visits of a band.

    Parameters
    ----------
    survey : `Survey`
        The survey; its number of stars is no limit here.
    band : `str`
        Band.
    start, stop : `int`
        First star, and the one after the last.
    tract : `int`, optional
        Tract.

    Returns
    -------
    columns : `dict` [`str`, `numpy.ndarray`]
        A row per detection, ordered by star and visit, the same however the
        stars are divided: ``isolated_star_id``, ``visit``, ``detector``,
        ``band``, ``ra``, ``dec`` [deg], ``psfFlux``, ``psfFluxErr`` [nJy],
        ``extendedness``, ``detect_isPrimary`` and pixel flags. Of the same
        model as `sources`, with other noise.

    Raises
    ------
    lsst.qa.errors.SimulationError
        Raised if the survey has no such band or tract, or the stars are
        counted backwards.
    """
    if band not in survey.filters or not 0 <= tract < survey.tracts or not 0 <= start <= stop:
        raise SimulationError(
            f"There are no stars {start} to {stop} of tract {tract} in {band!r}: the survey has the bands "
            f"{survey.filters!r} and {survey.tracts} tracts, and stars are counted upwards from 0."
        )
    visits = _visits(survey, tract, band)
    # At least one block, whose columns an empty answer needs.
    blocks = range(start // BLOCK, max(-(-stop // BLOCK), start // BLOCK + 1))
    parts = [_block(survey, tract, visits, block) for block in blocks]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    index = columns["isolated_star_id"] - object_id(tract, np.array([0]))
    kept = (index >= start) & (index < stop)
    return {name: values[kept] for name, values in columns.items()}


def write_matched(
    path: str | os.PathLike[str],
    rows: int,
    survey: Survey,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write matched stars to a Parquet file, in pieces.

    Parameters
    ----------
    path : `str` or `os.PathLike`
        File to write.
    rows : `int`
        Number of rows, to the row.
    survey : `Survey`
        Bands, visits and conditions; its number of stars is no limit here.
    progress : `~collections.abc.Callable`, optional
        Called with the rows written and ``rows``.

    Returns
    -------
    stars : `int`
        Number of stars they belong to.

    Raises
    ------
    lsst.qa.errors.SimulationError
        Raised if ``rows`` is negative.

    Notes
    -----
    Holds one block of 4096 stars in all visits and bands at a time: about a
    quarter of a megabyte for each visit.
    """
    if rows < 0:
        raise SimulationError(f"rows is {rows!r}, not a number of rows.")
    import pyarrow.parquet as pq

    from .layout import ROW_GROUP, arrow_schema, to_arrow

    none = matched_rows(survey, survey.filters[0], 0, 0)
    schema = arrow_schema(none)
    written, last = 0, object_id(0, np.array([-1]))
    pieces = _pieces(survey)
    with pq.ParquetWriter(path, schema) as writer:
        while written < rows:
            piece = {name: values[: rows - written] for name, values in next(pieces).items()}
            writer.write_table(to_arrow(piece, schema), row_group_size=ROW_GROUP)
            written += len(piece["visit"])
            last = np.append(last, piece["isolated_star_id"])[-1:]
            if progress is not None:
                progress(written, rows)
    return int(last[0] - object_id(0, np.array([-1]))[0])


def _pieces(survey: Survey) -> Iterator[dict[str, np.ndarray]]:
    """Make block after block of stars, without end."""
    block = 0
    while True:
        bands = [_block(survey, 0, _visits(survey, 0, band), block) for band in survey.filters]
        joined = {name: np.concatenate([part[name] for part in bands]) for name in bands[0]}
        order = np.argsort(joined["isolated_star_id"], kind="stable")
        yield {name: values[order] for name, values in joined.items()}
        block += 1


@functools.lru_cache(maxsize=8)
def _visits(survey: Survey, tract: int, band: str) -> tuple[Visit, ...]:
    return tuple(observe(survey, visit_id) for visit_id in visit_ids(survey, tract, band))


def _block(survey: Survey, tract: int, visits: tuple[Visit, ...], block: int) -> dict[str, np.ndarray]:
    """Make the detections of a block of stars, ordered by star and visit."""
    drawn = star_block(survey, tract, block)
    parts = [_in_visit(survey, visit, drawn, block) for visit in visits]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(joined["isolated_star_id"], kind="stable")
    return {name: values[order] for name, values in joined.items()}


def _in_visit(survey: Survey, visit: Visit, drawn: Sky, block: int) -> dict[str, np.ndarray]:
    rows = expected(visit, drawn)
    n = len(rows.number)
    rng = generator(survey, Stream.MATCHED, visit.id, block)
    values = measured(survey, visit, rows, rng.standard_normal((_DEVIATES, n)))
    flags = draw_flags(rows, rng.random((UNIFORMS, n)))
    return {
        "isolated_star_id": object_id(visit.tract, rows.number),
        "visit": np.full(n, visit.id),
        "detector": rows.detector,
        "band": np.full(n, visit.band),
        **{name: values[name] for name in ("ra", "dec", "psfFlux", "psfFluxErr")},
        "extendedness": 1.0 - unresolved(rows.extension),
        "detect_isPrimary": np.ones(n, dtype=bool),
        **{name: flags[name] for name in _FLAGS},
    }
