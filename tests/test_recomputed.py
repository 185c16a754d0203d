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

"""Values that peers stored, recomputed from what they stored beside them."""

from __future__ import annotations

import csv
import math
import unittest

from support import needs_shared
from support_golden import PAGE, from_catalogues, from_jobs


@needs_shared
class RecomputedTestCase(unittest.TestCase):
    """The golden table."""

    def test_jobs(self) -> None:
        """All that has its arrays, to rounding."""
        rows = list(from_jobs())
        self.assertGreater(len(rows), 45)
        self.assertEqual({row.file for row in rows}, {"Cfht_output_r.json", "CfhtQuick_output_r.json"})
        for row in rows:
            with self.subTest(row.stored, file=row.file):
                self.assertTrue(math.isfinite(row.peer))
                self.assertLessEqual(row.difference, row.tolerance, row)

    def test_catalogues(self) -> None:
        for row in from_catalogues():
            with self.subTest(row.metric):
                self.assertLessEqual(row.difference, row.tolerance, row)

    def test_page(self) -> None:
        """The documentation has them all."""
        with PAGE.open() as stream:
            shown = [(row["metric"], row["file"], row["there"]) for row in csv.DictReader(stream)]
        self.assertEqual(shown, [row[:3] for row in (*from_catalogues(), *from_jobs())])


if __name__ == "__main__":
    unittest.main()
