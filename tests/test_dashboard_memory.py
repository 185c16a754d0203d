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
"""What a server holds in memory, and gives back."""

from __future__ import annotations

import gc
import sys
import unittest
import weakref

from lsst.qa.dashboard.memory import give_back, resident


class Ring:
    """Something that knows itself, as figures and their parts do."""

    def __init__(self) -> None:
        self.whole = self
        self.bytes = [bytes(1000) for _ in range(40_000)]


class MemoryTestCase(unittest.TestCase):
    """A process that has grown."""

    @unittest.skipUnless(sys.platform == "linux", "other systems do not tell")
    def test_given_back(self) -> None:
        gc.disable()
        self.addCleanup(gc.enable)
        give_back()
        before, ring = resident(), Ring()
        self.assertGreater(resident(), before + (30 << 20))
        known = weakref.ref(ring)
        del ring
        self.assertIsNotNone(known())
        give_back()
        self.assertIsNone(known())
        self.assertLess(resident(), before + (10 << 20))


if __name__ == "__main__":
    unittest.main()
