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

"""Sources of difference images, and fakes: counted by hand, and real ones."""

from __future__ import annotations

import math
import unittest
from typing import Any

import numpy as np
from support import SHARED, needs_shared

from lsst.qa import measure
from lsst.qa.metrics.difference import COUNTS, FRACTIONS


def sources() -> dict[str, Any]:
    """Make ten sources of a difference image."""
    table: dict[str, Any] = {
        "diaSourceId": np.arange(10) + 2**62,
        "visit": np.full(10, 3),
        "detector": np.full(10, 5),
        "band": np.full(10, "r"),
        "diaObjectId": np.array([2**62 + 1, 0, 5, 6, 0, 7, 8, 9, 10, 11]),
        "ssObjectId": np.arange(10) * (np.arange(10) > 8),
        "snr": np.array([-7.0, 5.0, 6.0, 9.0, -20.0, 5.5, 8.0, 10.0, 30.0, np.nan]),
        "reliability": np.array([0.0, 0.05, 0.1, 0.55, 0.9, 0.95, 1.0, np.nan, 0.99, 0.02]),
        "isDipole": np.arange(10) < 2,
        "isNegative": np.arange(10) < 1,
        "psfFlux_flag": np.zeros(10, dtype=bool),
        "centroid_flag": np.arange(10) < 3,
    }
    for name in ("bad", "saturatedCenter", "interpolatedCenter", "edge", "nodata", "streak", "streakCenter"):
        table[f"pixelFlags_{name}"] = np.zeros(10, dtype=bool)
    table["pixelFlags_bad"][0] = table["pixelFlags_edge"][0] = table["pixelFlags_nodata"][4] = True
    table["pixelFlags_streak"][2:5] = table["pixelFlags_streakCenter"][3] = True
    return table


def value(table: Any, name: str, kind: str = "dia_source") -> Any:
    (row,) = measure(table, [name], kind=kind)
    return row


class CountsTestCase(unittest.TestCase):
    """Numbers and percentages of each kind of source."""

    def test_values(self) -> None:
        for name, number, among in (
            ("good", 8, 10),
            ("streak", 3, 10),
            ("streak_center", 1, 10),
            ("dipole", 2, 10),
            ("negative", 1, 10),
            ("reliable", 3, 9),
            ("unreliable", 3, 9),
            ("associated", 8, 10),
            ("solar_system", 1, 10),
        ):
            with self.subTest(name):
                count = value(sources(), f"n_dia_{name}")
                self.assertEqual((count["value"], count["n"], count["unit"]), (number, among, ""))
                self.assertEqual(count["error"], math.sqrt(number))
                share = value(sources(), f"dia_{name}_fraction")
                self.assertAlmostEqual(share["value"], 100.0 * number / among, 12)
                p = number / among
                self.assertAlmostEqual(
                    share["error"],
                    100.0 * math.sqrt(p * (1 - p) / among + 0.25 / among**2) / (1 + 1 / among),
                    12,
                )
        self.assertEqual(len(COUNTS), 10)
        self.assertEqual(value(sources(), "n_dia_sources")["value"], 10.0)
        self.assertEqual(value(sources(), "dia_flag_fraction.centroid_flag")["value"], 30.0)
        self.assertEqual(value(sources(), "dia_good_fraction.analysis_tools")["value"], 0.8)
        self.assertEqual(value(sources(), "dia_snr_median")["value"], 8.0)

    def test_ids_that_are_not_there(self) -> None:
        """Null as well as 0, whatever the size of the others."""
        import pyarrow as pa

        table = {name: pa.array(values) for name, values in sources().items()}
        table["diaObjectId"] = pa.array([2**62 + 1, None, 5, 6, None, 7, 8, 9, 0, 11])
        self.assertEqual(value(pa.table(table), "n_dia_associated")["value"], 7.0)

    def test_reliability(self) -> None:
        rows = measure(sources(), ["n_dia_by_reliability"], kind="dia_source")
        self.assertEqual([row["value"] for row in rows], [3, 1, 0, 0, 0, 1, 0, 0, 0, 4])
        self.assertEqual([row["bin_low"] for row in rows], [i / 10 for i in range(10)])
        self.assertEqual(rows[2]["error"], 1.0)
        ratio = value(sources(), "dia_reliable_ratio")
        self.assertAlmostEqual(ratio["value"], 1.0, 12)
        self.assertAlmostEqual(ratio["error"], math.sqrt(2.0 / 3.0), 12)
        self.assertEqual(ratio["n"], 6)
        none = {**sources(), "reliability": np.full(10, np.nan)}
        for name in ("n_dia_reliable", "dia_reliable_fraction", "dia_reliable_ratio", "n_dia_by_reliability"):
            self.assertEqual(value(none, name)["status"], "empty")
        high = {**sources(), "reliability": np.full(10, 0.99)}
        self.assertEqual(value(high, "dia_reliable_ratio")["status"], "undefined")

    def test_errors(self) -> None:
        """The scatter of many samples is what the errors say."""
        draw = np.random.default_rng(1)
        found = []
        for _ in range(200):
            n = draw.poisson(400)
            made = {**sources(), "reliability": draw.beta(0.5, 0.5, n)}
            made |= {"diaObjectId": np.ones(n, dtype=int), "ssObjectId": np.zeros(n, dtype=int)}
            table = {name: np.resize(values, n) for name, values in made.items()}
            found.append([value(table, name) for name in ("n_dia_reliable", "dia_reliable_ratio")])
        for rows in zip(*found):
            values, errors = (np.array([row[what] for row in rows]) for what in ("value", "error"))
            self.assertAlmostEqual(values.std() / np.median(errors), 1.0, delta=0.15)


class FakesTestCase(unittest.TestCase):
    """What was injected, and what was found of it."""

    def fakes(self) -> dict[str, Any]:
        n = 8
        table: dict[str, Any] = {
            "injection_id": np.arange(n),
            "band": np.full(n, "r"),
            "mag": np.array([20.1, 20.2, 21.3, 21.9, 23.0, 23.5, 25.0, 26.0]),
            "forced_base_PsfFlux_instFlux_SNR": np.array([90.0, 80.0, 30.0, 20.0, 10.0, 6.0, 2.0, 0.5]),
            "diaSourceId": np.array([11, 12, 13, 0, 14, 15, 0, 0]),
            "dist_diaSrc": np.array([0.01, 0.02, 0.03, -1.0, 0.05, 0.06, -1.0, -1.0]),
            "isAssocDiaSource": np.arange(n) < 3,
        }
        for name in (
            "PixelFlags_flag_bad",
            "PixelFlags_flag_interpolated",
            "PixelFlags_flag_edgeCenter",
            "LocalBackground_flag",
        ):
            table[f"forced_base_{name}"] = np.zeros(n, dtype=bool)
        table["forced_base_PixelFlags_flag_bad"][3] = True
        return table

    def test_values(self) -> None:
        for name, expected, n in (
            ("n_dia_fakes", 8.0, 8),
            ("n_dia_fakes_found", 5.0, 7),
            ("dia_fake_recovered_fraction", 500.0 / 7.0, 7),
            ("dia_fake_recovered_fraction.bright", 100.0, 5),
            ("dia_fake_recovered_fraction.analysis_tools", 62.5, 8),
            ("dia_fake_associated_fraction", 300.0 / 7.0, 7),
            ("dia_fake_distance", 30.0, 5),
        ):
            with self.subTest(name):
                row = value(self.fakes(), name, "dia_fake")
                self.assertAlmostEqual(row["value"], expected, 12)
                self.assertEqual(row["n"], n)
                self.assertGreater(row["error"], 0.0)

    def test_by_magnitude(self) -> None:
        rows = measure(self.fakes(), ["dia_fake_recovered_by_mag"], kind="dia_fake")
        found = {row["bin_low"]: (row["value"], row["n"]) for row in rows if row["status"] == "ok"}
        self.assertEqual(found, {20: (100, 2), 21: (100, 1), 23: (100, 2), 25: (0, 1), 26: (0, 1)})
        self.assertEqual(len(rows), 10)

    def test_told_from_sources(self) -> None:
        """By their columns; a match with what was associated has both's."""
        self.assertEqual(measure(self.fakes())[0]["metric"], "n_dia_fakes")
        both = {**self.fakes(), "diaObjectId": np.arange(8), "ssObjectId": np.zeros(8, dtype=int)}
        self.assertEqual(measure(both)[0]["metric"], "n_dia_fakes")
        self.assertEqual(measure(sources())[0]["metric"], "n_dia_sources")


@needs_shared
class RealTestCase(unittest.TestCase):
    """Difference images of real cameras."""

    def test_commissioning_camera(self) -> None:
        """The share of good sources is analysis_tools' of its own data."""
        rows = measure(SHARED / "apdb/assocDiaSrc_test.ecsv", ["n_dia_sources", "n_dia_good"])
        totals = {
            name: sum(row["value"] for row in rows if row["metric"] == name)
            for name in ("n_dia_sources", "n_dia_good")
        }
        self.assertEqual(totals["n_dia_sources"], 2994)
        self.assertAlmostEqual(totals["n_dia_good"] / totals["n_dia_sources"], 0.98, 2)

    def test_subaru(self) -> None:
        file = SHARED / "apdb/preloaded_dia_source_HSC_59150_1_16_dia_catalogs_apdb.parq"
        rows = {row["metric"]: row for row in measure(file)}
        self.assertGreaterEqual(set(rows), {metric.name for metric in (*COUNTS, *FRACTIONS)})
        self.assertEqual({row["status"] for row in rows.values()}, {"ok"})
        self.assertEqual((rows["n_dia_sources"]["value"], rows["n_dia_streak"]["value"]), (491, 4))
        self.assertEqual(rows["dia_associated_fraction"]["value"], 100.0)


if __name__ == "__main__":
    unittest.main()
