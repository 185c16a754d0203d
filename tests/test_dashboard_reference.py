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
"""The documentation of the API, for programs and for people."""

from __future__ import annotations

import html
import re
import unittest

from support_dashboard import Browser
from support_store import OnSqlite

from lsst.qa.dashboard.api.reference import operations, schemas


class ReferenceTestCase(OnSqlite, unittest.TestCase):
    """The OpenAPI document, and the page made of it."""

    def setUp(self) -> None:
        super().setUp()
        self.browser = Browser(self.engine, "/qa")
        self.document = self.browser.get("/qa/api/v1/openapi.json").json()

    def test_documented(self) -> None:
        document = self.document
        self.assertEqual(
            {path.split("/")[3] for path in document["paths"]},
            {
                "runs",
                "packages",
                "metrics",
                "measurements",
                "series",
                "verdicts",
                "compare",
                "search",
                "logs",
                "annotations",
                "jobs",
                "tables",
            },
        )
        for path, methods in document["paths"].items():
            for method, described in methods.items():
                self.assertTrue(described["description"], f"{method} {path}")
                self.assertIn("422", described["responses"])
        for one in [*operations(document), *schemas(document)]:
            for field in one["parameters"] if "path" in one else one["fields"]:
                self.assertTrue(field["about"], f"{one.get('path', one.get('name'))} {field['name']}")

    def test_operations(self) -> None:
        listed = {(one["method"], one["path"]): one for one in operations(self.document)}
        self.assertEqual(
            set(listed),
            {(method.upper(), path) for path, held in self.document["paths"].items() for method in held},
        )
        runs = listed["GET", "/api/v1/runs"]
        self.assertEqual((runs["answer"], runs["status"], len(runs["formats"])), ("list of Run", 200, 4))
        given = {one["name"]: one for one in runs["parameters"]}
        self.assertEqual((given["limit"]["kind"], given["limit"]["default"]), ("integer", "100"))
        self.assertEqual((given["cursor"]["kind"], given["cursor"]["required"]), ("uuid", False))
        self.assertEqual(given["format"]["kind"], "json | csv | parquet | arrow")
        job = listed["POST", "/api/v1/jobs"]
        self.assertEqual((job["answer"], job["status"]), ("Job", 201))
        body = {one["name"]: (one["place"], one["required"]) for one in job["parameters"]}
        self.assertEqual(body["definition"], ("body", True))

    def test_every_type_is_named(self) -> None:
        fields = [field for schema in schemas(self.document) for field in schema["fields"]]
        fields += [one for held in operations(self.document) for one in held["parameters"]]
        self.assertEqual([field["name"] for field in fields if not field["kind"]], [])
        known = {schema["name"] for schema in schemas(self.document)}
        self.assertTrue({"Run", "Measurement", "Fault"} <= known)
        self.assertFalse([name for name in known if name.startswith("Page")])

    def test_page(self) -> None:
        page = self.browser.get("/qa/api")
        self.assertEqual(page.status_code, 200)
        for path in self.document["paths"]:
            self.assertIn(f"{path}</code>", page.text)
        places = re.findall(r'href="#([^"]+)"', page.text)
        self.assertEqual(set(places) - set(re.findall(r'id="([^"]+)"', page.text)), set())
        self.assertIn('href="/qa/api/v1/openapi.json"', html.unescape(page.text))
        self.assertIn('href="/qa/api"', self.browser.get("/qa/").text)
        self.assertEqual(self.browser.get("/qa/api.json").json()["prefix"], "/api/v1")


if __name__ == "__main__":
    unittest.main()
