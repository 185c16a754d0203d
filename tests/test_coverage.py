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

import dataclasses
import unittest

import numpy as np

from lsst.qa.catalogue import METRICS
from lsst.qa.simulate.skies import POPULATIONS, Coverage, Population, covered, tally
from lsst.qa.simulate.skies.coverage import ONE_SIGMA

SKIES = 60
SIGMAS = 4.5

CHEAP = {
    "bright stars of 8 visits": ("PA1", "PA2", "PF1", "PA1.validate_drp", "PF1.validate_drp"),
    "shapes of a visit's stars": (),
    "census of a visit": (),
    "detectors of a visit": (),
    "stellar locus": ("wPerp", "wPerp_median", "xPerp", "yPerp"),
}
"""Skies that are measured here, and the metrics, of many, by which."""


def shortened(population: Population, metrics: tuple[str, ...]) -> Population:
    """Return the same skies, for some metrics only."""

    def truths() -> dict[tuple[str, float | None], float]:
        return {key: value for key, value in population.truths().items() if key[0] in metrics}

    return dataclasses.replace(population, truths=truths) if metrics else population


class HonestErrorsTestCase(unittest.TestCase):
    """Values agree with the truth, as often as their errors say."""

    def test_skies(self) -> None:
        found = {population.name: population for population in POPULATIONS}
        self.assertLessEqual(set(CHEAP), set(found))
        for name, metrics in CHEAP.items():
            rows = tally(shortened(found[name], metrics), SKIES)
            self.assertGreater(len(rows), 3)
            for row in rows:
                with self.subTest(name, metric=row.metric, bin_low=row.bin_low):
                    self.assertTrue(covered(row, SIGMAS), row)
            with self.subTest(name):
                # All metrics together: they share skies, so they do not
                # scatter as little as so many would.
                share = np.mean([row.coverage for row in rows])
                self.assertAlmostEqual(share, 100.0 * ONE_SIGMA, delta=2.0 * rows[0].tolerance)
                ratio = np.median([row.error / row.scatter for row in rows])
                self.assertAlmostEqual(ratio, 1.0, delta=0.2)

    def test_names(self) -> None:
        """Populations know no metric that does not exist."""
        for population in POPULATIONS:
            if population.name.startswith(("census", "stellar")):
                for metric, _ in population.truths():
                    self.assertEqual(METRICS[metric].table, population.kind)

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
