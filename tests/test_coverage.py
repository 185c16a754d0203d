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

"""The proof of the errors, on fewer skies than the documentation's table rests
on.
"""

from __future__ import annotations

import csv
import dataclasses
import functools
import json
import unittest
from pathlib import Path

import numpy as np

from lsst.qa.catalogue import METRICS
from lsst.qa.simulate.skies import POPULATIONS, Coverage, covered, tally
from lsst.qa.simulate.skies.coverage import ONE_SIGMA
from lsst.qa.simulate.skies.population import Truths

RESULTS = Path(__file__).resolve().parents[1] / "doc/lsst.qa/coverage/results.json"
SIGMAS = 4.5

SKIES = {
    "bright stars of 8 visits": 80,
    "faint stars and galaxies of 8 visits": 40,
    "positions of stars of 6 visits": 40,
    "shapes of a visit's stars": 60,
    "shapes of a coadd's stars by colour": 40,
    "PSF residuals close together of a visit": 8,
    "stellar locus": 80,
    "faint stars and sky of a visit": 100,
    "census of a visit": 100,
    "detectors of a visit": 100,
    "true sources and detections": 30,
    "many true sources": 40,
    "fakes of difference images": 100,
    "sources beside reference stars": 100,
    "stars over seasons": 50,
    "numbers of tasks": 40,
    "visits of a survey": 100,
}
"""How many skies of each family are measured here."""

EXACT = {
    "zero points of patches": (300, {"PA3", "PA4", "PF2", "PA4.healpix", "PA6"}),
    "colours of patches": (300, {"PA5"}),
    "stars in two bands": (120, {"AB1", "AB2", "ABF1"}),
    "stars in r": (120, {"AB1.faro"}),
}
"""Skies whose truths are closed forms: how many, and of which metrics."""


@functools.cache
def recorded() -> dict[str, Truths]:
    """Return the truths of the documentation's table: integrals take far
    longer than skies.
    """
    truths: dict[str, Truths] = {}
    for row in json.loads(RESULTS.read_text()):
        truths.setdefault(row["population"], {})[row["metric"], row["bin_low"]] = row["truth"]
    return truths


def found(name: str, skies: int) -> list[Coverage]:
    """Measure skies by the metrics whose truth is recorded."""
    (population,) = (one for one in POPULATIONS if one.name == name)
    return tally(dataclasses.replace(population, truths=lambda: recorded()[name]), skies)


class HonestErrorsTestCase(unittest.TestCase):
    """Values agree with the truth, as often as their errors say."""

    def test_skies(self) -> None:
        for name, skies in SKIES.items():
            rows = [row for row in found(name, skies) if row.skies == skies]
            self.assertGreater(len(rows), 0)
            for row in rows:
                with self.subTest(name, metric=row.metric, bin_low=row.bin_low):
                    self.assertTrue(covered(row, SIGMAS), row)
            with self.subTest(name):
                # All metrics together: they share skies, so they do not
                # scatter as little as so many would. Errors of half or twice
                # the size would hold 38 or 95 % of truths.
                share = np.mean([row.coverage for row in rows])
                self.assertAlmostEqual(share, 100.0 * ONE_SIGMA, delta=2.5 * rows[0].tolerance)
                ratio = np.median([row.error / row.scatter for row in rows])
                self.assertAlmostEqual(ratio, 1.0, delta=0.35)

    def test_small_samples(self) -> None:
        """Errors over few patches, and over stars that pairs of visits share:
        neither too small nor too large by a half.
        """
        for name, (skies, metrics) in EXACT.items():
            (population,) = (one for one in POPULATIONS if one.name == name)
            truths = {key: value for key, value in population.truths().items() if key[0] in metrics}
            self.assertEqual({metric for metric, _ in truths}, metrics)
            kept = dataclasses.replace(population, truths=truths.copy)
            for row in tally(kept, skies):
                with self.subTest(name, metric=row.metric):
                    self.assertEqual(row.lacking, 0)
                    self.assertLess(abs(row.bias), 4.5)
                    # Of an error 1.5 times too small it would be 49.5 %.
                    self.assertAlmostEqual(row.coverage, 100.0 * ONE_SIGMA, delta=10.0)
                    self.assertAlmostEqual(row.error / row.scatter, 1.0, delta=0.2)

    def test_undefined(self) -> None:
        """Of metrics that are not in the table, it says why no truth is
        defined.
        """
        with (RESULTS.parent / "without.csv").open(newline="") as stream:
            without = {row[0]: row[1] for row in list(csv.reader(stream))[1:]}
        for name, reason in without.items():
            self.assertTrue(reason.startswith("undefined: "), f"{name}: {reason}")

    def test_names(self) -> None:
        """Populations know no metric that does not exist, and the table no
        population.
        """
        kinds = {population.name: population.kind for population in POPULATIONS}
        for name, truths in recorded().items():
            for metric, _ in truths:
                self.assertEqual(METRICS[metric].table, kinds[name])

    def test_sky_alone(self) -> None:
        """A sky does not depend on how many are drawn."""
        population = POPULATIONS[0]
        one, other = (population.draw(np.random.default_rng([0, 3])) for _ in range(2))
        np.testing.assert_array_equal(one["psfFlux"], other["psfFlux"])


class CoverageTestCase(unittest.TestCase):
    """What is taken for honest."""

    GOOD = Coverage("PA1", None, "skies", "mmag", 1000, 0, 5.0, 5.001, 0.002, 0.06, 0.0632, 683)

    def test_honest(self) -> None:
        self.assertTrue(covered(self.GOOD))
        self.assertAlmostEqual(self.GOOD.bias, 0.5)
        self.assertAlmostEqual(self.GOOD.coverage, 68.3)

    def test_not_honest(self) -> None:
        for change in ({"within": 600}, {"within": 780}, {"mean": 5.1}, {"skies": 0, "within": 0}):
            with self.subTest(change):
                self.assertFalse(covered(dataclasses.replace(self.GOOD, **change)))


if __name__ == "__main__":
    unittest.main()
