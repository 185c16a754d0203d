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

"""Repeatability by season, on stars whose every season is known."""

from __future__ import annotations

import csv
import gzip
import io
import unittest
from typing import Any

import numpy as np
from astropy.coordinates import get_sun
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st
from support import SHARED, Columns, needs_shared, steady

import lsst.qa
from lsst.qa.columns.derived import night
from lsst.qa.metrics.seasons import season_means
from lsst.qa.stats import group_rows

YEAR = 365.2422


def series(levels: list[float], ra: float = 40.0, stars: int = 30, visits: int = 4) -> Columns:
    """Make stars whose magnitudes are off by so many mmag in each season, and
    alternate by 3 mmag within.
    """
    # The Sun is opposite at 0 h in late September, and 4 minutes a day later.
    middle = 60576.0 + ra / 360.0 * YEAR
    season, visit, star = (
        part.ravel()
        for part in np.meshgrid(np.arange(len(levels)), np.arange(visits), np.arange(stars), indexing="ij")
    )
    mag = 18.0 + 0.01 * star + 1e-3 * (np.array(levels)[season] + 3.0 * (visit % 2 * 2 - 1))
    flux = 10.0 ** (-0.4 * (mag - 31.4))
    return {
        "star": star,
        "visit": 100 * season + visit,
        "band": np.full(len(star), "r"),
        "mjd": middle + YEAR * season + 30.0 * (visit - 0.5 * visits),
        "ra": (ra + 0.001 * (star - 0.5 * stars)) % 360.0,
        "dec": np.full(len(star), -20.0),
        "psfFlux": flux,
        "psfFluxErr": flux / 500.0,
        "extendedness": np.zeros(len(star)),
    }


def measured(columns: Any, name: str) -> list[dict[str, Any]]:
    return sorted(lsst.qa.measure(columns, name), key=lambda row: row["bin_low"] or 0.0)


class SeasonsTestCase(unittest.TestCase):
    """Closed forms."""

    @steady
    @given(
        st.lists(st.integers(-20, 20).map(float), min_size=2, max_size=6),
        st.sampled_from([0.0, 40.0, 179.99, 200.0, 359.99]),
    )
    def test_closed_form(self, levels: list[float], ra: float) -> None:
        columns = series(levels, ra)
        offsets = measured(columns, "season_offset")
        np.testing.assert_allclose(
            [row["value"] for row in offsets], np.array(levels) - np.mean(levels), atol=1e-6
        )
        (row,) = measured(columns, "season_repeatability")
        np.testing.assert_allclose(row["value"], np.std(levels, ddof=1), atol=1e-6)
        within = measured(columns, "PA1_season")
        np.testing.assert_allclose([row["value"] for row in within], np.sqrt(12.0), rtol=1e-6)
        for place, row in enumerate(within):
            days = columns["mjd"][columns["visit"] // 100 == place]
            self.assertTrue(row["bin_low"] < days.min() and days.max() < row["bin_high"])
            self.assertEqual((row["n"], row["unit"]), (30, "mmag"))

    def test_seasons_of_the_sun(self) -> None:
        """A season's limits are when the Sun has the star's right ascension,
        to a few days: it does not move evenly.
        """
        for ra in (10.0, 150.0, 300.0):
            rows = measured(series([0.0, 0.0], ra), "PA1_season")
            for row in rows:
                sun = get_sun(Time(row["bin_low"], format="mjd", scale="tai")).ra.deg
                self.assertLess(abs((sun - ra + 180.0) % 360.0 - 180.0), 6.0)

    def test_few(self) -> None:
        """Two visits tell no scatter, one season no difference."""
        columns = series([5.0, 1.0], visits=2)
        self.assertEqual([row["status"] for row in measured(columns, "PA1_season")], ["empty"])
        self.assertEqual(len(measured(columns, "season_offset")), 2)
        alone = series([5.0])
        self.assertEqual([row["status"] for row in measured(alone, "season_offset")], ["empty"])
        self.assertEqual([row["status"] for row in measured(alone, "season_repeatability")], ["empty"])

    def test_without_times(self) -> None:
        """Nights in visits' ids do; other ids tell nothing."""
        columns = series([2.0, -2.0])
        days = np.datetime64("1858-11-17") + columns.pop("mjd").astype(int).astype("timedelta64[D]")
        ids = np.array([int(str(day).replace("-", "")) for day in days]) * 100_000
        (row,) = measured({**columns, "visit": ids + columns["visit"]}, "season_repeatability")
        self.assertAlmostEqual(row["value"], np.std([2.0, -2.0], ddof=1), places=6)
        (row,) = measured(columns, "season_repeatability")
        self.assertEqual((row["status"], row["n"]), ("empty", 0))

    def test_night(self) -> None:
        self.assertEqual(night(np.array([2024110800246])).tolist(), [60623.0])
        self.assertTrue(np.isnan(night(np.array([2024139900246, 903334, 0, 20241108002460]))).all())

    def test_detections_about_zero(self) -> None:
        """A star at RA 0 whose detections lie on both sides has one season."""
        n = 6
        ra = np.radians(np.array([1e-7, 359.9999999] * 3))
        _, stars = group_rows(np.zeros(n, dtype=np.int64))
        made = season_means(stars, np.full(n, 18.0), np.full(n, 500.0), np.zeros(n), np.full(n, 60600.0), ra)
        self.assertEqual(made["counts"].tolist(), [n])

    @needs_shared
    def test_stripe_82(self) -> None:
        """Yearly medians of real stars over nine years."""
        folder = SHARED / "s82_w13"
        with gzip.open(folder / "AvgForcedPhotYearly.csv.gz", "rb") as file:
            text = file.read().decode("ascii", "replace")
        lines = [line for line in csv.reader(io.StringIO(text)) if len(line) == 23 and line[1].isdigit()]
        self.assertGreater(len(lines), 8000)
        number = np.array([float(line[13]) if line[13] not in ("", "\\N") else np.nan for line in lines])
        mag = np.where(np.abs(number) < 30.0, number, np.nan)
        star = np.array([int(line[0][-16:]) for line in lines])
        year = np.array([int(line[1]) for line in lines])
        bright = np.isfinite(mag) & (mag < 20.0)
        flux = 10.0 ** (-0.4 * (mag - 31.4))
        columns = {
            "star": star,
            "visit": year,
            "band": np.full(len(star), "r"),
            "mjd": 51100.0 + YEAR * year,
            "ra": np.array([float(line[2]) for line in lines]),
            "dec": np.array([float(line[3]) for line in lines]),
            "psfFlux": flux,
            "psfFluxErr": flux / 300.0,
            "extendedness": np.zeros(len(star)),
        }
        columns = {name: values[bright] for name, values in columns.items()}
        (row,) = measured(columns, "season_repeatability")
        scatter = [
            1e3 * np.std(mag[bright][columns["star"] == key], ddof=1)
            for key in np.unique(columns["star"]).tolist()
            if np.sum(columns["star"] == key) > 1
        ]
        self.assertGreater(len(scatter), 20)
        self.assertAlmostEqual(row["value"], float(np.median(scatter)), places=6)
        self.assertEqual(row["n"], len(scatter))
        self.assertGreaterEqual(len(measured(columns, "season_offset")), 5)


if __name__ == "__main__":
    unittest.main()
