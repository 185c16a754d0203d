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

"""Results of collections as one Parquet dataset, with a folder a metric.

Results are written a quantum at a time and read a metric at a time: this turns
the one into the other, in pieces.
"""

from __future__ import annotations

__all__ = ["Partitioned", "partition"]

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ..errors import InputError
from ..results import GATHERED_SCHEMA, SCHEMA, run_time
from .batches import Batch, Origin
from .opening import open_source
from .reading import batches_of


class Partitioned(NamedTuple):
    """What was written.

    Attributes
    ----------
    datasets : `int`
        Number of datasets of results.
    rows : `int`
        Number of measurements.
    """

    datasets: int
    rows: int


def partition(repo: str, collections: Sequence[str], folder: str, *, where: str = "") -> Partitioned:
    """Write the results of collections as a dataset partitioned by metric.

    Parameters
    ----------
    repo, collections
        What to write, see `lsst.qa.store.opening.open_source`.
    folder : `str`
        Folder of the dataset, which must not exist or be empty.
    where
        See there.

    Returns
    -------
    written : `Partitioned`
        How much it is. The rows have `lsst.qa.results.GATHERED_SCHEMA`.

    Raises
    ------
    CollectionError
        Raised if there are no results.
    InputError
        Raised if the folder holds something, or a dataset cannot be read.
    """
    from pyarrow import dataset

    place = Path(folder)
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise InputError(f"{folder} exists and is not an empty folder; name another one.")
    complaints: list[str] = []
    datasets = rows = 0
    with open_source(repo, collections, where) as source:
        complaints += source.unreadable
        for number, batch in enumerate(batches_of(source, (), complaints.append)):
            dataset.write_dataset(
                _with_origins(batch),
                place,
                format="parquet",
                partitioning=dataset.partitioning(
                    pa.schema([GATHERED_SCHEMA.field("metric")]), flavor="hive"
                ),
                basename_template=f"part-{number}-{{i}}.parquet",
                existing_data_behavior="overwrite_or_ignore",
            )
            datasets, rows = datasets + len(batch.origins), rows + batch.rows.num_rows
    if complaints:
        raise InputError(f"{len(complaints)} datasets are not in {folder}: {'; '.join(complaints)}.")
    return Partitioned(datasets, rows)


def _with_origins(batch: Batch) -> pa.Table:
    """Give each row the dataset, run and task that it came from."""
    owner = np.repeat(np.arange(len(batch.origins)), batch.counts)
    columns = [batch.rows[name] for name in SCHEMA.names]
    for field in list(GATHERED_SCHEMA)[len(SCHEMA) :]:
        values = pa.array([_told(origin)[field.name] for origin in batch.origins], field.type)
        columns.append(values.take(pa.array(owner)))
    return pa.Table.from_arrays(columns, schema=GATHERED_SCHEMA)


def _told(origin: Origin) -> dict[str, object]:
    made = origin.provenance.created
    return {
        "dataset_id": origin.uuid,
        "run": origin.run,
        "task": origin.provenance.task,
        "dataset_type": origin.dataset_type,
        "run_time": origin.run_time or run_time(origin.run, made.isoformat() if made else None),
    }
