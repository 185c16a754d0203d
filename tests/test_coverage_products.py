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

"""The proof of the errors of difference images, the deblender and coadds."""

from __future__ import annotations

import unittest

import numpy as np

from lsst.qa.catalogue import METRICS, of_table
from lsst.qa.simulate.skies.coadds import COADDS
from lsst.qa.simulate.skies.coverage import ONE_SIGMA, covered, tally
from lsst.qa.simulate.skies.products import PRODUCTS

SKIES = 80


class HonestErrorsTestCase(unittest.TestCase):
    """Values agree with the truth, as often as their errors say."""

    def test_skies(self) -> None:
        for population in (*PRODUCTS, *COADDS):
            rows = tally(population, SKIES)
            for row in rows:
                with self.subTest(population.name, metric=row.metric, bin_low=row.bin_low):
                    self.assertTrue(covered(row, 4.5), row)
                    self.assertEqual(row.lacking, 0)
            with self.subTest(population.name):
                share = np.mean([row.coverage for row in rows])
                self.assertAlmostEqual(share, 100.0 * ONE_SIGMA, delta=2.5 * rows[0].tolerance)
                ratio = np.median([row.error / row.scatter for row in rows])
                self.assertAlmostEqual(ratio, 1.0, delta=0.2)

    def test_all_are_proven(self) -> None:
        """Of each metric of these tables, but for those that count the images
        of a coadd.
        """
        proven = {metric for population in (*PRODUCTS, *COADDS) for metric, _ in population.truths()}
        kinds = {population.kind for population in (*PRODUCTS, *COADDS)} - {"object"}
        missing = {metric.name for kind in kinds for metric in of_table(kind)} - proven
        self.assertEqual(
            missing,
            {
                "coadd_n_visits",
                "coadd_n_images",
                "coadd_images_per_patch",
                "coadd_visits_per_patch",
                "coadd_effective_images",
            },
        )
        self.assertLessEqual(proven, set(METRICS))


if __name__ == "__main__":
    unittest.main()
