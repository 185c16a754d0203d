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

"""What is wrong with a record, told before it is sent."""

from __future__ import annotations

__all__ = ["faults"]

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..results import STATUSES
from .fields import FIELDS
from .record import Record

_LEGAL_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}\Z")

_KINDS = {field.name: (field.kind.rstrip("?"), field.kind.endswith("?")) for field in FIELDS}
_REQUIRED = ("record_id", "id", "run", "dataset_type", "metric")


def faults(records: Sequence[Record]) -> dict[int, str]:
    """Find the records that must not be sent.

    Parameters
    ----------
    records : `~collections.abc.Sequence` [`Record`]
        All records of a dataset.

    Returns
    -------
    faults : `dict` [`int`, `str`]
        All that is wrong with a record, by its place in the sequence.
    """
    keys = Counter(record.value.get("record_id") for record in records)
    found = {}
    for place, record in enumerate(records):
        wrong = _faults(record)
        if keys[record.value.get("record_id")] > 1:
            wrong.append("another row of the dataset has the same metric, band, data ID and bin")
        if wrong:
            found[place] = f"{record.value.get('metric')}: {'; '.join(wrong)}"
    return found


def _faults(record: Record) -> list[str]:
    wrong = []
    value = record.value
    if not _LEGAL_TOPIC.match(record.topic):
        wrong.append(f"topic {record.topic!r} is not 1 to 249 letters, digits, '.', '_', '-'")
    if missing := sorted(_KINDS.keys() - value.keys()):
        wrong.append(f"no {', '.join(missing)}")
    if unknown := sorted(value.keys() - _KINDS.keys()):
        wrong.append(f"undeclared {', '.join(unknown)}")
    for name, (kind, optional) in _KINDS.items():
        if name in value and (said := _fault(value[name], kind, optional)):
            wrong.append(f"{name} {said}")
    wrong += [f"{name} is empty" for name in _REQUIRED if value.get(name) == ""]
    if value.get("status") not in STATUSES:
        wrong.append(f"status {value.get('status')!r} is none of {', '.join(STATUSES)}")
    if value.get("status") == "ok" and value.get("value") is None:
        wrong.append("status is ok and there is no value")
    if value.get("timestamp") is None and "timestamp" in value:
        wrong.append("nothing tells when the run was made: give a time with --made")
    return wrong


def _fault(value: Any, kind: str, optional: bool) -> str:
    if value is None:
        return "" if optional else "is null"
    if kind == "string":
        if not isinstance(value, str):
            return f"is no text but {value!r}"
        return "" if value.isascii() else _unencodable(value)
    if kind == "long":
        whole = isinstance(value, int) and not isinstance(value, bool)
        return "" if whole and -(2**63) <= value < 2**63 else f"is no 64-bit integer but {value!r}"
    return "" if isinstance(value, float) and math.isfinite(value) else f"is no finite number but {value!r}"


def _unencodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return "has a character that UTF-8 cannot write"
    return ""
