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

"""Deblender and coadds: counted by hand, and totals with their errors."""

from __future__ import annotations

import math
import unittest
from typing import Any

import numpy as np

from lsst.qa import measure
from lsst.qa.stats.ratio import by_unit, count_ratio, ratio, share, total


class RatioTestCase(unittest.TestCase):
    """Totals over units: the scatter of samples is what the errors say."""

    def test_errors(self) -> None:
        draw = np.random.default_rng(2)
        found: list[list[tuple[float, float]]] = []
        for _ in range(400):
            under = draw.poisson(20.0, draw.poisson(60)).astype(float)
            # What is counted above goes together within a unit.
            over = draw.binomial(under.astype(int), draw.beta(2.0, 6.0, len(under))).astype(float)
            found.append([moments[:2] for moments in (ratio(over, under), share(over, under), total(under))])
        for truth, moments in zip((0.25, 25.0, 1200.0), zip(*found)):
            values, errors = (np.array(part) for part in zip(*moments))
            self.assertAlmostEqual((values.mean() - truth) / (values.std() / 20.0), 0.0, delta=3.5)
            self.assertAlmostEqual(values.std() / errors.mean(), 1.0, delta=0.12)
            within = np.mean(np.abs(values - truth) < errors)
            self.assertAlmostEqual(within, 0.683, delta=0.08)

    def test_nothing(self) -> None:
        none, unknown = np.zeros(0), np.full(3, np.nan)
        for values in (none, unknown):
            self.assertEqual([moments[2] for moments in (ratio(values, values), total(values))], [0, 0])
        self.assertTrue(math.isnan(share(none, none)[1]))
        self.assertTrue(math.isnan(ratio(np.ones(3), np.zeros(3))[0]))
        value, error, n = ratio(np.array([1.0]), np.array([4.0]))
        self.assertEqual((value, n), (0.25, 1))
        self.assertTrue(math.isnan(error))
        self.assertEqual(total(np.zeros(4)), (0.0, 1.0, 4))
        self.assertAlmostEqual(share(np.zeros(4), np.full(4, 25.0))[1], 100.0 / 101.0, 12)
        self.assertTrue(math.isnan(count_ratio(np.ones(2) > 0, np.zeros(2) > 0)[0]))

    def test_units(self) -> None:
        sums = by_unit(np.array([7, 2**62, 7]), np.array([1.0, 2.0, 3.0]))
        np.testing.assert_array_equal(sums[0], [4.0, 2.0])


def parents() -> dict[str, Any]:
    """Make ten rows: eight parents, a child and a sky object."""
    table: dict[str, Any] = {
        "objectId": np.arange(10) + 2**62,
        "parentObjectId": np.array([0] * 8 + [2**62, 0]),
        "tract": np.full(10, 7),
        "sky_object": np.arange(10) == 9,
        "deblend_nPeaks": np.array([1, 1, 3, 5, 2, 9, 4, 1, 1, 1]),
        "deblend_nChild": np.array([0, 1, 3, 4, 2, 0, 0, 1, 9, 1]),
        "deblend_iterations": np.array([0, 4, 10, 20, 30, 0, 0, 6, 99, 99], dtype=float),
        "deblend_chi2": np.array([np.nan, 0.5, 1.0, 2.0, 3.0, np.nan, np.nan, 1.5, 99.0, 99.0]),
    }
    for name, rows in (
        ("failed", [4]),
        ("incompleteData", [3, 4]),
        ("skipped", [0, 5, 6]),
        ("skipped_isolatedParent", [0]),
        ("skipped_parentTooBig", [5]),
        ("skipped_tooManyPeaks", [5, 6]),
        ("skipped_masked", []),
    ):
        table[f"deblend_{name}"] = np.isin(np.arange(10), rows)
    return table


class DeblendTestCase(unittest.TestCase):
    """Parents and peaks."""

    def test_values(self) -> None:
        for name, expected, error in (
            ("n_parents", 8.0, math.sqrt(8.0)),
            ("n_deblend_failed", 1.0, 1.0),
            ("n_deblend_incomplete", 2.0, math.sqrt(2.0)),
            ("n_deblend_isolated_skipped", 1.0, 1.0),
            ("deblend_failed_fraction", 12.5, None),
            ("deblend_incomplete_fraction", 25.0, None),
            ("n_detected_peaks", 26.0, math.sqrt(1 + 1 + 9 + 25 + 4 + 81 + 16 + 1)),
            ("n_deblended_children", 11.0, math.sqrt(1 + 9 + 16 + 4 + 1)),
            ("n_peak_dropouts", 14.0, math.sqrt(1 + 81 + 16)),
            ("peak_dropout_fraction", 1400.0 / 26.0, None),
            ("n_skipped_blends", 2.0, math.sqrt(2.0)),
            ("deblend_skipped_fraction", 25.0, None),
            ("n_skipped_too_big", 1.0, 1.0),
            ("n_skipped_too_many_peaks", 2.0, math.sqrt(2.0)),
            ("n_skipped_masked", 0.0, 1.0),
            ("n_skipped_peaks", 13.0, math.sqrt(81 + 16)),
            ("n_blends", 3.0, math.sqrt(3.0)),
            ("n_isolated", 2.0, math.sqrt(2.0)),
            ("blend_iterations_mean", 20.0, 10.0 / math.sqrt(3.0)),
            ("blend_chi2_mean", 2.0, 1.0 / math.sqrt(3.0)),
            ("isolated_iterations_mean", 5.0, 1.0),
            ("isolated_chi2_mean", 1.0, 0.5),
        ):
            with self.subTest(name):
                (row,) = measure(parents(), [name])
                self.assertAlmostEqual(row["value"], expected, 12)
                self.assertEqual((row["status"], row["tract"]), ("ok", 7))
                self.assertGreater(row["error"], 0.0)
                if error is not None:
                    self.assertAlmostEqual(row["error"], error, 12)

    def test_older_names(self) -> None:
        """Columns as they were called before."""
        old = {
            "deblend_skipped_isolatedParent": "deblend_isolatedParent",
            "deblend_skipped_parentTooBig": "deblend_parentTooBig",
            "sky_object": "merge_peak_sky",
        }
        table = {old.get(name, name): values for name, values in parents().items()}
        (row,) = measure(table, ["n_skipped_too_big"])
        self.assertEqual(row["value"], 1.0)

    def test_told_from_objects(self) -> None:
        """Objects that carry these columns have fluxes as well."""
        self.assertEqual(measure(parents())[0]["metric"], "n_parents")
        objects = {**parents(), "g_psfFlux": np.ones(10), "detect_isPrimary": np.ones(10, dtype=bool)}
        self.assertEqual({row["metric"].partition("_")[0] for row in measure(objects)}, {"coadd"})


class InputsTestCase(unittest.TestCase):
    """Images of coadds, by patch."""

    def images(self) -> dict[str, Any]:
        return {
            "tract": np.full(6, 7),
            "patch": np.array([0, 0, 0, 1, 1, 2]),
            "visit": np.array([5, 5, 6, 5, 7, 7]),
            "detector": np.array([1, 2, 1, 2, 2, 2]),
            "band": np.full(6, "r"),
            "weight": np.array([1.0, 1.0, 1.0, 3.0, 1.0, 2.0]),
            "goodpix": np.array([100, 200, 300, 400, 500, 600]),
        }

    def test_values(self) -> None:
        for name, expected, n in (
            ("coadd_n_visits", 3.0, 6),
            ("coadd_n_images", 4.0, 6),
            ("coadd_images_per_patch", 2.0, 3),
            ("coadd_visits_per_patch", 2.0, 3),
            ("coadd_effective_images", 1.6, 3),
            ("coadd_good_pixels", 350.0, 6),
        ):
            with self.subTest(name):
                (row,) = measure(self.images(), [name])
                self.assertAlmostEqual(row["value"], expected, 12)
                self.assertEqual((row["n"], row["band"], row["tract"]), (n, "r", 7))

    def test_choice(self) -> None:
        table = {name: values for name, values in self.images().items() if name not in ("weight", "goodpix")}
        table |= {
            # The image that was not calibrated is in no patch.
            "visitSummaryRecord": np.array([False, True, True, True, True, True]),
            "patchOverlap": np.arange(6) > 1,
            "inCoadd": np.arange(6) > 3,
        }
        for name, expected, n in (
            ("coadd_input_fraction", 50.0, 4),
            ("coadd_calibrated_fraction", 75.0, 4),
        ):
            (row,) = measure(table, [name])
            self.assertAlmostEqual(row["value"], expected, 12)
            self.assertEqual(row["n"], n)
            self.assertGreater(row["error"], 0.0)

    def test_input_count(self) -> None:
        """Errors are over patches: objects of one share their images."""
        draw = np.random.default_rng(3)
        patch = np.repeat(np.arange(9), 100)
        count = np.repeat(draw.poisson(30.0, 9), 100)
        table: dict[str, Any] = {
            "objectId": np.arange(900),
            "patch": patch,
            "detect_isPrimary": np.ones(900, dtype=bool),
            "r_psfFlux": np.where(np.arange(900) % 2, 100.0, 4.0),
            "r_psfFluxErr": np.ones(900),
            "r_psfFlux_flag": np.zeros(900, dtype=bool),
            "r_pixelFlags_saturatedCenter": np.zeros(900, dtype=bool),
            "r_inputCount": count,
        }
        rows = {
            name: measure(table, [f"coadd_input_count_{name}"])[0] for name in ("median", "mean", "sigma_mad")
        }
        of_patch = count[::100]
        self.assertEqual({row["n"] for row in rows.values()}, {450})
        self.assertEqual(rows["median"]["value"], np.median(of_patch))
        self.assertAlmostEqual(rows["mean"]["value"], of_patch.mean(), 12)
        self.assertAlmostEqual(rows["mean"]["error"], of_patch.std(ddof=1) / 3.0, 12)
        self.assertGreater(rows["median"]["error"], 0.5)
        self.assertAlmostEqual(
            rows["sigma_mad"]["value"],
            1.482602218505602 * np.median(np.abs(of_patch - np.median(of_patch))),
            12,
        )

    def test_depth(self) -> None:
        table = {
            "patch": np.arange(4),
            "band": np.array(["r", "r", "r", "i"]),
            "depth_above_threshold_1": np.array([100.0, 90.0, 50.0, 10.0]),
            "depth_50_percentile": np.array([5, 4, 1, 0]),
        }
        for name, expected, unit in (
            ("depth_above_threshold_1_median", 90.0, "%"),
            ("depth_above_threshold_1_mean", 80.0, "%"),
            ("depth_above_threshold_1_stdev", math.sqrt(700.0), "%"),
            ("depth_50_percentile_median", 4.0, ""),
        ):
            rows = {row["band"]: row for row in measure(table, [name])}
            self.assertAlmostEqual(rows["r"]["value"], expected, 12)
            self.assertEqual((rows["r"]["unit"], rows["r"]["n"], rows["i"]["n"]), (unit, 3, 1))
            self.assertTrue(math.isnan(rows["i"]["error"]))

    def test_masks(self) -> None:
        """Weighted by what data each image has, but for the lack of it."""
        table = {
            "patch": np.arange(3),
            "band": np.full(3, "r"),
            "n_pixels": np.full(3, 100),
            "n_valid": np.array([100, 50, 10]),
            "n_NO_DATA": np.array([0, 50, 90]),
            "n_BAD": np.array([1, 2, 5]),
            "n_SAT": np.zeros(3),
        }
        for name, expected in (("BAD", 5.0), ("NO_DATA", 140.0 / 3.0), ("SAT", 0.0)):
            (row,) = measure(table, [f"mask_fraction.{name}"])
            self.assertAlmostEqual(row["value"], expected, 12)
            self.assertGreater(row["error"], 0.0)


if __name__ == "__main__":
    unittest.main()
