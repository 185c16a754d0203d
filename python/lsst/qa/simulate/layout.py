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

"""The tables as Arrow: units and text lengths where the Butler's formatters
look for them.
"""

from __future__ import annotations

__all__ = ["ROW_GROUP", "arrow_schema", "to_arrow"]

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from .survey import BANDS

ROW_GROUP = 1 << 16
"""Rows of a row group: a reader in pieces is held to no more."""

_UNITS = {
    "altitude": "deg",
    "astromOffsetMean": "arcsec",
    "astromOffsetStd": "arcsec",
    "coord_dec": "deg",
    "coord_ra": "deg",
    "dec": "deg",
    "decErr": "deg",
    "ebv": "mag",
    "effTime": "s",
    "epoch": "d",
    "expMidptMJD": "d",
    "expTime": "s",
    "goodpix": "pix",
    "magLim": "mag",
    "meanVar": "adu2",
    "midpointMjdTai": "d",
    "obsStartMJD": "d",
    "parallax": "rad",
    "pixelScale": "arcsec/pix",
    "pm_dec": "rad / yr",
    "pm_ra": "rad / yr",
    "psfArea": "pix2",
    "psfSigma": "pix",
    "psfStarDeltaSizeMedian": "pix",
    "psfStarDeltaSizeScatter": "pix",
    "psfTraceRadiusDelta": "pix",
    "ra": "deg",
    "raErr": "deg",
    "seeing": "arcsec",
    "skyBg": "adu",
    "skyNoise": "adu",
    "skyRotation": "deg",
    "x": "pix",
    "y": "pix",
    "zenithDistance": "deg",
    "zeroPoint": "mag",
    **{
        f"{kind}Flux{error}": "nJy"
        for kind in ("ap09", "cModel", "calib", "gaussian", "psf")
        for error in ("", "Err")
    },
    **{f"monster_ComCam_{band}_flux{error}": "nJy" for band in BANDS for error in ("", "Err")},
    **{f"i{axes}{psf}": "pix2" for axes in ("xx", "xy", "yy") for psf in ("", "PSF")},
    **{f"psfI{axes}": "pix2" for axes in ("xx", "xy", "yy")},
    **{f"{corner}{axis}": "deg" for corner in ("llc", "lrc", "ulc", "urc") for axis in ("ra", "dec")},
}


def arrow_schema(columns: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> pa.Schema:
    """Return the Arrow schema of a table.

    Parameters
    ----------
    columns : `~collections.abc.Mapping` [`str`, `numpy.ndarray`]
        Columns, or the first piece of them.
    metadata : `~collections.abc.Mapping` [`str`, `str`], optional
        What to keep with the schema.

    Returns
    -------
    schema : `pyarrow.Schema`
        With a unit per column where it has one, and the length of each text
        column.
    """
    kept = dict(metadata or {})
    fields = []
    for name, values in columns.items():
        text = values.dtype.kind == "U"
        if text:
            kept[f"lsst::arrow::len::{name}"] = str(values.dtype.itemsize // 4)
        unit = _UNITS.get(name[2:] if name[1:2] == "_" and name[0] in BANDS else name)
        kind = pa.string() if text else pa.from_numpy_dtype(values.dtype)
        fields.append(pa.field(name, kind, metadata={"unit": unit} if unit else None))
    return pa.schema(fields, metadata=kept)


def to_arrow(columns: Mapping[str, np.ndarray], schema: pa.Schema | None = None) -> pa.Table:
    """Turn columns into an Arrow table.

    Parameters
    ----------
    columns : `~collections.abc.Mapping` [`str`, `numpy.ndarray`]
        Columns.
    schema : `pyarrow.Schema`, optional
        Schema of the whole, where this is a piece.

    Returns
    -------
    table : `pyarrow.Table`
        The columns; a NaN is a value, not a null.
    """
    schema = arrow_schema(columns) if schema is None else schema
    return pa.Table.from_arrays([_array(values) for values in columns.values()], schema=schema)


def _array(values: np.ndarray) -> pa.Array:
    # Most text columns hold the same word all along, which need not be encoded
    # row by row.
    if values.dtype.kind == "U" and len(values) and (values == values[0]).all():
        return pa.repeat(str(values[0]), len(values))
    return pa.array(values)
