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

"""Metrics against reference catalogues keep what every metric promises."""

from __future__ import annotations

import unittest

from support import same
from support_reference import as_matched
from test_contract import ContractTests

from lsst.qa.tables.measure import measure_readable
from lsst.qa.tables.readable import from_columns


class SourceReferenceTestCase(ContractTests, unittest.TestCase):
    """Pairs of a visit's sources and reference stars."""

    kind = "source_reference"
    ids = ("sourceId", "visit", "ref_id")

    def test_nearest_is_told(self) -> None:
        """A table that does not say which pairs are nearest."""
        bare = {name: values for name, values in self.table.items() if name != "nearest"}
        self.assertEqual(same(self.whole, self.rows_of(bare), 1e-12), [])
        self.assertEqual(same(self.whole, self.rows_of(bare, [13, 0, 100]), 1e-12), [])

    def test_without_ids(self) -> None:
        """What is at one place is one star."""
        bare = {n: v for n, v in self.table.items() if n not in ("nearest", "sourceId", "ref_id")}
        self.assertEqual(same(self.whole, self.rows_of(bare), 1e-12), [])

    def test_names_of_a_match(self) -> None:
        """Columns that end in _target and _ref tell the kind of table."""
        match = as_matched(self.table)
        rows = list(measure_readable(from_columns(match), None, data_id={}))
        self.assertEqual(same(self.whole, rows, 1e-12), [])


class ObjectReferenceTestCase(ContractTests, unittest.TestCase):
    """Pairs of a tract's objects and reference stars, by band."""

    kind = "object_reference"
    ids = ("objectId", "ref_id")

    def test_names_of_a_match(self) -> None:
        """Columns that end in _target and _ref tell the kind of table."""
        match = as_matched(self.table)
        rows = list(measure_readable(from_columns(match), None, data_id={}))
        self.assertEqual(same(self.whole, rows, 1e-12), [])


if __name__ == "__main__":
    unittest.main()
