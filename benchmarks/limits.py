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

"""The limits: what no program that uses the columns can do without."""

from __future__ import annotations

__all__ = ["decode", "stream"]

from collections.abc import Callable, Sequence
from typing import Any


def decode(path: str, columns: Sequence[str], batch: int = 1 << 14) -> Callable[[], dict[str, Any]]:
    """Decode columns in batches with pyarrow, on one thread."""
    import pyarrow.parquet as pq

    def work() -> dict[str, Any]:
        # Words are left as numbers, as readers that are in a hurry do.
        head = pq.read_metadata(path)
        schema = head.schema.to_arrow_schema()
        texts = [name for name in columns if str(schema.field(name).type) == "string"]
        how: dict[str, Any] = {"buffer_size": 1 << 20, "pre_buffer": False, "read_dictionary": texts}
        file = pq.ParquetFile(path, metadata=head, **how)
        read = 0
        for part in file.iter_batches(batch, columns=list(columns), use_threads=False):
            read += part.nbytes
        return {"bytes": read}

    return work


def stream(size: int) -> Callable[[], dict[str, Any]]:
    """Add up as many bytes of 64-bit numbers, out of the processor's cache."""
    import numpy as np

    held = np.ones(min(size // 8, 1 << 25) + 1)

    def work() -> dict[str, Any]:
        total, left = 0.0, size // 8
        while left > 0:
            total += float(held[:left].sum())
            left -= len(held)
        return {"sum": total}

    return work
