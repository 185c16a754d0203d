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

"""Readers of measurements that repositories hold already, one module per
format; whatever the format, they give rows of results.
"""

from __future__ import annotations

__all__ = ["READERS", "Context", "read_bundle", "read_job", "read_metric_value", "read_rows"]

from collections.abc import Callable

import pyarrow as pa

from lsst.resources import ResourcePath

from ._rows import Context
from .bundle import read_bundle
from .job import read_job
from .measurement import read_metric_value
from .own import read_rows

READERS: dict[str, Callable[[ResourcePath, Context], pa.Table]] = {
    "ArrowTable": read_rows,
    "MetricMeasurementBundle": read_bundle,
    "MetricValue": read_metric_value,
    "StructuredDataDict": read_job,
}
"""Readers by storage class; the last one is that of Jobs in a repository."""
