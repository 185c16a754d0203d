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

"""The input tables, made by the simulator once and kept."""

from __future__ import annotations

__all__ = ["matched", "objects", "sources", "stars"]

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lsst.qa.simulate import Survey, object_pieces, visit_ids, write_matched
from lsst.qa.simulate import sources as visit_sources
from lsst.qa.simulate.layout import ROW_GROUP, arrow_schema, to_arrow

# So wide that there are stars 200 arcmin apart.
_SKY: dict[str, Any] = {"tract_size": 3.6, "pixel_scale": 1.2}


def matched(folder: Path, rows: int, *, bands: str = "r", visits: int = 10, by: str = "star") -> Path:
    """Make a table of stars' detections.

    Parameters
    ----------
    folder : `pathlib.Path`
        Where tables are kept.
    rows : `int`
        Number of rows.
    bands : `str`, optional
        Bands.
    visits : `int`, optional
        Visits in each band.
    by : `str`, optional
        What the rows are ordered by, "star" or "visit".

    Returns
    -------
    path : `pathlib.Path`
        The file.
    """
    name = f"matched-{rows}-{bands}-{visits}"
    if by == "visit":
        ordered = matched(folder, rows, bands=bands, visits=visits)
        return _kept(folder / f"{name}-by-visit.parquet", lambda path: _by_visit(ordered, path))
    survey = Survey(bands=bands, visits=visits, **_SKY)
    return _kept(folder / f"{name}.parquet", lambda path: _with_model_flux(path, rows, survey))


def sources(folder: Path, rows: int) -> Path:
    """Make a table of sources, of visits of about 10^5 rows each.

    Parameters
    ----------
    folder : `pathlib.Path`
        Where tables are kept.
    rows : `int`
        Number of rows.

    Returns
    -------
    path : `pathlib.Path`
        The file.
    """
    survey = Survey(stars=200_000, galaxies=80_000, bands="r", visits=200, sky_sources=100, **_SKY)
    pieces = (visit_sources(survey, visit) for visit in visit_ids(survey))
    return _kept(folder / f"sources-{rows}.parquet", lambda path: _write(path, pieces, rows))


def objects(folder: Path, rows: int) -> Path:
    """Make a table of objects in six bands.

    Parameters
    ----------
    folder : `pathlib.Path`
        Where tables are kept.
    rows : `int`
        Number of rows, at most 10^6.

    Returns
    -------
    path : `pathlib.Path`
        The file.
    """
    part = rows / 1e6
    survey = Survey(
        stars=int(1_040_000 * part),
        galaxies=int(520_000 * part),
        bands="ugrizy",
        visits=5,
        **_SKY,
    )
    return _kept(
        folder / f"objects-{rows}.parquet", lambda path: _write(path, object_pieces(survey, 0), rows)
    )


def stars(folder: Path, rows: int) -> Path:
    """Make a table of bright stars of one visit, whose residual shapes go
    together over some arcminutes.

    Parameters
    ----------
    folder : `pathlib.Path`
        Where tables are kept.
    rows : `int`
        Number of stars.

    Returns
    -------
    path : `pathlib.Path`
        The file.
    """
    return _kept(folder / f"stars-{rows}.parquet", lambda path: _write(path, iter([_stars(rows)]), rows))


def _stars(rows: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(2)
    x, y = rng.uniform(-1.75, 1.75, (2, rows))
    no = np.zeros(rows, dtype=bool)
    wave = np.sin(2.0 * np.pi * x / 0.4), np.cos(2.0 * np.pi * y / 0.3)
    columns = {
        "sourceId": np.arange(rows) + (1 << 60),
        "visit": np.full(rows, 2026010100001),
        "detector": np.zeros(rows, dtype=np.int16),
        "band": np.full(rows, "r"),
        "ra": 53.1 + x / np.cos(np.radians(y)),
        "dec": y,
        "psfFlux": np.full(rows, 1e6),
        "psfFluxErr": np.full(rows, 1e3),
        "extendedness": np.zeros(rows),
        "detect_isPrimary": ~no,
        **{f"pixelFlags_{name}": no for name in ("bad", "cr", "edge", "saturated")},
    }
    for suffix, noise in (("PSF", 0.0), ("", 0.05)):
        size = 8.0 + rng.normal(0.0, 0.1, rows)
        e1 = 0.03 * wave[0] + (noise > 0) * 0.003 * wave[1] + rng.normal(0.0, 1.0, rows) * noise
        e2 = 0.03 * wave[1] + (noise > 0) * 0.003 * wave[0] + rng.normal(0.0, 1.0, rows) * noise
        columns[f"ixx{suffix}"], columns[f"iyy{suffix}"] = 0.5 * size * (1.0 + e1), 0.5 * size * (1.0 - e1)
        columns[f"ixy{suffix}"] = 0.5 * size * e2
    return columns


def _kept(path: Path, make: Callable[[Path], None]) -> Path:
    """Make a file unless it is there, and never half of it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        making = path.with_suffix(".part")
        make(making)
        making.rename(path)
    return path


def _write(path: Path, pieces: Iterator[dict[str, np.ndarray]], rows: int) -> None:
    writer, written = None, 0
    for piece in pieces:
        piece = {name: values[: rows - written] for name, values in piece.items()}
        schema = arrow_schema(piece) if writer is None else writer.schema
        writer = writer or pq.ParquetWriter(path, schema)
        writer.write_table(to_arrow(piece, schema), row_group_size=ROW_GROUP)
        written += len(next(iter(piece.values())))
        if written == rows:
            writer.close()
            return
    raise ValueError(f"{path.name}: the survey has {written} rows, not {rows}.")


def _with_model_flux(path: Path, rows: int, survey: Survey) -> None:
    """Write matched stars with the flux of a model, which has the noise of the
    PSF flux and some of its own.
    """
    rng = np.random.default_rng(1)
    plain = path.with_suffix(".plain")
    write_matched(plain, rows, survey)
    writer = None
    for batch in pq.ParquetFile(plain).iter_batches(ROW_GROUP):
        flux, error = batch["psfFlux"].to_numpy(), batch["psfFluxErr"].to_numpy()
        table = pa.Table.from_batches([batch]).append_column(
            pa.field("gaussianFlux", pa.float64(), metadata={"unit": "nJy"}),
            pa.array(flux + 0.3 * error * rng.standard_normal(len(flux))),
        )
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()
    plain.unlink()


def _by_visit(ordered: Path, path: Path) -> None:
    """Order a table by visit: through a file for each, as it may not fit."""
    file = pq.ParquetFile(ordered)
    folder = Path(tempfile.mkdtemp(dir=path.parent))
    writers: dict[int, pq.ParquetWriter] = {}
    for batch in file.iter_batches(16 * ROW_GROUP):
        table = pa.Table.from_batches([batch])
        visits = batch["visit"].to_numpy()
        for visit in np.unique(visits).tolist():
            if visit not in writers:
                writers[visit] = pq.ParquetWriter(folder / f"{visit}.parquet", file.schema_arrow)
            writers[visit].write_table(table.take(np.flatnonzero(visits == visit)))
    with pq.ParquetWriter(path, file.schema_arrow) as writer:
        for visit in sorted(writers):
            writers[visit].close()
            for batch in pq.ParquetFile(folder / f"{visit}.parquet").iter_batches(ROW_GROUP):
                writer.write_batch(batch)
    shutil.rmtree(folder)
