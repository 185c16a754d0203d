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

"""What the ledger notes about a dataset."""

from __future__ import annotations

__all__ = ["SCHEMA_VERSION", "Entry", "Planned", "Settled"]

import datetime
import json
from typing import Any, NamedTuple

SCHEMA_VERSION = 1
"""Version of the records that are written today."""

_MOST_TEXT = 2000


class Planned(NamedTuple):
    """A dataset that is to be published.

    Attributes
    ----------
    dataset : `str`
        UUID.
    run, dataset_type : `str`
        Where it is.
    """

    dataset: str
    run: str
    dataset_type: str


class Entry(NamedTuple):
    """A dataset that an uploader has in hand.

    Attributes
    ----------
    dataset : `str`
        UUID.
    attempts : `int`
        How often it was taken in hand, this time included.
    remaining : `list` [`int`] or `None`
        Places of the records that are not acknowledged; `None` for all.
    """

    dataset: str
    attempts: int
    remaining: list[int] | None


class Settled(NamedTuple):
    """What became of a dataset that was in hand.

    Attributes
    ----------
    dataset : `str`
        UUID.
    state : `str`
        One of `lsst.qa.store.letters.STATES`.
    n_records : `int` or `None`
        Number of its records.
    content_hash : `str` or `None`
        SHA-256 of what was sent.
    remaining : `list` [`int`] or `None`
        Places of the records that are not acknowledged.
    last_error, landed : `str` or `None`
        Why not, and where.
    wait : `float`
        Seconds before it is tried again.
    """

    dataset: str
    state: str
    n_records: int | None = None
    content_hash: str | None = None
    remaining: list[int] | None = None
    last_error: str | None = None
    landed: str | None = None
    wait: float = 0.0

    def columns(self, now: datetime.datetime) -> dict[str, Any]:
        """Return what the ledger's table is to hold.

        Parameters
        ----------
        now : `datetime.datetime`
            The time.

        Returns
        -------
        columns : `dict`
            Values by name; nobody has the dataset in hand.
        """
        remaining = None if self.remaining is None else json.dumps(self.remaining, separators=(",", ":"))
        return {
            "state": self.state,
            "schema_version": SCHEMA_VERSION if self.n_records is not None else None,
            "content_hash": self.content_hash,
            "n_records": self.n_records,
            "remaining": remaining,
            "last_error": self.last_error[:_MOST_TEXT] if self.last_error else None,
            "landed": self.landed[:_MOST_TEXT] if self.landed else None,
            "next_try": now + datetime.timedelta(seconds=self.wait) if self.wait else None,
            "updated_at": now,
            "owner": None,
            "lease_until": None,
        }
