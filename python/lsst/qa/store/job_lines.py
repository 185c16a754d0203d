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

"""Logs of jobs, kept in pieces and within bounds."""

from __future__ import annotations

__all__ = ["KEPT_PIECES", "MOST_LOG", "storable", "write_lines"]

import datetime
from collections.abc import Sequence

import sqlalchemy as sa

from .database import tables
from .job_records import Job

MOST_LOG = 4_000_000
"""The most characters of a log that are kept."""

KEPT_PIECES = 20
"""Pieces at the beginning of a log that are kept however long it grows."""

_MOST_LINE = 4000


def write_lines(
    connection: sa.Connection, job: Job, step: str, lines: Sequence[str], now: datetime.datetime
) -> None:
    """Add lines to the log of a job, and shorten it where it is too long.

    Parameters
    ----------
    connection : `sqlalchemy.Connection`
        Connection in a transaction that writes.
    job : `Job`
        The job.
    step : `str`
        Name of the step whose command wrote them.
    lines : `~collections.abc.Sequence` [`str`]
        The lines, without their ends.
    now : `datetime.datetime`
        UTC, without a zone.
    """
    t, log = tables().job, tables().job_log
    this = t.c.job_id == job.job_id
    counted = connection.execute(sa.select(t.c.log_lines, t.c.log_pieces, t.c.log_size).where(this)).one()
    text = "".join(f"{_cut(storable(line))}\n" for line in lines)
    piece = {
        "job_id": job.job_id,
        "piece": counted.log_pieces,
        "step": step,
        "written": now,
        "first_line": counted.log_lines,
        "n_lines": len(lines),
        "text": text,
    }
    connection.execute(sa.insert(log), piece)
    size = counted.log_size + len(text)
    if size > MOST_LOG:
        size -= _shorten(connection, job, size - MOST_LOG * 3 // 4)
    now_counted = {
        "log_lines": counted.log_lines + len(lines),
        "log_pieces": counted.log_pieces + 1,
        "log_size": size,
    }
    connection.execute(sa.update(t).where(this).values(now_counted))


def _shorten(connection: sa.Connection, job: Job, excess: int) -> int:
    """Drop the oldest pieces after the first ones; return their length."""
    log = tables().job_log
    middle = (log.c.job_id == job.job_id, log.c.piece >= KEPT_PIECES)
    chosen = sa.select(log.c.piece, sa.func.length(log.c.text)).where(*middle).order_by(log.c.piece)
    dropped, last = 0, -1
    for number, length in connection.execute(chosen):
        if dropped >= excess:
            break
        dropped, last = dropped + length, number
    connection.execute(sa.delete(log).where(*middle, log.c.piece <= last))
    return dropped


def storable(text: str) -> str:
    """Replace what PostgreSQL does not take in a text.

    Parameters
    ----------
    text : `str`
        Any text.

    Returns
    -------
    text : `str`
        Without zero bytes and halves of characters.
    """
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return whole.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _cut(line: str) -> str:
    if len(line) <= _MOST_LINE:
        return line
    return f"{line[:_MOST_LINE]} [{len(line) - _MOST_LINE} characters left out]"
