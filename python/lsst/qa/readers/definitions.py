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

"""Definitions and thresholds of metrics of lsst.verify, as Jobs hold them."""

from __future__ import annotations

__all__ = ["Definition", "definition", "definitions_of_job", "threshold", "with_thresholds"]

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ..spec import LEVELS, Spec
from ._rows import BANDS, number, writable

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
    specs = [threshold(spec) for spec in _list(job.get("specs")) if isinstance(spec, dict)]
    return with_thresholds(found, specs)


def definition(name: str, said: Mapping[str, Any]) -> Definition:
    """Make a definition of what a metric's object says.

    Parameters
    ----------
    name : `str`
        Name of the metric, package included.
    said : `~collections.abc.Mapping`
        Its ``description``, ``unit`` and ``reference``, if it has them.

    Returns
    -------
    definition : `Definition`
        Without thresholds.
    """
    reference = _object(said.get("reference"))
    parts = [str(reference[key]) for key in ("doc", "url") if reference.get(key)]
    if reference.get("page"):
        parts.append(f"p. {reference['page']}")
    unit, doc = _text(said.get("unit")), _text(said.get("description"))
    return Definition(name, unit, doc, _text(", ".join(parts)))


def threshold(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Lay out what a specification's object says.

    Parameters
    ----------
    spec : `~collections.abc.Mapping`
        The object, with all that it inherits.

    Returns
    -------
    threshold : `dict`
        ``metric``, ``name``, ``value``, ``unit``, ``operator``, ``tags`` and
        ``query``.
    """
    said = _object(spec.get("threshold"))
    name, metric = (_string(spec.get(key)) for key in ("name", "metric"))
    return {
        "metric": metric or ".".join(name.split(".")[:2]),
        "name": name,
        "value": said.get("value"),
        "unit": said.get("unit"),
        "operator": said.get("operator"),
        "tags": [tag for tag in _list(spec.get("tags")) if isinstance(tag, str)],
        "query": _object(spec.get("metadata_query")),
    }


def with_thresholds(
    found: Mapping[str, Definition], specs: Iterable[Mapping[str, Any]]
) -> dict[str, Definition]:
    """Give definitions their thresholds.

    Parameters
    ----------
    found : `~collections.abc.Mapping` [`str`, `Definition`]
        Definitions by name of the metric.
    specs : `~collections.abc.Iterable` [`~collections.abc.Mapping`]
        Thresholds, see `threshold`.

    Returns
    -------
    definitions : `dict` [`str`, `Definition`]
        With the thresholds that `lsst.qa.spec.Spec` has words for, in the
        metric's unit; of those of one level and band the first.
    """
    held: dict[str, dict[tuple[str, str], Spec]] = {}
    for said in specs:
        metric = said["metric"]
        spec = _spec(said, found[metric].unit) if metric in found else None
        if spec is not None:
            held.setdefault(metric, {}).setdefault((spec.level, spec.bands), spec)
    return {
        name: definition._replace(
            specs=tuple(sorted(held.get(name, {}).values(), key=lambda s: (LEVELS.index(s.level), s.bands)))
        )
        for name, definition in found.items()
    }


def _metrics_of_job(metrics: Any) -> Iterator[tuple[str, Definition]]:
    for said in metrics if isinstance(metrics, list) else []:
        name = _string(_object(said).get("name"))
        if name and writable(name) == name:
            yield name, definition(name, said)


def _spec(said: Mapping[str, Any], unit: str) -> Spec | None:
    last = said["name"].rpartition(".")[2]
    words = {*last.split("_"), *said["tags"]}
    levels = [level for level in LEVELS if level in words]
    query = dict(said["query"])
    bands = query.pop("filter_name", None)
    if bands is None:
        matched = _BANDS.search(last)
        bands = matched.group(1) if matched else ""
    elif isinstance(bands, str) and "^" in bands:
        bands = ""  # of colours: their values have no band
    value = _converted(number(_plain(said["value"])), said["unit"], unit)
    if len(levels) != 1 or query or value is None or not isinstance(bands, str):
        return None
    spec = Spec(levels[0], value, _string(said["operator"]), bands, "")
    return None if spec.faults() else spec


def _plain(value: Any) -> Any:
    """Understand 1e-6, which is a text in YAML for want of a point."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
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


def _string(found: Any) -> str:
    return found if isinstance(found, str) else ""


def _text(found: Any) -> str:
    return " ".join(writable(found).split()) if isinstance(found, str) else ""
