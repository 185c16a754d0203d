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

"""Reading ahead: the same items, and one waiting at most."""

from __future__ import annotations

import contextlib
import threading
import unittest
from collections.abc import Generator

from lsst.qa.tables.ahead import ahead


class AheadTestCase(unittest.TestCase):
    def setUp(self) -> None:
        self.got: list[int] = []
        self.closed = False

    def items(self, number: int, fault: int | None = None) -> Generator[int, None, None]:
        try:
            for item in range(number):
                if item == fault:
                    raise ValueError(f"item {item} is damaged")
                self.got.append(item)
                yield item
        finally:
            self.closed = True

    def test_all_in_order(self) -> None:
        for number in (0, 1, 2, 50):
            self.assertEqual(list(ahead(self.items(number))), list(range(number)))
            self.assertTrue(self.closed)

    def test_one_waits(self) -> None:
        for item in ahead(self.items(20)):
            self.assertLessEqual(len(self.got), item + 2)

    def test_faults_are_told(self) -> None:
        """After what came before them."""
        seen = []
        with self.assertRaisesRegex(ValueError, "item 3 is damaged"):
            for item in ahead(self.items(9, fault=3)):
                seen.append(item)
        self.assertEqual(seen, [0, 1, 2])

    def test_left_early(self) -> None:
        """No thread goes on, and the file is closed."""
        with contextlib.closing(ahead(self.items(9))) as items:
            next(items)
        self.assertTrue(self.closed)
        self.assertEqual([t for t in threading.enumerate() if t.name.startswith("lsst-qa-ahead")], [])


if __name__ == "__main__":
    unittest.main()
