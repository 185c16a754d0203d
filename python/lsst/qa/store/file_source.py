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

"""Measurements and definitions of lsst.verify in files."""

from __future__ import annotations

__all__ = ["FileSource", "holds_measurements"]

import datetime
import hashlib
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from lsst.resources import ResourcePath

from ..errors import CollectionError, InputError, NotATableError
from ..readers._rows import parse_json
from ..readers.definitions import Definition, definitions_of_job
from ..readers.job import job_time
from ..readers.package import holds_package, read_package
from .batches import Origin
from .reading import Stored, read_datasets
from .source import Single, Source

_JOBS = uuid.uuid5(uuid.NAMESPACE_OID, "lsst.verify.job")
_PATTERN = "*.verify.json"
_TYPE = "verify_job"


def holds_measurements(path: Path) -> bool:
    """Tell whether a path is of files, and not of a repository.

    Parameters
    ----------
    path : `pathlib.Path`
        A path.

    Returns
    -------
    holds : `bool`
        Whether it names a JSON file, or a folder that holds Jobs or a
        package of metrics and no ``butler.yaml``.
    """
    if path.suffix == ".json":
        return True
    if not path.is_dir() or (path / "butler.yaml").exists():
        return False
    return holds_package(path) or any(path.rglob(_PATTERN))


class FileSource(Source):
    """Jobs in files, and the metrics that they or a package define.

    Parameters
    ----------
    path : `pathlib.Path`
        A file, a folder of ``*.verify.json``, or one with ``metrics`` and
        ``specs``.
    made : `datetime.datetime`, optional
        When the Job was made that does not say so; UTC, without a zone.

    Raises
    ------
    CollectionError
        Raised if there is no such file.
    InputError
        Raised if a time is given for several Jobs, which could then not be
        told apart, or for none.
    NotATableError
        Raised if a file of definitions is not of its format.
    """

    collection = ""

    def __init__(self, path: Path, made: datetime.datetime | None = None):
        self.root = str(path.resolve())
        self.definitions: dict[str, Definition] = read_package(path) if path.is_dir() else {}
        files = sorted(path.rglob(_PATTERN)) if path.is_dir() else [path]
        self._stored: dict[str, Stored] = {}
        timeless = []
        for file in files:
            stored, job_made = self._described(file, made)
            self._stored[stored.uuid] = stored
            timeless += [] if job_made else [file.name]
        if made is not None and len(timeless) != 1:
            raise InputError(
                f"A time is for one Job; {len(timeless)} of {path} do not say when they were made"
                f"{': ' if timeless else ''}{', '.join(timeless)}."
            )
        self.singles = [Single(s.uuid, s.run, s.dataset_type) for _, s in sorted(self._stored.items())]

    def read(self, singles: Sequence[Single]) -> Iterator[tuple[Origin, pa.Table | str]]:
        yield from read_datasets(self._stored[single.uuid] for single in singles)

    def _described(
        self, file: Path, made: datetime.datetime | None
    ) -> tuple[Stored, datetime.datetime | None]:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise CollectionError(f"{file} cannot be read: {error}") from error
        job_made = None
        try:
            job = parse_json(content)
        except NotATableError:
            pass  # reading the measurements will say so
        else:
            self.definitions.update(definitions_of_job(job))
            job_made = job_time(job)
        stem = file.name.removesuffix(".json").removesuffix(".verify")
        time = job_made or made
        # Every run of a program that writes Jobs gives them the same names.
        run = f"verify/{stem}" + (f"/{time:%Y%m%dT%H%M%SZ}" if time else "")
        key = str(uuid.uuid5(_JOBS, hashlib.sha256(content).hexdigest()))
        return Stored(key, run, _TYPE, "StructuredDataDict", ResourcePath(str(file)), time=time), job_made
