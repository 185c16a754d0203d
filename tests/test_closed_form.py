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

"""Stars in several visits, whose every number can be worked out by hand."""

from __future__ import annotations

import math
import unittest
from typing import Any

import numpy as np

from lsst.qa import measure


def value(table: dict[str, Any], name: str, **data_id: Any) -> float:
    (row,) = measure(table, name, **data_id)
    return float(row["value"])


def stars(mags: list[list[float]], **more: Any) -> dict[str, Any]:
    """Stars of given magnitudes, one list per star, one entry per visit."""
    counts = [len(own) for own in mags]
    rows = sum(counts)
    mag = np.concatenate(mags)
    flux = 10.0 ** ((31.4 - mag) / 2.5)
    table = {
        "star": np.repeat(np.arange(len(mags)), counts),
        "visit": np.concatenate([np.arange(count) for count in counts]),
        "ra": np.full(rows, 10.0),
        "dec": np.full(rows, 0.0),
        "psfFlux": flux,
        "psfFluxErr": flux / 1000.0,
        "extendedness": np.zeros(rows),
        "detect_isPrimary": np.ones(rows, dtype=bool),
    }
    flags = {f"pixelFlags_{name}": np.zeros(rows, dtype=bool) for name in ("bad", "cr", "edge", "saturated")}
    return {**table, **flags, **more}


class PhotometryTestCase(unittest.TestCase):
    """Magnitudes 18 - d, 18 and 18 + d have the rms d; two deviate by d."""

    @classmethod
    def three(cls, *sizes: float) -> dict[str, Any]:
        return stars([[18.0 - size / 1000, 18.0, 18.0 + size / 1000] for size in sizes])

    def test_PA1(self) -> None:
        self.assertAlmostEqual(value(self.three(4.0), "PA1"), 4.0, places=9)
        self.assertAlmostEqual(value(self.three(4.0, 6.0), "PA1"), 5.0, places=9)
        self.assertAlmostEqual(value(self.three(4.0, 6.0, 90.0), "PA1"), 6.0, places=9)

    def test_PA1_of_the_population(self) -> None:
        table = self.three(*[4.0] * 11)
        self.assertAlmostEqual(value(table, "PA1.faro"), 4.0 * math.sqrt(2.0 / 3.0), places=9)
        (row,) = measure(self.three(*[4.0] * 10), "PA1.faro")
        self.assertEqual((row["status"], row["n"]), ("undefined", 10), "ten stars are not more than ten")

    def test_PF1(self) -> None:
        """Of nine measurements two lie 16 mmag off, and the middle ones on."""
        table = self.three(14.0, 14.9, 16.0)
        self.assertAlmostEqual(value(table, "PF1"), 100.0 * 2 / 9, places=9)
        self.assertAlmostEqual(value(table, "PF1", band="z"), 0.0, places=9)
        self.assertAlmostEqual(value(self.three(14.0, 23.0), "PF1", band="u"), 100.0 * 2 / 6, places=9)

    def test_PA2(self) -> None:
        """Deviations 0, 0, 0, 0, 0, 5, 5, 5, 5, 10, ... of sizes 5, 5, 10 …"""
        table = self.three(5.0, 5.0, 10.0, 20.0)
        deviations = sorted([0.0] * 4 + [5.0] * 4 + [10.0] * 2 + [20.0] * 2)
        at = 0.9 * 11
        expected = deviations[9] + (at - 9) * (deviations[10] - deviations[9])
        self.assertAlmostEqual(value(table, "PA2"), expected, places=9)

    def test_who_counts(self) -> None:
        """Faint, extended, half-measured and rarely seen stars do not."""
        table = self.three(4.0, 6.0)
        far = table["star"] == 1
        for name, other in (
            ("psfFluxErr", table["psfFlux"] / 199.0),
            ("extendedness", np.ones(6)),
            ("psfFlux", np.where(table["visit"] == 0, np.nan, table["psfFlux"])),
        ):
            self.assertAlmostEqual(
                value({**table, name: np.where(far, other, table[name])}, "PA1"), 4.0, places=9
            )
        self.assertAlmostEqual(value(stars([[18.0, 18.004, 17.996], [18.0, 18.006]]), "PA1"), 4.0, places=9)

    def test_outliers_of_the_rms(self) -> None:
        table = self.three(1.0, 2.0, 3.0, 19.0)  # the median is 2.5, the limit 17.5
        self.assertAlmostEqual(value(table, "photRepeatOutlier.analysis_tools"), 25.0)

    def test_pairs_of_visits(self) -> None:
        """Two visits d apart: every random pair differs by +d or -d."""
        d = 6.0
        table = stars([[18.0, 18.0 + d / 1000]] * 40)
        found = value(table, "PA1.validate_drp")
        # An IQR of +-d lies between 0 (all of one sign) and 2 d.
        self.assertGreater(found, 0.741301109252801 * d / math.sqrt(2.0))
        self.assertLessEqual(found, 2.0 * 0.741301109252801 * d / math.sqrt(2.0) + 1e-9)
        self.assertAlmostEqual(value(table, "PF1.validate_drp"), 0.0)
        self.assertAlmostEqual(value(stars([[18.0, 18.022]] * 40), "PF1.validate_drp"), 100.0)


class BinsTestCase(unittest.TestCase):
    """Repeatability of what is faint: S/N 7, 15, 30 and 60."""

    def test_each_bin_has_its_star(self) -> None:
        sizes = np.array([10.0, 20.0, 30.0, 40.0])
        table = stars([[22.0 - size / 1000, 22.0, 22.0 + size / 1000] for size in sizes])
        table["psfFluxErr"] = table["psfFlux"] / np.repeat([7.0, 15.0, 30.0, 60.0], 3)
        table["gaussianFlux"] = 1.1 * table["psfFlux"] ** 2  # twice the deviations in magnitude
        galaxies = {**table, "extendedness": np.ones(12)}
        for place, size in enumerate(sizes, 1):
            self.assertAlmostEqual(value(table, f"psfPhotRepStar{place}"), size, places=9)
            self.assertAlmostEqual(value(table, f"modelPhotRepStar{place}"), 2.0 * size, places=9)
            self.assertAlmostEqual(value(galaxies, f"modelPhotRepGal{place}"), 2.0 * size, places=9)
            self.assertTrue(math.isnan(value(galaxies, f"psfPhotRepStar{place}")))
            self.assertTrue(math.isnan(value(table, f"modelPhotRepGal{place}")))


class AstrometryTestCase(unittest.TestCase):
    """Two stars on a meridian whose separation changes by known steps."""

    def pair(self, *steps: float, apart: float = 5.0, ra: float = 10.0, dec: float = 0.0) -> dict[str, Any]:
        """Stars ``apart`` arcmin from each other, and ``steps`` mas more."""
        table = stars([[18.0] * len(steps)] * 2)
        offset = np.concatenate([np.zeros(len(steps)), apart / 60.0 + np.array(steps) / 3600e3])
        return {**table, "ra": np.full(len(offset), ra), "dec": dec + offset}

    def near(self, table: dict[str, Any], name: str, expected: float) -> None:
        # A radian of 1e-16 is 2e-8 mas.
        self.assertAlmostEqual(value(table, name), expected, delta=2e-6)

    def test_rms(self) -> None:
        for dec in (0.0, 60.0, -89.95):
            self.near(self.pair(-8.0, 0.0, 8.0, dec=dec), "AM1", 8.0)
        self.near(self.pair(-8.0, 0.0, 8.0, apart=20.0), "AM2", 8.0)
        self.near(self.pair(-8.0, 0.0, 8.0, apart=200.0), "AM3", 8.0)
        self.near(self.pair(0.0, 8.0), "AM1", 8.0 / math.sqrt(2.0))

    def test_annulus(self) -> None:
        """4 to 6 arcmin, without 6; one visit more or less is not enough."""
        for apart, n in ((3.9, 0), (4.1, 1), (5.9, 1), (6.1, 0)):
            (row,) = measure(self.pair(0.0, 1.0, apart=apart), "AM1")
            self.assertEqual(row["n"], n, apart)
        for table, name in (
            (self.pair(0.0), "AM1"),
            (self.pair(0.0, 1.0), "AD1"),
            (self.pair(0.0, 1.0), "AF1"),
        ):
            (row,) = measure(table, name)
            self.assertEqual((row["status"], row["n"]), ("empty", 0))

    def test_along_a_parallel_across_ra_0(self) -> None:
        dec = 45.0
        table = self.pair(-8.0, 0.0, 8.0)
        # A chord of a parallel is a little longer than its arc on the sphere;
        # over 5 arcmin its change with RA is cos(dec) to 1e-6.
        wide = table["dec"] / math.cos(math.radians(dec))
        turned = {**table, "ra": (359.97 + wide) % 360.0, "dec": np.full(6, dec)}
        self.assertAlmostEqual(value(turned, "AM1"), 8.0, delta=1e-4)

    def test_deviations(self) -> None:
        """Of -30, 0, 10, 40 mas the median is 5: 35, 5, 5, 35."""
        table = self.pair(-30.0, 0.0, 10.0, 40.0)
        self.near(table, "AD1", 35.0)
        self.near(table, "AF1", 50.0)
        # From the median 20 of these, as faro takes them: 15, -15, -15, 15.
        self.near(table, "AD1.faro", 15.0)
        self.near(table, "AF1.faro", 0.0)
        # From the mean 5 and then their median 0, as analysis_tools does.
        self.near(table, "AD1.analysis_tools", 35.0)
        self.near(table, "AF1.analysis_tools", 50.0)
        # Of the one rms, its own median is no less.
        self.near(table, "AD1.validate_drp", 0.0)
        self.near(table, "AF1.validate_drp", 0.0)
        self.near(self.pair(-31.0, 0.0, 31.0, apart=200.0), "AF3", 100.0 * 2 / 3)
        self.near(self.pair(-29.0, 0.0, 29.0, apart=200.0), "AF3", 0.0)

    def test_who_counts(self) -> None:
        table = self.pair(-8.0, 0.0, 8.0)
        for name, values in (
            ("psfFlux", 10.0 ** ((31.4 - 21.6) / 2.5) * np.ones(6)),
            ("psfFlux", 10.0 ** ((31.4 - 16.9) / 2.5) * np.ones(6)),
            ("psfFluxErr", table["psfFlux"] / 40.0),
            ("extendedness", np.ones(6)),
            ("detect_isPrimary", np.zeros(6, dtype=bool)),
            ("pixelFlags_cr", np.ones(6, dtype=bool)),
            ("ra", np.full(6, np.nan)),
        ):
            (row,) = measure({**table, name: np.where(table["star"] == 1, values, table[name])}, "AM1")
            self.assertEqual((row["status"], row["n"]), ("empty", 0), name)

    def test_the_first_of_two_detections_counts(self) -> None:
        table = self.pair(-8.0, 0.0, 8.0)
        again = {name: np.append(values, values[-1:]) for name, values in table.items()}
        again["sourceId"] = np.array([1, 2, 3, 4, 5, 6, 7])
        again["dec"][-1] += 0.01
        self.near(again, "AM1", 8.0)
        again["sourceId"] = np.array([1, 2, 3, 4, 5, 7, 6])
        self.assertGreater(value(again, "AM1"), 1000.0)


class PositionsTestCase(unittest.TestCase):
    """A star that moves by known steps to the east and to the north."""

    def test_rms(self) -> None:
        for ra, dec in ((10.0, 0.0), (0.0, 60.0), (180.0, -85.0)):
            table = stars([[18.0] * 3])
            steps = np.array([-5.0, 0.0, 5.0]) / 3600e3
            table["ra"] = (ra + steps / math.cos(math.radians(dec))) % 360.0
            table["dec"] = dec + 2.0 * steps
            with self.subTest(ra=ra, dec=dec):
                self.assertAlmostEqual(value(table, "dmL2AstroErr_RA"), 5.0, delta=2e-6)
                self.assertAlmostEqual(value(table, "dmL2AstroErr_Dec"), 10.0, delta=2e-6)


if __name__ == "__main__":
    unittest.main()
