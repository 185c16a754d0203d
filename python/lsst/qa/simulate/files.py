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

"""The tables of a survey as Parquet files, made one by one so that memory does
not grow with the survey.
"""

from __future__ import annotations

__all__ = ["DATASETS", "File", "count_files", "survey_files"]

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .blends import parent_pieces
from .cadence import visit_ids
from .depths import coadd_depths, coadd_inputs
from .differences import dia_sources
from .isolated import KEY, isolated_pieces, presources
from .layout import ROW_GROUP, arrow_schema, to_arrow
from .objects import object_pieces
from .reference import REFCAT, reference_shards
from .sources import sources
from .summary import visit_detector_table, visit_summary, visit_table
from .survey import INSTRUMENT, SKYMAP, Survey
from .true_sky import true_pieces
from .truth import Truth, truth

_VISIT, _TRACT = ("instrument", "visit"), ("skymap", "tract")

DATASETS = {
    "source": (_VISIT, "ArrowAstropy"),
    "visit_summary": (_VISIT, "ArrowAstropy"),
    "isolated_star_presources": (("instrument", *_TRACT), "ArrowAstropy"),
    "isolated_star_presource_associations": (("instrument", *_TRACT), "ArrowAstropy"),
    "object": (_TRACT, "ArrowAstropy"),
    "object_parent": (_TRACT, "ArrowAstropy"),
    "dia_source": (_TRACT, "ArrowAstropy"),
    "deep_coadd_depth_table": (_TRACT, "ArrowAstropy"),
    "deep_coadd_input_summary_tract": ((*_TRACT, "band"), "ArrowAstropy"),
    REFCAT: (("htm7",), "ArrowAstropy"),
    "visit_table": (("instrument",), "ArrowAstropy"),
    "visit_detector_table": (("instrument",), "ArrowAstropy"),
    "sim_truth": (_TRACT, "ArrowAstropy"),
    "qa_truth": (("instrument",), "ArrowTable"),
}
"""Dimensions and storage class of each kind of table."""

_PER_VISIT = sum("visit" in dimensions for dimensions, _ in DATASETS.values())
_PER_BAND = sum("band" in dimensions for dimensions, _ in DATASETS.values())
_PER_TRACT = sum("tract" in dimensions for dimensions, _ in DATASETS.values()) - _PER_BAND

_TRUTH = pa.schema(
    [
        ("metric", pa.string()),
        ("band", pa.string()),
        ("value", pa.float64()),
        ("unit", pa.string()),
        ("visit", pa.int64()),
        ("detector", pa.int64()),
        ("skymap", pa.string()),
        ("tract", pa.int64()),
    ]
)


class File(NamedTuple):
    """A table that was written.

    Attributes
    ----------
    dataset_type : `str`
        One of `DATASETS`.
    data_id : `dict` [`str`, `str` or `int`]
        What it is of.
    path : `pathlib.Path`
        The file.
    rows : `int`
        Number of its rows.
    """

    dataset_type: str
    data_id: dict[str, str | int]
    path: Path
    rows: int


def count_files(survey: Survey) -> int:
    """Return the number of tables of a survey.

    Parameters
    ----------
    survey : `Survey`
        The survey.

    Returns
    -------
    count : `int`
        How many `survey_files` makes.
    """
    alone = len(DATASETS) - _PER_VISIT - _PER_TRACT - _PER_BAND - 1
    per_tract = _PER_TRACT + _PER_BAND * len(survey.bands)
    shards = len(reference_shards(survey))
    return _PER_VISIT * len(visit_ids(survey)) + per_tract * survey.tracts + shards + alone


def survey_files(survey: Survey, folder: Path, metadata: Mapping[str, object]) -> Iterator[File]:
    """Write the tables of a survey.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    folder : `pathlib.Path`
        Where files are made; whoever takes one may move it away.
    metadata : `~collections.abc.Mapping` [`str`, `object`]
        What to keep, as JSON, with the table of truth, to which the number
        of rows of all sources is added.

    Yields
    ------
    file : `File`
        One after the other, the table of truth last.
    """
    rows = 0
    for tract in range(survey.tracts):
        spill, counts = folder / f"presources_{tract}", {}
        with open(spill, "wb") as stream:
            for visit_id in visit_ids(survey, tract):
                columns = sources(survey, visit_id)
                keys = presources(columns)
                counts[visit_id] = len(keys)
                keys.tofile(stream)
                data_id: dict[str, str | int] = {"instrument": INSTRUMENT, "visit": visit_id}
                file = File("source", data_id, *_write(folder / f"source_{visit_id}.parq", [columns]))
                rows += file.rows
                yield file
                summary = visit_summary(survey, visit_id)
                yield File("visit_summary", data_id, *_write(folder / f"summary_{visit_id}.parq", [summary]))
        yield from _isolated(survey, tract, folder, _spilled(spill, counts))
        spill.unlink()
        yield File(
            "object",
            {"skymap": SKYMAP, "tract": tract},
            *_write(folder / f"object_{tract}.parq", object_pieces(survey, tract)),
        )
        yield from _products(survey, tract, folder)
    for tract in range(survey.tracts):
        path = folder / f"truth_{tract}.parq"
        data_id = {"skymap": SKYMAP, "tract": tract}
        yield File("sim_truth", data_id, *_write(path, true_pieces(survey, tract)))
    for pixel, stars in reference_shards(survey).items():
        yield File(REFCAT, {"htm7": pixel}, *_write(folder / f"refcat_{pixel}.parq", [stars]))
    for name, table in (("visit_table", visit_table), ("visit_detector_table", visit_detector_table)):
        yield File(name, {"instrument": INSTRUMENT}, *_write(folder / f"{name}.parq", [table(survey)]))
    path = folder / "qa_truth.parq"
    found = _truths(truth(survey)).replace_schema_metadata(
        {"qa.simulation": json.dumps({**metadata, "sources": rows}, sort_keys=True)}
    )
    pq.write_table(found, path)
    yield File("qa_truth", {"instrument": INSTRUMENT}, path, found.num_rows)


def _products(survey: Survey, tract: int, folder: Path) -> Iterator[File]:
    """Write what else comes of a tract's coadds and difference images."""
    data_id: dict[str, str | int] = {"skymap": SKYMAP, "tract": tract}
    for name, pieces in (
        ("object_parent", parent_pieces(survey, tract)),
        ("dia_source", [dia_sources(survey, tract)]),
        ("deep_coadd_depth_table", [coadd_depths(survey, tract)]),
    ):
        yield File(name, data_id, *_write(folder / f"{name}_{tract}.parq", pieces))
    for band in survey.filters:
        path = folder / f"coadd_inputs_{tract}_{band}.parq"
        written = _write(path, [coadd_inputs(survey, tract, band)])
        yield File("deep_coadd_input_summary_tract", {**data_id, "band": band}, *written)


def _write(path: Path, pieces: Iterable[Mapping[str, np.ndarray]]) -> tuple[Path, int]:
    """Write a table piece by piece; return the file and its number of rows."""
    rows, writer = 0, None
    try:
        for piece in pieces:
            if writer is None:
                writer = pq.ParquetWriter(path, arrow_schema(piece))
            table = to_arrow(piece, writer.schema)
            writer.write_table(table, row_group_size=ROW_GROUP)
            rows += table.num_rows
    finally:
        if writer is not None:
            writer.close()
    return path, rows


def _spilled(path: Path, counts: Mapping[int, int]) -> dict[int, np.ndarray]:
    """Return the keys of each visit, as they lie on disk."""
    # An empty file cannot be mapped.
    keys = np.memmap(path, dtype=KEY, mode="r") if sum(counts.values()) else np.zeros(0, dtype=KEY)
    ends = np.cumsum(list(counts.values()))
    return {visit_id: keys[end - count : end] for (visit_id, count), end in zip(counts.items(), ends)}


def _isolated(survey: Survey, tract: int, folder: Path, kept: Mapping[int, np.ndarray]) -> Iterator[File]:
    """Write the two tables of isolated stars, which are made together."""
    names = ("isolated_star_presources", "isolated_star_presource_associations")
    paths = [folder / f"{name}_{tract}.parq" for name in names]
    rows = [0, 0]
    writers: list[pq.ParquetWriter] = []
    try:
        for pieces in isolated_pieces(survey, tract, kept):
            if not writers:
                writers += [pq.ParquetWriter(path, arrow_schema(piece)) for path, piece in zip(paths, pieces)]
            for i, piece in enumerate(pieces):
                table = to_arrow(piece, writers[i].schema)
                writers[i].write_table(table, row_group_size=ROW_GROUP)
                rows[i] += table.num_rows
    finally:
        for writer in writers:
            writer.close()
    data_id: dict[str, str | int] = {"instrument": INSTRUMENT, "skymap": SKYMAP, "tract": tract}
    for name, path, count in zip(names, paths, rows):
        yield File(name, data_id, path, count)


def _truths(rows: Iterable[Truth]) -> pa.Table:
    return pa.Table.from_pylist([row._asdict() for row in rows], schema=_TRUTH)
