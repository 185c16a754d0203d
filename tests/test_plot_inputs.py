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

"""Which tables of a repository are those that a run has measured."""

from __future__ import annotations

import tempfile
import unittest

import pyarrow as pa
from support_butler import INSTRUMENT, make_repository, put

from lsst.daf.butler import Butler, CollectionType
from lsst.qa.plots.inputs import find_inputs
from lsst.qa.store.inputs import find_tables, visits_of

OLD, NEW, ODD = "u/tables/1", "u/tables/2", "u/tables/0"
OF = {"instrument": INSTRUMENT, "visit": 11}


class InputsTestCase(unittest.TestCase):
    """The table of the run that is shown goes before a later one."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.repo = cls.enterClassContext(tempfile.TemporaryDirectory())
        with make_repository(cls.repo) as butler:
            for run in (OLD, NEW, ODD):
                with Butler.from_config(butler=butler, run=run) as writing:
                    put(
                        writing, "source", pa.table({"visit": [11], "psfFlux": [1.0]}), "ArrowTable", visit=11
                    )
            # A run's own collection, as pipetask makes it, and another one.
            for name, runs in (
                ("u/qa/old", ("u/qa/old/run", OLD, NEW)),
                ("u/qa/new", ("u/qa/new/run", NEW, OLD)),
                ("u/all", ("u/qa/new/run", "u/qa/old/run", NEW, OLD)),
            ):
                for run in runs:
                    butler.collections.register(run, CollectionType.RUN)
                butler.collections.register(name, CollectionType.CHAINED)
                butler.collections.redefine_chain(name, runs)

    def runs(self, seen_by: str | None) -> list[str]:
        return [table.run for table in find_tables(self.repo, ["source"], OF, seen_by)]

    def test_what_the_run_has_read(self) -> None:
        self.assertEqual(self.runs("u/qa/old/run"), [OLD, NEW, ODD])
        self.assertEqual(self.runs("u/qa/new/run"), [NEW, OLD, ODD])
        self.assertEqual(find_inputs(self.repo, OF, "u/qa/old/run")[0].table.run, OLD)

    def test_the_latest_where_nothing_tells(self) -> None:
        for seen_by in (None, "u/elsewhere", OLD):
            self.assertEqual(self.runs(seen_by), [NEW, OLD, ODD])

    def test_visits(self) -> None:
        for seen_by, expected in (("u/qa/old/run", OLD), ("u/qa/new/run", NEW), (None, NEW)):
            (found,) = visits_of(self.repo, ["source"], INSTRUMENT, [11], seen_by)
            self.assertEqual(found.run, expected)


if __name__ == "__main__":
    unittest.main()
