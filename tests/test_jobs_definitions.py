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

"""Declared jobs: what may be said, and what is said about what may not."""

from __future__ import annotations

import os
import tempfile
import textwrap
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

import yaml
from support_store import OnSqlite

from lsst.qa.errors import DefinitionError, InputError, UnknownNameError
from lsst.qa.jobs.definition import JobDefinition, Then, read_definition
from lsst.qa.jobs.parameters import Parameter, settled
from lsst.qa.jobs.submission import find_definition, find_definitions, repositories, submit
from lsst.qa.jobs.templates import fields_of, filled
from lsst.qa.store.jobs import get_job

GOOD: dict[str, Any] = {
    "title": "A night",
    "parameters": {
        "day": {"type": "integer", "minimum": 20200101},
        "tract": {"type": "integers", "default": None},
    },
    "repo": "/repo/main",
    "pipeline": "$QA_DIR/pipelines/visit.yaml",
    "input": ["HSC/defaults"],
    "where": ["day_obs = {day}", "tract IN ({tract})"],
}


class InFolder(unittest.TestCase):
    """Gives each test a folder of declarations."""

    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()

    def write(self, stem: str = "night", text: str = "", **changed: Any) -> Path:
        file = self.folder / f"{stem}.yaml"
        held = {key: value for key, value in (GOOD | changed).items() if value is not ...}
        file.write_text(text or yaml.safe_dump(held))
        return file

    def complaint(self, **changed: Any) -> str:
        file = self.write(**changed)
        with self.assertRaises(DefinitionError) as caught:
            read_definition(file)
        lines = str(caught.exception).splitlines()
        for line in lines:
            self.assertTrue(line.startswith(f"{file}: "), line)
        return "\n".join(line.removeprefix(f"{file}: ") for line in lines)


class DefinitionTestCase(InFolder):
    """One file."""

    def test_good(self) -> None:
        job = read_definition(self.write())
        self.assertEqual((job.name, job.folder, job.attempts), ("night", self.folder, 3))
        self.assertTrue(job.parameters["day"].required)
        self.assertTrue(job.parameters["tract"].optional)

    def test_wrong(self) -> None:
        tract = {"type": "integers", "default": None}
        for changed, expected in (
            ({"titel": "x"}, "titel: there is no such key. Did you mean 'title'?"),
            ({"pipeline": ...}, "pipeline: it is missing"),
            ({"input": "HSC/defaults"}, "input: input should be a valid list, found 'HSC/defaults'"),
            ({"input": []}, "input: list should have at least 1 item"),
            ({"processes": 0}, "processes: expected a number from 1.*found 0"),
            ({"processes": "{day}x"}, "processes: expected a number from 1"),
            ({"attempts": "3"}, "attempts: input should be a valid integer, found '3'"),
            ({"then": {"laod": True}}, "then.laod: there is no such key. Did you mean 'load'"),
            ({"then": {"load": "yes"}}, "then.load: input should be a valid boolean, found 'yes'"),
            ({"then": {"check": "design"}}, "then: check is 'design', but .* add load: true"),
            (
                {"then": {"load": True, "check": "best"}},
                "then.check: .*'minimum', 'design' or 'stretch', found 'best'",
            ),
            ({"config": {"visitMetrics": 1}}, "config.visitMetrics: string should match pattern"),
            ({"simulate": {"starz": 3}}, "simulate.starz: input should be 'stars', .*found 'starz'"),
            ({"output": "qa/all"}, "output: .*expected {job} in it, found 'qa/all'"),
            ({"repo": "/repo/{dya}"}, "repo: there is no {dya}. Did you mean 'day'?"),
            ({"repo": "/repo/{day.real}"}, "repo: only a name may stand between braces, not 'day.real'"),
            ({"repo": "/repo/{day"}, "repo: .*found '/repo/{day'"),
            ({"repo": "/repo/{tract}"}, r"repo: {tract} may be without a value, which only where allows"),
            ({"where": ["day_obs = {day}"]}, r"parameters.tract: nothing uses it: write {tract}"),
            ({"parameters": {"tract": tract}}, "where.0: there is no {day}"),
            ({"parameters": GOOD["parameters"] | {"job": tract}}, "parameters.job: {job} is .*another name"),
            ({"name": "other"}, "name: the file itself tells it"),
        ):
            with self.subTest(changed=changed):
                self.assertRegex(self.complaint(**changed), f"(?m)^{expected}")

    def test_wrong_parameters(self) -> None:
        for declared, expected in (
            ({"type": "int"}, "day.type: input should be 'integer'.*found 'int'"),
            ({"type": "string"}, "day: a string needs choices or a pattern"),
            ({"type": "string", "pattern": "["}, "day: pattern '\\[' is no regular expression"),
            ({"type": "string", "choices": [1]}, "day: choices of type string cannot be 1"),
            ({"type": "integer", "choices": []}, "day: choices is empty"),
            ({"type": "integer", "pattern": "x"}, "day: pattern is for type string"),
            ({"type": "string", "choices": ["x"], "minimum": 1}, "day: minimum and maximum are for integers"),
            ({"type": "integer", "maximum": 3, "default": 4}, "day: default: expected at most 3, found 4"),
        ):
            with self.subTest(declared=declared):
                found = self.complaint(parameters=GOOD["parameters"] | {"day": declared})
                self.assertRegex(found, f"(?m)^parameters\\.{expected}")

    def test_all_faults_at_once(self) -> None:
        found = self.complaint(title="", timeout=0, processes=[])
        self.assertEqual(
            sorted(line.split(".")[0].split(":")[0] for line in found.splitlines())[::2],
            ["processes", "timeout"],
        )
        self.assertIn("title: ", found)

    def test_unreadable(self) -> None:
        for text, expected in (
            ("title: [", "it cannot be read"),
            ("title: a\ntitle: b", "'title' is there twice"),
            ("- title", "expected keys and values, found \\['title'\\]"),
            ("!!python/object:os.system {}", "it cannot be read"),
        ):
            with self.subTest(text=text):
                self.assertRegex(self.complaint(text=text), expected)

    def test_names(self) -> None:
        with self.assertRaisesRegex(DefinitionError, "name: string should match"):
            read_definition(self.write("A night"))


class CatalogueTestCase(InFolder):
    """All files."""

    def test_shipped(self) -> None:
        found = find_definitions()
        self.assertEqual(list(found), ["demo", "hsc"])
        for job in found.values():
            self.assertTrue(job.description)
            self.assertTrue(all(parameter.description for parameter in job.parameters.values()))

    def test_documented(self) -> None:
        """What the documentation shows is right."""
        text = (Path(__file__).parents[1] / "doc/lsst.qa/jobs.rst").read_text()
        block = text.split(".. code-block:: yaml\n\n")[1].split("\n\n")[0]
        definition = read_definition(self.write("nightly", textwrap.dedent(block)))
        self.assertEqual(definition.then.publish, ["sasquatch"])
        for model in (JobDefinition, Then, Parameter):
            for name in model.model_fields.keys() - {"name", "folder"}:
                self.assertRegex(text, rf"\b{name}\b")

    def test_operators(self) -> None:
        self.write()
        self.assertEqual(list(find_definitions([self.folder])), ["demo", "hsc", "night"])
        with mock.patch.dict(os.environ, {"QA_JOBS_PATH": f"{self.folder}{os.pathsep}"}):
            self.assertEqual(find_definition("night", [self.folder]).folder, self.folder)
            with self.assertRaisesRegex(UnknownNameError, "no declared job 'nihgt'. Did you mean 'night'"):
                find_definition("nihgt")

    def test_faults_of_all_files(self) -> None:
        self.write("one", title=...)
        self.write("two", title=...)
        self.write("demo")
        with self.assertRaises(DefinitionError) as caught:
            find_definitions([self.folder, self.folder / "missing"])
        lines = str(caught.exception).splitlines()
        self.assertEqual(len(lines), 4)
        self.assertRegex(lines[0], "demo.yaml: .*config/jobs declares a job of this name: rename the file")
        self.assertRegex(lines[3], "missing: there is no such folder of declared jobs")


class ParametersTestCase(unittest.TestCase):
    """Values that are given."""

    def settle(self, given: Any, repositories: tuple[str, ...] = (), **declared: Any) -> Any:
        return settled({"it": Parameter(**declared)}, {"it": given}, repositories)["it"]

    def test_allowed(self) -> None:
        for declared, given, expected in (
            ({"type": "integer"}, "12", 12),
            ({"type": "integer", "choices": [1, 2]}, 2, 2),
            ({"type": "integers"}, "1, 2,3", [1, 2, 3]),
            ({"type": "integers"}, [4], [4]),
            ({"type": "integers"}, 5, [5]),
            ({"type": "string", "pattern": "[a-z]+"}, "abc", "abc"),
            ({"type": "collection"}, "u/me/DM-1_2.3", "u/me/DM-1_2.3"),
            ({"type": "repository", "choices": ["/repo/main"]}, "/repo/main", "/repo/main"),
        ):
            with self.subTest(given=given):
                self.assertEqual(self.settle(given, **declared), expected)

    def test_refused(self) -> None:
        for declared, given, expected in (
            ({"type": "integer"}, "1.5", "it: expected an integer, found '1.5'"),
            ({"type": "integer"}, True, "it: expected an integer, found True"),
            (
                {"type": "integer", "minimum": 3, "maximum": 5},
                9,
                "it: expected at least 3 and at most 5, found 9",
            ),
            ({"type": "integers", "minimum": 0}, "1,-1", "it: expected at least 0, found -1"),
            ({"type": "integers"}, "1,", "it: expected an integer, found ''"),
            ({"type": "integers"}, [0] * 1001, "it: expected 1 to 1000 integers, found 1001"),
            ({"type": "string", "choices": ["a", "b"]}, "c", "it: expected a or b, found 'c'"),
            ({"type": "string", "pattern": "[a-z]+"}, "abc; x", "it: expected what matches"),
            ({"type": "string", "pattern": ".*"}, "x' OR 'a' = 'a", "it: expected what .* without quotes"),
            ({"type": "string", "pattern": ".*"}, "a\nb", "it: expected a line of text"),
            ({"type": "collection"}, "--extend-run", "it: expected the name of a collection"),
            ({"type": "collection"}, "a,b", "it: expected the name of a collection"),
            ({"type": "collection"}, {"a": 1}, "it: expected a line of text"),
        ):
            with self.subTest(given=given), self.assertRaisesRegex(InputError, f"^{expected}"):
                self.settle(given, **declared)

    def test_repositories(self) -> None:
        patterns = ("/repo/*", "s3://bucket/*", "/scratch/mine")
        for given in ("/repo/main", "/repo/a/b", "s3://bucket/a", "/scratch/mine"):
            self.assertEqual(self.settle(given, patterns, type="repository"), given)
        for given in ("/scratch/other/../mine", "file:///scratch/mine"):
            self.assertEqual(self.settle(given, patterns, type="repository"), "/scratch/mine")
        wrong = (
            "/home/me/repo",
            "/repo/../home/me",
            "s3://bucket/../other/a",
            "file:///repo/../home",
            "relative",
        )
        for given in wrong:
            with (
                self.subTest(given=given),
                self.assertRaisesRegex(InputError, "is not a repository that jobs may"),
            ):
                self.settle(given, patterns, type="repository")

    def test_labels(self) -> None:
        with mock.patch.dict(os.environ, {"DAF_BUTLER_REPOSITORIES": '{"main": "/somewhere"}'}):
            self.assertEqual(self.settle("main", type="repository"), "main")
            with self.assertRaises(InputError):
                self.settle("other", type="repository")

    def test_links_lead_nowhere(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder).resolve()
            (root / "allowed").mkdir()
            (root / "secret").mkdir()
            (root / "allowed" / "link").symlink_to(root / "secret")
            with self.assertRaises(InputError):
                self.settle(f"{root}/allowed/link", (f"{root}/allowed/*",), type="repository")

    def test_faults_at_once(self) -> None:
        parameters = {"day": Parameter(type="integer"), "tract": Parameter(type="integers", default=None)}
        with self.assertRaises(InputError) as caught:
            settled(parameters, {"dya": 1, "tract": "x"}, ())
        self.assertEqual(
            str(caught.exception),
            "dya: there is no such parameter. Did you mean 'day'?; day: it is missing; expected integer; "
            "tract: expected an integer, found 'x'",
        )

    def test_operators_patterns(self) -> None:
        with mock.patch.dict(os.environ, {"QA_JOBS_REPOSITORIES": "/repo/*, s3://x/*,"}):
            self.assertEqual(repositories(), ("/repo/*", "s3://x/*"))
        with mock.patch.dict(os.environ):
            os.environ.pop("QA_JOBS_REPOSITORIES", None)
            self.assertEqual(repositories(), ())


class TextTestCase(unittest.TestCase):
    """Values in texts."""

    def test_filled_once(self) -> None:
        text = "a {x} {{b}} {y}{x}"
        self.assertEqual(fields_of(text), {"x", "y"})
        self.assertEqual(filled(text, {"x": "{y}", "y": "2"}), "a {y} {b} 2{y}")


class SubmitTestCase(OnSqlite, InFolder):
    """Jobs that are asked for."""

    def test_what_was_given_is_kept(self) -> None:
        definition: JobDefinition = read_definition(self.write(attempts=7))
        job = submit(self.engine, definition, {"day": "20261122", "tract": None}, "me")
        self.assertEqual(get_job(self.engine, job.name), job)
        self.assertEqual((job.parameters, job.max_attempts, job.submitted_by), ({"day": 20261122}, 7, "me"))

    def test_refused(self) -> None:
        definition = find_definition("hsc")
        with self.assertRaisesRegex(InputError, "repo: '/etc' is not a repository"):
            submit(self.engine, definition, {"repo": "/etc"}, "me")
        self.assertEqual(
            submit(self.engine, definition, {"repo": "/etc"}, None, allowed=["/etc"]).state, "queued"
        )


if __name__ == "__main__":
    unittest.main()
