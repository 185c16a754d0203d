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

"""Whatever is asked, the API answers as its documentation says."""

from __future__ import annotations

import unittest

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from support_dashboard import RUNS, fill, row
from support_store import OnPostgres, OnSqlite
from test_dashboard_access import TOKENS, WRITE

from lsst.qa.dashboard.app import create_app
from lsst.qa.dashboard.settings import Settings

_EXAMPLES = 12
_HEADERS = {"Host": "localhost", "Authorization": f"Bearer {WRITE}"}


class FuzzTestCase:
    """Requests drawn from the OpenAPI document, wrong ones among them."""

    def setUp(self) -> None:
        super().setUp()
        fill(self.engine, RUNS[0], [row("PA1", "r", 4.0), row("seeing", "r", 0.7, visit=3)])
        self.app = create_app(self.engine, Settings(tokens=TOKENS, rate=1e9))

    def test_every_operation(self) -> None:
        schema = schemathesis.openapi.from_asgi(
            "/api/v1/openapi.json", self.app, headers={"Host": "localhost"}
        )
        tried = 0
        for found in schema.get_all_operations():
            operation = found.ok()
            with self.subTest(operation=operation.label):
                self.try_out(operation)
            tried += 1
        self.assertGreater(tried, 17)

    def try_out(self, operation: object) -> None:
        """Ask for the same thing in many ways."""

        @given(operation.as_strategy())
        @settings(
            max_examples=_EXAMPLES,
            deadline=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: schemathesis.Case) -> None:
            response = case.call(headers=_HEADERS)
            # What fits the document can make no sense, as a note about
            # nothing does.
            senseless = response.status_code == 422 and response.json()["error"]["code"] == "input"
            case.validate_response(response, excluded_checks=[positive_data_acceptance] if senseless else [])

        ask()


class SqliteFuzzTestCase(FuzzTestCase, OnSqlite, unittest.TestCase):
    pass


class PostgresFuzzTestCase(FuzzTestCase, OnPostgres, unittest.TestCase):
    pass


if __name__ == "__main__":
    unittest.main()
