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

"""Reading the metric bundles of analysis_tools, without that package."""

from __future__ import annotations

__all__ = ["PACKAGE", "read_bundle", "split_band"]

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from lsst.resources import ResourcePath

from ..errors import NotATableError
from ._rows import BANDS, Context, made_of, parse_json, row

PACKAGE = "analysis_tools"
"""First part of the names of these metrics."""


def read_bundle(uri: ResourcePath, context: Context) -> pa.Table:
    """Read a bundle.

    Parameters
    ----------
    uri : `lsst.resources.ResourcePath`
        Its JSON file.
    context : `Context`
        What is known of the dataset.

    Returns
    -------
    rows : `pyarrow.Table`
        Rows of results; a metric is named ``analysis_tools.key.name``, and
        its band is a column.

    Raises
    ------
    NotATableError
        Raised if the file is no bundle.
    """
    found = parse_json(uri.read())
    return made_of(list(_rows(found, context)), task=context.dataset_type.removesuffix("_metrics"))


def split_band(name: str, bands: frozenset[str] = BANDS) -> tuple[str | None, str]:
    """Take the band off the front of a metric's name.

    Parameters
    ----------
    name : `str`
        A name such as ``i_meanSky``.
    bands : `frozenset` [`str`], optional
        What counts as a band.

    Returns
    -------
    band : `str` or `None`
        The band, if there is one.
    rest : `str`
        The name without it.
    """
    band, joint, rest = name.partition("_")
    return (band, rest) if joint and rest and band in bands else (None, name)


def _rows(found: Mapping[str, Any], context: Context) -> Iterator[dict[str, Any]]:
    own = context.data_id.get("band")
    bands = BANDS | ({own} if own else set())
    prefix = found.get("__metricNamePrefix") or ""
    for key, measurements in found.items():
        if key.startswith("__"):
            continue
        if not isinstance(measurements, list) or not all(isinstance(m, dict) for m in measurements):
            raise NotATableError(f"{key!r} is no list of measurements")
        for measurement in measurements:
            name = measurement.get("metric")
            if not isinstance(name, str) or not name:
                raise NotATableError(f"a measurement of {key!r} has no metric")
            band, rest = split_band(name, bands)
            columns = dict(context.data_id)
            if band is not None:
                columns["band"] = band
            full = f"{PACKAGE}.{key}.{prefix}{rest}"
            yield row(full, measurement.get("value"), measurement.get("unit"), columns)
