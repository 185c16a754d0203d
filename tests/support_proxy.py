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

"""A stand-in for the Kafka REST proxy and the schema registry, on loopback: it
validates every record, and misbehaves when it is told to.
"""

from __future__ import annotations

__all__ = ["TROUBLES", "Proxy"]

import http.server
import json
import socket
import struct
import sys
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import fastavro
import fastavro.validation

TROUBLES = ("429", "500", "503 wait", "timeout", "reset", "late reset", "truncated", "few", "records", "html")
"""What can be asked of it, besides "401"."""


class Proxy:
    """The server; a context that starts and stops it.

    Parameters
    ----------
    trouble : `~collections.abc.Callable`, optional
        Is called for each request with records and returns how to misbehave,
        one of `TROUBLES`, or `None`.
    token : `str`, optional
        The token that it asks for.
    forward : `~collections.abc.Callable`, optional
        Is called with the topic, the number of its schema and the values
        that were taken.
    keep : `bool`, optional
        Whether to keep them in memory.
    """

    def __init__(
        self,
        trouble: Callable[[], str | None] = lambda: None,
        token: str = "",
        forward: Callable[[str, int, list[dict[str, Any]]], None] = lambda topic, schema, values: None,
        keep: bool = True,
    ):
        self.trouble, self.token, self.forward, self.keep = trouble, token, forward, keep
        self.topics: dict[str, list[dict[str, Any]]] = {}
        self.schemas: list[str] = []
        self.n_requests = 0
        self.connections: set[Any] = set()
        self.faults: list[str] = []
        self.lock = threading.Lock()
        self.stopping = threading.Event()

    def __enter__(self) -> Proxy:
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """URL of the target."""
        return f"sasquatch+http://127.0.0.1:{self.port}/sasquatch-rest-proxy?namespace=lsst.debug"

    @property
    def registry(self) -> str:
        """URL of the schema registry."""
        return f"http://127.0.0.1:{self.port}/registry"

    def values(self) -> list[dict[str, Any]]:
        """Return all records that were taken."""
        return [value for values in self.topics.values() for value in values]

    def schema_id(self, schema: str) -> int:
        """Register a schema."""
        with self.lock:
            if schema not in self.schemas:
                self.schemas.append(schema)
            return self.schemas.index(schema) + 1


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # uploaders are killed
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: Proxy

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.owner.connections.add(self.client_address)
        if self.path == "/sasquatch-rest-proxy/v3/clusters":
            self._answer(200, {"kind": "KafkaClusterList", "data": [{"cluster_id": "c1"}]})
        elif self.path.startswith("/registry/schemas/ids/"):
            number = int(self.path.split("?")[0].rpartition("/")[2])
            self._answer(200, {"schema": self.owner.schemas[number - 1]})
        else:
            self._answer(404, {"error_code": 404, "message": f"no {self.path}"})

    def do_POST(self) -> None:
        self.owner.connections.add(self.client_address)
        length = int(self.headers["Content-Length"])
        if len(content := self.rfile.read(length)) < length:
            return  # who asked is gone
        body = json.loads(content)
        path = unquote(self.path.split("?")[0])
        if path.startswith("/registry/subjects/"):
            number = self.owner.schema_id(body["schema"])
            self._answer(
                200, {"id": number, "schema": body["schema"], "version": 1, "subject": path.split("/")[3]}
            )
        elif self.owner.token and self.headers.get("Authorization") != f"Bearer {self.owner.token}":
            self._answer(401, {"error_code": 401, "message": "Unauthorized"})
        elif path == "/sasquatch-rest-proxy/v3/clusters/c1/topics":
            self._make_topic(body)
        elif path.startswith("/sasquatch-rest-proxy/topics/"):
            self._take(path.rpartition("/")[2], body)
        else:
            self._answer(404, {"error_code": 404, "message": f"no {path}"})

    def _make_topic(self, body: dict[str, Any]) -> None:
        with self.owner.lock:
            known = body["topic_name"] in self.owner.topics
            self.owner.topics.setdefault(body["topic_name"], [])
        if known:
            self._answer(
                400, {"error_code": 40002, "message": f"Topic '{body['topic_name']}' already exists."}
            )
        else:
            self._answer(201, {"kind": "KafkaTopic", "topic_name": body["topic_name"]})

    def _take(self, topic: str, body: dict[str, Any]) -> None:
        self.owner.n_requests += 1
        trouble = self.owner.trouble()
        if trouble == "401":
            return self._answer(401, {"error_code": 401, "message": "Unauthorized"})
        if trouble == "429":
            return self._answer(429, {"message": "Too many requests"}, {"Retry-After": "0"})
        if trouble == "503 wait":
            return self._answer(503, {}, {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"})
        if trouble == "500":
            return self._answer(500, {"error_code": 50002, "message": "Kafka error"})
        if trouble == "html":
            return self._write(200, b"<html>Log in</html>")
        if trouble == "timeout":
            self.owner.stopping.wait(1.0)
            return self._hang_up()
        if trouble == "reset":
            return self._hang_up()
        answer = self._taken(topic, body, some_fail=trouble == "records")
        if answer is None:
            return None
        if trouble == "late reset":
            return self._hang_up()
        if trouble == "few":
            answer["offsets"].pop()
        written = json.dumps(answer).encode()
        if trouble == "truncated":
            self._write(200, written[: len(written) // 2], len(written))
            return self._hang_up()
        return self._write(200, written)

    def _taken(self, topic: str, body: dict[str, Any], some_fail: bool) -> dict[str, Any] | None:
        if topic not in self.owner.topics:
            return self._answer(404, {"error_code": 40401, "message": "Topic not found."})
        if self.headers["Content-Type"] != "application/vnd.kafka.avro.v2+json":
            return self._answer(415, {"error_code": 415, "message": "HTTP 415 Unsupported Media Type"})
        number = body.get("value_schema_id") or self.owner.schema_id(body["value_schema"])
        if number > len(self.owner.schemas):
            return self._answer(422, {"error_code": 42201, "message": "Schema not found"})
        schema = fastavro.parse_schema(json.loads(self.owner.schemas[number - 1]))
        values = []
        for record in body["records"]:
            try:
                values.append(_decoded(record["value"], schema))
            except (fastavro.validation.ValidationError, ValueError, KeyError) as error:
                self.owner.faults.append(str(error))
                return self._answer(
                    422, {"error_code": 42203, "message": f"Conversion of JSON to Avro failed: {error}"}
                )
        offsets: list[dict[str, Any]] = []
        taken = []
        for place, value in enumerate(values):
            if some_fail and place % 3 == 1:
                offsets.append(
                    {"partition": None, "offset": None, "error_code": 2, "error": "leader not available"}
                )
                continue
            taken.append(value)
            offsets.append({"partition": 0, "offset": place, "error_code": None, "error": None})
        with self.owner.lock:
            self.owner.forward(topic, number, taken)
            if self.owner.keep:
                self.owner.topics[topic] += taken
        return {"offsets": offsets, "key_schema_id": None, "value_schema_id": number}

    def _answer(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._write(status, json.dumps(body).encode(), None, headers)

    def _write(
        self, status: int, body: bytes, length: int | None = None, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _hang_up(self) -> None:
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True


def _decoded(value: dict[str, Any], schema: Any) -> dict[str, Any]:
    """Decode the JSON of Avro; refuse what does not fit the schema exactly."""
    decoded = {}
    known = {field["name"]: field["type"] for field in schema["fields"]}
    if unknown := value.keys() - known.keys():
        raise ValueError(f"undeclared fields {sorted(unknown)}")
    for name, kind in known.items():
        given = value[name]
        if isinstance(kind, list) and given is not None:
            ((tag, given),) = given.items()
            if tag not in kind:
                raise ValueError(f"{name} is of type {tag}")
            kind = tag
        if kind == "double" and not isinstance(given, float):
            raise ValueError(f"{name} is no double: {given!r}")
        decoded[name] = given
    fastavro.validation.validate(decoded, schema, raise_errors=True)
    return decoded
