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

"""The whole way: repository, publish, proxy, broker, connector, InfluxDB."""

from __future__ import annotations

import math
import tempfile
import unittest
import uuid
from collections import Counter

import httpx
from click.testing import CliRunner
from support_connector import TAGS, Connector, write
from support_formats import fill
from support_influx import count_points, needs_influx, new_influx
from support_kafka import broker, needs_kafka
from support_proxy import Proxy
from support_store import OnSqlite, Survey, row

from lsst.qa.cli.publish import publish_command

RUN = "u/me/20261122T050000Z"
N_VISITS, N_DETECTORS = 40, 9


@needs_influx
@needs_kafka
class WholeWayTestCase(OnSqlite, unittest.TestCase):
    """A point for every measurement, with its exact value."""

    def setUp(self) -> None:
        super().setUp()
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.survey = Survey(f"{folder}/repo", self)
        self.survey.add_visits(range(1, N_VISITS + 1))
        self.values: list[tuple[str, float]] = []
        for visit in range(1, N_VISITS + 1):
            rows = [
                row(metric, visit / 3 + 1e-9 * n + (d or 0) / 7, visit=visit, day_obs=20261121, detector=d)
                for n, metric in enumerate(("PA1", "AM1"))
                for d in (None, *range(N_DETECTORS))
            ]
            self.put("qa_source_metrics", rows, instrument="Cam", visit=visit)
        # No value, and values that differ in their bin alone.
        rows = [row("PA2", float("nan"), tract=3, skymap="sky", status="undefined", message="too few")]
        rows += [
            row("AB1", 5e-324 + low, tract=3, skymap="sky", bin_low=low, bin_high=low + 1)
            for low in (0.0, 1.0)
        ]
        self.put("qa_object_metrics", rows, skymap="sky", tract=3)
        fill(self.survey, RUN)
        self.values += [("meanSky", 12.5), ("stdSky", math.nan), ("frac", 3.0), ("wPerp", -0.0)]
        self.values += [("ProcessCcdTime", 0.1), ("PA1", 4.2), ("AM1", math.nan)]

    def put(self, dataset_type: str, rows: list[dict], **data_id: object) -> None:
        """Store results, and remember their values."""
        self.survey.put(RUN, dataset_type, rows, **data_id)
        self.values += [(one["metric"], one["value"]) for one in rows]

    def test_all_points(self) -> None:
        connector = Connector(broker(), f"way{uuid.uuid4().hex[:8]}.")
        command = [self.survey.root, RUN, "--db", self.url, "--to"]
        with Proxy(forward=connector.forward) as proxy:
            connector.schemas = proxy.schemas
            done = CliRunner().invoke(publish_command, [*command, proxy.url], catch_exceptions=False)
        self.assertEqual(done.exit_code, 0, done.output)
        self.assertIn(f"sent {len(self.values)} records", done.output)
        lines = connector.lines(len(self.values))
        self.assertEqual(len(lines), len(self.values))
        address, name = new_influx()
        for _ in range(2):  # a connector repeats itself now and then
            answer = write(address, name, lines)
            self.assertEqual(answer.status_code, 204, answer.text)
        self.assertEqual(count_points(address, name), len(self.values))
        self.assertEqual(self.found(address, name), Counter(map(_said, *zip(*self.values))))
        # And what the package itself finds there.
        influx = f"influxdb://{address}/{name}?namespace=lsst.debug"
        done = CliRunner().invoke(publish_command, [*command, influx, "--verify"], catch_exceptions=False)
        self.assertIn(f"{len(self.values)} of {len(self.values)} records are there; 0 missing", done.output)

    def found(self, address: str, name: str) -> Counter[str]:
        """Count what InfluxDB holds, by metric and value."""
        query = 'SELECT "metric", "value" FROM /.*/'
        answer = httpx.post(f"http://{address}/query", params={"db": name}, data={"q": query})
        (result,) = answer.json(parse_int=float)["results"]
        rows = [row for series in result["series"] for row in series["values"]]
        keys = httpx.post(f"http://{address}/query", params={"db": name}, data={"q": "SHOW TAG KEYS"}).json()
        tags = {row[0] for series in keys["results"][0]["series"] for row in series["values"]}
        self.assertLessEqual(tags, set(TAGS))
        return Counter(_said(metric.rpartition(".")[2], value) for _, metric, value in rows)


def _said(metric: str, value: float | None) -> str:
    return f"{metric} {'none' if value is None or math.isnan(value) else value.hex()}"


if __name__ == "__main__":
    unittest.main()
