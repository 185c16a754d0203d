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

"""The metrics written plainly with pandas."""

from __future__ import annotations

__all__ = ["objects", "repeatability", "sources"]

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from . import plainly

MAD = 1.482602218505602


def repeatability(path: str) -> Callable[[], dict[str, Any]]:
    """Measure how magnitudes repeat."""

    def work() -> dict[str, Any]:
        frame = pd.read_parquet(path, columns=list(plainly.MATCHED_COLUMNS))
        with np.errstate(all="ignore"):
            frame["mag"] = 31.4 - 2.5 * np.log10(frame["psfFlux"])
        frame.loc[~np.isfinite(frame["mag"]), "mag"] = np.nan
        frame["snr"] = frame["psfFlux"] / frame["psfFluxErr"]
        grouped = frame.groupby(["band", "isolated_star_id"], sort=False)
        stars = grouped.agg(
            snr=("snr", "median"),
            extended=("extendedness", "median"),
            finite=("mag", "count"),
            n=("snr", "size"),
            rms=("mag", "std"),
        )
        good = (stars["extended"] < 0.5) & (stars["finite"] == stars["n"]) & (stars["n"] >= 3)
        bright = good & (stars["snr"] >= 200.0)
        frame["bright"] = bright.reindex(
            pd.MultiIndex.from_frame(frame[["band", "isolated_star_id"]])
        ).to_numpy()
        chosen = frame[frame["bright"]]
        means = chosen.groupby(["band", "isolated_star_id"], sort=False)["mag"].transform("mean")
        away = 1000.0 * (chosen["mag"] - means).abs()
        values: dict[str, float] = {}
        for band, group in stars.groupby(level="band"):
            mine = away[chosen["band"] == band]
            values[plainly.key("PA1", band)] = 1000.0 * group.loc[bright, "rms"].median()
            values[plainly.key("PA2", band)] = mine.quantile(0.9)
            values[plainly.key("PF1", band)] = 100.0 * (mine > 15.0).mean()
            for number, (low, high) in enumerate(plainly.BINS):
                inside = good & stars["snr"].between(low, high)
                found = 1000.0 * group.loc[inside[group.index], "rms"].median()
                values[plainly.key(f"psfPhotRepStar{number + 1}", band)] = found
        return {"values": values}

    return work


def sources(path: str) -> Callable[[], dict[str, Any]]:
    """Measure the sources of visits, and of their detectors."""

    def work() -> dict[str, Any]:
        frame = pd.read_parquet(path, columns=list(plainly.SOURCE_COLUMNS))
        good = frame["detect_isPrimary"] & ~(
            frame["pixelFlags_bad"]
            | frame["pixelFlags_cr"]
            | frame["pixelFlags_edge"]
            | frame["pixelFlags_saturated"]
        )
        frame["sky"] = frame["sky_source"] & ~frame["pixelFlags_edge"] & ~frame["pixelFlags_nodata"]
        _prepare(frame, good, 50.0)
        values: dict[str, float] = {}
        for by in (["visit", "band"], ["visit", "band", "detector"]):
            for (visit, band, *detector), name, value in _measured(frame, by, plainly.SOURCES):
                if not detector:
                    values[plainly.key(name, band, visit)] = value
        return {"values": values}

    return work


def objects(path: str) -> Callable[[], dict[str, Any]]:
    """Measure the objects of tracts in each band."""

    def work() -> dict[str, Any]:
        values: dict[str, float] = {}
        for band in plainly.BANDS:
            own = {f"{band}_{name}": name for name in plainly.BAND_COLUMNS}
            frame = pd.read_parquet(path, columns=[*plainly.SHARED_COLUMNS, *own]).rename(columns=own)
            good = frame["detect_isPrimary"] & ~(frame["psfFlux_flag"] | frame["pixelFlags_saturatedCenter"])
            frame["sky"] = frame["sky_object"] & ~frame["pixelFlags_edge"] & ~frame["pixelFlags_nodata"]
            _prepare(frame, good, 100.0)
            for place, name, value in _measured(frame, ["tract"], plainly.OBJECTS):
                values[plainly.key(name, band, place[0])] = value
        return {"values": values}

    return work


def _prepare(frame: pd.DataFrame, good: pd.Series, snr_min: float) -> None:
    """Add what is computed from other columns."""
    frame["star"] = good & (frame["extendedness"] < 0.5) & (frame["psfFlux"] / frame["psfFluxErr"] > snr_min)
    with np.errstate(all="ignore"):
        size, model = frame["ixx"] + frame["iyy"], frame["ixxPSF"] + frame["iyyPSF"]
        frame["d_e1"] = (frame["ixx"] - frame["iyy"]) / size - (frame["ixxPSF"] - frame["iyyPSF"]) / model
        frame["d_e2"] = 2.0 * frame["ixy"] / size - 2.0 * frame["ixyPSF"] / model
        star = (frame["ixx"] * frame["iyy"] - frame["ixy"] ** 2) ** 0.25
        frame["d_size"] = star / (frame["ixxPSF"] * frame["iyyPSF"] - frame["ixyPSF"] ** 2) ** 0.25 - 1.0
    frame["compact"] = frame["extendedness"] < 0.5
    frame["finite"] = np.isfinite(frame["psfFlux"])


def _measured(frame: pd.DataFrame, by: list[str], metrics: Sequence[tuple[str, ...]]) -> Any:
    for name, statistic, column, selection in metrics:
        rows = frame[frame[selection]] if selection else frame
        grouped = rows.groupby(by)[column]
        if statistic == "sigma_mad":
            away = (rows[column] - grouped.transform("median")).abs()
            found = MAD * away.groupby([rows[one] for one in by]).median()
        elif statistic == "percent":
            found = 100.0 * grouped.mean()
        else:
            found = getattr(grouped, {"stdev": "std", "rows": "size"}.get(statistic, statistic))()
        for place, value in found.items():
            yield place if isinstance(place, tuple) else (place,), name, float(value)
