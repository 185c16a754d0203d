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

"""What cannot be loaded, and the command that loads."""

from __future__ import annotations

import json
import shutil
import tempfile
import unittest
from pathlib import Path

from click.testing import CliRunner
from support_store import GATHERED, N_VISITS, RUN, SharedSurvey, Survey

from lsst.qa.cli import main
from lsst.qa.errors import CollectionError, DatabaseError, InputError
from lsst.qa.store.load import load
from lsst.qa.store.repository import find_results


class MisuseTestCase(SharedSurvey, unittest.TestCase):
    """What cannot be loaded; no database is made then."""

    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.url = f"{folder.name}/qa.sqlite3"

    def refuse(
        self, kind: type[Exception], message: str, *collections: str, repo: str = "", where: str = ""
    ) -> None:
        with self.subTest(message), self.assertRaisesRegex(kind, message):
            load(repo or self.repo, collections, self.url, where=where)
        self.assertFalse(Path(self.url).exists())

    def test_repository(self) -> None:
        self.refuse(CollectionError, "'/no/such/repo' is not a Butler repository", RUN, repo="/no/such/repo")
        self.refuse(CollectionError, "is not a Butler repository", RUN, repo=str(Path(__file__).parent))
        self.refuse(CollectionError, "is not a Butler repository", RUN, repo=__file__)

    def test_collection(self) -> None:
        self.refuse(CollectionError, "no collection 'u/me/qaa'.* Did you mean 'u/me/qa'", "u/me/qaa")
        self.refuse(CollectionError, "no collection 'u/you/[*]'.* It has u/me/all, ", "u/me/qa", "u/you/*")

    def test_no_results(self) -> None:
        looked = (
            "no results in u/me/empty: looked for dataset types [*]_metrics, .*knows qa_gathered_metrics, "
        )
        self.refuse(CollectionError, looked, "u/me/empty")
        with tempfile.TemporaryDirectory() as folder:
            Survey(folder, self).butler.collections.register("u/new")
            self.refuse(CollectionError, "qa_object_metrics", "u/new", repo=folder)

    def test_expression(self) -> None:
        for where in ("visit >", "vist = 1", "visit = 1"):
            self.refuse(InputError, "does not select datasets", RUN, where=where)
        self.refuse(CollectionError, "no results in .* where", RUN, where="instrument = 'Cam' AND visit = 77")
        self.refuse(
            CollectionError, "no results in .* where", GATHERED, where="instrument = 'Cam' AND visit = 1"
        )

    def test_database(self) -> None:
        Path(self.url).write_text("nothing\n" * 200)
        with self.assertRaisesRegex(DatabaseError, "not a database"):
            load(self.repo, [RUN], self.url)
        with self.assertRaisesRegex(DatabaseError, "does not answer"):
            load(self.repo, [RUN], "sqlite:////no/such/folder/qa.sqlite3")

    def test_dry_run_makes_no_database(self) -> None:
        self.assertEqual(load(self.repo, [RUN], self.url, dry_run=True).datasets, N_VISITS)
        self.assertFalse(Path(self.url).exists())

    def test_other_storage_classes(self) -> None:
        found = {ref.datasetType.name for ref in find_results(self.survey.butler, ["u/me/all"])}
        self.assertEqual(found, {"qa_source_metrics", "qa_object_metrics", "qa_gathered_metrics"})

    def test_command(self) -> None:
        def run(*args: str) -> tuple[int, str, str]:
            result = CliRunner().invoke(main, ["load", *args, "--db", self.url])
            return result.exit_code, result.stdout, result.stderr

        code, text, _ = run(self.repo, "u/me/qa", "--dry-run")
        self.assertEqual((code, text.split()[:3]), (0, ["Would", "load", "37"]))
        code, text, _ = run(self.repo, "u/me/qa", "--json")
        self.assertEqual((code, json.loads(text)["datasets"]), (0, N_VISITS + 1))
        code, text, _ = run(self.repo, "u/me/qa")
        self.assertEqual(code, 0)
        self.assertRegex(
            text, "Loaded 0 measurements in 0 datasets of 2 runs into .*; 7 datasets were there."
        )
        code, text, error = run(self.repo, "u/me/qaa")
        self.assertEqual((code, text), (2, ""))
        self.assertIn("Did you mean", error)

    def test_command_and_unreadable_files(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(self.repo, f"{folder}/repo")
            for path in Path(folder).rglob("qa_object_metrics*.parq"):
                path.unlink()
            result = CliRunner().invoke(main, ["load", f"{folder}/repo", "u/me/qa", "--db", self.url])
        self.assertEqual(result.exit_code, 1)
        self.assertIn("Not readable: qa_object_metrics", result.stderr)
        self.assertIn("Loaded 36 measurements", result.stdout)


if __name__ == "__main__":
    unittest.main()
