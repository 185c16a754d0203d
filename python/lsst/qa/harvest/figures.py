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

"""What the metadata of a task say: numbers, and what its quantum took."""

from __future__ import annotations

__all__ = ["Figures", "Metadata", "figures", "numbers"]

import datetime
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Metadata = Mapping[str, Any]
"""Metadata of a task as they are stored: scalars, arrays, and metadata of the
same form by name."""


class Figures(NamedTuple):
    """What a quantum took; `None` where its metadata do not say.

    Attributes
    ----------
    started, finished : `datetime.datetime` or `None`
        From its preparation to its end; UTC, without a zone.
    wall : `float` or `None`
        Time between them, in s.
    prep_cpu, init_cpu, run_cpu : `float` or `None`
        CPU time of its preparation, of making the task, and of running it,
        in s.
    memory, memory_before : `int` or `None`
        Peak resident memory of the process at its end, and when the task
        began to run, in bytes.
    memory_budget : `int` or `None`
        What the task declared to take at most, in bytes.
    host : `str` or `None`
        The computer.
    caveats : `int` or `None`
        Flags of `lsst.pipe.base.QuantumSuccessCaveats`.
    failure : `tuple` [`str`, `str`] or `None`
        Type and message of the error that a success was annotated with.
    """

    started: datetime.datetime | None
    finished: datetime.datetime | None
    wall: float | None
    prep_cpu: float | None
    init_cpu: float | None
    run_cpu: float | None
    memory: int | None
    memory_before: int | None
    memory_budget: int | None
    host: str | None
    caveats: int | None
    failure: tuple[str, str] | None

    @property
    def cpu(self) -> float | None:
        """CPU time from the preparation to the end, in s."""
        parts = (self.prep_cpu, self.init_cpu, self.run_cpu)
        return None if None in parts else sum(part for part in parts if part is not None)


def figures(metadata: Metadata, task: str) -> Figures:
    """Read what a quantum took.

    The definitions are those of analysis_tools' GatherResourceUsage: without
    the time of a step, that step lasts to the end.

    Parameters
    ----------
    metadata : `~collections.abc.Mapping`
        Metadata as they are stored.
    task : `str`
        Label of the task.

    Returns
    -------
    figures : `Figures`
        What they say.
    """
    quantum, own = _node(metadata, "quantum"), _node(metadata, task)
    started, finished = (_time(_value(quantum, f"{step}Utc")) for step in ("prep", "end"))
    end = _real(_value(quantum, "endCpuTime"))
    prep = _real(_value(quantum, "prepCpuTime"))
    init, start = (_real(_value(quantum, f"{step}CpuTime"), end) for step in ("init", "start"))
    memory = _whole(_value(quantum, "endMaxResidentSetSize"))
    before = next(
        (
            peak
            for step in ("start", "init", "prep")
            if (peak := _whole(_value(quantum, f"{step}MaxResidentSetSize"))) is not None
        ),
        None,
    )
    failure = _node(own, "failure")
    host = _value(quantum, "nodeName")
    return Figures(
        started,
        finished,
        None if started is None or finished is None else (finished - started).total_seconds(),
        _difference(init, prep),
        _difference(start, init),
        _difference(end, start),
        memory,
        before,
        _whole(_value(own, "memory_budget")),
        None if host is None else str(host),
        _whole(_value(quantum, "caveats")),
        (str(_value(failure, "type")), str(_value(failure, "message"))) if failure else None,
    )


def numbers(metadata: Metadata, prefix: str = "") -> Iterator[tuple[str, float]]:
    """List all numbers of metadata.

    Parameters
    ----------
    metadata : `~collections.abc.Mapping`
        Metadata as they are stored.
    prefix : `str`, optional
        What the names begin with.

    Yields
    ------
    name : `str`
        Name, with those of the parts it is in before it and dots between,
        as in "calibrateImage.star_count"; "[1]" and so on follow where a
        name has several values.
    value : `float`
        The number.
    """
    for name, value in _mapping(metadata.get("scalars")).items():
        if _is_number(value):
            yield prefix + name, float(value)
    for name, values in _mapping(metadata.get("arrays")).items():
        if isinstance(values, list):
            for place, value in enumerate(values):
                if _is_number(value):
                    yield f"{prefix}{name}{f'[{place}]' if len(values) > 1 else ''}", float(value)
    for name, inner in _mapping(metadata.get("metadata")).items():
        yield from numbers(_mapping(inner), f"{prefix}{name}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _node(metadata: Metadata, name: str) -> Metadata:
    return _mapping(_mapping(metadata.get("metadata")).get(name))


def _value(node: Metadata, name: str) -> Any:
    """Return a value, the last one where there are several."""
    scalars = _mapping(node.get("scalars"))
    if name in scalars:
        return scalars[name]
    values = _mapping(node.get("arrays")).get(name)
    return values[-1] if isinstance(values, list) and values else None


def _real(value: Any, otherwise: float | None = None) -> float | None:
    return float(value) if _is_number(value) else otherwise


def _whole(value: Any) -> int | None:
    return int(value) if _is_number(value) and value == value else None


def _difference(later: float | None, earlier: float | None) -> float | None:
    return None if later is None or earlier is None else later - earlier


def _time(value: Any) -> datetime.datetime | None:
    try:
        time = datetime.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return time.astimezone(datetime.UTC).replace(tzinfo=None) if time.tzinfo else time
