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

"""A dataset on its way to a target: which of its records are where."""

from __future__ import annotations

__all__ = ["Parcel"]

import hashlib
import random
from collections.abc import Sequence

from .entries import Entry, Settled
from .record import Record
from .shelf import Found
from .targets.base import Reply

_MOST_ATTEMPTS = 8
_LONGEST_WAIT = 60.0
_MOST_REASONS = 5


class Parcel:
    """A dataset on its way.

    Parameters
    ----------
    entry : `Entry`
        What the ledger knows of it.
    found : `Found`
        The dataset.
    records : `list` [`Record`]
        All its records.
    wrong : `dict` [`int`, `str`]
        What is wrong with records, by their place.
    """

    def __init__(self, entry: Entry, found: Found, records: list[Record], wrong: dict[int, str]):
        self.entry = entry
        self.dataset = found.origin.uuid
        self.reason = found.rows if isinstance(found.rows, str) else ""
        self.n_records = len(records)
        self.dead = dict(wrong)
        self.failed: dict[int, str] = {}
        self.landed = ""
        self.hash = _content_hash(records)
        wanted = range(len(records)) if entry.remaining is None else entry.remaining
        self.outstanding = {n for n in wanted if n < len(records) and n not in wrong}
        self.to_send = [record for record in records if record.number in self.outstanding]

    def report(self, record: Record, reply: Reply) -> None:
        """Take what the target said of a record.

        Parameters
        ----------
        record : `Record`
            One of the records.
        reply : `Reply`
            What it said.
        """
        if reply.state == "failed":
            self.failed[record.number] = reply.detail
            return
        self.outstanding.discard(record.number)
        if reply.state == "dead":
            self.dead[record.number] = reply.detail
        else:
            self.landed = reply.detail

    def settled(self, down: str | None) -> Settled:
        """Return what the ledger is to remember.

        Parameters
        ----------
        down : `str` or `None`
            Why no more was sent, if so.

        Returns
        -------
        settled : `Settled`
            What became of the dataset.
        """
        last = self.entry.attempts >= _MOST_ATTEMPTS
        if self.reason:
            return Settled(self.dataset, "dead", last_error=self.reason)
        left = sorted(self.outstanding | self.dead.keys())
        remaining = None if len(left) == self.n_records else left
        known = Settled(self.dataset, "acknowledged", self.n_records, self.hash, landed=self.landed or None)
        reasons = list(dict.fromkeys([*self.dead.values(), *self.failed.values()]))
        said = "; ".join(reasons[:_MOST_REASONS]) + (" ..." if len(reasons) > _MOST_REASONS else "")
        if not left:
            return known
        known = known._replace(state="dead", remaining=remaining, last_error=said)
        if self.outstanding and down is not None:
            return known._replace(state="failed", last_error=down)
        if self.outstanding and not last:
            wait = min(_LONGEST_WAIT, 2.0**self.entry.attempts) * random.uniform(0.5, 1.0)
            return known._replace(state="failed", wait=wait)
        return known


def _content_hash(records: Sequence[Record]) -> str:
    """Hash what the records say of their measurements."""
    digest = hashlib.sha256()
    for record in records:
        value = record.value
        said = (value["record_id"], value["value"], value["error"], value["status"])
        digest.update(repr(said).encode())
    return digest.hexdigest()
