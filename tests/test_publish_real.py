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

"""Real servers: InfluxDB, a Kafka broker, and the whole way between them."""

from __future__ import annotations

import itertools
import unittest

import httpx
from support_influx import count_points, needs_influx, new_influx
from support_kafka import broker, needs_kafka
from support_proxy import Proxy
from support_publish import MemoryShelf, TargetContract, dataset, records_for, row

from lsst.qa.errors import InputError, RejectedError, TargetRefusedError
from lsst.qa.publish.record import Naming, Record
from lsst.qa.publish.settings import Settings, TargetSettings
from lsst.qa.publish.targets.base import Reading, Target
from lsst.qa.publish.targets.influxdb import line
from lsst.qa.publish.targets.opening import open_target

_numbers = itertools.count()


@needs_influx
class InfluxTestCase(TargetContract, unittest.TestCase):
    """InfluxDB 1."""

    def setUp(self) -> None:
        self.address, self.name = new_influx()

    def open(self) -> Target:
        return open_target(f"influxdb://{self.address}/{self.name}", Settings())

    def assert_holds(self, target: Target, records: list[Record]) -> None:
        super().assert_holds(target, records)
        self.assertEqual(count_points(self.address, self.name), len(records))

    def test_no_such_database(self) -> None:
        target = open_target(f"influxdb://{self.address}/nowhere", Settings())
        with target, self.assertRaises(TargetRefusedError):
            target.send(self.records(1))

    def test_conflict(self) -> None:
        """A field of another type is rejected, not dropped."""
        (record,) = records_for(dataset(1, [row("PA1", 1.0)]))
        written = f'{record.topic} value="text" {record.value["timestamp"]}'
        httpx.post(
            f"http://{self.address}/write", params={"db": self.name, "precision": "u"}, content=written
        ).raise_for_status()
        with self.open() as target, self.assertRaises(RejectedError) as caught:
            target.send([record])
        self.assertIn("field type conflict", str(caught.exception))

    def test_tags_that_cannot_be_written(self) -> None:
        found = records_for(dataset(1, [row("PA1", 1.0, skymap=name) for name in ("a\nb", "a\\", "a")]))
        with self.open() as target:
            self.assertEqual(len(target.faults(found)), 2)

    def test_fifty_visits_of_one_run(self) -> None:
        """Visits have the same tags; each keeps its point."""
        shelf = MemoryShelf(
            dataset(v, [row("PA1", v + 0.5, visit=2026112100000 + v, day_obs=20261121)]) for v in range(50)
        )
        records = [r for f in shelf.read([p.dataset for p in shelf.planned]) for r in records_for(f)]
        with self.open() as target:
            self.send_all(target, records)
            self.assert_holds(target, records)


class InfluxTwoTestCase(unittest.TestCase):
    """InfluxDB 2, by what is sent to it."""

    def test_request(self) -> None:
        from lsst.qa.publish.targets import _http

        seen = []

        def handle(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            return httpx.Response(204)

        url = "influxdb://127.0.0.1:1/?org=rubin&bucket=qa"
        known = Settings(targets={url: TargetSettings(token="hush")})
        (record,) = records_for(dataset(1, [row("PA1", 1.5)]))
        with open_target(url, known) as target:
            self.assertIsInstance(target._http, _http.Http)
            headers = target._http._client.headers
            target._http._client = httpx.Client(transport=httpx.MockTransport(handle), headers=headers)
            target.send([record])
        (request,) = seen
        self.assertEqual(request.url.path, "/api/v2/write")
        self.assertEqual(dict(request.url.params), {"org": "rubin", "bucket": "qa", "precision": "us"})
        self.assertEqual(request.headers["Authorization"], "Token hush")
        self.assertEqual(request.content.decode(), line(record.topic, record.value))


@needs_kafka
class KafkaTestCase(TargetContract, unittest.TestCase):
    """A broker, without a proxy."""

    appends = True

    def setUp(self) -> None:
        self.proxy = self.enterContext(Proxy())
        self.naming = Naming(f"lsst.debug{next(_numbers)}")

    def open(self) -> Target:
        url = f"kafka://{broker()}"
        known = TargetSettings(schema_registry=self.proxy.registry, replication=1, timeout=15.0)
        return open_target(url, Settings(targets={url: known}))

    def records(self, n_datasets: int) -> list[Record]:
        return [r._replace(topic=f"t{self.naming.namespace}.{r.topic}") for r in super().records(n_datasets)]

    def send_all(self, target: Target, records: list[Record]) -> None:
        renamed = [r._replace(topic=r.topic.replace("lsst.debug", self.naming.namespace)) for r in records]
        super().send_all(target, renamed)

    def read_back(self, target: Target, records: list[Record]) -> list[Reading]:
        renamed = [r._replace(topic=r.topic.replace("lsst.debug", self.naming.namespace)) for r in records]
        return super().read_back(target, renamed)

    def test_no_registry(self) -> None:
        with self.assertRaises(InputError):
            open_target(f"kafka://{broker()}", Settings())


if __name__ == "__main__":
    unittest.main()
