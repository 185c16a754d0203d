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

"""What Sasquatch does behind its proxy: records go to Kafka in Avro, and a
connector writes them to InfluxDB as line protocol.
"""

from __future__ import annotations

__all__ = ["TAGS", "Connector", "write", "written"]

import io
import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import fastavro
import httpx
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

TAGS = ("dataset_tag", "band", "instrument", "skymap", "detector", "physical_filter", "tract", "patch")
"""Fields that its connectors make tags of; the others become fields."""


class Connector:
    """Kafka and what reads from it.

    Parameters
    ----------
    broker : `str`
        Address of the broker.
    prefix : `str`
        What the broker's topics begin with, besides their names.
    """

    def __init__(self, broker: str, prefix: str):
        self._address, self._prefix = broker, prefix
        self._producer = Producer({"bootstrap.servers": broker, "enable.idempotence": True})
        self.schemas: Sequence[str] = ()
        self.topics: set[str] = set()

    def forward(self, topic: str, number: int, values: Iterable[Mapping[str, Any]]) -> None:
        """Produce records in Avro, as the proxy does."""
        if topic not in self.topics:
            admin = AdminClient({"bootstrap.servers": self._address})
            name = self._prefix + topic
            admin.create_topics([NewTopic(name, 1, 1)])[name].result(20)
            self.topics.add(topic)
        schema = fastavro.parse_schema(json.loads(self.schemas[number - 1]))
        for value in values:
            stream = io.BytesIO()
            stream.write(struct.pack(">bI", 0, number))
            fastavro.schemaless_writer(stream, schema, value)
            self._producer.produce(self._prefix + topic, stream.getvalue())

    def lines(self, n_records: int) -> list[str]:
        """Consume all records, as lines."""
        self._producer.flush(30)
        consumer = Consumer({"bootstrap.servers": self._address, "group.id": self._prefix})
        try:
            consumer.assign([TopicPartition(self._prefix + topic, 0, 0) for topic in sorted(self.topics)])
            found: list[str] = []
            for _ in range(200):
                found += [self._line(message) for message in consumer.consume(1000, timeout=0.2)]
                if len(found) >= n_records:
                    break
            return found
        finally:
            consumer.close()

    def _line(self, message: Any) -> str:
        stream = io.BytesIO(message.value())
        _, number = struct.unpack(">bI", stream.read(5))
        schema = fastavro.parse_schema(json.loads(self.schemas[number - 1]))
        value = fastavro.schemaless_reader(stream, schema, None)
        return written(message.topic().removeprefix(self._prefix), value)


def written(topic: str, value: Mapping[str, Any]) -> str:
    """Write a record as a line of the protocol."""
    tags = "".join(f",{name}={_escaped(value[name])}" for name in TAGS if value[name])
    fields = [f"{n}={_field(v)}" for n, v in value.items() if n not in (*TAGS, "timestamp") and v is not None]
    return f"{_escaped(topic)}{tags} {','.join(fields)} {value['timestamp']}"


def write(address: str, database: str, lines: Iterable[str]) -> httpx.Response:
    """Write lines to InfluxDB."""
    parameters = {"db": database, "precision": "u"}
    return httpx.post(f"http://{address}/write", params=parameters, content="\n".join(lines).encode())


def _escaped(text: str) -> str:
    return text.replace(",", r"\,").replace(" ", r"\ ").replace("=", r"\=")


def _field(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{value}i" if isinstance(value, int) else repr(value)
