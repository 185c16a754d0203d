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

"""InfluxDB as a target, without Kafka between: line protocol of 1 and 2."""

from __future__ import annotations

__all__ = ["InfluxTarget", "line", "open_url"]

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ...errors import InputError, TargetDownError
from ..fields import FIELDS, INFLUX_TAGS
from ..record import Record
from ..settings import Settings, TargetSettings
from ._http import Http
from .base import Reading, Reply, Target, acknowledged

_KINDS = {field.name: field.kind.rstrip("?") for field in FIELDS}
_FIELDS = tuple(name for name in _KINDS if name not in (*INFLUX_TAGS, "timestamp"))
_TAG_ESCAPES = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_NAME_ESCAPES = str.maketrans({",": "\\,", " ": "\\ "})
_TEXT_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\"})
_READ = ("record_id", "value", "error", "status")
_CHUNK = 10_000
_RUNS = 50


def open_url(url: str, settings: Settings) -> Target:
    """Open an InfluxDB as a target.

    Parameters
    ----------
    url : `str`
        ``influxdb://host:port/db`` for 1.x,
        ``influxdb://host:port/?org=ORG&bucket=BUCKET`` for 2.x;
        ``influxdb+https`` where it speaks HTTPS.
    settings : `Settings`
        User and password, or the token.

    Returns
    -------
    target : `Target`
        The target; it has not been asked anything.

    Raises
    ------
    InputError
        Raised if the URL names no database.
    """
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    database = parts.path.strip("/")
    if not database and not {"org", "bucket"} <= query.keys():
        raise InputError(
            f"{url} names no database: expected influxdb://HOST:PORT/DATABASE or "
            "influxdb://HOST:PORT/?org=ORG&bucket=BUCKET."
        )
    base = f"{'https' if parts.scheme.endswith('+https') else 'http'}://{parts.netloc}"
    return InfluxTarget(url, base, settings.of(url), database or query["bucket"], query.get("org"))


class InfluxTarget(Target):
    """Writes each record as one point, with the tags of Sasquatch.

    Parameters
    ----------
    name : `str`
        URL of the target.
    url : `str`
        URL of the server.
    settings : `TargetSettings`
        User and password, or the token.
    database : `str`
        Name of the database, or of the bucket.
    org : `str`, optional
        Organization, of 2.x only.
    """

    readable = True

    def __init__(self, name: str, url: str, settings: TargetSettings, database: str, org: str | None = None):
        super().__init__(name)
        token = settings.secret()
        password = settings.password.get_secret_value() if settings.password else ""
        self._http = Http(
            url,
            settings.timeout,
            {"Authorization": f"Token {token}"} if token else {},
            (settings.username, password) if settings.username else None,
        )
        self._batch = settings.batch
        self._database = database
        self._path, self._parameters = (
            ("/write", {"db": database, "precision": "u"})
            if org is None
            else ("/api/v2/write", {"org": org, "bucket": database, "precision": "us"})
        )

    def close(self) -> None:
        self._http.close()

    def requests(self, records: Sequence[Record]) -> Iterator[Sequence[Record]]:
        for start in range(0, len(records), self._batch):
            yield records[start : start + self._batch]

    def faults(self, records: Sequence[Record]) -> dict[int, str]:
        found = super().faults(records)
        for place, record in enumerate(records):
            tags = [str(record.value.get(name, "")) for name in INFLUX_TAGS]
            wrong = [tag for tag in tags if "\n" in tag or tag.endswith("\\")]
            if wrong:
                more = f"line protocol cannot write the tags {', '.join(map(repr, wrong))}"
                found[place] = "; ".join(filter(None, [found.get(place), more]))
        return found

    def send(self, records: Sequence[Record]) -> list[Reply]:
        lines = "\n".join(line(record.topic, record.value) for record in records)
        self._http.call("POST", self._path, params=self._parameters, content=lines.encode())
        return acknowledged(records, self._database)

    def readings(self, topics: Collection[str], runs: Collection[str]) -> Iterator[Reading]:
        wanted = sorted(runs)
        for topic in sorted(topics):
            for start in range(0, len(wanted), _RUNS):
                yield from self._read(topic, wanted[start : start + _RUNS])

    def _read(self, topic: str, runs: Sequence[str]) -> Iterator[Reading]:
        columns = ", ".join(f'"{name}"' for name in _READ)
        these = " OR ".join(f'"run" = {_quoted(run)}' for run in runs)
        name = topic.replace("\\", "\\\\").replace('"', '\\"')
        for first in range(0, 1 << 62, _CHUNK):
            query = f'SELECT {columns} FROM "{name}" WHERE {these} LIMIT {_CHUNK} OFFSET {first}'
            # Floats without a fraction come like integers; -0 needs its sign.
            answer = self._http.json(
                "POST", "/query", float, params={"db": self._database}, data={"q": query}
            )
            values = _values(answer)
            for _, key, value, error, status in values:
                yield Reading(key, value, error, status)
            if len(values) < _CHUNK:
                return


def line(topic: str, value: Mapping[str, Any]) -> str:
    """Write a record as a line of the protocol.

    Parameters
    ----------
    topic : `str`
        Its topic, which becomes the measurement.
    value : `~collections.abc.Mapping`
        Its fields.

    Returns
    -------
    line : `str`
        The line; fields that are null are not in it.
    """
    tags = [
        f"{name}={value[name].translate(_TAG_ESCAPES)}" for name in sorted(INFLUX_TAGS) if value[name] != ""
    ]
    fields = [f"{name}={_written(value[name], _KINDS[name])}" for name in _FIELDS if value[name] is not None]
    series = ",".join([topic.translate(_NAME_ESCAPES), *tags])
    return f"{series} {','.join(fields)} {value['timestamp']}"


def _written(value: Any, kind: str) -> str:
    if kind == "string":
        return f'"{value.translate(_TEXT_ESCAPES)}"'
    return f"{value}i" if kind == "long" else repr(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _values(answer: Any) -> list[Any]:
    try:
        result = answer["results"][0]
        if "error" in result:
            raise TargetDownError(f"InfluxDB answers: {result['error']}")
        series = result.get("series", [])
        return [row for one in series for row in one["values"]]
    except (TypeError, LookupError) as error:
        raise TargetDownError(f"InfluxDB answers what is no result: {json.dumps(answer)[:300]}") from error
