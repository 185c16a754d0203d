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

"""Reading whatever may be in a file of another package."""

from __future__ import annotations

import contextlib
import json
import tempfile
import unittest
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support_store import OnPostgres, OnSqlite

from lsst.qa.errors import NotATableError
from lsst.qa.readers.definitions import definitions_of_job
from lsst.qa.readers.package import read_package, read_specifications
from lsst.qa.store.load import load
from lsst.qa.store.query import measurements

KEYS = ["name", "metric", "threshold", "value", "unit", "operator", "tags", "id", "base", "metadata_query"]

ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters(), max_size=5),
    lambda x: (
        st.lists(x, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "metric", "threshold", "value", "unit", "operator", "tags", "id", "base"]
            ),
            x,
        )
    ),
    max_leaves=15,
)


class FuzzTestCase(unittest.TestCase):
    """Whatever is in a file: rows and definitions that can be kept, or an
    error of ours.
    """

    @given(ANY, ANY, ANY, ANY)
    @settings(deadline=None, max_examples=150)
    def test_definitions_of_a_job(self, metrics: object, specs: object, meta: object, page: object) -> None:
        spec = {
            "name": "a.b.design",
            "threshold": {"value": 1, "operator": "<=", "unit": specs},
            "tags": metrics,
        }
        known = {"name": "a.b", "unit": meta, "description": page, "reference": {"doc": specs, "page": page}}
        job = {"metrics": [metrics, known], "specs": [specs, spec], "meta": meta}
        found = definitions_of_job(json.loads(json.dumps(job)))
        self.assertIn("a.b", found)
        for one in found.values():
            (one.name + one.doc + one.unit + one.reference).encode()

    @given(ANY)
    @settings(deadline=None, max_examples=100)
    def test_specifications(self, found: object) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "x.yaml"
            for text in (yaml.safe_dump(found), yaml.safe_dump_all([{"name": "a", "base": "#b"}, found])):
                file.write_text(text)
                try:
                    read_specifications(file, "p")
                except NotATableError as error:
                    self.assertIn("x.yaml", str(error))

    @given(st.text(st.sampled_from("!<>&*-:#{}[]|?%@ \n'\"0aeid\\\0"), max_size=40))
    @settings(deadline=None, max_examples=100)
    def test_any_text_of_specifications(self, text: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "x.yaml"
            file.write_text(text)
            with contextlib.suppress(NotATableError):
                read_specifications(file, "p")

    def test_nothing_is_executed(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "metrics").mkdir()
        mark = folder / "mark"
        for tag in ("!!python/object/apply:os.system", "!!python/object/new:os.system"):
            (folder / "metrics" / "p.yaml").write_text(f"PA1: {tag} ['touch {mark}']")
            with self.subTest(tag=tag), self.assertRaises(NotATableError):
                read_package(folder)
        self.assertFalse(mark.exists())


class StrangeTextTests:
    """Texts that a database refuses to hold."""

    def test_strange_texts(self) -> None:
        strange = "a\0b\ud800c" + "µ" * 3000
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        known = {"name": "p.m", "unit": strange, "description": strange, "reference": {"doc": strange}}
        measured = {"metric": "p.m", "value": 1.5, "unit": strange}
        meta = {"instrument": strange, "filter_name": strange, "packages": {strange: strange}}
        file = folder / "a.verify.json"
        for names, expected in ((["p.m"], 0), (["p.m", strange], 1), (["p.m", "x" * 501], 1)):
            with self.subTest(names=names):
                job = {"measurements": [{**measured, "metric": name} for name in names], "meta": meta}
                job["metrics"] = [known, {**known, "name": strange}]
                file.write_text(json.dumps(job))
                report = load(str(file), [], self.url)
                self.assertEqual(len(report.unreadable), expected)
                file = folder / f"{expected}{len(names[-1])}.verify.json"
        (found,) = measurements(self.engine)
        self.assertEqual((found.value, found.instrument[:6]), (1.5, "ab?cµµ"))


class SqliteTestCase(StrangeTextTests, OnSqlite, unittest.TestCase):
    """A database in a file."""


class PostgresTestCase(StrangeTextTests, OnPostgres, unittest.TestCase):
    """A database on a server."""


if __name__ == "__main__":
    unittest.main()
