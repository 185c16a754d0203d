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

"""Files as targets: JSON Lines, or an Avro container."""

from __future__ import annotations

__all__ = ["AvroFileTarget", "JsonLinesTarget", "open_url"]

import contextlib
import fcntl
import json
import os
import sqlite3
import weakref
from abc import abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from ...errors import InputError, TargetDownError
from ..fields import avro_schema
from ..record import Record
from ..settings import Settings
from .base import Reading, Reply, Target, acknowledged

_TAIL = 1 << 16
_CHUNK = 500


def open_url(url: str, settings: Settings) -> Target:
    """Open a file as a target.

    Parameters
    ----------
    url : `str`
        ``file:///path.jsonl`` or ``file:///path.avro``.
    settings : `Settings`
        Not needed.

    Returns
    -------
    target : `Target`
        The target; the file is made when something is sent.

    Raises
    ------
    InputError
        Raised if the name of the file tells no format.
    """
    parts = urlsplit(url)
    path = Path(unquote(parts.netloc + parts.path))
    if path.suffix == ".jsonl":
        return JsonLinesTarget(url, path)
    if path.suffix == ".avro":
        return AvroFileTarget(url, path)
    raise InputError(f"{path.name!r} names no format: expected a file *.jsonl or *.avro.")


class _FileTarget(Target):
    """A file that several uploaders append to, and that is whole again after
    one was killed while it wrote.

    Parameters
    ----------
    name : `str`
        URL of the target.
    path : `pathlib.Path`
        The file.
    """

    readable = True
    overwrites = False

    def __init__(self, name: str, path: Path):
        super().__init__(name)
        self._path = path
        self._whole = -1
        self._read_to = 0
        # In a file of its own that goes with the connection.
        self._keys = sqlite3.connect("")
        # Whoever forgets to close the target does not keep that file either.
        weakref.finalize(self, self._keys.close)
        self._keys.execute("CREATE TABLE held (key TEXT PRIMARY KEY) WITHOUT ROWID")

    def close(self) -> None:
        self._keys.close()

    def send(self, records: Sequence[Record]) -> list[Reply]:
        try:
            with self._locked() as file:
                self._mend(file)
                start = file.tell()
                self._append(file, records)
                file.flush()
                os.fsync(file.fileno())
                self._whole = file.seek(0, os.SEEK_END)
                if start == self._read_to:  # else others wrote, and it is read again
                    self._remember([record.key for record in records], self._whole)
        except OSError as error:
            raise TargetDownError(f"{self._path} cannot be written: {error}") from error
        return acknowledged(records, str(self._path))

    def held(self, records: Sequence[Record]) -> Collection[str]:
        if not self._path.exists():
            return ()
        with self._locked() as file:
            self._mend(file)
            end = file.seek(0, os.SEEK_END)
            if end != self._read_to:
                start = self._read_to if self._read_to < end else 0
                self._remember((value["record_id"] for value in self._values(file, start)), end)
        found: set[str] = set()
        for first in range(0, len(records), _CHUNK):
            keys = [record.key for record in records[first : first + _CHUNK]]
            query = f"SELECT key FROM held WHERE key IN ({', '.join('?' * len(keys))})"
            found.update(key for (key,) in self._keys.execute(query, keys))
        return found

    def _remember(self, keys: Iterable[str], end: int) -> None:
        """Remember what the file holds up to a place."""
        self._keys.executemany("INSERT OR IGNORE INTO held VALUES (?)", ((key,) for key in keys))
        self._keys.commit()
        self._read_to = end

    def readings(self, topics: Collection[str], runs: Collection[str]) -> Iterator[Reading]:
        return self._readings()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file

    def _mend(self, file: BinaryIO) -> None:
        """Cut off what an uploader that was killed left half written."""
        end = file.seek(0, os.SEEK_END)
        if end != self._whole:
            self._whole = self._last_whole(file, end)
            file.truncate(self._whole)
            file.seek(0, os.SEEK_END)

    @abstractmethod
    def _last_whole(self, file: BinaryIO, end: int) -> int:
        """Return where the last record ends that is whole."""

    @abstractmethod
    def _append(self, file: BinaryIO, records: Sequence[Record]) -> None:
        """Write records at the end of the file."""

    @abstractmethod
    def _values(self, file: BinaryIO, start: int) -> Iterator[dict[str, Any]]:
        """Read the fields of the records that are whole, from a place after
        one of them, or from the first.
        """

    def _readings(self) -> Iterator[Reading]:
        if not self._path.exists():
            return
        with self._locked() as file:
            self._mend(file)
            for value in self._values(file, 0):
                yield Reading.of(value)


class JsonLinesTarget(_FileTarget):
    """JSON Lines: an object per record, with its topic and its fields."""

    def _last_whole(self, file: BinaryIO, end: int) -> int:
        while end > 0:
            start = max(0, end - _TAIL)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
        return 0

    def _append(self, file: BinaryIO, records: Sequence[Record]) -> None:
        lines = [json.dumps({"topic": r.topic, "value": r.value}, allow_nan=False) for r in records]
        file.write("".join(f"{line}\n" for line in lines).encode())

    def _values(self, file: BinaryIO, start: int) -> Iterator[dict[str, Any]]:
        file.seek(start)
        for line in file:
            yield json.loads(line)["value"]


class AvroFileTarget(_FileTarget):
    """An Avro container: the fields of every record, and its topic."""

    def _last_whole(self, file: BinaryIO, end: int) -> int:
        import fastavro

        if not end:
            return 0
        file.seek(0)
        whole = 0
        # A container cut short raises whatever its last bytes mean.
        with contextlib.suppress(ValueError, EOFError, IndexError, StopIteration, KeyError, OSError):
            blocks = fastavro.block_reader(file)
            whole = file.tell()
            for block in blocks:
                whole = block.offset + block.size
        return whole

    def _append(self, file: BinaryIO, records: Sequence[Record]) -> None:
        import fastavro

        schema = avro_schema("lsst.qa.measurement", "measurement")
        topic = {"name": "topic", "type": "string", "default": "", "description": "Topic."}
        schema = {**schema, "fields": [*schema["fields"], topic]}
        fastavro.writer(file, schema, ({**record.value, "topic": record.topic} for record in records))

    def _values(self, file: BinaryIO, start: int) -> Iterator[dict[str, Any]]:
        import fastavro  # which reads from the first record on

        if file.seek(0, os.SEEK_END):
            file.seek(0)
            yield from fastavro.reader(file)  # type: ignore[misc]
