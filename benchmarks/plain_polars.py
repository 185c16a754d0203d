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

"""The metrics written plainly with polars."""

from __future__ import annotations

__all__ = ["objects", "repeatability", "sources"]

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from . import plainly

MAD = 1.482602218505602


def repeatability(path: str) -> Callable[[], dict[str, Any]]:
    """Measure how magnitudes repeat."""

    def work() -> dict[str, Any]:
        flux, mag = pl.col("psfFlux"), pl.col("mag")
        stars = (
            pl.scan_parquet(path)
            .select(plainly.MATCHED_COLUMNS)
            .with_columns(
                mag=pl.when(flux > 0).then(31.4 - 2.5 * flux.log10()), snr=flux / pl.col("psfFluxErr")
            )
            .group_by("band", "isolated_star_id")
            .agg(
                snr=pl.col("snr").median(),
                extended=pl.col("extendedness").median(),
                finite=mag.count(),
                n=pl.len(),
                rms=1000.0 * mag.std(),
                away=1000.0 * (mag - mag.mean()).abs(),
            )
            .filter(
                (pl.col("extended") < 0.5) & (pl.col("finite") == pl.col("n")) & (pl.col("n") >= 3),
                pl.col("snr") >= 5.0,
            )
            .with_columns(away=pl.when(pl.col("snr") >= 200.0).then("away"))
            .collect(engine="streaming")
        )
        values: dict[str, Any] = {}
        for (band,), group in stars.group_by("band"):
            bright = group.filter(pl.col("snr") >= 200.0)
            away = bright["away"].explode()
            values[plainly.key("PA1", band)] = bright["rms"].median()
            values[plainly.key("PA2", band)] = away.quantile(0.9, "linear")
            values[plainly.key("PF1", band)] = 100.0 * (away > 15.0).mean()
            for number, (low, high) in enumerate(plainly.BINS):
                inside = group.filter(pl.col("snr").is_between(low, high))
                values[plainly.key(f"psfPhotRepStar{number + 1}", band)] = inside["rms"].median()
        return {"values": values}

    return work


def sources(path: str) -> Callable[[], dict[str, Any]]:
    """Measure the sources of visits, and of their detectors."""

    def work() -> dict[str, Any]:
        bad = pl.any_horizontal(f"pixelFlags_{name}" for name in ("bad", "cr", "edge", "saturated"))
        frame = (
            pl.scan_parquet(path)
            .select(plainly.SOURCE_COLUMNS)
            .with_columns(
                good=pl.col("detect_isPrimary") & ~bad,
                sky=pl.col("sky_source") & ~pl.col("pixelFlags_edge") & ~pl.col("pixelFlags_nodata"),
            )
        )
        frame = _prepared(frame, 50.0)
        values: dict[str, Any] = {}
        levels = [
            frame.group_by(by).agg(_expressions(plainly.SOURCES))
            for by in (["visit", "band"], ["visit", "band", "detector"])
        ]
        found, _ = pl.collect_all(levels)
        for row in found.iter_rows(named=True):
            for name, *_ in plainly.SOURCES:
                values[plainly.key(name, row["band"], row["visit"])] = row[name]
        return {"values": values}

    return work


def objects(path: str) -> Callable[[], dict[str, Any]]:
    """Measure the objects of tracts in each band."""

    def work() -> dict[str, Any]:
        frames = []
        for band in plainly.BANDS:
            own = {f"{band}_{name}": name for name in plainly.BAND_COLUMNS}
            frame = (
                pl.scan_parquet(path)
                .select([*plainly.SHARED_COLUMNS, *own])
                .rename(own)
                .with_columns(
                    good=pl.col("detect_isPrimary")
                    & ~pl.col("psfFlux_flag")
                    & ~pl.col("pixelFlags_saturatedCenter"),
                    sky=pl.col("sky_object") & ~pl.col("pixelFlags_edge") & ~pl.col("pixelFlags_nodata"),
                )
            )
            frames.append(_prepared(frame, 100.0).group_by("tract").agg(_expressions(plainly.OBJECTS)))
        values: dict[str, Any] = {}
        for band, found in zip(plainly.BANDS, pl.collect_all(frames)):
            for row in found.iter_rows(named=True):
                for name, *_ in plainly.OBJECTS:
                    values[plainly.key(name, band, row["tract"])] = row[name]
        return {"values": values}

    return work


def _prepared(frame: pl.LazyFrame, snr_min: float) -> pl.LazyFrame:
    """Add what is computed from other columns."""
    c = pl.col
    size, model = c("ixx") + c("iyy"), c("ixxPSF") + c("iyyPSF")
    radius = (c("ixx") * c("iyy") - c("ixy") ** 2).sqrt().sqrt()
    model_radius = (c("ixxPSF") * c("iyyPSF") - c("ixyPSF") ** 2).sqrt().sqrt()
    return frame.with_columns(
        # A NaN is greater than any number here.
        star=c("good")
        & (c("extendedness") < 0.5)
        & (c("psfFlux") / c("psfFluxErr") > snr_min)
        & c("psfFlux").is_finite(),
        d_e1=(c("ixx") - c("iyy")) / size - (c("ixxPSF") - c("iyyPSF")) / model,
        d_e2=2.0 * c("ixy") / size - 2.0 * c("ixyPSF") / model,
        d_size=radius / model_radius - 1.0,
        compact=c("extendedness") < 0.5,
        finite=c("psfFlux").is_finite(),
    )


def _expressions(metrics: Sequence[tuple[str, ...]]) -> list[pl.Expr]:
    return [_expression(*metric) for metric in metrics]


def _expression(name: str, statistic: str, column: str, selection: str) -> pl.Expr:
    values = pl.col(column).filter(pl.col(selection)) if selection else pl.col(column)
    if statistic in ("median", "mean", "stdev", "sigma_mad"):
        values = values.filter(
            pl.col(column).is_finite() if not selection else pl.col(column).filter(selection).is_finite()
        )
    found = {
        "median": values.median,
        "mean": values.mean,
        "stdev": values.std,
        "sum": values.sum,
        "rows": pl.len,
        "percent": lambda: 100.0 * values.mean(),
        "sigma_mad": lambda: MAD * (values - values.median()).abs().median(),
    }[statistic]()
    return found.alias(name)
