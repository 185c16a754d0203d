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

"""Writing measurements in the formats of other packages."""

from __future__ import annotations

import json
import math
import tempfile
import unittest
import uuid
from pathlib import Path

import pyarrow.parquet as pq
from click.testing import CliRunner
from support_formats import BUNDLE, fill
from support_store import Survey, row

from lsst.qa.cli.export import export_command
from lsst.qa.errors import InputError
from lsst.qa.publish.formats import bundle_of, job_of
from lsst.qa.publish.shelf import open_shelf
from lsst.qa.publish.verify import to_job
from lsst.qa.results import SCHEMA

RUN = "HSC/runs/RC2/20261122T050000Z"


class RepositoryTestCase(unittest.TestCase):
    """All formats in one repository, without the packages that wrote them."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.survey = Survey(str(self.folder / "repo"), self)
        self.survey.add_visits([1])
        self.survey.put_visits(RUN, [1])
        fill(self.survey, RUN)

    def export(self, kind: str) -> list[Path]:
        """Export and return the files."""
        out = self.folder / kind
        arguments = [self.survey.root, RUN, "--format", kind, "--to", str(out)]
        result = CliRunner().invoke(export_command, arguments, catch_exceptions=False)
        self.assertEqual(result.exit_code, 0, result.output)
        self.assertEqual(sorted(map(str, out.iterdir())), sorted(result.output.split()))
        return sorted(out.iterdir())

    def test_export_tables(self) -> None:
        (file,) = self.export("parquet")
        table = pq.read_table(file)
        self.assertEqual(len(table), 13)
        self.assertEqual(set(table["run"].to_pylist()), {RUN})
        (file,) = self.export("csv")
        self.assertEqual(len(file.read_text().splitlines()), 14)

    def test_dry_run(self) -> None:
        """It names the files that it would write."""
        for kind in ("csv", "bundle", "verify-json"):
            arguments = [self.survey.root, RUN, "--format", kind, "--to", str(self.folder / kind)]
            told = [
                CliRunner().invoke(export_command, [*arguments, *more, "--json"], catch_exceptions=False)
                for more in (["--dry-run"], [])
            ]
            self.assertEqual(told[0].stdout, told[1].stdout)
            self.assertEqual(
                sorted(json.loads(told[0].stdout)), sorted(map(str, (self.folder / kind).iterdir()))
            )

    def test_export_jobs(self) -> None:
        """What is written is read back, value by value."""
        files = self.export("verify-json")
        shelf = open_shelf(str(self.folder / "verify-json"), [])
        found = list(shelf.read([planned.dataset for planned in shelf.planned]))
        values = sorted(str(value) for f in found for value in f.rows["value"].to_pylist())
        with open_shelf(self.survey.root, [RUN]) as butler:
            wanted = [f for f in butler.read([planned.dataset for planned in butler.planned])]
        self.assertEqual(values, sorted(str(value) for f in wanted for value in f.rows["value"].to_pylist()))
        self.assertGreaterEqual(len(files), 5)
        (definition,) = [d for n, d in shelf.definitions.items() if n == "lsst_qa.PA1"]
        self.assertIn(("minimum", "gri"), {(s.level, s.bands) for s in definition.specs})

    def test_export_bundles(self) -> None:
        files = self.export("bundle")
        (file,) = [f for f in files if f.name.startswith("objectTableCore")]
        said = json.loads(file.read_text())
        for key in ("skyFlux", "wPerp"):
            first = sorted((m["metric"], m["value"], m["unit"]) for m in said[key])
            self.assertEqual(first, sorted((m["metric"], m["value"], m["unit"]) for m in BUNDLE[key]))


class ExportTestCase(unittest.TestCase):
    """The formats themselves."""

    def test_job(self) -> None:
        rows = [{**dict.fromkeys(SCHEMA.names), **row("PA1.faro", math.nan, status="empty")}]
        job = job_of(rows, {"run": "r"})
        self.assertEqual(job["measurements"][0]["metric"], "lsst_qa.PA1_faro")
        self.assertEqual(job["meta"], {"band": "r", "instrument": "Cam", "filter_name": "r", "run": "r"})
        with self.assertRaises(InputError):
            job_of([*rows, {**rows[0], "visit": 5}])
        with self.assertRaises(InputError):
            job_of([])

    def test_bundle(self) -> None:
        rows = [{**dict.fromkeys(SCHEMA.names), **row("PA1", math.inf)}]
        said = bundle_of(rows, str(uuid.uuid4()))
        self.assertEqual((said["PA1"][0]["metric"], said["PA1"][0]["value"]), ("r_PA1", None))

    def test_bridge_without_verify(self) -> None:
        try:
            import lsst.verify  # noqa: F401
        except ImportError:
            with self.assertRaises(InputError) as caught:
                to_job([])
            self.assertIn("not installed", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
