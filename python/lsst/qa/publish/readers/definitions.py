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

"""Reading definitions and thresholds of lsst.verify: those in a Job, and the
YAML files of a package of metrics.
"""

from __future__ import annotations

__all__ = ["Definition", "definitions_of_job", "read_package", "read_specifications"]

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ...errors import DefinitionError, NotATableError
from ...spec import LEVELS, Spec
from ._rows import BANDS, number

_MOST_BASES = 20
_BANDS = re.compile(rf"(?:^|_)([{''.join(sorted(BANDS))}]{{1,6}})$")


class Definition(NamedTuple):
    """A metric as another package defines it; the fields are those of
    `lsst.qa.metric.Metric` that the database keeps.

    Attributes
    ----------
    name, unit, doc, reference : `str`
        What it is.
    specs : `tuple` [`lsst.qa.metric.Spec`, ...]
        Its thresholds, in its unit.
    table, formula : `None`
        Not told by those packages.
    """

    name: str
    unit: str
    doc: str
    reference: str
    specs: tuple[Spec, ...] = ()
    table: None = None
    formula: None = None


def definitions_of_job(job: Mapping[str, Any]) -> dict[str, Definition]:
    """Read the definitions in a Job.

    Parameters
    ----------
    job : `~collections.abc.Mapping`
        The parsed Job.

    Returns
    -------
    definitions : `dict` [`str`, `Definition`]
        By name of the metric, package included. A threshold is kept if it
        is of one of `lsst.qa.spec.LEVELS` and holds for whole bands;
        those for single instruments, data sets or releases are left out.
    """
    found = dict(_metrics_of_job(job.get("metrics")))
    specs = job.get("specs")
    return _with_specs(
        found, [_flat(spec) for spec in specs if isinstance(spec, dict)] if isinstance(specs, list) else []
    )


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
        By name of the metric, package included.

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
                if isinstance(name, str) and isinstance(said, dict):
                    found[f"{file.stem}.{name}"] = _definition(f"{file.stem}.{name}", said)
    specs: list[dict[str, Any]] = []
    for package in sorted(path for path in (folder / "specs").glob("*") if path.is_dir()):
        for file in sorted(package.rglob("*.yaml")):
            specs += read_specifications(file, package.name)
    return _with_specs(found, specs)


def read_specifications(file: Path, package: str) -> list[dict[str, Any]]:
    """Read a file of thresholds, inheritance resolved.

    Parameters
    ----------
    file : `pathlib.Path`
        YAML documents, of which some are partial: what has an ``id`` is
        inherited by what names it as its ``base``.
    package : `str`
        Package of its metrics.

    Returns
    -------
    specs : `list` [`dict`]
        ``metric``, ``name``, ``value``, ``unit``, ``operator``, ``tags`` and
        ``query`` of each threshold.

    Raises
    ------
    NotATableError
        Raised if the file is not of that format, or if a base does not
        exist or inherits itself.
    """
    documents = list(_documents(file))
    partials = {f"#{said['id']}": said for said in documents if isinstance(said.get("id"), str)}
    found = []
    for said in documents:
        if not isinstance(said.get("name"), str):
            continue
        whole = _inherited(said, partials, documents, file)
        metric = whole.get("metric")
        name = said["name"]
        if not isinstance(metric, str):
            metric, _, name = name.partition(".")
        full = metric if "." in metric else f"{package}.{metric}"
        found.append(_flat({**whole, "name": f"{full}.{name}", "metric": full}))
    return found


def _inherited(
    said: Mapping[str, Any], partials: Mapping[str, Any], documents: Iterable[Mapping[str, Any]], file: Path
) -> dict[str, Any]:
    """Put what a document inherits below what it says itself."""
    layers, waiting = [said], _bases(said)
    named = {
        f"{d['metric']}.{d['name']}": d for d in documents if isinstance(d.get("metric"), str) and "name" in d
    }
    while waiting:
        base = waiting.pop(0)
        parent = partials.get(base) or named.get(base)
        if parent is None:
            if base.startswith("#"):
                raise NotATableError(f"{file}: there is no {base}, which {said.get('name')!r} is based on")
            continue  # in another file: what it says of the instrument is of no use here
        layers.append(parent)
        waiting += _bases(parent)
        if len(layers) > _MOST_BASES:
            raise NotATableError(f"{file}: {said.get('name')!r} inherits itself")
    whole: dict[str, Any] = {}
    for layer in reversed(layers):
        threshold = {**_object(whole.get("threshold")), **_object(layer.get("threshold"))}
        tags = [*_list(whole.get("tags")), *_list(layer.get("tags"))]
        whole = {**whole, **layer, "threshold": threshold, "tags": tags}
    return whole


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


def _metrics_of_job(metrics: Any) -> Iterator[tuple[str, Definition]]:
    for said in metrics if isinstance(metrics, list) else []:
        if isinstance(said, dict) and isinstance(said.get("name"), str):
            yield said["name"], _definition(said["name"], said)


def _definition(name: str, said: Mapping[str, Any]) -> Definition:
    reference = _object(said.get("reference"))
    parts = [str(reference[key]) for key in ("doc", "url") if reference.get(key)]
    if reference.get("page"):
        parts.append(f"p. {reference['page']}")
    unit = said.get("unit")
    return Definition(
        name, unit if isinstance(unit, str) else "", _text(said.get("description")), ", ".join(parts)
    )


def _flat(spec: Mapping[str, Any]) -> dict[str, Any]:
    threshold = _object(spec.get("threshold"))
    name = spec.get("name") if isinstance(spec.get("name"), str) else ""
    return {
        "metric": spec.get("metric") or ".".join(str(name).split(".")[:2]),
        "name": name,
        "value": threshold.get("value"),
        "unit": threshold.get("unit"),
        "operator": threshold.get("operator"),
        "tags": [tag for tag in _list(spec.get("tags")) if isinstance(tag, str)],
        "query": _object(spec.get("metadata_query")),
    }


def _with_specs(found: dict[str, Definition], specs: Iterable[Mapping[str, Any]]) -> dict[str, Definition]:
    held: dict[str, dict[tuple[str, str], Spec]] = {}
    for said in specs:
        metric = said["metric"]
        if metric not in found:
            continue
        spec = _spec(said, found[metric].unit)
        if spec is not None:
            held.setdefault(metric, {}).setdefault((spec.level, spec.bands), spec)
    return {
        name: definition._replace(
            specs=tuple(sorted(held.get(name, {}).values(), key=lambda s: (LEVELS.index(s.level), s.bands)))
        )
        for name, definition in found.items()
    }


def _spec(said: Mapping[str, Any], unit: str) -> Spec | None:
    words = set(said["name"].split(".")[-1].split("_")) | set(said["tags"])
    levels = [level for level in LEVELS if level in words]
    query = dict(said["query"])
    bands = query.pop("filter_name", None)
    if bands is None:
        matched = _BANDS.search(said["name"].split(".")[-1])
        bands = matched.group(1) if matched else ""
    value = _converted(number(said["value"]), said["unit"], unit)
    if len(levels) != 1 or query or not isinstance(bands, str) or not set(bands) <= BANDS or value is None:
        return None
    try:
        return Spec(levels[0], value, said["operator"], bands, "")
    except DefinitionError:
        return None


def _converted(value: float | None, unit: Any, wanted: str) -> float | None:
    """Express a threshold in the unit of its metric, if that is possible."""
    if value is None or not math.isfinite(value):
        return None
    if unit == wanted or not isinstance(unit, str):
        return value
    import astropy.units

    try:
        first, second = (astropy.units.Unit("%" if one == "percent" else one) for one in (unit, wanted))
        factor = first.to(second)
    except (ValueError, TypeError):
        return None
    # 12 digits, so that 5 mas do not become 4.999999999999999.
    return float(f"{value * factor:.12g}")


def _object(found: Any) -> dict[Any, Any]:
    return found if isinstance(found, dict) else {}


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def _text(found: Any) -> str:
    return " ".join(found.split()) if isinstance(found, str) else ""
