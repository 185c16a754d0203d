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

"""The metrics written plainly with DuckDB."""

from __future__ import annotations

__all__ = ["objects", "repeatability", "sources"]

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import duckdb

from . import plainly

MAD = 1.482602218505602

_STARS = """
CREATE TEMP TABLE stars AS
SELECT band, median(snr) AS snr, 1000 * stddev_samp(mag) AS rms,
       CASE WHEN median(snr) >= 200 THEN list(mag) END AS mags
FROM (SELECT band, isolated_star_id AS star, extendedness, psfFlux / psfFluxErr AS snr,
             CASE WHEN psfFlux > 0 THEN 31.4 - 2.5 * log10(psfFlux) END AS mag
      FROM read_parquet('{path}'))
GROUP BY band, star
HAVING median(extendedness) < 0.5 AND count(mag) = count(*) AND count(*) >= 3
"""
_AWAY = """
SELECT band, quantile_cont(away, 0.9), 100 * avg(CAST(away > 15 AS INT))
FROM (SELECT band, unnest(list_transform(mags, lambda m: 1000 * abs(m - list_avg(mags)))) AS away
      FROM stars WHERE mags IS NOT NULL)
GROUP BY band
"""
_DERIVED = """
    good AND extendedness < 0.5 AND isfinite(psfFlux) AND psfFlux / psfFluxErr > {snr} AS star,
    (ixx - iyy) / (ixx + iyy) - (ixxPSF - iyyPSF) / (ixxPSF + iyyPSF) AS d_e1,
    2 * ixy / (ixx + iyy) - 2 * ixyPSF / (ixxPSF + iyyPSF) AS d_e2,
    CASE WHEN ixx * iyy > ixy * ixy THEN
        sqrt(sqrt(ixx * iyy - ixy * ixy)) / sqrt(sqrt(ixxPSF * iyyPSF - ixyPSF * ixyPSF)) - 1
    END AS d_size,
    extendedness < 0.5 AS compact, isfinite(psfFlux) AS finite
"""
_SOURCES = """
SELECT *, {derived} FROM (
    SELECT *,
        detect_isPrimary AND NOT (pixelFlags_bad OR pixelFlags_cr OR pixelFlags_edge
                                  OR pixelFlags_saturated) AS good,
        sky_source AND NOT pixelFlags_edge AND NOT pixelFlags_nodata AS sky
    FROM (SELECT {columns} FROM read_parquet('{path}')))
"""
_OBJECTS = """
SELECT *, {derived} FROM (
    SELECT *, detect_isPrimary AND NOT psfFlux_flag AND NOT pixelFlags_saturatedCenter AS good,
        sky_object AND NOT pixelFlags_edge AND NOT pixelFlags_nodata AS sky
    FROM (SELECT {columns} FROM read_parquet('{path}')))
"""


def repeatability(path: str) -> Callable[[], dict[str, Any]]:
    """Measure how magnitudes repeat."""

    def work() -> dict[str, Any]:
        base = duckdb.connect()
        base.execute(_STARS.format(path=path))
        values: dict[str, Any] = {}
        for band, pa2, pf1 in base.execute(_AWAY).fetchall():
            values |= {plainly.key("PA2", band): pa2, plainly.key("PF1", band): pf1}
        limits = [("PA1", 200.0, 1e99)] + [
            (f"psfPhotRepStar{number + 1}", *ends) for number, ends in enumerate(plainly.BINS)
        ]
        for name, low, high in limits:
            query = "SELECT band, median(rms) FROM stars WHERE snr BETWEEN ? AND ? GROUP BY band"
            for band, value in base.execute(query, [low, high]).fetchall():
                values[plainly.key(name, band)] = value
        return {"values": values}

    return work


def sources(path: str) -> Callable[[], dict[str, Any]]:
    """Measure the sources of visits, and of their detectors."""

    def work() -> dict[str, Any]:
        columns = ", ".join(plainly.SOURCE_COLUMNS)
        table = _SOURCES.format(derived=_DERIVED.format(snr=50), columns=columns, path=path)
        values: dict[str, Any] = {}
        base = duckdb.connect()
        for by in (("visit", "band"), ("visit", "band", "detector")):
            for visit, band, *found in base.execute(_query(table, by, plainly.SOURCES)).fetchall():
                if len(by) == 2:
                    values |= _named(plainly.SOURCES, found, band, visit)
        return {"values": values}

    return work


def objects(path: str) -> Callable[[], dict[str, Any]]:
    """Measure the objects of tracts in each band."""

    def work() -> dict[str, Any]:
        values: dict[str, Any] = {}
        base = duckdb.connect()
        for band in plainly.BANDS:
            own = (f"{band}_{name} AS {name}" for name in plainly.BAND_COLUMNS)
            columns = ", ".join([*plainly.SHARED_COLUMNS, *own])
            table = _OBJECTS.format(derived=_DERIVED.format(snr=100), columns=columns, path=path)
            for tract, *found in base.execute(_query(table, ("tract",), plainly.OBJECTS)).fetchall():
                values |= _named(plainly.OBJECTS, found, band, tract)
        return {"values": values}

    return work


def _query(table: str, by: Iterable[str], metrics: Sequence[tuple[str, ...]]) -> str:
    place = ", ".join(by)
    return f"SELECT {place}, {', '.join(_expression(*m) for m in metrics)} FROM ({table}) GROUP BY {place}"


def _expression(name: str, statistic: str, column: str, selection: str) -> str:
    conditions = [selection] if selection else []
    if statistic in ("median", "mean", "stdev", "sigma_mad"):
        conditions.append(f"isfinite({column})")
    found = {
        "median": f"median({column})",
        "mean": f"avg({column})",
        "stdev": f"stddev_samp({column})",
        "sigma_mad": f"mad({column})",
        "sum": f"count_if({column})",
        "rows": "count(*)",
        "percent": f"avg(CAST({column} AS INT))",
    }[statistic]
    scale = {"sigma_mad": f"{MAD} * ", "percent": "100 * "}.get(statistic, "")
    return scale + found + (f" FILTER (WHERE {' AND '.join(conditions)})" if conditions else "")


def _named(metrics: Sequence[tuple[str, ...]], found: Sequence[Any], band: str, place: Any) -> dict[str, Any]:
    return {plainly.key(name, band, place): value for (name, *_), value in zip(metrics, found)}
