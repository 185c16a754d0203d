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

"""Kafka as a target, without a proxy: Avro, with a schema registry."""

from __future__ import annotations

__all__ = ["KafkaTarget", "open_url"]

import functools
import json
import logging
import warnings
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...errors import InputError, RejectedError, TargetDownError, TargetError, TargetRefusedError
from ..fields import avro_schema
from ..record import Record
from ..settings import Settings, TargetSettings
from .base import Reading, Reply, Target, by_topic

_LOG = logging.getLogger(__name__)
_READING = {
    "group.id": "lsst-qa-verify",
    "enable.auto.commit": False,
    "enable.partition.eof": True,
    "fetch.wait.max.ms": 50,
    "queued.max.messages.kbytes": 4096,
}
_NEEDS = "Publishing to Kafka needs the extra of that name: pip install 'lsst-qa[kafka]'."


def open_url(url: str, settings: Settings) -> Target:
    """Open a Kafka cluster as a target.

    Parameters
    ----------
    url : `str`
        ``kafka://host:port``; the brokers of the settings take its place.
    settings : `Settings`
        Schema registry, certificates and the like.

    Returns
    -------
    target : `Target`
        The target; it has not been asked anything.

    Raises
    ------
    InputError
        Raised if there is no schema registry, or if the client is not
        installed.
    """
    known = settings.of(url)
    if known.schema_registry is None:
        raise InputError(
            "Kafka needs a schema registry: set KAFKA_SCHEMA_REGISTRY_URL, or name it in the settings."
        )
    try:
        with warnings.catch_warnings(record=True):
            import confluent_kafka.schema_registry.avro  # noqa: F401
    except ImportError as error:
        raise InputError(_NEEDS) from error
    return KafkaTarget(url.partition("?")[0], known.bootstrap_servers or urlsplit(url).netloc, known)


class KafkaTarget(Target):
    """Produces each record under its own key, so that what is sent again has
    the key of what it repeats.

    Parameters
    ----------
    name : `str`
        URL of the target.
    brokers : `str`
        Where the cluster is found.
    settings : `TargetSettings`
        Schema registry, certificates and the like.
    """

    readable = True

    def __init__(self, name: str, brokers: str, settings: TargetSettings):
        from confluent_kafka import Producer
        from confluent_kafka.admin import AdminClient
        from confluent_kafka.schema_registry import SchemaRegistryClient

        super().__init__(name)
        self._settings = settings
        self._connection: dict[str, Any] = {"bootstrap.servers": brokers, **_security(settings)}
        self._registry = SchemaRegistryClient(_registry(settings))
        self._producer = Producer(
            {
                **self._connection,
                "enable.idempotence": True,
                "message.timeout.ms": int(settings.timeout * 1000),
                "linger.ms": 20,
            },
            logger=_LOG,
        )
        self._admin = AdminClient(self._connection, logger=_LOG)
        self._serializers: dict[str, Any] = {}

    def close(self) -> None:
        self._producer.flush(self._settings.timeout)
        self._registry.close()

    def requests(self, records: Sequence[Record]) -> Iterator[Sequence[Record]]:
        return by_topic(records, self._settings.batch)

    def send(self, records: Sequence[Record]) -> list[Reply]:
        from confluent_kafka import KafkaException
        from confluent_kafka.schema_registry.error import SchemaRegistryError
        from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError

        topic = records[0].topic
        replies: dict[int, Reply] = {}
        try:
            serialize = self._serializer(topic, records[0].value["metric"])
            context = SerializationContext(topic, MessageField.VALUE)
            for place, record in enumerate(records):
                self._producer.produce(
                    topic,
                    key=record.key.encode(),
                    value=serialize(record.value, context),
                    on_delivery=functools.partial(_note, replies, place),
                )
                self._producer.poll(0)
            self._producer.flush(self._settings.timeout)
        except SchemaRegistryError as error:
            raise _registry_error(error) from error
        except SerializationError as error:
            raise RejectedError(f"a record does not fit the schema of {topic}: {error}") from error
        except (KafkaException, BufferError, OSError) as error:
            raise TargetDownError(f"{self.name}: {error}") from error
        if not replies:
            raise TargetDownError(f"{self.name} does not answer")
        late = Reply("failed", "no answer in time")
        return [replies.get(place, late) for place in range(len(records))]

    def readings(self, topics: Collection[str], runs: Collection[str]) -> Iterator[Reading]:
        from confluent_kafka import Consumer, KafkaException
        from confluent_kafka.schema_registry.avro import AvroDeserializer

        deserialize = AvroDeserializer(self._registry)
        consumer = Consumer({**self._connection, **_READING}, logger=_LOG)
        try:
            there = consumer.list_topics(timeout=self._settings.timeout).topics
            places = [
                (topic, part)
                for topic in sorted(set(topics) & there.keys())
                for part in there[topic].partitions
            ]
            yield from self._read(consumer, places, deserialize)
        except KafkaException as error:
            raise TargetDownError(f"{self.name} cannot be read: {error}") from error
        finally:
            consumer.close()

    def _read(self, consumer: Any, places: Sequence[tuple[str, int]], deserialize: Any) -> Iterator[Reading]:
        from confluent_kafka import OFFSET_BEGINNING, KafkaError, TopicPartition
        from confluent_kafka.serialization import MessageField, SerializationContext

        consumer.assign([TopicPartition(topic, part, OFFSET_BEGINNING) for topic, part in places])
        unread = set(places)
        while unread:
            message = consumer.poll(self._settings.timeout)
            if message is None:
                raise TargetDownError(
                    f"{self.name} stops answering before the end of {len(unread)} partitions"
                )
            if message.error() is None:
                context = SerializationContext(message.topic(), MessageField.VALUE)
                yield Reading.of(deserialize(message.value(), context))
            elif message.error().code() == KafkaError._PARTITION_EOF:
                unread.discard((message.topic(), message.partition()))
            else:
                raise TargetDownError(f"{self.name} cannot be read: {message.error()}")

    def _serializer(self, topic: str, metric: str) -> Any:
        from confluent_kafka.schema_registry.avro import AvroSerializer

        if topic not in self._serializers:
            self._make_topic(topic)
            schema = json.dumps(avro_schema(topic, metric, self.definitions))
            self._serializers[topic] = AvroSerializer(self._registry, schema)
        return self._serializers[topic]

    def _make_topic(self, topic: str) -> None:
        from confluent_kafka import KafkaError, KafkaException
        from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

        wanted = NewTopic(topic, self._settings.partitions, self._settings.replication)
        made = self._admin.create_topics([wanted], operation_timeout=10)
        try:
            made[topic].result(self._settings.timeout)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
        except TimeoutError as error:
            raise TargetDownError(f"{self.name} does not make {topic}") from error
        # Else the first record waits until its leader is known.
        self._producer.list_topics(topic, timeout=self._settings.timeout)


def _security(settings: TargetSettings) -> dict[str, str]:
    """Return what the client needs to know of certificates."""
    files: dict[str, str | Path | None] = {
        "security.protocol": settings.security_protocol,
        "ssl.ca.location": settings.ca_path,
        "ssl.certificate.location": settings.cert_path,
        "ssl.key.location": settings.key_path,
    }
    if settings.security_protocol is not None and settings.security_protocol.upper().startswith("SASL"):
        files["sasl.mechanism"] = "SCRAM-SHA-512"
        files["sasl.username"] = settings.username
        files["sasl.password"] = settings.password.get_secret_value() if settings.password else None
    return {name: str(value) for name, value in files.items() if value is not None}


def _registry(settings: TargetSettings) -> dict[str, Any]:
    url: dict[str, Any] = {"url": settings.schema_registry}
    if settings.username and settings.password:
        url["basic.auth.user.info"] = f"{settings.username}:{settings.password.get_secret_value()}"
    return url


def _registry_error(error: Any) -> TargetError:
    if error.http_status_code in (401, 403):
        return TargetRefusedError(f"The schema registry refuses: {error}")
    if error.http_status_code >= 500 or error.http_status_code in (-1, 429):
        return TargetDownError(f"The schema registry does not answer: {error}")
    return RejectedError(f"The schema registry rejects: {error}")


def _note(replies: dict[int, Reply], place: int, error: Any, message: Any) -> None:
    replies[place] = _reply(error, message)


def _reply(error: Any, message: Any) -> Reply:
    if error is None:
        return Reply("acknowledged", f"{message.topic()} {message.partition()}:{message.offset()}")
    later = error.retriable() or error.code() in (error._MSG_TIMED_OUT, error._TIMED_OUT, error._TRANSPORT)
    return Reply("failed" if later else "dead", str(error))
