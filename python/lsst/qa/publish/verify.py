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

"""The bridge to lsst.verify: the only place that imports it, and only when it
is asked.
"""

from __future__ import annotations

__all__ = ["to_job"]

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import InputError
from .formats import job_of


def to_job(rows: Iterable[Mapping[str, Any]], meta: Mapping[str, Any] | None = None) -> Any:
    """Make a Job of lsst.verify.

    Parameters
    ----------
    rows : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        Rows of results.
    meta : `~collections.abc.Mapping`, optional
        What the Job's metadata is to say besides.

    Returns
    -------
    job : `lsst.verify.Job`
        The measurements.

    Raises
    ------
    InputError
        Raised if lsst.verify is not installed, or if the rows are of more
        than one data ID and band.
    """
    try:
        import lsst.verify
    except ImportError as error:
        raise InputError("lsst.verify is not installed; it comes with the LSST stack.") from error
    return lsst.verify.Job.deserialize(**json.loads(json.dumps(job_of(rows, meta))))
