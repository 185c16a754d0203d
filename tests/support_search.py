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
"""Quanta to be searched for."""

from __future__ import annotations

__all__ = ["BEGIN", "quantum"]

import datetime
from typing import Any

from lsst.qa.harvest.found import Rows
from lsst.qa.harvest.keeper import Kept
from lsst.qa.harvest.writing import now
from lsst.qa.store.database import tables

BEGIN = datetime.datetime(2026, 1, 2, 3, 4, 5)


def quantum(task: str, visit: int, messages: list[tuple[int, str]], **fields: Any) -> Rows:
    """Make the rows of a quantum."""
    known = {
        "task": task,
        "data_id": f"instrument=Cam visit={visit}",
        "status": "succeeded",
        "attempts": 1,
        "started": BEGIN + datetime.timedelta(minutes=visit),
        "finished": BEGIN + datetime.timedelta(minutes=visit, seconds=30),
        "wall": 30.0,
        "n_records": len(messages),
        "n_below": 0,
        "n_over": 0,
        "n_shortened": 0,
        "instrument": "Cam",
        "visit": visit,
        "day_obs": 20260101 + visit % 2,
        "source": "s",
        "content_hash": "h",
        "harvested_at": now(),
        **fields,
    }
    row = {column.name: known.get(column.name) for column in tables().quantum.c}
    del row["quantum_id"], row["run_id"]
    records = [
        Kept(level, 1, number, BEGIN, f"lsst.{task}", "a.py:1", message, None)
        for number, (level, message) in enumerate(messages)
    ]
    return Rows(row, records)
