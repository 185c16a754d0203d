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

"""Sasquatch as a target: Kafka behind its REST proxy."""

from __future__ import annotations

__all__ = ["SasquatchTarget", "open_url"]

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from ...errors import RejectedError, TargetDownError, TargetRefusedError
from ..fields import FIELDS, avro_schema
from ..record import Record
from ..settings import Settings, TargetSettings
from ._http import Http
from .base import Reply, Target, by_topic

_OPTIONAL = {field.name: field.kind.rstrip("?") for field in FIELDS if field.kind.endswith("?")}
_TOPIC_EXISTS = 40002
_RETRIABLE = 2
_HEADERS = {
    "Content-Type": "application/vnd.kafka.avro.v2+json",
    "Accept": "application/vnd.kafka.v2+json",
}


def open_url(url: str, settings: Settings) -> Target:
    """Open a REST proxy as a target.

    Parameters
    ----------
    url : `str`
        ``sasquatch+https://host/path``.
    settings : `Settings`
        The token, among others.

    Returns
    -------
    target : `Target`
        The target; it has not been asked anything.
    """
    parts = urlsplit(url)
    base = f"{parts.scheme.removeprefix('sasquatch+')}://{parts.netloc}{parts.path.rstrip('/')}"
    return SasquatchTarget(url, base, settings.of(url))


class SasquatchTarget(Target):
    """Sends records in the Avro schema of their topic, makes the topics, and
    reads the reply to each record.

    Parameters
    ----------
    name : `str`
        URL of the target.
    url : `str`
        URL of the proxy.
    settings : `TargetSettings`
        Token, size of requests and the like.
    """

    def __init__(self, name: str, url: str, settings: TargetSettings):
        super().__init__(name)
        token = settings.secret()
        self._http = Http(url, settings.timeout, {"Authorization": f"Bearer {token}"} if token else {})
        self._settings = settings
        self._cluster = ""
        self._topics: set[str] = set()
        self._schemas: dict[str, int] = {}

    def close(self) -> None:
        self._http.close()

    def requests(self, records: Sequence[Record]) -> Iterator[Sequence[Record]]:
        return by_topic(records, self._settings.batch)

    def send(self, records: Sequence[Record]) -> list[Reply]:
        topic = records[0].topic
        self._make_topic(topic)
        body: dict[str, Any] = {"records": [{"value": _tagged(record.value)} for record in records]}
        if topic in self._schemas:
            body["value_schema_id"] = self._schemas[topic]
        else:
            schema = avro_schema(topic, records[0].value["metric"], self.definitions)
            body["value_schema"] = json.dumps(schema, separators=(",", ":"))
        content = json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
        try:
            answer = self._http.json("POST", f"/topics/{quote(topic)}", content=content, headers=_HEADERS)
        except (RejectedError, TargetRefusedError):
            # A proxy that was started anew may know neither.
            known = topic in self._schemas
            self._schemas.pop(topic, None)
            self._topics.discard(topic)
            if known:
                return self.send(records)
            raise
        offsets = answer.get("offsets") if isinstance(answer, dict) else None
        if not isinstance(offsets, list) or len(offsets) != len(records):
            raise TargetDownError(f"{self.name} answers for other than the {len(records)} records sent")
        if isinstance(answer.get("value_schema_id"), int):
            self._schemas[topic] = answer["value_schema_id"]
        return [_reply(topic, offset) for offset in offsets]

    def _make_topic(self, topic: str) -> None:
        if topic in self._topics:
            return
        if not self._cluster:
            answer = self._http.json("GET", "/v3/clusters")
            try:
                self._cluster = str(answer["data"][0]["cluster_id"])
            except (TypeError, LookupError) as error:
                raise TargetDownError(f"{self.name} names no cluster: {answer!r}"[:300]) from error
        wanted = {
            "topic_name": topic,
            "partitions_count": self._settings.partitions,
            "replication_factor": self._settings.replication,
        }
        try:
            self._http.call("POST", f"/v3/clusters/{quote(self._cluster)}/topics", json=wanted)
        except RejectedError as error:
            if error.number != _TOPIC_EXISTS:
                raise
        self._topics.add(topic)


def _tagged(value: Mapping[str, Any]) -> dict[str, Any]:
    """Write optional values as the JSON encoding of Avro wants them."""
    tagged = dict(value)
    for name, kind in _OPTIONAL.items():
        if tagged[name] is not None:
            tagged[name] = {kind: tagged[name]}
    return tagged


def _reply(topic: str, offset: Any) -> Reply:
    if not isinstance(offset, dict):
        return Reply("failed", f"no answer for a record: {offset!r}"[:300])
    if offset.get("error_code") is None and not offset.get("error") and offset.get("offset") is not None:
        return Reply("acknowledged", f"{topic} {offset.get('partition')}:{offset['offset']}")
    reason = f"error {offset.get('error_code')}: {offset.get('error')}"[:300]
    retriable = offset.get("error_code") in (_RETRIABLE, None)
    return Reply("failed" if retriable else "dead", reason)
