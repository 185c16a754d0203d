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

"""Reading the YAML files of a package of metrics of lsst.verify: definitions,
and thresholds that inherit from each other.
"""

from __future__ import annotations

__all__ = ["holds_package", "read_package", "read_specifications"]

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from ..errors import NotATableError
from ._rows import writable
from .definitions import Definition, definition, threshold, with_thresholds

_MOST_BASES = 20

_Documents = dict[str, dict[str, Any]]


def holds_package(folder: Path) -> bool:
    """Tell whether a folder holds a package of metrics.

    Parameters
    ----------
    folder : `pathlib.Path`
        A folder.

    Returns
    -------
    holds : `bool`
        Whether there is a file ``metrics/*.yaml`` in it.
    """
    return any((folder / "metrics").glob("*.yaml"))


def read_package(folder: Path) -> dict[str, Definition]:
    """Read the definitions and thresholds of a package of metrics.

    Parameters
    ----------
    folder : `pathlib.Path`
        Folder with ``metrics/<package>.yaml`` and
        ``specs/<package>/**/*.yaml``.

    Returns
    -------
    definitions : `dict` [`str`, `Definition`]
        By name of the metric, package included; with the thresholds that
        are of one of `lsst.qa.spec.LEVELS` and hold for whole bands.

    Raises
    ------
    NotATableError
        Raised if a file is not of that format; it is named. Nothing in it
        is executed.
    """
    found: dict[str, Definition] = {}
    for file in sorted((folder / "metrics").glob("*.yaml")):
        for document in _documents(file):
            for name, said in document.items():
                if isinstance(name, str) and writable(name) == name and isinstance(said, dict):
                    found[f"{file.stem}.{name}"] = definition(f"{file.stem}.{name}", said)
    specs: list[dict[str, Any]] = []
    for package in sorted(path for path in (folder / "specs").glob("*") if path.is_dir()):
        for file in sorted(package.rglob("*.yaml")):
            specs += read_specifications(file, package.name, package)
    return with_thresholds(found, specs)


def read_specifications(file: Path, package: str, folder: Path | None = None) -> list[dict[str, Any]]:
    """Read a file of thresholds, inheritance resolved.

    Parameters
    ----------
    file : `pathlib.Path`
        YAML documents, of which some are partial: what has an ``id`` is
        inherited by what names it as its ``base``, as ``#id`` in the same
        file and as ``path#id`` in another.
    package : `str`
        Package of its metrics.
    folder : `pathlib.Path`, optional
        Folder that the paths of other files are relative to; that of the
        file if there is none.

    Returns
    -------
    specs : `list` [`dict`]
        See `lsst.qa.readers.definitions.threshold`.

    Raises
    ------
    NotATableError
        Raised if the file is not of that format, or if a base does not
        exist or inherits itself.
    """
    folder = folder or file.parent
    place = file.relative_to(folder).with_suffix("").as_posix()
    known = {place: _by_name(file, package)}
    found = []
    for name in [name for name in known[place] if not name.startswith("#")]:
        whole = _inherited(place, name, known, folder, package)
        metric, own = whole.get("metric"), whole["name"]
        if not isinstance(metric, str):
            metric, _, own = own.partition(".")
        full = metric if "." in metric else f"{package}.{metric}"
        found.append(threshold({**whole, "name": f"{full}.{own}", "metric": full}))
    return found


def _by_name(file: Path, package: str) -> _Documents:
    """Return the documents of a file: partial ones by ``#id``, others by a
    name that tells them apart.
    """
    found: _Documents = {}
    for said in _documents(file):
        if isinstance(said.get("id"), str):
            found[f"#{said['id']}"] = said
        elif isinstance(said.get("name"), str):
            metric = said.get("metric")
            name = f"{metric}.{said['name']}" if isinstance(metric, str) else said["name"]
            # Two may have a name that their bases make different.
            found[name if name not in found else f"{name} {len(found)}"] = said
    return found


def _inherited(
    place: str, name: str, known: dict[str, _Documents], folder: Path, package: str
) -> dict[str, Any]:
    """Put what a document inherits below what it says itself."""
    layers: list[Mapping[str, Any]] = []
    waiting = [(place, name)]
    while waiting:
        where, wanted = waiting.pop(0)
        parent = _found(where, wanted, known, folder, package)
        if parent is None:
            raise NotATableError(f"{folder / place}.yaml: there is no {wanted}, which {name!r} is based on")
        layers.append(parent)
        waiting += [_address(base, where) for base in _bases(parent)]
        if len(layers) > _MOST_BASES:
            raise NotATableError(f"{folder / place}.yaml: {name!r} inherits itself")
    whole: dict[str, Any] = {}
    for layer in reversed(layers):
        threshold = {**_object(whole.get("threshold")), **_object(layer.get("threshold"))}
        tags = [*_list(whole.get("tags")), *_list(layer.get("tags"))]
        whole = {**whole, **layer, "threshold": threshold, "tags": tags}
    return whole


def _address(base: str, place: str) -> tuple[str, str]:
    """Split a base into its file and its name there."""
    other, partial, name = base.partition("#")
    return (other or place, f"#{name}") if partial else (place, base)


def _found(
    place: str, name: str, known: dict[str, _Documents], folder: Path, package: str
) -> Mapping[str, Any] | None:
    if place not in known:
        file = (folder / f"{place}.yaml").resolve()
        inside = file.is_relative_to(folder.resolve()) and file.is_file()
        known[place] = _by_name(file, package) if inside else {}
    there = known[place]
    return there.get(name) or there.get(name.removeprefix(f"{package}."))


def _bases(said: Mapping[str, Any]) -> list[str]:
    base = said.get("base")
    return [one for one in (base if isinstance(base, list) else [base]) if isinstance(one, str)]


def _documents(file: Path) -> Iterator[dict[Any, Any]]:
    try:
        for found in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            if found is not None and not isinstance(found, dict):
                raise NotATableError(f"{file}: a document is no mapping but a {type(found).__name__}")
            if found:
                yield found
    except (
        OSError,
        ValueError,
        TypeError,
        yaml.YAMLError,
        RecursionError,
        AttributeError,
        LookupError,
    ) as error:
        if isinstance(error, NotATableError):
            raise
        raise NotATableError(f"{file}: it cannot be read: {' '.join(str(error).split())}") from error


def _object(found: Any) -> dict[Any, Any]:
    return found if isinstance(found, dict) else {}


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []
